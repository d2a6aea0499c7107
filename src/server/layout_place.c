/* SPDX-License-Identifier: Apache-2.0 */
/* layout_place: who has a cell keeps it, the others get one. See layout.h. */
#include <errno.h>

#include "server/layout_internal.h"

#define BLOCK_LEAST  16 /* so many newcomers, more than there were: a drawing of their own */
#define REST_COLUMNS 64

struct placing {
	struct layout *l;
	struct layout_group *group;
	const struct layout_graph *graph;
	struct arena *arena;
	struct arrange_cell *cells; /* by node */
	bool *is_placed;            /* by node */
	uint32_t *newcomers, newcomer_count;
	uint32_t *queue; /* scratch: newcomers with neighbours that have a cell */
	struct adjacency adjacency;
	struct nearest nearest;
};

static bool has_edge(const struct adjacency *a, uint32_t node)
{
	return adjacency_degree(&a->servers, node) || adjacency_degree(&a->clients, node);
}

static int give(struct placing *p, uint32_t node, struct arrange_cell cell)
{
	const struct layout_entry entry = {cell, !has_edge(&p->adjacency, node)};
	int r = layout_give(p->l, p->group, p->graph->ids[node], &entry);

	p->cells[node] = cell;
	p->is_placed[node] = true;
	return r;
}

/* --- blocks -------------------------------------------------------------------------------------
 */

static bool is_free_block(const struct placing *p, struct arrange_size size)
{
	for (int32_t y = 0; y < size.height; y++) {
		for (int32_t x = 0; x < size.width; x++) {
			struct arrange_cell cell = {p->group->shelf.x + x, p->group->shelf.y + y};

			if (!layout_is_free(p->l, p->group->key, cell))
				return false;
		}
	}
	return true;
}

static void begin_shelf(struct layout_group *g, struct arrange_size size)
{
	bool is_apart = size.height > 1 || g->shelf_height != 1;

	if (!g->count) {
		g->shelf = (struct arrange_cell){0, 0};
		g->shelf_end = size.width;
	} else {
		g->shelf = (struct arrange_cell){g->low.x, g->high.y + 1 + is_apart};
		g->shelf_end = g->high.x + 1;
	}
	g->shelf_height = size.height;
}

static struct arrange_cell take_shelf(struct placing *p, struct arrange_size size)
{
	struct layout_group *g = p->group;
	struct arrange_cell at;

	if (!g->count || g->shelf.x + size.width > g->shelf_end || !is_free_block(p, size))
		begin_shelf(g, size);
	at = g->shelf;
	g->shelf.x += size.width + (size.width > 1);
	return at;
}

/* Edges between the nodes of a set, by their place in it. local: by node, place + 1. */
static size_t edges_within(const struct placing *p, const uint32_t *local,
			   struct adjacency_edge *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < p->graph->edge_count; i++) {
		uint32_t client = local[p->graph->edges[i].client];
		uint32_t server = local[p->graph->edges[i].server];

		if (client && server)
			ret[count++] = (struct adjacency_edge){client - 1, server - 1};
	}
	return count;
}

static int give_block(struct placing *p, const uint32_t *nodes, const struct arrange_cell *cells,
		      uint32_t count, struct arrange_size size)
{
	struct arrange_cell at = take_shelf(p, size);
	int r = 0;

	for (uint32_t i = 0; !r && i < count; i++)
		r = give(p, nodes[i], (struct arrange_cell){at.x + cells[i].x, at.y + cells[i].y});
	return r;
}

