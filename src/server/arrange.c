/* SPDX-License-Identifier: Apache-2.0 */
/* See arrange.h. */
#include "server/arrange.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "server/layers.h"

#define SWEEPS     12
#define ROWS_LEAST 8   /* a layer of up to so many nodes is one column */
#define ROWS_SHARE 1.9 /* of more: sqrt(share × nodes) rows; cells are twice as wide as high */
#define ASPECT     0.9 /* width in cells / height in cells of a 16:9 screen */

struct keyed {
	double key;
	uint32_t place, node;
};

/* One layer of the component at hand: count nodes from `first` on in `nodes`, row by row. */
struct layer {
	uint32_t first, count, columns;
};

struct part {
	uint32_t component, count;
	struct arrange_size size;
};

struct arranger {
	const struct adjacency *a;
	struct layers layers;
	struct arrange_cell *cells;
	double *y;           /* by node */
	uint32_t *nodes;     /* of the component, layer by layer */
	struct layer *layer; /* of the component */
	uint32_t layer_count;
	struct keyed *keyed;  /* scratch */
	double *mean;         /* scratch: of a block of rows */
	uint32_t *block_rows; /* scratch: how many rows that block has */
	struct part *parts;
};

/* --- layers as rows and columns -----------------------------------------------------------------
 */

static uint32_t row_count(const struct layer *l)
{
	return (l->count + l->columns - 1) / l->columns;
}

static void list_layers(struct arranger *g, uint32_t component)
{
	const struct layers *l = &g->layers;
	uint32_t from = l->component_first[component], to = l->component_first[component + 1];
	uint32_t rows_max = (uint32_t)sqrt(ROWS_SHARE * (to - from)), at = 0;

	rows_max = rows_max < ROWS_LEAST ? ROWS_LEAST : rows_max;
	g->layer_count = 0;
	for (uint32_t i = from; i < to; i++) {
		uint32_t layer = l->layer[l->members[i]];

		while (g->layer_count <= layer)
			g->layer[g->layer_count++] = (struct layer){0};
		g->layer[layer].count++;
	}
	for (uint32_t i = 0; i < g->layer_count; i++) {
		g->layer[i].columns = (g->layer[i].count + rows_max - 1) / rows_max;
		g->layer[i].first = at;
		at += g->layer[i].count;
		g->layer[i].count = 0;
	}
	for (uint32_t i = from; i < to; i++) {
		struct layer *in = &g->layer[l->layer[l->members[i]]];

		g->nodes[in->first + in->count++] = l->members[i];
	}
}

static void centre(struct arranger *g, const struct layer *l)
{
	double middle = (row_count(l) - 1) / 2.0;

	for (uint32_t i = 0; i < l->count; i++)
		g->y[g->nodes[l->first + i]] = i / l->columns - middle;
}

/* --- order within a layer ------------------------------------------------------------------------
 */

static void add_side(const struct arranger *g, const struct adjacency_links *l, uint32_t node,
		     int side, double *sum, uint32_t *count)
{
	const uint32_t *layer = g->layers.layer;

	for (uint32_t i = l->first[node]; i < l->first[node + 1]; i++) {
		uint32_t other = l->other[i];

		if (side && (side < 0) != (layer[other] < layer[node]))
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

static void order_layer(struct arranger *g, const struct layer *l, int side)
{
	for (uint32_t i = 0; i < l->count; i++) {
		uint32_t node = g->nodes[l->first + i];

		g->keyed[i] = (struct keyed){barycentre(g, node, side), i, node};
	}
	qsort(g->keyed, l->count, sizeof(*g->keyed), by_key);
	for (uint32_t i = 0; i < l->count; i++)
		g->nodes[l->first + i] = g->keyed[i].node;
	centre(g, l);
}

static void order_layers(struct arranger *g)
{
	for (uint32_t i = 0; i < g->layer_count; i++)
		centre(g, &g->layer[i]);
	for (int sweep = 0; sweep < SWEEPS; sweep++) {
		for (uint32_t i = 1; i < g->layer_count; i++)
			order_layer(g, &g->layer[i], -1);
		for (uint32_t i = g->layer_count; i-- > 1;)
			order_layer(g, &g->layer[i - 1], 1);
	}
}

/* --- rows ----------------------------------------------------------------------------------------
 */

/* Where a row would like to be, less its number: any rising sequence of these is a valid drawing.
 */
static double wish(const struct arranger *g, const struct layer *l, uint32_t row)
{
	uint32_t from = row * l->columns, to = from + l->columns;
	double sum = 0;

	to = to > l->count ? l->count : to;
	for (uint32_t i = from; i < to; i++)
		sum += barycentre(g, g->nodes[l->first + i], 0);
	return sum / (to - from) - row;
}

/* Pool adjacent violators: the rising sequence nearest to the wishes. Returns how many blocks. */
static uint32_t pool(struct arranger *g, const struct layer *l)
{
	uint32_t blocks = 0, rows = row_count(l);

	for (uint32_t row = 0; row < rows; row++) {
		double mean = wish(g, l, row);
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

static void align_layer(struct arranger *g, const struct layer *l)
{
	uint32_t blocks = pool(g, l), row = 0;

	for (uint32_t b = 0; b < blocks; b++) {
		for (uint32_t k = 0; k < g->block_rows[b]; k++, row++) {
			uint32_t from = row * l->columns, to = from + l->columns;

			to = to > l->count ? l->count : to;
			for (uint32_t i = from; i < to; i++)
				g->y[g->nodes[l->first + i]] = floor(g->mean[b] + 0.5) + row;
		}
	}
}

static void align_layers(struct arranger *g)
{
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = g->layer_count; i-- > 0;)
			align_layer(g, &g->layer[i]);
		for (uint32_t i = 0; i < g->layer_count; i++)
			align_layer(g, &g->layer[i]);
	}
}

/* --- one component -------------------------------------------------------------------------------
 */

static struct arrange_size set_cells(struct arranger *g)
{
	int32_t x = 0, lowest = INT32_MAX, highest = INT32_MIN;

	for (uint32_t i = 0; i < g->layer_count; i++) {
		const struct layer *l = &g->layer[i];

		for (uint32_t k = 0; k < l->count; k++) {
			uint32_t node = g->nodes[l->first + k];
			int32_t y = (int32_t)g->y[node];

			g->cells[node] = (struct arrange_cell){x + (int32_t)(k % l->columns), y};
			lowest = y < lowest ? y : lowest;
			highest = y > highest ? y : highest;
		}
		x += (int32_t)l->columns;
	}
	for (uint32_t i = 0; i < g->layer_count; i++)
		for (uint32_t k = 0; k < g->layer[i].count; k++)
			g->cells[g->nodes[g->layer[i].first + k]].y -= lowest;
	return (struct arrange_size){x, highest - lowest + 1};
}

static struct arrange_size arrange_component(struct arranger *g, uint32_t component)
{
	list_layers(g, component);
	order_layers(g);
	align_layers(g);
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
	g->layer = arena_alloc(arena, count * sizeof(*g->layer));
	g->keyed = arena_alloc(arena, count * sizeof(*g->keyed));
	g->mean = arena_alloc(arena, count * sizeof(*g->mean));
	g->block_rows = arena_alloc(arena, count * sizeof(*g->block_rows));
	g->parts = arena_alloc(arena, count * sizeof(*g->parts));
	return g->y && g->nodes && g->layer && g->keyed && g->mean && g->block_rows && g->parts
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
