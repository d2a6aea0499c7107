/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that fill a core share; for them only. */
#pragma once

#include "server/core.h"
#include "server/fill.h"
#include "server/idmap.h"

struct filler {
	struct core *core;
	struct reader *reader;
	const struct fill_request *request;
	struct fill_result *result;
	struct arena *arena; /* texts on their way */
	struct idmap reporters, actors, flows;
	struct reader_piece pieces[READER_PIECES_MAX];
	size_t piece_count;
	uint64_t *gauges_end_ns; /* by reporter's place: what its gauges are as of */
	uint64_t *numbers;       /* of the rows of a block */
	size_t numbers_capacity;
};

/* The place of an actor or a flow, read if need be. An actor has a reference for as long as the
 * filler is there. fill_flows.c */
int fill_find_actor(struct filler *f, uint64_t id, uint32_t reporter, uint32_t *ret);
int fill_find_flow(struct filler *f, uint64_t id, uint32_t reporter, uint32_t *ret);

/* Which level answers for which time; result says it. fill_windows.c */
void fill_choose_pieces(struct filler *f);
/* What is open at the end, after the pieces were chosen; then the windows, one for each block. */
int fill_gauges(struct filler *f);
int fill_windows(struct filler *f);

/* The places of a block's flows. */
int fill_name_rows(struct filler *f, const struct block *b, uint32_t reporter, uint32_t *ret);
/* What a block moved after the gauges were written. */
int fill_move_gauges(struct filler *f, struct reader_block *b);

/* The same windows added up: one for each agent and time between two cuts. fill_sums.c */
int fill_sums(struct filler *f);
