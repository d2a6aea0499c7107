/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the agent's own CPU time within its share of the machine.
 *
 *     too dear:  idle sockets less often ─► a slice of the sockets a window ─► longer windows
 *     cheap:     the same way back
 *
 * A controller over measured costs. It looks at several windows together, does one step, and looks
 * again; a step back is done only if the cost would stay within the budget even at the worst, so it
 * settles and does not swing. Where it has to slice or to stretch, it settles near the budget.
 * Pure: costs and times are given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_BACKOFF_MAX   8
#define BUDGET_WINDOW_MAX_NS 10000000000ull

/* What the next window is to be like. */
struct budget_plan {
	uint64_t window_ns;
	uint32_t backoff_max; /* of idle sockets, in windows: 1, 2, 4, 8 */
	uint32_t visits_max;  /* sockets swept in a window; UINT32_MAX: all that are due */
};

/* What the last one was like. */
struct budget_cost {
	uint64_t window_ns;        /* how long it really was */
	uint64_t cpu_ns, sweep_ns; /* the sweep is part of cpu */
	uint32_t visits, sockets;  /* swept; there are */
};

struct budget {
	uint64_t wanted_ns; /* the window asked for */
	double allowed;     /* CPU seconds a second */
	struct budget_plan plan;
	struct budget_cost sum; /* since the last step */
	uint32_t windows;
	uint64_t late_windows; /* longer than wanted by more than a fifth */
};

void budget_init(struct budget *b, uint64_t wanted_ns, double percent_of_machine,
		 unsigned int cpus);

/* After each window; b->plan is for the next. */
void budget_account(struct budget *b, const struct budget_cost *cost);
