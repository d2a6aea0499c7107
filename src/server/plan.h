/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every connection counts once though both ends report it: a plan says, for each flow of a range,
 * which bucket (edge, row, line) its figures go to, and as what.
 *
 *     client-role flow ──────────────────────────────► primary of its bucket
 *     server-role flow ─ a client-role flow mirrors it ► second view of that one's bucket
 *                      ─ several do, of several buckets ► nowhere: cannot be told apart
 *                      ─ another server-role one does ──► one of both is primary (peers.h)
 *                      ─ none does ─────────────────────► primary; its client is an address
 *                      ─ none does, but clients of its  ► their second view, and what remains
 *                        server lack their mirror          (masquerade.h)
 *                      ─ where the client's agent has a ► primary of that one's bucket; of an
 *                        gap (owner.h)                    address, if they cannot be told apart
 *
 * Of flows that mirror each other only those that moved in the range, or have something open, are
 * asked; if none did, all. What only the sending end knows (retransmits, waiting, unacknowledged)
 * comes to the primary from the second view for the direction to the client.
 *
 * Coarse flows have no addresses to mirror. A coarse server-role flow is the second view of its own
 * bucket if the same machine has coarse client-role flows in the range, or local clients of the
 * same server: its bytes may be in theirs already. Otherwise it is primary.
 *
 * Known limit: a simultaneous open is two clients; each is primary towards the other's address.
 */
#pragma once

#include "server/gather.h"
#include "server/resolve.h"

#define PLAN_NONE UINT32_MAX /* a bucket: filtered away */

enum plan_part { PLAN_NOWHERE, PLAN_PRIMARY, PLAN_VIEW };

/* The bucket of a flow with these ends. -ENOMEM. */
typedef int (*plan_bucket_fn)(void *userdata, uint32_t flow, const struct ends *ends,
			      uint32_t *ret);

struct plan_request {
	struct query_range range;
	const struct filter *filter; /* NULL: all */
	plan_bucket_fn bucket;
	void *userdata;
	struct arena *arena;
};

/* Which share of a flow counts; the rest is told by others (masquerade.h). */
struct plan_kept {
	double counter[MR_COUNTER_COUNT], active, pending;
};

struct plan_item {
	const struct plan_kept *kept; /* NULL: all of it */
	uint32_t bucket;
	uint32_t alone; /* bucket + 1 of what stands in for the client's end (owner.h); 0: none */
	uint8_t part;   /* enum plan_part */
	uint8_t placed;
	uint8_t header; /* bytes of IP and TCP header a segment, estimated */
};

static inline void plan_item_set(struct plan_item *item, uint32_t bucket, enum plan_part part)
{
	item->bucket = bucket;
	item->alone = bucket == PLAN_NONE ? 0 : bucket + 1;
	item->part = bucket == PLAN_NONE ? PLAN_NOWHERE : part;
}

struct plan {
	struct plan_item *items; /* by flow */
	uint8_t *split;          /* by bucket: part of its second view cannot be told apart */
	uint32_t bucket_count;
};

/* Plans for what gather() found (core->range). -ENOMEM. */
int plan_make(struct core *c, const struct plan_request *request, struct plan *ret);

/* A bucket's figures. */
struct joined {
	struct query_measures primary;
	struct query_measures *view;       /* meaningful while has_view */
	bool has_view;                     /* false: none, or it cannot be told apart */
	bool provisional;                  /* part of it may yet be told otherwise */
	uint64_t merged[MR_COUNTER_COUNT]; /* of primary: of merged windows, which say nothing of
					      now */
	uint64_t start_ns, end_ns;         /* of the windows it moved in; 0: it stood still */
	uint64_t first_seen_ns;
	uint64_t attempted_lately;
};

/* Sums a fold into buckets; joined has plan->bucket_count zeroed items. Views are from arena. */
int plan_apply(const struct core *c, const struct plan *plan, const struct fold *fold,
	       struct joined *joined, struct arena *arena);

/* Zeroes the buckets that a fold was summed into and keeps the memory of views. */
void plan_clear(const struct plan *plan, const struct fold *fold, struct joined *joined);

/* Buckets by payload, the most first. */
struct heavy {
	uint64_t bytes;
	uint32_t bucket;
};
struct heavy heavy_of(const struct joined *joined, uint32_t bucket);
void heavy_sort(struct heavy *list, size_t count);

uint8_t plan_header(const struct flow_id *id);

void measures_add(struct query_measures *into, const struct sums *sums, unsigned int header);
