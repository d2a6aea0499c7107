/* SPDX-License-Identifier: Apache-2.0 */
/* See history.h. */
#include "server/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a window costs beside its data: the entry, twice for growth, and malloc's own. */
#define WINDOW_OVERHEAD (2 * sizeof(struct window) + 16)

int history_init(struct history *h, const struct history_limits *limits)
{
	*h = (struct history){.bytes_max = limits->bytes_max,
			      .fine_ns = limits->fine_ns,
			      .coarse_window_ns = limits->coarse_window_ns,
			      .retain_ns = limits->retain_ns};
	return fold_init(&h->scratch, limits->flow_count);
}

static void list_done(struct window_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->windows[i].data);
	free(l->windows);
	*l = (struct window_list){0};
}

void history_done(struct history *h)
{
	list_done(&h->merged);
	list_done(&h->fine);
	fold_done(&h->scratch);
}

static int list_push(struct window_list *l, const struct window *w)
{
	size_t capacity = l->capacity ? l->capacity * 2 : 64;
	struct window *windows;

	if (l->count == l->capacity) {
		windows = realloc(l->windows, capacity * sizeof(*windows));
		if (!windows)
			return -ENOMEM;
		l->windows = windows;
		l->capacity = capacity;
	}
	l->windows[l->count++] = *w;
	return 0;
}

static int append(struct history *h, struct window_list *l, const struct window *w)
{
	int r = list_push(l, w);

	if (!r)
		h->bytes += w->size + WINDOW_OVERHEAD;
	if (!r && l == &h->fine)
		h->fine_bytes += w->size + WINDOW_OVERHEAD;
	return r;
}

int history_append(struct history *h, const struct window *window)
{
	return append(h, &h->fine, window);
}

/* Removes the windows of which data is NULL. */
static void list_compact(struct window_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++)
		if (l->windows[i].data)
			l->windows[kept++] = l->windows[i];
	l->count = kept;
}

static void window_drop(struct history *h, struct window_list *l, struct window *w)
{
	h->bytes -= w->size + WINDOW_OVERHEAD;
	if (l == &h->fine)
		h->fine_bytes -= w->size + WINDOW_OVERHEAD;
	free(w->data);
	w->data = NULL;
}

/* Number of the long window that an end belongs to: ((n - 1) W, n W]. */
static uint64_t long_window(const struct history *h, const struct window *w)
{
	return (w->end_ns + h->coarse_window_ns - 1) / h->coarse_window_ns;
}

static bool belongs(const struct history *h, const struct window *w, const struct window *first)
{
	return w->reporter == first->reporter && long_window(h, w) == long_window(h, first);
}

static int fold_long_window(struct history *h, const struct window *first, struct window *ret)
{
	struct window merged = {.start_ns = UINT64_MAX, .reporter = first->reporter};
	int r;

	fold_reset(&h->scratch);
	for (size_t i = 0; i < h->fine.count; i++) {
		const struct window *w = &h->fine.windows[i];

		if (!belongs(h, w, first))
			continue;
		r = fold_window(&h->scratch, w);
		if (r < 0)
			return r;
		if (w->start_ns < merged.start_ns)
			merged.start_ns = w->start_ns;
		if (w->end_ns > merged.end_ns)
			merged.end_ns = w->end_ns;
	}
	*ret = merged;
	return 0;
}

static int merge_with(struct history *h, const struct window *front)
{
	struct row_writer writer = {0};
	struct window merged, first = *front;
	int r = fold_long_window(h, &first, &merged);

	if (!r)
		r = fold_write(&h->scratch, &writer);
	if (!r) {
		merged.data = row_shrink(&writer);
		merged.size = writer.size;
		merged.rows = (uint32_t)h->scratch.count;
		r = append(h, &h->merged, &merged);
	}
	if (r < 0) {
		free(writer.data);
		return r;
	}
	for (size_t i = 0; i < h->fine.count; i++)
		if (belongs(h, &h->fine.windows[i], &first))
			window_drop(h, &h->fine, &h->fine.windows[i]);
	list_compact(&h->fine);
	return 0;
}

static void forget_old(struct history *h, struct window_list *l, uint64_t now_ns)
{
	bool any = false;

	for (size_t i = 0; i < l->count; i++) {
		if (l->windows[i].end_ns + h->retain_ns >= now_ns)
			continue;
		window_drop(h, l, &l->windows[i]);
		any = true;
	}
	if (any)
		list_compact(l);
}

static void cut(struct history *h, struct window_list *l)
{
	size_t i;

	for (i = 0; i < l->count && h->bytes > h->bytes_max; i++) {
		h->cut_rows += l->windows[i].rows;
		if (l->windows[i].end_ns > h->cut_until_ns)
			h->cut_until_ns = l->windows[i].end_ns;
		window_drop(h, l, &l->windows[i]);
	}
	if (i)
		list_compact(l);
}

/* The oldest fine windows are merged when it is time, and before when they fill half of the room:
 * better an hour that is coarse than minutes that are fine. */
static bool must_merge(const struct history *h, uint64_t now_ns)
{
	uint64_t over_ns;

	if (!h->fine.count)
		return false;
	over_ns = long_window(h, &h->fine.windows[0]) * h->coarse_window_ns;
	return over_ns + h->fine_ns <= now_ns ||
	       (over_ns <= now_ns && h->fine_bytes > h->bytes_max / 2);
}

int history_advance(struct history *h, uint64_t now_ns)
{
	int r = 0;

	forget_old(h, &h->merged, now_ns);
	forget_old(h, &h->fine, now_ns);
	while (!r && must_merge(h, now_ns))
		r = merge_with(h, &h->fine.windows[0]);
	cut(h, &h->merged);
	cut(h, &h->fine);
	return r;
}

size_t history_count(const struct history *h)
{
	return h->merged.count + h->fine.count;
}

const struct window *history_at(const struct history *h, size_t i)
{
	return i < h->merged.count ? &h->merged.windows[i] : &h->fine.windows[i - h->merged.count];
}

uint64_t history_oldest_ns(const struct history *h)
{
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; i < history_count(h); i++)
		if (history_at(h, i)->start_ns < oldest)
			oldest = history_at(h, i)->start_ns;
	return oldest;
}
