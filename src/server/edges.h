/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes and edges while an answer is being made: flows' ends become nodes of a grouping, pairs of
 * nodes with a port become edges, by pair of zones, and an edge is the bucket that a plan counts
 * into. What only carries others is an edge of its own.
 */
#pragma once

#include "base/vector.h"
#include "server/locate.h"
#include "server/plan.h"

#define EDGES_ADDRESSES_MAX 16

struct edges_node {
	const char *id, *kind, *name; /* in the arena */
	uint64_t first_seen_ns;
	uint8_t (*addresses)[16]; /* of an external; at most EDGES_ADDRESSES_MAX are kept */
	size_t address_count;
};

struct edges_edge {
	uint32_t client, server; /* places in nodes */
	uint16_t port;
	uint8_t transport; /* WIRE_TRANSPORT_… */
	uint8_t class;     /* enum locate_class */
	uint8_t carrier;   /* enum carrier */
	const char *client_zone, *server_zone, *client_region, *server_region; /* the core's */
	uint16_t via_port; /* what clients asked for; of several the lowest, 0: the server itself */
	uint8_t via[16];
};

struct edges {
	struct core *core;
	struct query_group group;
	struct arena *arena;
	struct vector nodes, edges;
	struct hashindex node_ids, edge_keys;
	uint32_t *node_of_actor; /* place + 1; 0: not asked yet */
	const char *only;        /* the id of the one edge wanted; NULL: all */
};

int edges_init(struct edges *e, struct core *c, const struct query_group *group,
	       struct arena *arena);
void edges_done(struct edges *e);

/* A plan_bucket_fn; userdata is the struct edges. */
int edges_bucket(void *userdata, uint32_t flow, const struct ends *ends, uint32_t *ret);

/* The node of an end, made if need be. -ENOMEM. */
int edges_node(struct edges *e, const struct end *end, uint32_t *ret);

/* "service/a|service/b|tcp/80", and where zones are known "…|tcp/80|zone-a>zone-b"; of a carrier
 * "…|sidecar". NULL: no memory. */
const char *edges_id(const struct edges *e, const struct edges_edge *edge);

static inline struct edges_node *edges_node_at(const struct edges *e, uint32_t i)
{
	return vector_at(&e->nodes, i);
}

static inline struct edges_edge *edges_edge_at(const struct edges *e, uint32_t i)
{
	return vector_at(&e->edges, i);
}
