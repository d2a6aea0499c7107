/* SPDX-License-Identifier: Apache-2.0 */
/* See arrange.h. */
#include "server/arrange.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "server/layers.h"

#define SWEEPS        12
#define ROWS_LEAST    8   /* a layer of up to so many nodes is one column */
#define ROWS_SHARE    1.3 /* of more: sqrt(share × nodes) rows; cells are twice as wide as high */
#define COLUMNS_LEAST 14  /* a component may have so many, however small it is */
#define COLUMNS_SHARE 1.6 /* or share × sqrt(nodes) */
#define ASPECT        1.2 /* width in cells / height in cells of a map on a wide screen */

struct keyed {
	double key;
	uint32_t place, node;
};

/* One column of the component at hand: count nodes from `first` on in `nodes`, from the top. */
struct column {
	uint32_t first, count;
};

struct part {
	uint32_t component, count;
	struct arrange_size size;
};

struct arranger {
	const struct adjacency *a;
	struct layers layers;
	struct arrange_cell *cells;
	double *y;             /* by node: its row */
	uint32_t *column_of;   /* by node */
	uint32_t *nodes;       /* of the component, column by column */
	struct column *column; /* of the component */
	uint32_t column_count, layer_count;
	uint32_t *layer_end;  /* of the component, into nodes */
	struct keyed *keyed;  /* scratch */
	double *mean;         /* scratch: of a block of rows */
	uint32_t *block_rows; /* scratch: how many rows that block has */
	struct part *parts;
};

/* --- layers become columns -----------------------------------------------------------------------
 */

/* Sorts a component's nodes by layer, else as they were. */
static void list_nodes(struct arranger *g, uint32_t component)
{
	const struct layers *l = &g->layers;
	uint32_t from = l->component_first[component], to = l->component_first[component + 1];
	uint32_t sum = 0;

	g->layer_count = 0;
	for (uint32_t i = from; i < to; i++) {
		uint32_t layer = l->layer[l->members[i]];

		while (g->layer_count <= layer)
			g->layer_end[g->layer_count++] = 0;
		g->layer_end[layer]++;
	}
	for (uint32_t i = 0; i < g->layer_count; i++) {
		uint32_t count = g->layer_end[i];

		g->layer_end[i] = sum;
		sum += count;
	}
	for (uint32_t i = from; i < to; i++)
		g->nodes[g->layer_end[l->layer[l->members[i]]]++] = l->members[i];
}

static void cut_layer(struct arranger *g, uint32_t first, uint32_t count, uint32_t rows_max)
{
	uint32_t columns = (count + rows_max - 1) / rows_max;

	for (uint32_t i = 0; i < columns; i++) {
		uint32_t from = (uint32_t)((uint64_t)count * i / columns);
		uint32_t to = (uint32_t)((uint64_t)count * (i + 1) / columns);

		g->column[g->column_count++] = (struct column){first + from, to - from};
	}
}

static void cut(struct arranger *g, uint32_t rows_max, bool may_merge)
{
	uint32_t first = 0;

	g->column_count = 0;
	for (uint32_t i = 0; i < g->layer_count; i++) {
		uint32_t count = g->layer_end[i] - first;
		struct column *last = g->column_count ? &g->column[g->column_count - 1] : NULL;

		if (may_merge && last && last->count + count <= rows_max)
			last->count += count;
		else
			cut_layer(g, first, count, rows_max);
		first = g->layer_end[i];
	}
}

static void list_columns(struct arranger *g, uint32_t component)
{
	double count, rows_max, columns_max;

	list_nodes(g, component);
	count = g->layer_end[g->layer_count - 1];
	rows_max = fmax(ROWS_LEAST, sqrt(ROWS_SHARE * count));
	columns_max = fmax(COLUMNS_LEAST, COLUMNS_SHARE * sqrt(count));
	cut(g, (uint32_t)rows_max, false);
	if (g->column_count > columns_max)
		cut(g, (uint32_t)rows_max, true);
	for (uint32_t i = 0; i < g->column_count; i++)
		for (uint32_t k = 0; k < g->column[i].count; k++)
			g->column_of[g->nodes[g->column[i].first + k]] = i;
}

