/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows under small handles, and this window's row for each that moved.
 *
 *     begin ─► fold, fold, fold … ─► end          once a window
 *
 * The kernel's records name a socket's owner by ids; here they are folded again by actor, so that
 * a hundred processes of one name are one flow. A handle is defined in the batch that first uses it
 * and retired after ten idle minutes; the next flow gets a new one. Only after two thousand million
 * (half a year of the fullest table) they begin again.
 *
 * Limits: 65536 handles by default. When they run out, what is new goes into a coarse flow of its
 * actor and role, and at the very end into one of "~other": it is counted, never lost.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../bpf/flow.h"
#include "agent/actor.h"
#include "wire/batch.h"

struct flow_table;

/* What address translation did to a flow. */
struct flow_nat {
	uint8_t via[16];   /* what the client asked for, if that is not the server's address; else 0
			    */
	uint16_t via_port; /* 0: as asked for */
	bool unresolved;   /* it was translated, but where to is not known: the remote end is not
			      right */
};

/* actors: borrowed; a flow holds its actor. flows_max 0: 65536. */
int flow_table_new(struct flow_table **ret, struct actors *actors, uint32_t flows_max);
struct flow_table *flow_table_free(struct flow_table *t); /* always NULL; accepts NULL */

/* The rows of the window are made in batch's arena. */
void flow_table_begin(struct flow_table *t, struct wire_batch *batch);
/* Adds a record to its flow's row; nat is NULL for one that nobody translated. -ENOMEM: it was not
 * added. */
int flow_table_fold(struct flow_table *t, const struct mr_flow_key *key,
		    const struct mr_flow_value *value, const struct flow_nat *nat, uint32_t actor,
		    uint64_t now_ns);
/* Adds what DNS did on a flow to its row. -ENOMEM: it was not added. */
int flow_table_fold_dns(struct flow_table *t, const struct mr_flow_key *key,
			const struct wire_dns *figures, const struct flow_nat *nat, uint32_t actor,
			uint64_t now_ns);
/* Its place, which is good until the window ends, not its handle; a coarse one's where the table is
 * full. */
uint32_t flow_table_get(struct flow_table *t, const struct mr_flow_key *key, uint32_t actor);
/* The place of the flow that is one of those wanted, whoever's it is; of several one in the network
 * namespace asked for (*ret_here), then the one used last. 0: none is. Looks at each flow. */
uint32_t flow_table_search(const struct flow_table *t, const struct mr_flow_key *wanted,
			   size_t count, bool *ret_here);
/* Adds packets that this host dropped; the reason is copied. -ENOMEM: they were not added. */
int flow_table_drop(struct flow_table *t, uint32_t place, const char *reason, uint64_t count,
		    uint64_t now_ns);
/* Writes definitions, rows and retired handles into the batch. */
void flow_table_end(struct flow_table *t, uint64_t now_ns);

uint64_t
flow_table_lost_full(const struct flow_table *t); /* records that went into a coarse flow */
