/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each node of the map stands, the same for all who look: the server keeps it, per grouping
 * and node id. A cell is one node's room. A node is given its cell with its first edge and keeps
 * it; until then it waits at the side, since nothing tells yet where it belongs.
 *
 *     first question of a grouping ─► the whole graph at once (arrange.h)
 *     newcomers with known neighbours ─► the free cell nearest to where those suggest (nearest.h)
 *     newcomers without, or more of them than there were ─► a block of their own below
 *
 * No two nodes of a grouping have one cell; nobody moves because another came, went or was filtered
 * away. The same questions in the same order give the same
 * cells, whatever the seed. Bounded: LAYOUT_GROUPS_MAX groupings, nodes_max nodes; the one that was
 * in no question for longest is forgotten first. Nodes of one single question beyond nodes_max get
 * rows below the others that are not kept.
 *
 * Sans I/O. Two ids of one 64-bit hash would be taken for one.
 */
#pragma once

#include <stdbool.h>

#include "server/arrange.h"

#define LAYOUT_GROUPS_MAX 16

struct layout;

int layout_new(struct layout **ret, uint32_t nodes_max, uint64_t seed);
struct layout *layout_free(struct layout *l); /* always NULL; accepts NULL */

/* What a question shows. Borrowed. */
struct layout_graph {
	const char *group;      /* the grouping's name */
	const char *const *ids; /* sorted, or at least in an order that says nothing new */
	uint32_t node_count;
	const struct adjacency_edge *edges;
	size_t edge_count;
};

/* Whether each node surely has the cell that layout_place() would give. */
bool layout_knows(const struct layout *l, const struct layout_graph *graph);

/* cells: [node_count]. -ENOMEM: nothing is lost, ask again. */
int layout_place(struct layout *l, const struct layout_graph *graph, struct arena *arena,
		 struct arrange_cell *cells);

uint32_t layout_count(const struct layout *l);     /* nodes that have a cell */
uint64_t layout_forgotten(const struct layout *l); /* nodes that had one, since the start */