static void centre(struct arranger *g, const struct column *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		g->y[g->nodes[c->first + i]] = i - (c->count - 1) / 2.0;
}

/* --- order within a column
 * ------------------------------------------------------------------------ */

static void add_side(const struct arranger *g, const struct adjacency_links *l, uint32_t node,
		     int side, double *sum, uint32_t *count)
{
	uint32_t own = g->column_of[node];

	for (uint32_t i = l->first[node]; i < l->first[node + 1]; i++) {
		uint32_t other = l->other[i], column = g->column_of[other];

		if (side && side != (column > own) - (column < own))
			continue;
		*sum += g->y[other];
		++*count;
	}
}

/* The mean of the neighbours' rows: left of it (-1), right (1) or all (0); without any, its own. */
static double barycentre(const struct arranger *g, uint32_t node, int side)
{
	uint32_t count = 0;
	double sum = 0;

	add_side(g, &g->a->servers, node, side, &sum, &count);
	add_side(g, &g->a->clients, node, side, &sum, &count);
	return count ? sum / count : g->y[node];
}

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static void order_column(struct arranger *g, const struct column *c, int side)
{
	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t node = g->nodes[c->first + i];

		g->keyed[i] = (struct keyed){barycentre(g, node, side), i, node};
	}
	qsort(g->keyed, c->count, sizeof(*g->keyed), by_key);
	for (uint32_t i = 0; i < c->count; i++)
		g->nodes[c->first + i] = g->keyed[i].node;
	centre(g, c);
}

static void order_columns(struct arranger *g)
{
	for (uint32_t i = 0; i < g->column_count; i++)
		centre(g, &g->column[i]);
	for (int sweep = 0; sweep < SWEEPS; sweep++) {
		for (uint32_t i = 1; i < g->column_count; i++)
			order_column(g, &g->column[i], -1);
		for (uint32_t i = g->column_count; i-- > 1;)
			order_column(g, &g->column[i - 1], 1);
	}
}

/* --- rows ----------------------------------------------------------------------------------------
 */

/*
 * Pool adjacent violators: of all rising sequences the one nearest to where each row would like to
 * be, less its number. Any such sequence is a valid drawing. Returns how many blocks there are.
 */
static uint32_t pool(struct arranger *g, const struct column *c)
{
	uint32_t blocks = 0;

	for (uint32_t row = 0; row < c->count; row++) {
		double mean = barycentre(g, g->nodes[c->first + row], 0) - row;
		uint32_t count = 1;

		while (blocks && g->mean[blocks - 1] >= mean) {
			blocks--;
			mean = (mean * count + g->mean[blocks] * g->block_rows[blocks]) /
			       (count + g->block_rows[blocks]);
			count += g->block_rows[blocks];
		}
		g->mean[blocks] = mean;
		g->block_rows[blocks++] = count;
	}
	return blocks;
}

static void align_column(struct arranger *g, const struct column *c)
{
	uint32_t blocks = pool(g, c), row = 0;

	for (uint32_t b = 0; b < blocks; b++)
		for (uint32_t k = 0; k < g->block_rows[b]; k++, row++)
			g->y[g->nodes[c->first + row]] = floor(g->mean[b] + 0.5) + row;
}

static void align_columns(struct arranger *g)
{
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = g->column_count; i-- > 0;)
			align_column(g, &g->column[i]);
		for (uint32_t i = 0; i < g->column_count; i++)
			align_column(g, &g->column[i]);
	}
}

/* --- one component -------------------------------------------------------------------------------
 */

static struct arrange_size set_cells(struct arranger *g)
{
	uint32_t count = g->layer_end[g->layer_count - 1];
	int32_t lowest = INT32_MAX, highest = INT32_MIN;

