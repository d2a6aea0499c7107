/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows of history summed up per flow: what every question starts with, and how history itself
 * makes one long window of many short ones.
 *
 * A fold is reused: fold_reset forgets the sums and gives their memory back; what finds them stays.
 * With a fold_part_fn the sums of a flow are kept apart by what its windows count as; without, all
 * of them are in one. Invariant: list holds each touched flow once, by_flow finds it; sums of
 * untouched flows are not there at all.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/loss.h"
#include "server/row.h"

/* What one agent said of one span. data: losses (how many, then cause and count), then rows; or,
 * where flows are told apart from them, figures alone (row.h). */
struct window {
	uint64_t start_ns, end_ns; /* wall clock */
	uint32_t reporter, rows;
	size_t size;
	uint8_t *data;   /* owned */
	bool merged;     /* the agent made it of several, or it is much longer than its others */
	uint32_t *flows; /* of each row; in data, behind its size; NULL: each row says it */
};

enum fold_part {
	FOLD_USUAL,
	FOLD_ALONE,  /* bit: stands in for the other end, whose agent has a gap there */
	FOLD_MERGED, /* bit: in a merged window: counts, but says nothing of now */
	FOLD_PARTS = 4,
	FOLD_NOWHERE,
};

/* *ret_provisional is set if that may yet change, else left alone. */
typedef enum fold_part (*fold_part_fn)(void *userdata, const struct window *w, uint32_t flow,
				       bool *ret_provisional);

struct folded {
	uint32_t flow;
	bool provisional;
	uint8_t parts;  /* bit per enum fold_part: there is something of it */
	uint8_t gauges; /* enum fold_part: what active and pending count as; set by gather.c */
	uint64_t start_ns, end_ns;           /* of the windows it moved in */
	int64_t active, pending;             /* set by gather.c */
	uint64_t attempted_lately;           /* without what merged windows tell */
	struct sums sums;                    /* the usual part */
	struct sums *others[FOLD_PARTS - 1]; /* NULL: nothing; by part - 1 */
};

struct fold {
	struct folded **by_flow; /* NULL: not touched */
	size_t flow_count;
	struct folded **list;
	size_t count, capacity;
	struct arena *arena; /* owned; of the sums. NULL: there are none */
	/* set by who asks, cleared by fold_reset: histograms, DNS and drops are left out; what was
	 * attempted in windows that end later is told apart, 0: nothing is */
	bool counters_only;
	uint64_t lately_ns;
	fold_part_fn part; /* NULL: all is usual */
	void *userdata;
	uint64_t loss[LOSS_COUNT];
	uint64_t oldest_start_ns;                /* of all windows; 0: none */
	uint64_t newest_start_ns, newest_end_ns; /* of the newest window; 0: none */
	size_t windows;
};

int fold_init(struct fold *f, size_t flow_count);
void fold_done(struct fold *f); /* accepts an all-zero one */
void fold_reset(struct fold *f);

/* The flow's sums, zero if it was not touched yet; NULL: no memory. */
struct folded *fold_touch(struct fold *f, uint32_t flow);

/* NULL: nothing of that part. */
static inline const struct sums *fold_sums(const struct folded *item, unsigned int part)
{
	if (!(item->parts >> part & 1))
		return NULL;
	return part == FOLD_USUAL ? &item->sums : item->others[part - 1];
}

/* Adds a window. -ENOMEM: part of it is in. */
int fold_window(struct fold *f, const struct window *w);

/* The fold as the data of a window, rows by flow index. Empties nothing. -ENOMEM. */
int fold_write(struct fold *f, struct row_writer *w);

/* The header of a window's data, before its rows. */
int fold_write_losses(struct row_writer *w, const uint64_t loss[LOSS_COUNT]);
void fold_read_losses(struct row_reader *r, uint64_t loss[LOSS_COUNT]); /* adds */
