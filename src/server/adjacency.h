/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is next to whom in a directed graph, as two arrays: one slice of `other` a node. Edges of a
 * node to itself are left out; the same edge twice is there twice and so pulls twice as much.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct adjacency_edge {
	uint32_t client, server; /* below the count of nodes */
};

struct adjacency_links {
	uint32_t *first; /* [count + 1] */
	uint32_t *other; /* neighbours of i: other[first[i]] to other[first[i + 1] - 1] */
};

struct adjacency {
	uint32_t count; /* nodes */
	struct adjacency_links servers, clients;
};

/* All memory is the arena's. -ENOMEM. */
int adjacency_make(struct adjacency *ret, uint32_t count, const struct adjacency_edge *edges,
		   size_t edge_count, struct arena *arena);

static inline uint32_t adjacency_degree(const struct adjacency_links *l, uint32_t node)
{
	return l->first[node + 1] - l->first[node];
}
