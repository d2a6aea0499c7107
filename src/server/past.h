/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about more than the core in memory remembers: they go to another core, filled from the
 * store for that range at the resolution that fits it (fill.h). The same query functions answer.
 *
 *     past_ask ─► there already? ─► ready        else a worker thread fills one ─► ready
 *
 * Sums over a range are read at the coarsest levels, with finer ones at its borders, and added up
 * by the worker, so the loop has a row a flow left to look at. Steps are read at one level each.
 *
 * What is the same for all who look stays so: names of addresses and places on the map are the
 * live core's, lent for as long as a question takes. A range that reaches into now is read again
 * when it has grown older than a small part of itself.
 *
 * Bounds: PAST_CORES cores, one load at a time, PAST_WAITERS_MAX requests that wait for one,
 * PAST_ROWS_MAX rows a core (-E2BIG: ask for less).
 */
#pragma once

#include <uv.h>

#include "base/error.h"
#include "server/query.h"

#define PAST_CORES       2
#define PAST_WAITERS_MAX 64
#define PAST_ROWS_MAX    8000000

enum past_mode {
	PAST_SUMS, /* the range as a whole */
	PAST_STEPS /* along its time */
};

struct past;

/* core: as long as the call lasts; NULL with r < 0. range: what it holds of the range asked for. */
typedef void (*past_ready_fn)(void *userdata, void *request, struct core *core,
			      const struct query_range *range, int r);

int past_new(struct past **ret, uv_loop_t *loop, const char *path, struct core *live);
/* Whoever waits is forgotten, not called. Then the loop must run until it is dry. */
void past_close(struct past *p);
struct past *past_free(struct past *p); /* always NULL; accepts NULL */

/* ready is called once, perhaps before this returns. now_ns: wall clock. -EAGAIN: too many wait. */
int past_ask(struct past *p, enum past_mode mode, const struct query_range *range, uint64_t now_ns,
	     past_ready_fn ready, void *userdata, void *request);
