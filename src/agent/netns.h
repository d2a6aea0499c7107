/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of each network namespace since the agent started, to be held against the kernel's
 * own: ours from the flows, and where the kernel's stood when we began to count.
 *
 * Inodes of namespaces are used again at once. A namespace with another cookie than the one known
 * under its inode is a new one, and begins at nothing, as the kernel's counters do.
 *
 * Limits: 1024 namespaces; then the one longest without traffic is forgotten.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "../../bpf/flow.h"
#include "agent/snmp.h"
#include "wire/batch.h"

struct netns;

/* cookie: the low 16 bits of SO_NETNS_COOKIE; 0: not known, any. */
struct netns_id {
	uint32_t inode, cookie;
};

struct netns *netns_new(void);             /* NULL: no memory */
struct netns *netns_free(struct netns *n); /* always NULL; accepts NULL */

void netns_add(struct netns *n, const struct mr_flow_key *key, const struct mr_flow_value *value);

/* What the kernel counted (now, with all that netns_add was given) lies before our beginning,
 * except for what we have counted ourselves by now. */
void netns_set_baseline(struct netns *n, const struct netns_id *id, const struct snmp *now);

int netns_report(const struct netns *n, struct wire_batch *batch); /* -ENOMEM */
