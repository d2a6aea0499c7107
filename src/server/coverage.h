/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an agent's figures are whole: its lives, each from the begin of its first window to the end
 * of its newest. Between two lives, and after the last, what it would have told is missing.
 *
 *       life             gap             life        newest window
 *     ├───────┤ killed, or its batches ├───────┤ …… to come, while it reports;
 *              refused, lost            open gap, when it has fallen silent; a gap, when it is gone
 *
 * A connection that both ends report counts as the client's agent told it. Where that has a gap the
 * server's end stands in (gather.c). An agent that was only cut off comes back with the same life:
 * its gap was open, and closes.
 *
 * Limit: COVERAGE_LIVES_MAX; beyond, the oldest two become one and the gap between them is taken
 * for covered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COVERAGE_LIVES_MAX 64

struct coverage_life {
	uint64_t from_ns, to_ns; /* wall clock */
};

struct coverage {
	struct coverage_life *lives; /* owned; oldest first */
	uint32_t count, capacity;
};

/* What follows the newest window. */
enum coverage_tail { COVERAGE_REPORTING, COVERAGE_SILENT, COVERAGE_GONE };

enum coverage_state {
	COVERAGE_THERE,    /* in a life, or partly */
	COVERAGE_TO_COME,  /* after the newest window of an agent that reports */
	COVERAGE_GAP,      /* wholly in a gap that nothing will fill */
	COVERAGE_OPEN_GAP, /* … that the agent may still fill when it comes back */
};

void coverage_done(struct coverage *c); /* accepts an all-zero one */

/* A window came. new_life: what lies between it and the one before is lost. -ENOMEM. */
int coverage_add(struct coverage *c, bool new_life, uint64_t from_ns, uint64_t to_ns);

/* The state of a span. Nothing known yet: as if it were there. */
enum coverage_state coverage_of(const struct coverage *c, enum coverage_tail tail, uint64_t from_ns,
				uint64_t to_ns);

/* The n-th gap between two lives, oldest first; false: there are fewer. */
bool coverage_gap(const struct coverage *c, uint32_t n, struct coverage_life *ret);

/* The end of the newest window; 0: none yet. */
static inline uint64_t coverage_end(const struct coverage *c)
{
	return c->count ? c->lives[c->count - 1].to_ns : 0;
}
