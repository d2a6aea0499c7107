/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window's sweep over the live sockets, a slice at a time, so that a machine with many of them is
 * never held up for long and requests are answered between two slices.
 *
 * The probe goes round its table and stops where a slice ends. A sweep of everything is over when a
 * pass from the table's beginning to its end was of everything, wherever the slice before had come
 * to: what is left of a pass is swept first, and then all of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/probe.h"

struct sweep {
	uint32_t visited; /* in this window, at most */
	bool everything;  /* this sweep is of all sockets */
	bool amid_pass;   /* the next slice goes on in the middle of the table */
	bool whole_pass;  /* this pass began at the table's beginning */
};

struct sweep_how {
	uint32_t backoff_max; /* see probe_sweep */
	uint32_t visits_max;  /* in a window */
	bool everything;      /* all sockets, due or not, however many */
};

/* s: all zero at first. *ret_done: the sweep is over, and the next slice begins another. */
int sweep_slice(struct sweep *s, struct probe *probe, const struct sweep_how *how, bool *ret_done);
