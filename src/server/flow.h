/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flows that the server knows, each once: same actor, role, addresses, port and network
 * namespace is the same flow, whatever handle which life of an agent gave it.
 *
 * A flow has a fixed place: its index names it in history and everywhere else. The running gauges
 * stand here, so that a question about the past subtracts what came after.
 * A flow is forgotten when no handle names it, history holds no window of it and nothing of it is
 * open. Bounded; beyond the bound an actor's flows go into its coarse one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/lru.h"
#include "server/actor.h"
#include "server/endpoint.h"
#include "server/fresh.h"
#include "server/hashindex.h"
#include "wire/counters.h"

#define FLOW_NONE UINT32_MAX

/* Compared as bytes. */
struct flow_id {
	uint32_t machine, reporter, actor, netns;
	uint16_t port;
	uint8_t transport, role, coarse;
	uint8_t unresolved; /* remote is translated, but to what is not known */
	uint16_t via_port;
	uint8_t local[16], remote[16];
	uint8_t via[16]; /* what the client asked for, with via_port; 0: the server itself */
};

struct flow {
	uint32_t references; /* handles that name it */
	uint32_t pair_hash;
	uint32_t bound; /* server: the endpoint it shows; else ENDPOINT_NONE */
	uint32_t home;  /* the entry that says `local` is local; coarse: ENDPOINT_NONE */
	/* of a server that was not asked for itself: the hash of what was asked for, 0: it was; and
	 * the entry that it takes that over in its namespace, else ENDPOINT_NONE */
	uint32_t asked_hash, taken_over;
	int64_t active, pending;
	uint64_t first_seen_ns, last_seen_ns; /* ends of windows */
	uint64_t permanent; /* its number in the store, never another's; the lowest bit: a client */
};

struct flow_table {
	struct lru *flows;
	struct hashindex by_pair;
	uint32_t max, count; /* of flows that are not coarse */
	uint64_t seed, last_permanent;
	struct fresh fresh; /* what the store has to hear of */
	struct actor_table *actors;       /* borrowed */
	struct endpoint_table *endpoints; /* borrowed */
};

int flow_table_init(struct flow_table *t, uint32_t max, uint64_t seed, struct actor_table *actors,
		    struct endpoint_table *endpoints);
void flow_table_done(struct flow_table *t);

/* The place of a flow, with one reference for the caller. -ENOSPC: full. -ENOMEM. */
int flow_acquire(struct flow_table *t, const struct flow_id *id, uint64_t now_ns, uint32_t *ret);
void flow_release(struct flow_table *t, uint32_t i);

/* Forgets flows that nothing names and whose newest window is older than oldest_ns. */
void flow_table_forget(struct flow_table *t, uint64_t oldest_ns);

uint32_t flow_table_size(const struct flow_table *t); /* all indices there can be are below */
uint32_t
flow_table_used(const struct flow_table *t); /* all indices that were ever used are below */
uint32_t flow_table_count(const struct flow_table *t);

static inline struct flow *flow_at(const struct flow_table *t, uint32_t i)
{
	return lru_at(t->flows, i); /* NULL: none there */
}

static inline const struct flow_id *flow_id(const struct flow_table *t, const struct flow *f)
{
	return lru_key(t->flows, f);
}

/* The network namespace in which the flow's addresses mean something; 0: the whole machine. */
uint32_t flow_scope(const struct flow_id *id);
/* Whether the addresses of two ends mean the same; see below. */
bool flow_share_scope(const struct flow_table *t, const struct flow_id *a, const struct flow_id *b);

/*
 * The flows that could be the other end of the same connections: mirrored addresses, same port and
 * scope, the other role; on the same machine, or on another if no address is loopback and the
 * remote address of each is not its own machine's (172.17.0.2 exists everywhere). A server's flow
 * may be meant by what its clients asked for, too.
 * Known limit: an address that moves to another machine (VRRP) is the first one's, too, until the
 * last flow there is forgotten; until then that machine's connections to it are not met.
 *
 *     struct flow_mirrors at = flow_mirrors_begin(f);
 *     while (flow_mirrors_next(&flows, &at, &other)) …
 */
struct flow_mirrors {
	const struct flow *flow; /* borrowed */
	struct hashindex_cursor at;
	bool as_asked; /* by what was asked for */
};

static inline struct flow_mirrors flow_mirrors_begin(const struct flow *f)
{
	return (struct flow_mirrors){f, hashindex_begin(f->pair_hash), false};
}

bool flow_mirrors_next(const struct flow_table *t, struct flow_mirrors *at, uint32_t *ret);
