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
	free(f->list);
	free(f->by_flow);
	*f = (struct fold){0};
}

void fold_reset(struct fold *f)
{
	for (size_t i = 0; i < f->count; i++)
		f->by_flow[f->list[i]->flow] = NULL;
	f->count = 0;
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

int fold_window(struct fold *f, const struct window *w)
{
	struct row_reader r = {w->data, w->data + w->size, 0};

	if (w->end_ns > f->newest_end_ns) {
		f->newest_start_ns = w->start_ns;
		f->newest_end_ns = w->end_ns;
	}
	if (!f->windows || w->start_ns < f->oldest_start_ns)
		f->oldest_start_ns = w->start_ns;
	f->windows++;
	fold_read_losses(&r, f->loss);
	while (row_more(&r)) {
		struct folded *item = fold_touch(f, (uint32_t)row_flow(&r));

		if (!item)
			return -ENOMEM;
		row_add(&r, &item->sums);
		if (!item->end_ns || w->start_ns < item->start_ns)
			item->start_ns = w->start_ns;
		if (w->end_ns > item->end_ns)
			item->end_ns = w->end_ns;
	}
	return 0;
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
