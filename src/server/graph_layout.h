/* SPDX-License-Identifier: Apache-2.0 */
/* Between a graph as an answer and layout.h: gives every node of it its place on the map. */
#pragma once

#include "server/core.h"

/*
 * Fills in x and y. Newcomers that a filtered question is the first to show are placed together
 * with all others of its range, so that a filter never decides how the map looks. -ENOMEM.
 */
int graph_layout(struct core *c, const struct query_graph_request *request,
		 struct query_graph *graph, struct arena *arena);