static int place_block(struct placing *p, const uint32_t *nodes, uint32_t count)
{
	uint32_t *local = arena_alloc(p->arena, (p->graph->node_count + 1) * sizeof(*local));
	struct arrange_cell *cells = arena_alloc(p->arena, (count + 1) * sizeof(*cells));
	struct adjacency_edge *edges =
		arena_alloc(p->arena, (p->graph->edge_count + 1) * sizeof(*edges));
	struct arrange_size size;
	struct adjacency a;

	if (!local || !cells || !edges)
		return -ENOMEM;
	if (!count)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		local[nodes[i]] = i + 1;
	if (adjacency_make(&a, count, edges, edges_within(p, local, edges), p->arena) < 0 ||
	    arrange_graph(&a, p->arena, cells, &size) < 0)
		return -ENOMEM;
	return give_block(p, nodes, cells, count, size);
}

/* --- one by one, next to their neighbours -------------------------------------------------------
 */

struct around {
	int32_t x;     /* of the neighbour farthest to the newcomer's side */
	int64_t y_sum; /* of all */
	uint32_t count;
};

static struct around look_around(const struct placing *p, const struct adjacency_links *l,
				 uint32_t node, bool are_servers)
{
	struct around a = {0};

	for (uint32_t i = l->first[node]; i < l->first[node + 1]; i++) {
		const struct arrange_cell *cell = &p->cells[l->other[i]];

		if (!p->is_placed[l->other[i]])
			continue;
		if (!a.count++ || (are_servers ? cell->x < a.x : cell->x > a.x))
			a.x = cell->x;
		a.y_sum += cell->y;
	}
	return a;
}

static struct nearest_wish wish_of(const struct placing *p, uint32_t node)
{
	struct around servers = look_around(p, &p->adjacency.servers, node, true);
	struct around clients = look_around(p, &p->adjacency.clients, node, false);
	struct nearest_wish wish = {.side = NEAREST_BOTH};

	if (!clients.count) {
		wish.at.x = servers.x - 1;
		wish.side = NEAREST_LEFT;
	} else if (!servers.count) {
		wish.at.x = clients.x + 1;
		wish.side = NEAREST_RIGHT;
	} else {
		wish.at.x = (servers.x + clients.x) / 2;
	}
	wish.at.y = (int32_t)((servers.y_sum + clients.y_sum) /
			      (int64_t)(servers.count + clients.count));
	return wish;
}

static bool is_free(const void *userdata, struct arrange_cell cell)
{
	const struct placing *p = userdata;

	return layout_is_free(p->l, p->group->key, cell);
}

static int place_near(struct placing *p, uint32_t node)
{
	struct nearest_wish wish = wish_of(p, node);
	struct arrange_cell cell;

	if (!nearest_find(&p->nearest, &wish, &cell))
		cell = take_shelf(p, (struct arrange_size){1, 1});
	return give(p, node, cell);
}

static bool has_placed(const struct placing *p, const struct adjacency_links *l, uint32_t node)
{
	for (uint32_t i = l->first[node]; i < l->first[node + 1]; i++)
		if (p->is_placed[l->other[i]])
			return true;
	return false;
}

static uint32_t queue_links(struct placing *p, const struct adjacency_links *l, uint32_t node,
			    bool *is_queued, uint32_t end)
{
	for (uint32_t i = l->first[node]; i < l->first[node + 1]; i++) {
		uint32_t other = l->other[i];

		if (p->is_placed[other] || is_queued[other])
			continue;
		is_queued[other] = true;
		p->queue[end++] = other;
	}
	return end;
}

/* From those next to the known outwards. */
static int place_attached(struct placing *p)
{
	bool *is_queued = arena_alloc(p->arena, p->graph->node_count + 1);
	uint32_t end = 0;
	int r = 0;

	if (!is_queued)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->newcomer_count; i++) {
		uint32_t node = p->newcomers[i];

		is_queued[node] = has_placed(p, &p->adjacency.servers, node) ||
				  has_placed(p, &p->adjacency.clients, node);
		if (is_queued[node])
			p->queue[end++] = node;
	}
	for (uint32_t i = 0; !r && i < end; i++) {
		r = place_near(p, p->queue[i]);
		end = queue_links(p, &p->adjacency.servers, p->queue[i], is_queued, end);
		end = queue_links(p, &p->adjacency.clients, p->queue[i], is_queued, end);
	}
	return r;
}

