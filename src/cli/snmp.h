/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own TCP counters (/proc/net/snmp, RFC 4022) in every network namespace that a
 * process is in or that has a name in /run/netns. Needs root: it visits each one in a thread.
 *
 * Limits: 1024 namespaces. One that ends meanwhile is left out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SNMP_NAMESPACES_MAX 1024

struct snmp {
	uint32_t netns; /* inode, as in /proc/PID/ns/net */
	char name[64];  /* "/run/netns/blue", "/proc/123/ns/net": a way in */
	uint64_t active_opens, passive_opens, retrans_segs;
};

/* From the text of /proc/net/snmp; -EINVAL: the counters are not all there. */
int snmp_parse(const char *text, struct snmp *ret);

/* Sorted by netns; *ret is allocated. */
int snmp_read_all(struct snmp **ret, size_t *ret_count);
