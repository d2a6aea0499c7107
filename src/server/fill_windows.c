/* SPDX-License-Identifier: Apache-2.0 */
/* See fill.h: blocks as windows of history, and what is open at their end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/fill_internal.h"

int fill_name_rows(struct filler *f, const struct block *b, uint32_t reporter, uint32_t *ret)
{
	int e = 0;

	if (f->numbers_capacity < b->rows) {
		uint64_t *numbers = realloc(f->numbers, 2 * (size_t)b->rows * sizeof(*numbers));

		if (!numbers)
			return -ENOMEM;
		f->numbers = numbers;
		f->numbers_capacity = 2 * (size_t)b->rows;
	}
	block_flows(b, f->numbers);
	for (uint32_t i = 0; !e && i < b->rows; i++)
		e = fill_find_flow(f, f->numbers[i], reporter, &ret[i]);
	return e;
}

static size_t aligned(size_t size)
{
	return (size + sizeof(uint32_t) - 1) & ~(sizeof(uint32_t) - 1);
}

/* Losses and figures as history keeps them, behind them the places of flows. */
static int build_window(struct filler *f, const struct reader_block *b, struct window *w)
{
	struct row_writer writer = {0};
	size_t figures = b->block.data + b->block.size - b->block.figures;
	int e = fold_write_losses(&writer, b->loss);
	uint8_t *data;

	if (!e)
		e = row_write_bytes(&writer, b->block.figures, figures);
	data = e ? NULL
		 : realloc(writer.data,
			   aligned(writer.size) + (b->block.rows + 1) * sizeof(uint32_t));
	if (!data) {
		free(writer.data);
		return -ENOMEM;
	}
	w->data = data;
	w->size = writer.size;
	w->flows = (uint32_t *)(data + aligned(writer.size));
	return fill_name_rows(f, &b->block, w->reporter, w->flows);
}

static void note_seen(struct filler *f, const struct window *w)
{
	for (uint32_t i = 0; i < w->rows; i++) {
		struct flow *flow = flow_at(&f->core->flows, w->flows[i]);

		if (flow->last_seen_ns < w->end_ns)
			flow->last_seen_ns = w->end_ns;
	}
}

/* What moved after the gauges were written. */
static void move_gauges(struct filler *f, const struct window *w)
{
	struct row_reader r = {w->data, w->data + w->size, 0};
	uint64_t loss[LOSS_COUNT] = {0};

	fold_read_losses(&r, loss);
	for (uint32_t i = 0; i < w->rows; i++) {
		struct flow *flow = flow_at(&f->core->flows, w->flows[i]);
		struct sums s = {0};

		row_add_counters(&r, &s);
		flow->active += sums_active(&s);
		flow->pending +=
			sums_pending(&s, flow_id(&f->core->flows, flow)->role == MR_ROLE_CLIENT);
	}
}

static int take_block(void *userdata, struct reader_block *b)
{
	struct filler *f = userdata;
	struct core *c = f->core;
	struct window w = {.start_ns = b->start_ns,
			   .end_ns = b->end_ns,
			   .rows = b->block.rows,
			   .merged = b->merged};
	int e;

	if (!idmap_get(&f->reporters, b->reporter, &w.reporter))
		return 0;
	e = build_window(f, b, &w);
	if (!e)
		e = history_append(&c->history, &w);
	if (e < 0) {
		free(w.data);
		return e;
	}
	note_seen(f, &w);
	c->took_merged |= w.merged;
	if (w.end_ns > f->gauges_end_ns[w.reporter])
		move_gauges(f, &w);
	if (w.end_ns > c->latest_ns)
		c->latest_ns = w.end_ns;
	f->result->blocks++;
	f->result->rows += w.rows;
	return f->request->rows_max && f->result->rows > f->request->rows_max ? -E2BIG : 0;
}

int fill_move_gauges(struct filler *f, struct reader_block *b)
{
	struct window w = {.end_ns = b->end_ns, .rows = b->block.rows};
	int e;

	if (!idmap_get(&f->reporters, b->reporter, &w.reporter) ||
	    w.end_ns <= f->gauges_end_ns[w.reporter])
		return 0;
	e = build_window(f, b, &w);
	if (!e)
		move_gauges(f, &w);
	free(w.data);
	return e;
}

static int move_only(void *userdata, struct reader_block *b)
{
	return fill_move_gauges(userdata, b);
}

/* Gauges are as of the last minute that is closed; the range may begin later. */
static int take_gap(struct filler *f)
{
	uint64_t closed = f->reader->levels[LEVEL_MINUTES].closed_ns;
	uint64_t minute = level_floor(LEVEL_MINUTES, f->result->to_ns);
	struct reader_range gap = {minute < closed ? minute : closed, f->result->from_ns,
				   LEVEL_FINE, LEVEL_TENS};
	struct reader_piece pieces[READER_PIECES_MAX];
	size_t count = reader_cover(f->reader, &gap, pieces);
	int e = 0;

	for (size_t i = 0; !e && i < count; i++)
		e = reader_blocks(f->reader, &pieces[i], move_only, f, &f->result->damaged);
	return e;
}

int fill_windows(struct filler *f)
{
	int e = 0;

	for (size_t i = 0; !e && i < f->piece_count; i++)
		e = reader_blocks(f->reader, &f->pieces[i], take_block, f, &f->result->damaged);
	return e;
}

void fill_choose_pieces(struct filler *f)
{
	const struct reader_range *range = &f->request->range;
	struct fill_result *result = f->result;

	f->piece_count = reader_cover(f->reader, range, f->pieces);
	result->resolution_ns = reader_resolution(f->reader, range);
	result->from_ns = range->from_ns;
	result->to_ns = range->to_ns;
	for (size_t i = 0; i < f->piece_count; i++) {
		const struct reader_piece *p = &f->pieces[i];
		uint64_t width = p->level ? level_width(p->level) : 0;

		result->from_ns = i ? result->from_ns : p->from_ns;
		result->to_ns = p->to_ns;
		/* steps are as long as the longest; sums lose nothing in the middle */
		if (range->finest == range->coarsest && width > result->resolution_ns)
			result->resolution_ns = width;
	}
}

/* --- gauges --------------------------------------------------------------------------------- */

static int take_gauges(struct filler *f, const struct reporter *r)
{
	struct gauge_list open = {0};
	uint32_t place;
	int e = reader_gauges(f->reader, r->permanent, f->result->to_ns, &open,
			      &f->gauges_end_ns[r->index]);

	for (size_t i = 0; !e && i < open.count; i++) {
		e = fill_find_flow(f, open.items[i].flow, r->index, &place);
		if (e < 0)
			break;
		flow_at(&f->core->flows, place)->active += open.items[i].active;
		flow_at(&f->core->flows, place)->pending += open.items[i].pending;
	}
	gauge_list_done(&open);
	return e;
}

int fill_gauges(struct filler *f)
{
	int e = 0;

	f->gauges_end_ns = calloc(f->core->reporter_count + 1, sizeof(*f->gauges_end_ns));
	if (!f->gauges_end_ns)
		return -ENOMEM;
	for (uint32_t i = 0; !e && i < f->core->reporter_count; i++)
		e = take_gauges(f, &f->core->reporters[i]);
	return e ? e : take_gap(f);
}