static int place_newcomers(struct placing *p)
{
	uint32_t count = 0;
	int r;

	if (p->newcomer_count >= BLOCK_LEAST && p->newcomer_count > p->group->count)
		return place_block(p, p->newcomers, p->newcomer_count);
	r = place_attached(p);
	for (uint32_t i = 0; i < p->newcomer_count; i++)
		if (!p->is_placed[p->newcomers[i]])
			p->queue[count++] = p->newcomers[i];
	return r ? r : place_block(p, p->queue, count);
}

/* --- a question ---------------------------------------------------------------------------------
 */

/* As long as all wait, the first edge makes a new drawing of all of them. */
static void place_known(struct placing *p)
{
	bool is_first = p->graph->edge_count && !p->group->settled;

	for (uint32_t i = 0; i < p->graph->node_count; i++) {
		struct layout_key key = layout_key_of(p->l, p->group->key, p->graph->ids[i]);
		struct layout_entry *entry = lru_get(p->l->nodes, &key);

		if (entry && entry->is_waiting && (is_first || has_edge(&p->adjacency, i))) {
			layout_take_back(p->l, entry);
			entry = NULL;
		}
		p->is_placed[i] = entry;
		if (entry)
			p->cells[i] = entry->cell;
		else
			p->newcomers[p->newcomer_count++] = i;
	}
}

/* More than can be kept: the last of them get a place for this answer only. */
static void place_rest(struct placing *p, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		int32_t n = (int32_t)(i - from);

		p->cells[p->newcomers[i]] =
			(struct arrange_cell){p->group->low.x + n % REST_COLUMNS,
					      p->group->high.y + 2 + n / REST_COLUMNS};
	}
}

static int place_all(struct placing *p)
{
	uint32_t wanted, room;
	int r;

	place_known(p);
	wanted = p->newcomer_count;
	if (!wanted)
		return 0;
	room = (uint32_t)lru_capacity(p->l->nodes) - (p->graph->node_count - wanted);
	p->newcomer_count = wanted < room ? wanted : room;
	layout_make_room(p->l, p->newcomer_count);
	r = place_newcomers(p);
	place_rest(p, p->newcomer_count, wanted);
	return r;
}

int layout_place(struct layout *l, const struct layout_graph *graph, struct arena *arena,
		 struct arrange_cell *cells)
{
	size_t count = (size_t)graph->node_count + 1;
	struct placing p = {.l = l,
			    .graph = graph,
			    .arena = arena,
			    .cells = cells,
			    .is_placed = arena_alloc(arena, count * sizeof(*p.is_placed)),
			    .newcomers = arena_alloc(arena, count * sizeof(*p.newcomers)),
			    .queue = arena_alloc(arena, count * sizeof(*p.queue)),
			    .nearest = {.steps = l->steps, .is_free = is_free}};

	if (!p.is_placed || !p.newcomers || !p.queue ||
	    adjacency_make(&p.adjacency, graph->node_count, graph->edges, graph->edge_count,
			   arena) < 0)
		return -ENOMEM;
	p.nearest.userdata = &p;
	p.group = layout_group_open(l, graph->group);
	return place_all(&p);
}

/* Edges are counted where it is cheap: a node that waits and is the end of any edge is not known.
 */
bool layout_knows(const struct layout *l, const struct layout_graph *graph)
{
	uint64_t group = layout_key_of(l, 0, graph->group).node;
	bool is_waiting = false;

	for (uint32_t i = 0; i < graph->node_count; i++) {
		struct layout_key key = layout_key_of(l, group, graph->ids[i]);
		const struct layout_entry *entry = lru_get(l->nodes, &key);

		if (!entry)
			return false;
		is_waiting |= entry->is_waiting;
	}
	return !is_waiting || !graph->edge_count;
}
