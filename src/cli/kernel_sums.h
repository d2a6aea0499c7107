/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own counters of every network namespace, read now. Needs root. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/snmp.h"

#define KERNEL_SUMS_MAX 1024 /* namespaces; more are left out, as the agent does */

struct kernel_sum {
	uint32_t netns, cookie; /* inode, as in /proc/PID/ns/net; as struct netns_id */
	char name[64];          /* in /run/netns; "(this)"; or "" */
	struct snmp kernel;
};

struct kernel_sums {
	struct kernel_sum *list;
	size_t count;
};

int kernel_sums_read(struct kernel_sums *ret); /* free with kernel_sums_done() */
void kernel_sums_done(struct kernel_sums *s);
const struct kernel_sum *kernel_sums_find(const struct kernel_sums *s, uint32_t netns);
