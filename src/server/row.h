/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one flow's figures of one window lie in memory: about 20 bytes instead of a thousand.
 *
 *     zigzag(flow - flow before) · 6 bytes: which columns follow · zigzag of each · histograms
 *     histogram: sum · min · max - min · how many buckets · (buckets skipped · count)…
 *
 *     DNS, where there is any: a mask of its own · its counters · a histogram
 *     drops, where there are any: how many reasons · (reason · count)…
 *
 * All numbers are varints (7 bits a byte, low ones first). A column is a bit of the mask: the
 * counter's number on the wire (wire/numbers.h), which never changes, so rows on a disk outlive the
 * program that wrote them. Exact: what goes in comes out.
 * Rows are not checked when read: those from a disk come with a checksum (store/block.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/histogram.h"
#include "server/drops.h"
#include "wire/counters.h"
#include "wire/dns.h"

/* A flow's figures, of one window or summed. */
struct sums {
	uint64_t counter[MR_COUNTER_COUNT]; /* may be negative by two's complement */
	/* what is taken from the gauges without a connection having ended: its agent restarted */
	int64_t active_lost, pending_lost;
	/* NULL: none; most rows have neither DNS nor drops, and many no histogram */
	struct histogram *rtt_us, *connect_us;
	struct wire_dns *dns;
	struct drops *drops;
};

/* Gauges that follow from the figures: what they add to them. */
int64_t counters_active(const uint64_t *counter);
int64_t counters_pending(const uint64_t *counter, bool client);
/* The same less what was lost. */
int64_t sums_active(const struct sums *s);
int64_t sums_pending(const struct sums *s, bool client);
uint64_t sums_failed(const struct sums *s);

struct row_writer {
	uint8_t *data; /* owned; free() */
	size_t size, capacity;
	uint64_t flow_before;
};

/* Where a row's figures lie; borrowed. NULL: none. */
struct row_source {
	const uint64_t *counter; /* MR_COUNTER_COUNT */
	int64_t active_lost, pending_lost;
	const struct histogram *rtt_us, *connect_us;
	const struct wire_dns *dns;
	const struct drops *drops;
};
struct row_source sums_source(const struct sums *s);

/* -ENOMEM: nothing written. Rows may come in any order; by index is smallest. */
int row_write(struct row_writer *w, uint64_t flow, const struct row_source *s);
/* Only the figures, behind which the flow is not told; and figures as row_figures() gave them. */
int row_write_sums(struct row_writer *w, const struct row_source *s);
int row_write_bytes(struct row_writer *w, const uint8_t *bytes, size_t size);
int row_write_number(struct row_writer *w, uint64_t number); /* before all rows: a header */
uint8_t *row_shrink(struct row_writer *w); /* the data, and what it took too much given back */

struct row_reader {
	const uint8_t *at, *end;
	uint64_t flow_before;
};

uint64_t row_read_number(struct row_reader *r);
static inline bool row_more(const struct row_reader *r)
{
	return r->at < r->end;
}
/* Which flow the next row is of; row_add or row_figures must follow. Where flows are told elsewhere
 * those two alone read row after row. */
uint64_t row_flow(struct row_reader *r);
/* Adds the row to into; what it has and into does not have yet is made in the arena. -ENOMEM: part
 * of it is in. */
int row_add(struct row_reader *r, struct sums *into, struct arena *arena);
/* The same without histograms, DNS and drops. */
void row_add_counters(struct row_reader *r, struct sums *into);
/* The row as it lies there; it means the same behind any flow. */
const uint8_t *row_figures(struct row_reader *r, size_t *ret_size);
