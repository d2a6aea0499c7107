/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows merged into one, for as long as nobody takes them: an outage costs resolution in time,
 * never totals.
 *
 *     add, add, add … ─► take: one batch that says all that they said, from the first window's
 * start to the last one's end
 *
 * Sums are exact: counters by two's complement, histograms bucket by bucket, drops by reason. What
 * is a state and no sum (status, losses, namespaces, listeners, covers) is as the last batch said;
 * a name is the last one told of its address. That works because a handle means one thing in an
 * agent's life (batch.h): a flow may have come and gone in between.
 *
 * Limits (struct wire_merge_limits): a row beyond them goes into a coarse flow of its actor; events
 * first fold with their like, then are not told; names beyond them are not told. Everything of that
 * is counted in loss[]. A flow whose actor found no room is one of "~other". Library code, without
 * a clock.
 */
#pragma once

#include "wire/batch.h"
#include "wire/definitions.h"

/* Handles that the merge itself gives: coarse flows', each used in one batch only, and "~other"'s.
 * An agent's own are below. */
#define WIRE_MERGE_HANDLES 0x80000000u
#define WIRE_MERGE_OTHER   0xfffffffeu

struct wire_merge_limits {
	uint32_t rows_max; /* and, of coarse flows, four for each actor */
	uint32_t flows_max, actors_max, events_max, names_max;
};

/* 40 MB at the most, of which all but a few come with a table of flows that is full. */
extern const struct wire_merge_limits wire_merge_limits_default;

struct wire_merge;

/* told: borrowed; the definitions that the server has got, or will have before this batch. limits:
 * copied, NULL: the default. NULL: no memory. */
struct wire_merge *wire_merge_new(const struct definitions *told,
				  const struct wire_merge_limits *limits);
struct wire_merge *wire_merge_free(struct wire_merge *m); /* always NULL; accepts NULL */

/* Merges a batch that is later than all before; borrowed. Without memory for a row it is lost and
 * counted as "dropped"; nothing else of the batch is. */
void wire_merge_add(struct wire_merge *m, const struct wire_batch *b);

uint32_t wire_merge_windows(const struct wire_merge *m);   /* added so far */
uint64_t wire_merge_lost_rows(const struct wire_merge *m); /* "dropped" */
uint64_t wire_merge_lost_full(const struct wire_merge *m); /* "pending_full" */

/* The batch, returned owned, without a sequence; the merge can only be freed then. NULL: no memory,
 * and the merge is as it was. */
struct wire_batch *wire_merge_take(struct wire_merge *m);
