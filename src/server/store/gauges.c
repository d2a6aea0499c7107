/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/gauges.h"

#include <errno.h>
#include <stdlib.h>

void gauge_list_done(struct gauge_list *l)
{
	free(l->items);
	*l = (struct gauge_list){0};
}

int gauge_list_push(struct gauge_list *l, uint64_t flow, int64_t active, int64_t pending)
{
	size_t capacity = l->capacity ? l->capacity * 2 : 64;
	struct gauge *items;

	if (!active && !pending)
		return 0;
	if (l->count == l->capacity) {
		items = realloc(l->items, capacity * sizeof(*items));
		if (!items)
			return -ENOMEM;
		l->items = items;
		l->capacity = capacity;
	}
	l->items[l->count++] = (struct gauge){flow, active, pending};
	return 0;
}

int gauge_list_push_sums(struct gauge_list *l, uint64_t flow, const struct sums *s)
{
	return gauge_list_push(l, flow, sums_active(s), sums_pending(s, flow & 1));
}

int gauge_list_sum(const struct gauge_list *a, const struct gauge_list *b, struct gauge_list *into)
{
	size_t i = 0, k = 0;
	int r = 0;

	into->count = 0;
	while (!r && (i < a->count || k < b->count)) {
		const struct gauge *x = i < a->count ? &a->items[i] : NULL;
		const struct gauge *y = k < b->count ? &b->items[k] : NULL;
		bool take_x = x && (!y || x->flow <= y->flow);
		bool take_y = y && (!x || y->flow <= x->flow);

		r = gauge_list_push(into, take_x ? x->flow : y->flow,
				    (take_x ? x->active : 0) + (take_y ? y->active : 0),
				    (take_x ? x->pending : 0) + (take_y ? y->pending : 0));
		i += take_x;
		k += take_y;
	}
	return r;
}

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

int gauge_list_write(const struct gauge_list *l, struct row_writer *w)
{
	uint64_t before = 0;
	int r;

	w->size = 0;
	r = row_write_number(w, l->count);
	for (size_t i = 0; !r && i < l->count; i++) {
		const struct gauge *g = &l->items[i];

		r = row_write_number(w, g->flow - before);
		if (!r)
			r = row_write_number(w, zigzag(g->active));
		if (!r)
			r = row_write_number(w, zigzag(g->pending));
		before = g->flow;
	}
	return r;
}

/* 0 behind the end. */
static uint64_t read_number(struct row_reader *r)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; r->at < r->end && shift < 64; shift += 7) {
		v |= (uint64_t)(*r->at & 0x7f) << shift;
		if (!(*r->at++ & 0x80))
			break;
	}
	return v;
}

int gauge_list_read(struct gauge_list *l, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	struct row_reader reader = {at, at + size, 0};
	uint64_t count = read_number(&reader), flow = 0;
	int r = count <= size ? 0 : -EUCLEAN;

	l->count = 0;
	while (!r && count--) {
		int64_t active, pending;

		flow += read_number(&reader);
		active = unzigzag(read_number(&reader));
		pending = unzigzag(read_number(&reader));
		r = gauge_list_push(l, flow, active, pending);
	}
	return r;
}
