/* SPDX-License-Identifier: Apache-2.0 */
/* See history.h. */
#include "server/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is cut at once, so that not every batch moves the whole list. */
#define CUT_ONE_IN 64
/* What a window costs beside its data: the entry, twice for growth, and malloc's own. */
#define WINDOW_OVERHEAD (2 * sizeof(struct window) + 16)

int history_init(struct history *h, const struct history_limits *limits)
{
	*h = (struct history){.bytes_max = limits->bytes_max,
			      .fine_ns = limits->fine_ns,
			      .coarse_window_ns = limits->coarse_window_ns,
			      .retain_ns = limits->retain_ns,
			      .oldest_merged_ns = UINT64_MAX,
			      .oldest_fine_ns = UINT64_MAX,
			      .cut_fn = limits->cuts,
			      .userdata = limits->userdata};
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
	int r = append(h, &h->fine, window);

	if (!r && window->end_ns < h->oldest_fine_ns)
		h->oldest_fine_ns = window->end_ns;
	return r;
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
static uint64_t long_window(const struct history *h, uint64_t end_ns)
{
	return (end_ns + h->coarse_window_ns - 1) / h->coarse_window_ns;
}

static bool is_long(const struct history *h, const struct window *w)
{
	return w->end_ns - w->start_ns > h->coarse_window_ns;
}

/* --- merging: one long window of all agents at a time ----------------------------------------- */

/* Whether two windows of an agent lie on the same side of every cut. */
static bool is_one_side(const struct history *h, const struct window *a, const struct window *b)
{
	for (size_t i = 0; i < h->cut_count; i++)
		if ((a->end_ns <= h->cuts[i]) != (b->end_ns <= h->cuts[i]) ||
		    (a->start_ns >= h->cuts[i]) != (b->start_ns >= h->cuts[i]))
			return false;
	return true;
}

static int by_reporter(const void *a, const void *b)
{
	const struct window *x = a, *y = b;

	if (x->reporter != y->reporter)
		return x->reporter < y->reporter ? -1 : 1;
	return (x->end_ns > y->end_ns) - (x->end_ns < y->end_ns);
}

/* The first of a run of sorted windows that go together, and how many they are, as one. */
static int merge_run(struct history *h, const struct window *run, size_t count, struct window *ret)
{
	struct row_writer writer = {0};
	struct window merged = *run;
	int r = 0;

	fold_reset(&h->scratch);
	for (size_t i = 0; !r && i < count; i++) {
		r = fold_window(&h->scratch, &run[i]);
		if (run[i].start_ns < merged.start_ns)
			merged.start_ns = run[i].start_ns;
		if (run[i].end_ns > merged.end_ns)
			merged.end_ns = run[i].end_ns;
	}
	if (!r)
		r = fold_write(&h->scratch, &writer);
	if (r < 0) {
		free(writer.data);
		return r;
	}
	merged.data = row_shrink(&writer);
	merged.flows = NULL;
	merged.size = writer.size;
	merged.rows = (uint32_t)h->scratch.count;
	*ret = merged;
	return 0;
}

static size_t run_length(const struct history *h, const struct window *first, size_t left)
{
	size_t count = 1;

	while (count < left && first[count].merged == first->merged && !first->merged &&
	       !is_long(h, first) && !is_long(h, &first[count]) &&
	       first[count].reporter == first->reporter && is_one_side(h, first, &first[count]))
		count++;
	return count;
}

/* Moves the fine windows of a long window to the list's end, by agent and time. */
static size_t set_apart(struct history *h, uint64_t number)
{
	struct window *windows = h->fine.windows;
	size_t kept = 0, count = 0;
	struct window *apart = malloc(h->fine.count * sizeof(*apart));

	if (!apart)
		return 0;
	for (size_t i = 0; i < h->fine.count; i++)
		if (long_window(h, windows[i].end_ns) == number)
			apart[count++] = windows[i];
		else
			windows[kept++] = windows[i];
	qsort(apart, count, sizeof(*apart), by_reporter);
	memcpy(windows + kept, apart, count * sizeof(*apart));
	free(apart);
	return count;
}

/* A run of one stays as it is. On failure everything is as it was. */
static int move_run(struct history *h, struct window *run, size_t count)
{
	struct window merged = *run;
	int r = count > 1 ? merge_run(h, run, count, &merged) : 0;

	if (r < 0)
		return r;
	r = append(h, &h->merged, &merged);
	if (r < 0) {
		if (merged.data != run->data)
			free(merged.data);
		return r;
	}
	for (size_t i = 0; i < count; i++) {
		if (run[i].data == merged.data)
			run[i].data = NULL;
		window_drop(h, &h->fine, &run[i]);
		run[i].data = NULL;
	}
	if (merged.end_ns < h->oldest_merged_ns)
		h->oldest_merged_ns = merged.end_ns;
	return 0;
}

static void find_oldest(const struct window_list *l, uint64_t *ret_end_ns)
{
	*ret_end_ns = UINT64_MAX;
	for (size_t i = 0; i < l->count; i++)
		if (l->windows[i].end_ns < *ret_end_ns)
			*ret_end_ns = l->windows[i].end_ns;
}

/* Where the windows begin that may be merged: the first of them may begin before their span. */
static uint64_t begin_of(const struct history *h, const struct window *windows, size_t count)
{
	uint64_t begin_ns = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (!is_long(h, &windows[i]) && windows[i].start_ns < begin_ns)
			begin_ns = windows[i].start_ns;
	return begin_ns;
}

static int merge_oldest(struct history *h)
{
	uint64_t number = long_window(h, h->oldest_fine_ns), to_ns = number * h->coarse_window_ns;
	size_t count = set_apart(h, number), done = 0;
	struct window *first = h->fine.windows + (h->fine.count - count);
	int r = count ? 0 : -ENOMEM;

	h->cut_count =
		h->cut_fn ? h->cut_fn(h->userdata, begin_of(h, first, count), to_ns, h->cuts) : 0;
	while (!r && done < count) {
		size_t length = run_length(h, first + done, count - done);

		r = move_run(h, first + done, length);
		done += length;
	}
	list_compact(&h->fine);
	find_oldest(&h->fine, &h->oldest_fine_ns);
	return r;
}

/* Every window is looked at, so not for each one that is due. */
static void forget_old(struct history *h, struct window_list *l, uint64_t *oldest_ns,
		       uint64_t now_ns)
{
	if (now_ns < h->retain_ns + h->coarse_window_ns / 10 ||
	    *oldest_ns >= now_ns - h->retain_ns - h->coarse_window_ns / 10)
		return;
	for (size_t i = 0; i < l->count; i++)
		if (l->windows[i].end_ns + h->retain_ns < now_ns)
			window_drop(h, l, &l->windows[i]);
	list_compact(l);
	find_oldest(l, oldest_ns);
}

static void cut(struct history *h, struct window_list *l, uint64_t *oldest_ns)
{
	size_t i, kept = h->bytes_max - h->bytes_max / CUT_ONE_IN;

	if (h->bytes <= h->bytes_max)
		return;
	for (i = 0; i < l->count && h->bytes > kept; i++) {
		h->cut_rows += l->windows[i].rows;
		if (l->windows[i].end_ns > h->cut_until_ns)
			h->cut_until_ns = l->windows[i].end_ns;
		window_drop(h, l, &l->windows[i]);
	}
	if (!i)
		return;
	list_compact(l);
	find_oldest(l, oldest_ns);
}

/* The oldest fine windows are merged when it is time, and before when they fill half of the room:
 * better an hour that is coarse than minutes that are fine. */
static bool must_merge(const struct history *h, uint64_t now_ns)
{
	uint64_t over_ns;

	if (!h->fine.count)
		return false;
	over_ns = long_window(h, h->oldest_fine_ns) * h->coarse_window_ns;
	return over_ns + h->fine_ns <= now_ns ||
	       (over_ns <= now_ns && h->fine_bytes > h->bytes_max / 2);
}

int history_advance(struct history *h, uint64_t now_ns)
{
	int r = 0;

	forget_old(h, &h->merged, &h->oldest_merged_ns, now_ns);
	forget_old(h, &h->fine, &h->oldest_fine_ns, now_ns);
	while (!r && must_merge(h, now_ns))
		r = merge_oldest(h);
	cut(h, &h->merged, &h->oldest_merged_ns);
	cut(h, &h->fine, &h->oldest_fine_ns);
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
