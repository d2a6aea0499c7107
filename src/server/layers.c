/* SPDX-License-Identifier: Apache-2.0 */
/* See layers.h. */
#include "server/layers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define NONE UINT32_MAX

struct maker {
	const struct adjacency *a;
	struct layers out;
	uint32_t *place;     /* node -> place in the topological order; NONE: not visited */
	uint32_t *order;     /* place -> node */
	uint32_t *next;      /* node -> which of its servers to visit next */
	uint32_t *stack;     /* the way from where the visit began */
	uint32_t *component; /* by node */
};

/* --- an order in which clients come first, as far as cycles let them ---------------------------
 */

struct start {
	uint32_t node;
	int32_t rank;
};

/* Nodes that nobody calls first, then those that call more than they are called. */
static int by_rank(const void *a, const void *b)
{
	const struct start *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

static int32_t rank_of(const struct adjacency *a, uint32_t node)
{
	uint32_t clients = adjacency_degree(&a->clients, node);

	return clients ? (int32_t)(clients - adjacency_degree(&a->servers, node)) : INT32_MIN;
}

/* Depth first; the reversed order of leaving is topological but for the edges that close cycles. */
static void visit(struct maker *m, uint32_t from, uint32_t *left)
{
	const struct adjacency_links *l = &m->a->servers;
	uint32_t depth = 0;

	if (m->next[from] != NONE)
		return;
	m->next[from] = l->first[from];
	m->stack[depth++] = from;
	while (depth) {
		uint32_t node = m->stack[depth - 1], server;

		if (m->next[node] == l->first[node + 1]) {
			m->place[node] = --*left;
			m->order[*left] = node;
			depth--;
			continue;
		}
		server = l->other[m->next[node]++];
		if (m->next[server] == NONE) {
			m->next[server] = l->first[server];
			m->stack[depth++] = server;
		}
	}
}

static int sort_topologically(struct maker *m, struct arena *arena)
{
	uint32_t count = m->a->count, left = count;
	struct start *starts = arena_alloc(arena, ((size_t)count + 1) * sizeof(*starts));

	if (!starts)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		starts[i] = (struct start){i, rank_of(m->a, i)};
		m->next[i] = NONE;
	}
	qsort(starts, count, sizeof(*starts), by_rank);
	for (uint32_t i = 0; i < count; i++)
		visit(m, starts[i].node, &left);
	return 0;
}

/* --- layers -------------------------------------------------------------------------------------
 */

/* The edge that closes a cycle counts the other way round, so neighbours never share a layer. */
static void push_right(struct maker *m, const struct adjacency_links *l, uint32_t node)
{
	for (uint32_t i = l->first[node]; i < l->first[node + 1]; i++) {
		uint32_t other = l->other[i];

		if (m->place[other] > m->place[node] && m->out.layer[other] <= m->out.layer[node])
			m->out.layer[other] = m->out.layer[node] + 1;
	}
}

/* The lowest layer right of a node; NONE: nothing is. *ret_first: and nothing is left of it. */
static uint32_t lowest_right(const struct maker *m, const struct adjacency_links *l, uint32_t node,
			     bool *ret_first)
{
	uint32_t lowest = NONE;

	for (uint32_t i = l->first[node]; i < l->first[node + 1]; i++) {
		uint32_t other = l->other[i];

		if (m->place[other] < m->place[node])
			*ret_first = false;
		else if (m->out.layer[other] < lowest)
			lowest = m->out.layer[other];
	}
	return lowest;
}

static void pull_right(struct maker *m, uint32_t node)
{
	bool is_first = true;
	uint32_t a = lowest_right(m, &m->a->servers, node, &is_first);
	uint32_t b = lowest_right(m, &m->a->clients, node, &is_first);
	uint32_t lowest = a < b ? a : b;

	if (is_first && lowest != NONE)
		m->out.layer[node] = lowest - 1;
}

static void assign(struct maker *m)
{
	for (uint32_t i = 0; i < m->a->count; i++) {
		push_right(m, &m->a->servers, m->order[i]);
		push_right(m, &m->a->clients, m->order[i]);
	}
	for (uint32_t i = 0; i < m->a->count; i++)
		pull_right(m, m->order[i]);
}

/* --- components ---------------------------------------------------------------------------------
 */

static uint32_t spread(struct maker *m, const struct adjacency_links *l, uint32_t node,
		       uint32_t depth)
{
	for (uint32_t i = l->first[node]; i < l->first[node + 1]; i++) {
		uint32_t other = l->other[i];

		if (m->component[other] != NONE)
			continue;
		m->component[other] = m->component[node];
		m->stack[depth++] = other;
	}
	return depth;
}

static void number_component(struct maker *m, uint32_t from)
{
	uint32_t depth = 0;

	m->component[from] = m->out.component_count++;
	m->stack[depth++] = from;
	while (depth) {
		uint32_t node = m->stack[--depth];

		depth = spread(m, &m->a->servers, node, depth);
		depth = spread(m, &m->a->clients, node, depth);
	}
}

static void sort_by_component(struct maker *m)
{
	uint32_t *first = m->out.component_first, count = m->a->count;

	for (uint32_t i = 0; i < count; i++)
		m->component[i] = NONE;
	for (uint32_t i = 0; i < count; i++)
		if (m->component[m->order[i]] == NONE)
			number_component(m, m->order[i]);
	for (uint32_t i = 0; i < count; i++)
		first[m->component[i] + 2]++;
	for (uint32_t i = 0; i < m->out.component_count; i++)
		first[i + 1] += first[i];
	for (uint32_t i = 0; i < count; i++)
		m->out.members[first[m->component[m->order[i]] + 1]++] = m->order[i];
}

static void begin_at_0(struct layers *l, uint32_t component)
{
	uint32_t from = l->component_first[component], to = l->component_first[component + 1];
	uint32_t lowest = NONE;

	for (uint32_t i = from; i < to; i++)
		if (l->layer[l->members[i]] < lowest)
			lowest = l->layer[l->members[i]];
	for (uint32_t i = from; i < to; i++)
		l->layer[l->members[i]] -= lowest;
}

static uint32_t *take(struct arena *arena, uint32_t count)
{
	return arena_alloc(arena, ((size_t)count + 2) * sizeof(uint32_t));
}

int layers_make(struct layers *ret, const struct adjacency *a, struct arena *arena)
{
	struct maker m = {.a = a,
			  .out = {.layer = take(arena, a->count),
				  .members = take(arena, a->count),
				  .component_first = take(arena, a->count)},
			  .place = take(arena, a->count),
			  .order = take(arena, a->count),
			  .next = take(arena, a->count),
			  .stack = take(arena, a->count),
			  .component = take(arena, a->count)};

	if (!m.out.layer || !m.out.members || !m.out.component_first || !m.place || !m.order ||
	    !m.next || !m.stack || !m.component || sort_topologically(&m, arena) < 0)
		return -ENOMEM;
	assign(&m);
	sort_by_component(&m);
	for (uint32_t i = 0; i < m.out.component_count; i++)
		begin_at_0(&m.out, i);
	*ret = m.out;
	return 0;
}
