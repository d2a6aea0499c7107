/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own TCP counters of a network namespace, from the text of /proc/PID/net/snmp.
 * Pure: text in, struct out. Source: RFC 4022, net/ipv4/proc.c.
 */
#pragma once

#include <stdint.h>

struct snmp_tcp {
	uint64_t active_opens, passive_opens, retrans_segs;
};

int snmp_parse(const char *text, struct snmp_tcp *ret); /* -EBADMSG: no Tcp line, or not whole */
