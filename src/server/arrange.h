/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole graph, drawn at once on a grid of cells: layers from left to right (layers.h) as columns,
 * a layer of many nodes as several and, where there would be too many, several layers as one; the
 * nodes of a column in an order that crosses few edges; parts that have nothing to do with each
 * other one beside the other, the biggest first, and nodes without any edge at the end.
 *
 *     client ─► server ─► server      column 0 … width - 1, row 0 … height - 1
 *
 * Without cycles no server stands left of its client. Nodes are ordered by the barycentre method;
 * an edge over several layers is taken as it is, not bent in each: a millisecond for hundreds of
 * nodes, and in the graphs that services make it looks no worse. Rows then move towards their
 * neighbours' (pool adjacent violators), so that chains become straight.
 */
#pragma once

#include "server/adjacency.h"

struct arrange_cell {
	int32_t x, y;
};

struct arrange_size {
	int32_t width, height; /* 0 by 0 for no nodes */
};

/* cells: by node, none twice. -ENOMEM. */
int arrange_graph(const struct adjacency *a, struct arena *arena, struct arrange_cell *cells,
		  struct arrange_size *ret);