	for (uint32_t i = 0; i < count; i++) {
		int32_t y = (int32_t)g->y[g->nodes[i]];

		lowest = y < lowest ? y : lowest;
		highest = y > highest ? y : highest;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t node = g->nodes[i];

		g->cells[node] = (struct arrange_cell){(int32_t)g->column_of[node],
						       (int32_t)g->y[node] - lowest};
	}
	return (struct arrange_size){(int32_t)g->column_count, highest - lowest + 1};
}

static struct arrange_size arrange_component(struct arranger *g, uint32_t component)
{
	list_columns(g, component);
	order_columns(g);
	align_columns(g);
	return set_cells(g);
}

/* --- components side by side ---------------------------------------------------------------------
 */

/* Alone last: what has no edge at all is the least interesting. */
static int by_size(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->component > y->component) - (x->component < y->component);
}

static int32_t width_wanted(const struct arranger *g)
{
	int32_t widest = 0;
	double area = 0;

	for (uint32_t i = 0; i < g->layers.component_count; i++) {
		const struct arrange_size *s = &g->parts[i].size;

		widest = s->width > widest ? s->width : widest;
		area += g->parts[i].count > 1 ? (s->width + 1.0) * (s->height + 0.5) : 1;
	}
	return (int32_t)fmax(widest, ceil(sqrt(area * ASPECT)));
}

static void move_part(struct arranger *g, const struct part *p, int32_t x, int32_t y)
{
	const struct layers *l = &g->layers;

	for (uint32_t i = l->component_first[p->component];
	     i < l->component_first[p->component + 1]; i++) {
		g->cells[l->members[i]].x += x;
		g->cells[l->members[i]].y += y;
	}
}

/* Shelves from the top; single nodes stand close, but apart from what has edges. */
static struct arrange_size pack(struct arranger *g)
{
	int32_t width = width_wanted(g), x = 0, y = 0, shelf = 0;
	struct arrange_size size = {0};

	qsort(g->parts, g->layers.component_count, sizeof(*g->parts), by_size);
	for (uint32_t i = 0; i < g->layers.component_count; i++) {
		const struct part *p = &g->parts[i];
		bool is_first_single = p->count == 1 && i && g->parts[i - 1].count > 1;

		if (x && (x + p->size.width > width || is_first_single)) {
			x = 0;
			y += shelf + (shelf > 1 || is_first_single);
			shelf = 0;
		}
		move_part(g, p, x, y);
		x += p->size.width;
		size.width = x > size.width ? x : size.width;
		x += p->count > 1;
		shelf = p->size.height > shelf ? p->size.height : shelf;
		size.height = y + shelf;
	}
	return size;
}

static int take_memory(struct arranger *g, struct arena *arena)
{
	size_t count = (size_t)g->a->count + 1;

	g->y = arena_alloc(arena, count * sizeof(*g->y));
	g->nodes = arena_alloc(arena, count * sizeof(*g->nodes));
	g->column = arena_alloc(arena, count * sizeof(*g->column));
	g->column_of = arena_alloc(arena, count * sizeof(*g->column_of));
	g->layer_end = arena_alloc(arena, count * sizeof(*g->layer_end));
	g->keyed = arena_alloc(arena, count * sizeof(*g->keyed));
	g->mean = arena_alloc(arena, count * sizeof(*g->mean));
	g->block_rows = arena_alloc(arena, count * sizeof(*g->block_rows));
	g->parts = arena_alloc(arena, count * sizeof(*g->parts));
	return g->y && g->nodes && g->column && g->column_of && g->layer_end && g->keyed &&
			       g->mean && g->block_rows && g->parts
		       ? 0
		       : -ENOMEM;
}

int arrange_graph(const struct adjacency *a, struct arena *arena, struct arrange_cell *cells,
		  struct arrange_size *ret)
{
	struct arranger g = {.a = a, .cells = cells};

	if (layers_make(&g.layers, a, arena) < 0 || take_memory(&g, arena) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < g.layers.component_count; i++) {
		const uint32_t *first = &g.layers.component_first[i];

		g.parts[i] = (struct part){i, first[1] - first[0], arrange_component(&g, i)};
	}
	*ret = pack(&g);
	return 0;
}
