/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which flow a dropped packet belonged to.
 *
 *     its socket's slot ─► a flow of these two addresses and that port ─► who listens there
 *         ─► such a flow in another network namespace
 *
 * Most packets that are dropped have no socket yet, so the agent looks for a flow that has these
 * ends, then for a listener, both in the packet's network namespace; then for such a flow in
 * another one: a firewall on the way drops in the host's what a container sent. What belongs to
 * nobody known (a scanner at a closed port) is counted and shown nowhere.
 *
 * Limit: 64 searches of the flow table a window; what comes after them and has no listener counts
 * as nobody's.
 */
#pragma once

#include "agent/flow_table.h"
#include "agent/listener.h"

struct drop_join {
	struct actors *actors; /* borrowed, as the others */
	struct listeners *listeners;
	struct flow_table *flows;
	uint64_t now_ns;
	uint32_t searches; /* this window's */
	uint64_t foreign;  /* packets, since the start */
};

void drop_join_begin(struct drop_join *j, uint64_t now_ns);

/* Adds to the row of its flow. -ENOMEM: not added. */
int drop_join_add(struct drop_join *j, const struct mr_drop_key *key, const struct mr_drop *drop,
		  const char *reason);
