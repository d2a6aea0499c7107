/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what the store holds, over a connection of its own, as of one instant: from reader_begin()
 * to reader_end() nothing changes, whatever the writer does meanwhile. One thread at a time.
 *
 * A range is read at the coarsest levels that fit it: reader_cover() says which pieces of time come
 * from which level, and each instant is in one piece, so nothing counts twice.
 */
#pragma once

#include "server/idmap.h"
#include "server/store/block.h"
#include "server/store/causes.h"
#include "server/store/db.h"
#include "server/store/gauges.h"
#include "server/store/item.h"
#include "server/store/level.h"

#define READER_FLOWS_MAX 131072

struct reader {
	sqlite3 *db;
	sqlite3_stmt **statements;
	struct block_zip *zip;
	struct causes causes;
	struct store_level_state levels[LEVEL_COUNT]; /* as of reader_begin() */
	struct idmap known_flows; /* of flows that were read before, which never change */
	struct store_flow *flows; /* owned; READER_FLOWS_MAX at the most */
	uint64_t oldest_ns;       /* nothing ends before; as of then, too */
};

int reader_open(struct reader *r, const char *path, struct error *ret_error);
void reader_close(struct reader *r); /* accepts an all-zero one */

int reader_begin(struct reader *r);
void reader_end(struct reader *r);

/* --- time ----------------------------------------------------------------------------------- */

#define READER_PIECES_MAX 16

struct reader_piece {
	unsigned int level;
	uint64_t from_ns, to_ns; /* blocks that end in (from, to] */
};

struct reader_range {
	uint64_t from_ns, to_ns;
	/* No finer level than this, nor a coarser one than that, but where it is the only one. */
	unsigned int finest, coarsest;
};

/* Covers (from, to], oldest first; the begin moves back to a border of the finest level,
 * the end, too, unless nothing would be left: then it is that slot. Returns
 * how many pieces. */
size_t reader_cover(const struct reader *r, const struct reader_range *range,
		    struct reader_piece ret[READER_PIECES_MAX]);

/* All that is newest, of that level: whole slots, since of a part of one that is closed nothing
 * would be read. */
struct reader_range reader_last(uint64_t newest_ns, uint64_t span_ns, unsigned int level);

/* How exactly such a range begins and ends: the width of that finest level; 0: as it came. */
uint64_t reader_resolution(const struct reader *r, const struct reader_range *range);

/* The newest instant for which there is a block; 0: none. */
int reader_newest(struct reader *r, uint64_t *ret);

/* --- blocks --------------------------------------------------------------------------------- */

struct reader_block {
	uint64_t reporter, start_ns, end_ns;
	bool merged;
	struct block block;        /* the callee's to keep: it zeroes what it takes */
	uint64_t loss[LOSS_COUNT]; /* by this program's causes */
};

/* Each block of a piece, oldest first. A damaged one is left out and counted. */
typedef int (*reader_block_fn)(void *userdata, struct reader_block *b);
int reader_blocks(struct reader *r, const struct reader_piece *piece, reader_block_fn each,
		  void *userdata, uint64_t *ret_damaged);

/* A block by its number, and what is known of it without reading it. cell is the caller's. */
struct reader_ref {
	uint64_t id, reporter, start_ns, end_ns;
	uint32_t cell;
	bool merged;
};
typedef int (*reader_row_fn)(void *userdata, const void *row);
int reader_refs(struct reader *r, const struct reader_piece *piece, reader_row_fn each,
		void *userdata);
/* *ret is the caller's to give to block_done(), also on failure. -ENOENT, -EUCLEAN. */
int reader_block(struct reader *r, uint64_t id, struct reader_block *ret);

/* What was open of a reporter at the newest instant up to at_ns that is known; *ret_end_ns: when
 * that was, 0: never. The list is the caller's to free. */
int reader_gauges(struct reader *r, uint64_t reporter, uint64_t at_ns, struct gauge_list *ret,
		  uint64_t *ret_end_ns);

/* --- what rows name ------------------------------------------------------------------------- */

/* Texts are from arena. -ENOENT: not there. */
int reader_flow(struct reader *r, uint64_t id, struct store_flow *ret);
int reader_actor(struct reader *r, uint64_t id, struct arena *arena, struct store_actor *ret);

int reader_reporters(struct reader *r, struct arena *arena, reader_row_fn each, void *userdata);
int reader_reasons(struct reader *r, reader_row_fn each, void *userdata); /* by number */
int reader_names(struct reader *r, uint32_t max, reader_row_fn each, void *userdata);
/* The newest `max` that end in (from, to], oldest first. */
int reader_events(struct reader *r, uint64_t from_ns, uint64_t to_ns, uint32_t max,
		  reader_row_fn each, void *userdata);
int reader_listeners(struct reader *r, uint64_t reporter, reader_row_fn each, void *userdata);
int reader_covers(struct reader *r, uint64_t reporter, reader_row_fn each, void *userdata);

struct reader_life {
	uint64_t reporter, from_ns, to_ns;
};
/* Those that touch the range, and the one before; of each reporter in the order of time. */
int reader_lives(struct reader *r, uint64_t from_ns, uint64_t to_ns, reader_row_fn each,
		 void *userdata);

/* The last permanent numbers given. */
struct reader_numbers {
	uint64_t reporter, actor, flow;
	uint32_t machine;
};
int reader_numbers(struct reader *r, struct reader_numbers *ret);
