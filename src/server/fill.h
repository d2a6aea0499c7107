/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core filled from the store: the one that serves after a restart, and those that answer
 * questions about the past. The same questions go to either, and get the same answers.
 *
 *     blocks ─► windows of history, their flows by place     gauges ─► what is open at the end
 *     flows, actors, reporters, events, reasons ─► the tables
 *
 * Of what rows name only what is needed is read. A flow that finds no room becomes its actor's
 * coarse one, as when batches come in.
 */
#pragma once

#include "server/query.h"
#include "server/store/reader.h"

struct fill_request {
	struct reader_range range;
	/* Batches will follow: numbers go on from where they were, nothing is pinned, names of
	 * addresses are read. */
	bool continues;
	bool sums;         /* windows may be added up, but not across cuts */
	uint64_t rows_max; /* 0: any; more: -E2BIG */
	bool now;          /* the range reaches into now: who listens is asked for, too */
};

struct fill_result {
	uint64_t from_ns, to_ns; /* what is there: the range by the borders of its slots */
	uint64_t resolution_ns;  /* of its slots; 0: as they came */
	uint64_t blocks, rows, damaged;
};

/* c: as core_new() made it. The reader stands between begin and end. -ENOMEM, -EIO, … */
int core_fill(struct core *c, struct reader *r, const struct fill_request *request,
	      struct fill_result *ret);
