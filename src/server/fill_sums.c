/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fill_internal.h. Blocks are read agent by agent and added up as they are unpacked, one struct
 * sums a flow: what a question about a whole range needs of them, and in a fraction of the memory.
 * As in roll-ups nothing is added up across a cut, nor what an agent merged with what it did not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/fill_internal.h"
#include "server/life.h"

struct summer {
	struct filler *filler;
	struct reader_ref *refs; /* owned */
	size_t count, capacity;
	uint64_t cuts[HISTORY_CUTS_MAX];
	size_t cut_count;
	uint32_t *places; /* owned; of a block's rows */
	size_t place_capacity;
	struct window window; /* that is being added up */
};

static int push_ref(void *userdata, const void *row)
{
	struct summer *s = userdata;
	size_t capacity = s->capacity ? s->capacity * 2 : 1024;
	struct reader_ref *refs;

	if (s->count == s->capacity) {
		refs = realloc(s->refs, capacity * sizeof(*refs));
		if (!refs)
			return -ENOMEM;
		s->refs = refs;
		s->capacity = capacity;
	}
	s->refs[s->count++] = *(const struct reader_ref *)row;
	return 0;
}

/* Between which cuts a block lies; one with a cut inside stands between. Then whether merged. */
static uint32_t cell_of(const struct summer *s, const struct reader_ref *ref)
{
	uint32_t before = 0;
	bool inside = false;

	for (size_t i = 0; i < s->cut_count; i++) {
		before += s->cuts[i] <= ref->start_ns;
		inside |= s->cuts[i] > ref->start_ns && s->cuts[i] < ref->end_ns;
	}
	return 4 * before + 2 * inside + ref->merged;
}

static int by_agent_and_cell(const void *a, const void *b)
{
	const struct reader_ref *x = a, *y = b;

	if (x->reporter != y->reporter)
		return x->reporter < y->reporter ? -1 : 1;
	if (x->cell != y->cell)
		return x->cell < y->cell ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int list_blocks(struct summer *s)
{
	struct filler *f = s->filler;
	int e = 0;

	for (size_t i = 0; !e && i < f->piece_count; i++)
		e = reader_refs(f->reader, &f->pieces[i], push_ref, s);
	if (e < 0)
		return e;
	s->cut_count = life_cuts(f->core, f->result->from_ns, f->result->to_ns, s->cuts);
	for (size_t i = 0; i < s->count; i++)
		s->refs[i].cell = cell_of(s, &s->refs[i]);
	if (s->count)
		qsort(s->refs, s->count, sizeof(*s->refs), by_agent_and_cell);
	return 0;
}

static int reserve(struct summer *s, size_t rows)
{
	uint32_t *places;

	if (rows <= s->place_capacity)
		return 0;
	places = realloc(s->places, 2 * rows * sizeof(*places));
	if (!places)
		return -ENOMEM;
	s->places = places;
	s->place_capacity = 2 * rows;
	return 0;
}

static int add_rows(struct summer *s, const struct reader_block *b)
{
	struct core *c = s->filler->core;
	struct fold *fold = &c->history.scratch;
	struct row_reader figures = {b->block.figures, b->block.data + b->block.size, 0};
	int e = 0;

	for (uint32_t i = 0; !e && i < b->block.rows; i++) {
		struct flow *flow = flow_at(&c->flows, s->places[i]);
		struct folded *item = fold_touch(fold, s->places[i]);

		if (!item)
			return -ENOMEM;
		e = row_add(&figures, &item->sums, fold->arena);
		if (flow->last_seen_ns < b->end_ns)
			flow->last_seen_ns = b->end_ns;
	}
	return e;
}

static int add_block(struct summer *s, struct reader_block *b)
{
	struct filler *f = s->filler;
	struct fold *fold = &f->core->history.scratch;
	int e = reserve(s, b->block.rows);

	if (!e)
		e = fill_name_rows(f, &b->block, s->window.reporter, s->places);
	if (!e)
		e = add_rows(s, b);
	if (!e)
		e = fill_move_gauges(f, b);
	for (unsigned int i = 0; i < LOSS_COUNT; i++)
		fold->loss[i] += b->loss[i];
	if (b->start_ns < s->window.start_ns)
		s->window.start_ns = b->start_ns;
	if (b->end_ns > s->window.end_ns)
		s->window.end_ns = b->end_ns;
	f->result->blocks++;
	f->result->rows += b->block.rows;
	return e;
}

/* What was added up becomes a window. */
static int finish(struct summer *s)
{
	struct core *c = s->filler->core;
	struct fold *fold = &c->history.scratch;
	struct row_writer writer = {0};
	int e = fold_write(fold, &writer);

	if (!e) {
		s->window.rows = (uint32_t)fold->count;
		s->window.size = writer.size;
		s->window.data = row_shrink(&writer);
		e = history_append(&c->history, &s->window);
	}
	if (e < 0)
		free(writer.data);
	if (s->window.end_ns > c->latest_ns)
		c->latest_ns = s->window.end_ns;
	c->took_merged |= s->window.merged;
	return e;
}

static int add_up(struct summer *s, const struct reader_ref *refs, size_t count)
{
	struct filler *f = s->filler;
	int e = 0;

	s->window = (struct window){.start_ns = UINT64_MAX, .merged = refs->merged};
	if (!idmap_get(&f->reporters, refs->reporter, &s->window.reporter))
		return 0;
	fold_reset(&f->core->history.scratch);
	for (size_t i = 0; !e && i < count; i++) {
		struct reader_block b;

		e = reader_block(f->reader, refs[i].id, &b);
		f->result->damaged += e == -EUCLEAN;
		if (!e)
			e = add_block(s, &b);
		else if (e == -EUCLEAN)
			e = 0;
		block_done(&b.block);
		if (!e && f->request->rows_max && f->result->rows > f->request->rows_max)
			e = -E2BIG;
	}
	return e ? e : finish(s);
}

int fill_sums(struct filler *f)
{
	struct summer s = {.filler = f};
	int e = list_blocks(&s);

	for (size_t i = 0, next; !e && i < s.count; i = next) {
		for (next = i + 1; next < s.count && s.refs[next].reporter == s.refs[i].reporter &&
				   s.refs[next].cell == s.refs[i].cell;)
			next++;
		e = add_up(&s, &s.refs[i], next - i);
	}
	free(s.refs);
	free(s.places);
	return e;
}
