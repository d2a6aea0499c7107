/* SPDX-License-Identifier: Apache-2.0 */
/* See adjacency.h. A counting sort, once by client and once by server. */
#include "server/adjacency.h"

#include <errno.h>

static int make_links(struct adjacency_links *ret, uint32_t count, size_t edge_count,
		      struct arena *arena)
{
	ret->first = arena_alloc(arena, ((size_t)count + 2) * sizeof(*ret->first));
	ret->other = arena_alloc(arena, (edge_count + 1) * sizeof(*ret->other));
	return ret->first && ret->other ? 0 : -ENOMEM;
}

/* Counts stand two places on, so that filling the slices leaves `first` as it should be. */
static void count_one(struct adjacency_links *l, uint32_t node)
{
	l->first[node + 2]++;
}

static void sum_up(struct adjacency_links *l, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		l->first[i + 1] += l->first[i];
}

static void add_one(struct adjacency_links *l, uint32_t node, uint32_t other)
{
	l->other[l->first[node + 1]++] = other;
}

int adjacency_make(struct adjacency *ret, uint32_t count, const struct adjacency_edge *edges,
		   size_t edge_count, struct arena *arena)
{
	struct adjacency a = {.count = count};

	if (make_links(&a.servers, count, edge_count, arena) < 0 ||
	    make_links(&a.clients, count, edge_count, arena) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < edge_count; i++) {
		if (edges[i].client == edges[i].server)
			continue;
		count_one(&a.servers, edges[i].client);
		count_one(&a.clients, edges[i].server);
	}
	sum_up(&a.servers, count + 1);
	sum_up(&a.clients, count + 1);
	for (size_t i = 0; i < edge_count; i++) {
		if (edges[i].client == edges[i].server)
			continue;
		add_one(&a.servers, edges[i].client, edges[i].server);
		add_one(&a.clients, edges[i].server, edges[i].client);
	}
	*ret = a;
	return 0;
}
