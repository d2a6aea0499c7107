/* SPDX-License-Identifier: Apache-2.0 */
/* See graph_layout.h. */
#include "server/graph_layout.h"

#include <errno.h>

#define GROUP_TEXT_SIZE 160

static int fill_graph(const struct query_graph *graph, struct arena *arena,
		      struct layout_graph *ret)
{
	const char **ids = arena_alloc(arena, (graph->node_count + 1) * sizeof(*ids));
	struct adjacency_edge *edges = arena_alloc(arena, (graph->edge_count + 1) * sizeof(*edges));

	if (!ids || !edges)
		return -ENOMEM;
	for (size_t i = 0; i < graph->node_count; i++)
		ids[i] = graph->nodes[i].id;
	for (size_t i = 0; i < graph->edge_count; i++)
		edges[i] = (struct adjacency_edge){
			.client = (uint32_t)(graph->edges[i].client - graph->nodes),
			.server = (uint32_t)(graph->edges[i].server - graph->nodes)};
	ret->ids = ids;
	ret->node_count = (uint32_t)graph->node_count;
	ret->edges = edges;
	ret->edge_count = graph->edge_count;
	return 0;
}

/* The same question without its filter gives every node of it a place. */
static int place_unfiltered(struct core *c, const struct query_graph_request *request,
			    struct arena *arena)
{
	struct query_graph_request all = *request;
	struct query_graph ignored;

	all.filter = NULL;
	return query_graph(c, &all, arena, &ignored);
}

int graph_layout(struct core *c, const struct query_graph_request *request,
		 struct query_graph *graph, struct arena *arena)
{
	struct arrange_cell *cells = arena_alloc(arena, (graph->node_count + 1) * sizeof(*cells));
	char group[GROUP_TEXT_SIZE];
	struct layout_graph all = {.group =
					   query_group_name(&request->group, group, sizeof(group))};
	int r = cells ? fill_graph(graph, arena, &all) : -ENOMEM;

	if (!r && request->filter && !layout_knows(c->layout, &all))
		r = place_unfiltered(c, request, arena);
	if (!r)
		r = layout_place(c->layout, &all, arena, cells);
	for (size_t i = 0; !r && i < graph->node_count; i++) {
		graph->nodes[i].x = cells[i].x;
		graph->nodes[i].y = cells[i].y;
	}
	return r;
}
