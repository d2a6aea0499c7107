/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own counters of a network namespace, from the text of /proc/PID/net/snmp and snmp6.
 * Pure: text in, struct out. UDP's are those of IPv4 and IPv6 together; a full receive queue is
 * RcvbufErrors or, for want of memory, MemErrors.
 * Source: RFC 4022, RFC 4113, net/ipv4/proc.c, net/ipv6/proc.c.
 */
#pragma once

#include <stdint.h>

#include "wire/batch.h"

struct snmp {
	uint64_t counter[NETNS_COUNTER_COUNT];
};

/* text6 is "" where there is no IPv6. -EBADMSG: no Tcp or Udp line, or not whole. */
int snmp_parse(const char *text, const char *text6, struct snmp *ret);
