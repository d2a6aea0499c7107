/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last hour in memory: windows as they came for the last minutes, merged into longer ones
 * before, forgotten after.
 *
 *     oldest ─ merged, 10 s each ─┤ fine, as they came ─ newest
 *             └ retain_ns         └ fine_ns
 *
 * Exact: the sum over windows is what came in; merging adds, it never averages. A merged window has
 * the end of its newest part, so a question about a range may gain or lose up to coarse_window_ns
 * at its edges, never in the middle. Windows on different sides of a cut (history_cut_fn) are never
 * merged, nor are those that are longer than coarse_window_ns themselves.
 * Bounded in bytes: fine windows that fill more than half of it are merged early, and when the
 * bound is met the oldest go before their time, counted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/fold.h"

#define HISTORY_CUTS_MAX 16

/* Instants in (from, to) at which some agent's coverage begins or ends, in order, at most
 * HISTORY_CUTS_MAX. Returns how many. */
typedef size_t (*history_cut_fn)(void *userdata, uint64_t from_ns, uint64_t to_ns, uint64_t *ret);

struct window_list {
	struct window *windows;
	size_t count, capacity;
};

struct history {
	size_t bytes_max, bytes, fine_bytes;
	uint64_t fine_ns, coarse_window_ns, retain_ns;
	struct window_list merged, fine;
	uint64_t oldest_merged_ns, oldest_fine_ns; /* ends of the oldest; UINT64_MAX: none */
	uint64_t cuts[HISTORY_CUTS_MAX];           /* of the span that is being merged */
	size_t cut_count;
	history_cut_fn cut_fn;
	void *userdata;
	struct fold scratch;
	uint64_t cut_rows, cut_until_ns; /* forgotten for want of room; the newest end of them */
};

/* Limits are taken from the public config, all set. */
struct history_limits {
	size_t bytes_max;
	uint64_t fine_ns, coarse_window_ns, retain_ns;
	size_t flow_count;   /* flow indices are below */
	history_cut_fn cuts; /* NULL: there are none */
	void *userdata;
};

int history_init(struct history *h, const struct history_limits *limits);
void history_done(struct history *h); /* accepts an all-zero one */

/* Takes window->data on success. -ENOMEM: nothing changed. */
int history_append(struct history *h, const struct window *window);

/* Merges, forgets and holds the bound. -ENOMEM: something stays unmerged until the next call. */
int history_advance(struct history *h, uint64_t now_ns);

size_t history_count(const struct history *h);
const struct window *history_at(const struct history *h, size_t i); /* oldest first, nearly */
uint64_t history_oldest_ns(const struct history *h); /* where it begins; UINT64_MAX: empty */
