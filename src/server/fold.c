/* SPDX-License-Identifier: Apache-2.0 */
/* See fold.h. */
#include "server/fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int fold_init(struct fold *f, size_t flow_count)
{
	*f = (struct fold){.flow_count = flow_count};
	f->by_flow = calloc(flow_count, sizeof(struct folded *));
	return f->by_flow ? 0 : -ENOMEM;
}

void fold_done(struct fold *f)
{
	arena_free(f->arena);
	free(f->list);
	free(f->by_flow);
	*f = (struct fold){0};
}

void fold_reset(struct fold *f)
{
	for (size_t i = 0; i < f->count; i++)
		f->by_flow[f->list[i]->flow] = NULL;
	f->count = 0;
	f->arena = arena_free(f->arena);
	f->counters_only = false;
	f->lately_ns = 0;
	memset(f->loss, 0, sizeof(f->loss));
	f->oldest_start_ns = f->newest_start_ns = f->newest_end_ns = 0;
	f->windows = 0;
}

/* Room for one more item. */
static int reserve(struct fold *f)
{
	size_t capacity = f->capacity ? f->capacity * 2 : 64;
	struct folded **list;

	if (!f->arena)
		f->arena = arena_new();
	if (!f->arena)
		return -ENOMEM;
	if (f->count < f->capacity)
		return 0;
	list = realloc(f->list, capacity * sizeof(struct folded *));
	if (!list)
		return -ENOMEM;
	f->list = list;
	f->capacity = capacity;
	return 0;
}

/* Where a flow's row of that part goes; NULL: no memory. */
static struct sums *sums_of(struct fold *f, struct folded *item, enum fold_part part)
{
	if (part == FOLD_USUAL)
		return &item->sums;
	if (!item->others[part - 1])
		item->others[part - 1] = arena_alloc(f->arena, sizeof(struct sums));
	return item->others[part - 1];
}

struct folded *fold_touch(struct fold *f, uint32_t flow)
{
	struct folded *item = f->by_flow[flow];

	if (item)
		return item;
	if (reserve(f) < 0)
		return NULL;
	item = arena_alloc(f->arena, sizeof(*item));
	if (!item)
		return NULL;
	item->flow = flow;
	f->list[f->count++] = item;
	f->by_flow[flow] = item;
	return item;
}

int fold_write_losses(struct row_writer *w, const uint64_t loss[LOSS_COUNT])
{
	unsigned int used = 0;
	int r;

	for (unsigned int i = 0; i < LOSS_COUNT; i++)
		used += loss[i] != 0;
	r = row_write_number(w, used);
	for (unsigned int i = 0; !r && i < LOSS_COUNT; i++) {
		if (!loss[i])
			continue;
		r = row_write_number(w, i);
		if (!r)
			r = row_write_number(w, loss[i]);
	}
	return r;
}

void fold_read_losses(struct row_reader *r, uint64_t loss[LOSS_COUNT])
{
	uint64_t used = row_read_number(r);

	while (used--) {
		uint64_t cause = row_read_number(r);

		loss[cause] += row_read_number(r);
	}
}

static void note_window(struct fold *f, const struct window *w)
{
	if (w->end_ns > f->newest_end_ns) {
		f->newest_start_ns = w->start_ns;
		f->newest_end_ns = w->end_ns;
	}
	if (!f->windows || w->start_ns < f->oldest_start_ns)
		f->oldest_start_ns = w->start_ns;
	f->windows++;
}

static int add_figures(struct fold *f, struct row_reader *r, struct sums *into)
{
	if (!f->counters_only)
		return row_add(r, into, f->arena);
	row_add_counters(r, into);
	return 0;
}

static int add_row(struct fold *f, const struct window *w, struct row_reader *r, uint32_t flow)
{
	bool provisional = false;
	enum fold_part part = f->part ? f->part(f->userdata, w, flow, &provisional) : FOLD_USUAL;
	uint64_t attempted;
	struct folded *item;
	struct sums *sums;
	size_t size;

	if (part == FOLD_NOWHERE) {
		row_figures(r, &size);
		return 0;
	}
	item = fold_touch(f, flow);
	sums = item ? sums_of(f, item, part) : NULL;
	if (!sums)
		return -ENOMEM;
	attempted = sums->counter[MR_ATTEMPTED];
	if (add_figures(f, r, sums) < 0)
		return -ENOMEM;
	if (f->lately_ns && w->end_ns > f->lately_ns && !(part & FOLD_MERGED))
		item->attempted_lately += sums->counter[MR_ATTEMPTED] - attempted;
	item->provisional |= provisional;
	item->parts |= 1 << part;
	if (!item->end_ns || w->start_ns < item->start_ns)
		item->start_ns = w->start_ns;
	if (w->end_ns > item->end_ns)
		item->end_ns = w->end_ns;
	return 0;
}

int fold_window(struct fold *f, const struct window *w)
{
	struct row_reader reader = {w->data, w->data + w->size, 0};
	int r = 0;

	note_window(f, w);
	fold_read_losses(&reader, f->loss);
	for (uint32_t i = 0; !r && row_more(&reader); i++)
		r = add_row(f, w, &reader, w->flows ? w->flows[i] : (uint32_t)row_flow(&reader));
	return r;
}

static int by_flow_index(const void *a, const void *b)
{
	const struct folded *const *x = a, *const *y = b;

	return ((*x)->flow > (*y)->flow) - ((*x)->flow < (*y)->flow);
}

int fold_write(struct fold *f, struct row_writer *w)
{
	int r = fold_write_losses(w, f->loss);

	if (f->count)
		qsort(f->list, f->count, sizeof(struct folded *), by_flow_index);
	for (size_t i = 0; !r && i < f->count; i++) {
		struct row_source source = sums_source(&f->list[i]->sums);

		r = row_write(w, f->list[i]->flow, &source);
	}
	return r;
}
