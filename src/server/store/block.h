/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one reporter said of one span, as it lies on the disk.
 *
 *     format (a byte) · zstd frame with a checksum of:
 *         losses: how many · (cause · count)…
 *         rows: how many · what each flow's number is more than the one before… · figures (row.h)…
 *
 * Rows are sorted by flow, each flow once, so that blocks merge in one pass, one row at a time.
 * Flows apart from figures: who only wants to know which flows there are reads a few bytes a row.
 * Causes are numbered in a table of the file (causes.h), columns as on the wire (row.h).
 *
 * A damaged block fails its checksum or its bounds: -EUCLEAN, and nothing of it is used.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/row.h"

#define BLOCK_CAUSES_MAX 256
#define BLOCK_BYTES_MAX  (256u << 20) /* unpacked */

/* An unpacked block, and where a reader of it stands. */
struct block {
	uint8_t *data; /* owned */
	size_t size;
	uint32_t rows;
	uint64_t loss[BLOCK_CAUSES_MAX]; /* by number */
	const uint8_t *flows, *figures;  /* in data */
};

struct block_zip; /* what packing and unpacking need; one thread at a time */
struct block_zip *block_zip_new(void);
struct block_zip *block_zip_free(struct block_zip *z);

int block_unpack(struct block_zip *z, const void *packed, size_t size, struct block *ret);
void block_done(struct block *b); /* accepts an all-zero one */

/* Its flows' numbers; ret has b->rows places. */
void block_flows(const struct block *b, uint64_t *ret);

struct block_builder {
	struct row_writer flows, figures;
	uint64_t flow_before;
	uint32_t rows;
	uint64_t loss[BLOCK_CAUSES_MAX];
};

void block_begin(struct block_builder *b); /* forgets what was in it, keeps its memory */
void block_builder_done(struct block_builder *b);
/* Flows in rising order. -ENOMEM. */
int block_add(struct block_builder *b, uint64_t flow, const struct sums *s);

/* Sums with a place for everything, so that adding rows makes nothing. */
struct whole_sums {
	struct sums sums;
	struct histogram rtt_us, connect_us;
	struct wire_dns dns;
	struct drops drops;
};
void whole_sums_clear(struct whole_sums *w);

int block_add_figures(struct block_builder *b, uint64_t flow, const uint8_t *figures, size_t size);
/* *ret: borrowed from z until its next use. */
int block_pack(struct block_zip *z, const struct block_builder *b, const uint8_t **ret,
	       size_t *ret_size);

/* What has been built, as if it had been unpacked; borrows from the builder. */
void block_view(const struct block_builder *b, struct block *ret);

/* Each row of the sum of blocks, in order. */
typedef int (*block_row_fn)(void *userdata, uint64_t flow, const struct sums *s);

/* Sums blocks into one. into or each may be NULL. -ENOMEM, or what each says. */
int block_merge(struct block *const *blocks, size_t count, struct block_builder *into,
		block_row_fn each, void *userdata);
