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
	for (size_t i = 0; i < f->allocated; i++)
		free(f->list[i]);
	for (size_t i = 0; i < f->spare_allocated; i++)
		free(f->spare[i]);
	free(f->spare);
	free(f->list);
	free(f->by_flow);
	*f = (struct fold){0};
}

void fold_reset(struct fold *f)
{
	for (size_t i = 0; i < f->count; i++)
		f->by_flow[f->list[i]->flow] = NULL;
	f->count = f->spare_count = 0;
	memset(f->loss, 0, sizeof(f->loss));
	f->oldest_start_ns = f->newest_start_ns = f->newest_end_ns = 0;
	f->windows = 0;
}

/* One more item at the end of what is allocated. */
static int allocate(struct fold *f)
{
	size_t capacity = f->capacity ? f->capacity * 2 : 64;
	struct folded **list;

	if (f->allocated == f->capacity) {
		list = realloc(f->list, capacity * sizeof(struct folded *));
		if (!list)
			return -ENOMEM;
		f->list = list;
		f->capacity = capacity;
	}
	f->list[f->allocated] = malloc(sizeof(struct folded));
	if (!f->list[f->allocated])
		return -ENOMEM;
	f->allocated++;
	return 0;
}

static struct sums *take_spare(struct fold *f)
{
	size_t capacity = f->spare_capacity ? f->spare_capacity * 2 : 64;
	struct sums **spare;

	if (f->spare_count == f->spare_allocated) {
		if (f->spare_allocated == f->spare_capacity) {
			spare = realloc(f->spare, capacity * sizeof(struct sums *));
			if (!spare)
				return NULL;
			f->spare = spare;
			f->spare_capacity = capacity;
		}
		f->spare[f->spare_allocated] = malloc(sizeof(struct sums));
		if (!f->spare[f->spare_allocated])
			return NULL;
		f->spare_allocated++;
	}
	memset(f->spare[f->spare_count], 0, sizeof(struct sums));
	return f->spare[f->spare_count++];
}

/* Where a flow's row of that part goes; NULL: no memory. */
static struct sums *sums_of(struct fold *f, struct folded *item, enum fold_part part)
{
	if (part == FOLD_USUAL)
		return &item->sums;
	if (!item->others[part - 1])
		item->others[part - 1] = take_spare(f);
	return item->others[part - 1];
}

struct folded *fold_touch(struct fold *f, uint32_t flow)
{
	struct folded *item = f->by_flow[flow];

	if (item)
		return item;
	if (f->count == f->allocated && allocate(f) < 0)
		return NULL;
	item = f->list[f->count++];
	memset(item, 0, sizeof(*item));
	item->flow = flow;
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

static int add_row(struct fold *f, const struct window *w, struct row_reader *r)
{
	uint32_t flow = (uint32_t)row_flow(r);
	bool provisional = false;
	enum fold_part part = f->part ? f->part(f->userdata, w, flow, &provisional) : FOLD_USUAL;
	struct folded *item = part == FOLD_NOWHERE ? NULL : fold_touch(f, flow);
	struct sums *sums = item ? sums_of(f, item, part) : &f->nobody;

	if (!sums || (!item && part != FOLD_NOWHERE))
		return -ENOMEM;
	row_add(r, sums);
	if (!item)
		return 0;
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
	while (!r && row_more(&reader))
		r = add_row(f, w, &reader);
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
	for (size_t i = 0; !r && i < f->count; i++)
		r = row_write(w, f->list[i]->flow, &f->list[i]->sums);
	return r;
}
