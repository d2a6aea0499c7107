/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of one level into blocks of the next: all of a reporter that end in one slot become one,
 * by merging sorted rows.
 *
 * Never across a cut: an instant at which some reporter's life began or ended. What others saw
 * while an agent was away must not be mixed with what they saw while it was there, or it could not
 * be said any more which connections only they counted. A slot with cuts has a block for each
 * piece.
 *
 * Slots are closed in order, for all reporters; what comes later than that is added to each closed
 * level as a block of its own. So for any slot that is closed both levels hold the same sums.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/writer.h"

#define LAG_NS      (30 * LEVEL_SECOND) /* windows are on their way for so long */
#define ROWS_A_STEP 50000

struct child {
	uint64_t id, reporter, start_ns, end_ns;
	unsigned int cell; /* between which cuts, and whether merged */
	uint32_t rows;
	bool merged;
};

struct slot {
	struct writer *w;
	unsigned int level; /* that is made */
	uint64_t begin_ns, end_ns;
	uint64_t cuts[CUTS_MAX];
	size_t cut_count;
	struct child *children; /* owned; by reporter, then end */
	size_t count, capacity;
};

/* --- rows on their way ---------------------------------------------------------------------- */

struct passing {
	struct writer *w;
	unsigned int level;
	uint64_t end_ns;
	struct gauge_list open;
};

static int note_seen(struct passing *p, uint64_t flow)
{
	sqlite3_stmt *seen = writer_statement(p->w, WRITE_FLOW_SEEN);
	sqlite3_stmt *actor = writer_statement(p->w, WRITE_ACTOR_SEEN);
	int r;

	db_bind_u64(seen, 1, flow);
	db_bind_u64(seen, 2, p->end_ns);
	r = db_step(seen);
	if (r < 0)
		return r;
	db_bind_u64(actor, 1, flow);
	db_bind_u64(actor, 2, p->end_ns);
	return db_step(actor);
}

static int on_row(void *userdata, uint64_t flow, const struct sums *s)
{
	struct passing *p = userdata;

	if (p->level == LEVEL_MINUTES)
		return gauge_list_push_sums(&p->open, flow, s);
	return p->level == LEVEL_HOURS ? note_seen(p, flow) : 0;
}

static int note_gauges(struct passing *p, uint64_t reporter)
{
	struct running *running;
	int r;

	if (p->level != LEVEL_MINUTES)
		return 0;
	r = running_find(p->w, reporter, &running);
	return r ? r : running_add(p->w, running, &p->open, p->end_ns);
}

/* --- one block ------------------------------------------------------------------------------ */

static int load(struct writer *w, uint64_t id, struct block *ret)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_DATA);
	int r;

	db_bind_u64(s, 1, id);
	r = db_row(s);
	if (r < 0)
		return r;
	r = r ? block_unpack(w->zip, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0),
			     ret)
	      : -EUCLEAN;
	sqlite3_reset(s);
	return r;
}

static int merge(struct slot *s, struct block **blocks, size_t count,
		 const struct block_place *place)
{
	struct passing p = {.w = s->w, .level = s->level, .end_ns = place->end_ns};
	int r;

	block_begin(&s->w->builder);
	r = block_merge(blocks, count, &s->w->builder, on_row, &p);
	if (!r)
		r = write_block(s->w, place, &s->w->builder);
	if (!r)
		r = note_gauges(&p, place->reporter);
	gauge_list_done(&p.open);
	return r;
}

/* Some children of one reporter, of one cell. A damaged one is left out: the finer level has it
 * no better. */
static int merge_children(struct slot *s, const struct child *children, size_t count)
{
	struct block *blocks = calloc(count, sizeof(*blocks));
	struct block **list = calloc(count, sizeof(*list));
	struct block_place place = {.level = s->level,
				    .reporter = children->reporter,
				    .start_ns = children->start_ns,
				    .merged = children->merged};
	size_t loaded = 0;
	int r = blocks && list ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < count; i++) {
		r = load(s->w, children[i].id, &blocks[loaded]);
		if (children[i].start_ns < place.start_ns)
			place.start_ns = children[i].start_ns;
		if (children[i].end_ns > place.end_ns)
			place.end_ns = children[i].end_ns;
		if (!r)
			list[loaded] = &blocks[loaded];
		loaded += !r;
		s->w->damaged_blocks += r == -EUCLEAN;
		r = r == -EUCLEAN ? 0 : r;
	}
	if (!r)
		r = merge(s, list, loaded, &place);
	for (size_t i = 0; i < loaded; i++)
		block_done(&blocks[i]);
	free(blocks);
	free(list);
	if (r == -E2BIG && count > 1) { /* a slot may be several blocks */
		r = merge_children(s, children, count / 2);
		if (!r)
			r = merge_children(s, children + count / 2, count - count / 2);
	}
	return r;
}

static int lift_gauges(struct slot *s, uint64_t reporter)
{
	sqlite3_stmt *lift = writer_statement(s->w, WRITE_LIFT_GAUGES);

	if (s->level <= LEVEL_MINUTES)
		return 0;
	db_bind_u64(lift, 1, s->level);
	db_bind_u64(lift, 2, reporter);
	db_bind_u64(lift, 3, s->begin_ns);
	db_bind_u64(lift, 4, s->end_ns);
	return db_step(lift);
}

static int by_cell(const void *a, const void *b)
{
	const struct child *x = a, *y = b;

	if (x->cell != y->cell)
		return x->cell > y->cell ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

static int merge_reporter(struct slot *s, struct child *children, size_t count)
{
	int r = 0;

	qsort(children, count, sizeof(*children), by_cell);
	for (size_t i = 0, next; !r && i < count; i = next) {
		for (next = i + 1; next < count && children[next].cell == children[i].cell;)
			next++;
		r = merge_children(s, &children[i], next - i);
	}
	return r ? r : lift_gauges(s, children[0].reporter);
}

/* --- one slot ------------------------------------------------------------------------------- */

/* Blocks are here by their ends: the first may begin before the slot, and have a cut in there. */
static uint64_t first_begin(const struct slot *s)
{
	unsigned int finer = s->level > LEVEL_TENS ? s->level - 1 : LEVEL_TENS;

	return s->begin_ns > level_width(finer) ? s->begin_ns - level_width(finer) : 0;
}

static int read_cuts(struct slot *s)
{
	sqlite3_stmt *cuts = writer_statement(s->w, WRITE_CUTS);
	int r;

	db_bind_u64(cuts, 1, first_begin(s));
	db_bind_u64(cuts, 2, s->end_ns);
	while ((r = db_row(cuts)) > 0) {
		if (s->cut_count < CUTS_MAX)
			s->cuts[s->cut_count++] = db_u64(cuts, 0);
		else
			s->w->cuts_ignored++;
	}
	return r;
}

/* Blocks with a cut inside stand between those before and those after it. */
static unsigned int cell_of(const struct slot *s, uint64_t start_ns, uint64_t end_ns)
{
	unsigned int before = 0;
	bool inside = false;

	for (size_t i = 0; i < s->cut_count; i++) {
		before += s->cuts[i] <= start_ns;
		inside |= s->cuts[i] > start_ns && s->cuts[i] < end_ns;
	}
	return 2 * before + inside;
}

static int push_child(struct slot *s, const struct child *child)
{
	size_t capacity = s->capacity ? s->capacity * 2 : 256;
	struct child *children;

	if (s->count == s->capacity) {
		children = realloc(s->children, capacity * sizeof(*children));
		if (!children)
			return -ENOMEM;
		s->children = children;
		s->capacity = capacity;
	}
	s->children[s->count++] = *child;
	return 0;
}

static int read_children(struct slot *s)
{
	sqlite3_stmt *q = writer_statement(s->w, WRITE_SLOT);
	int r;

	db_bind_u64(q, 1, s->level - 1);
	db_bind_u64(q, 2, s->begin_ns);
	db_bind_u64(q, 3, s->end_ns);
	db_bind_u64(q, 4, s->w->levels[s->level].next_reporter);
	while ((r = db_row(q)) > 0) {
		struct child child = {.id = db_u64(q, 0),
				      .reporter = db_u64(q, 1),
				      .start_ns = db_u64(q, 2),
				      .end_ns = db_u64(q, 3),
				      .rows = (uint32_t)db_u64(q, 4),
				      .merged = db_u64(q, 5)};

		child.cell = 2 * cell_of(s, child.start_ns, child.end_ns) + child.merged;
		r = push_child(s, &child);
		if (r < 0)
			break;
	}
	sqlite3_reset(q);
	return r;
}

/* As many reporters as make a short transaction; the slot is closed with the last. */
static int merge_some(struct slot *s)
{
	struct store_level_state *state = &s->w->levels[s->level];
	uint64_t rows = 0;
	size_t i = 0, next;
	int r = 0;

	for (; !r && i < s->count && rows < ROWS_A_STEP; i = next) {
		for (next = i;
		     next < s->count && s->children[next].reporter == s->children[i].reporter;)
			rows += s->children[next++].rows;
		r = merge_reporter(s, &s->children[i], next - i);
	}
	if (r < 0)
		return r;
	if (i < s->count) {
		state->next_reporter = s->children[i].reporter;
	} else {
		state->closed_ns = s->end_ns;
		state->next_reporter = 0;
	}
	return write_level(s->w, s->level);
}

static int roll(struct writer *w, unsigned int level, uint64_t end_ns)
{
	struct slot s = {.w = w, .level = level, .end_ns = end_ns};
	int r = writer_begin(w);

	if (r < 0)
		return r;
	s.begin_ns = end_ns - level_width(level);
	if (w->levels[level].closed_ns < s.begin_ns) /* nothing ends between */
		w->levels[level].closed_ns = s.begin_ns;
	r = read_cuts(&s);
	if (!r)
		r = read_children(&s);
	if (!r)
		r = merge_some(&s);
	free(s.children);
	r = writer_end(w, r);
	return r ? r : 1;
}

/* --- which slot ----------------------------------------------------------------------------- */

static uint64_t complete_until(const struct writer *w, unsigned int level)
{
	if (level > LEVEL_TENS)
		return w->levels[level - 1].closed_ns;
	return w->now_ns > LAG_NS ? w->now_ns - LAG_NS : 0;
}

/* The next slot that holds anything: times without a block cost nothing. 0: none. */
static int next_slot(struct writer *w, unsigned int level, uint64_t *ret)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_NEXT_END);
	const struct store_level_state *state = &w->levels[level];
	int r;

	*ret = 0;
	if (state->next_reporter) {
		*ret = state->closed_ns + level_width(level);
		return 0;
	}
	db_bind_u64(s, 1, level - 1);
	db_bind_u64(s, 2, state->closed_ns);
	r = db_row(s);
	if (r > 0 && sqlite3_column_type(s, 0) != SQLITE_NULL)
		*ret = level_slot_end(level, db_u64(s, 0));
	sqlite3_reset(s);
	return r < 0 ? r : 0;
}

int rollup_step(struct writer *w)
{
	uint64_t slot_end, complete;
	int r;

	for (unsigned int level = LEVEL_TENS; level < LEVEL_COUNT; level++) {
		complete = complete_until(w, level);
		if (level_floor(level, complete) <= w->levels[level].closed_ns)
			continue;
		r = next_slot(w, level, &slot_end);
		if (r < 0)
			return r;
		if (slot_end && slot_end <= complete)
			return roll(w, level, slot_end);
	}
	return 0;
}

/* --- what came late ------------------------------------------------------------------------- */

static bool is_closed(const struct writer *w, unsigned int level, uint64_t reporter,
		      uint64_t end_ns)
{
	const struct store_level_state *s = &w->levels[level];

	return end_ns <= s->closed_ns || (s->next_reporter && reporter < s->next_reporter &&
					  end_ns <= s->closed_ns + level_width(level));
}

int rollup_late(struct writer *w, const struct block_place *fine, const struct block_builder *b)
{
	struct block_place place = *fine;
	struct block view, *list = &view;
	int r = 0;

	block_view(b, &view);
	for (place.level = LEVEL_TENS; !r && place.level < LEVEL_COUNT; place.level++) {
		struct passing p = {.w = w, .level = place.level, .end_ns = place.end_ns};

		if (!is_closed(w, place.level, place.reporter, place.end_ns))
			break;
		w->late_blocks++;
		r = write_block(w, &place, b);
		if (!r && (place.level == LEVEL_MINUTES || place.level == LEVEL_HOURS))
			r = block_merge(&list, 1, NULL, on_row, &p);
		if (!r)
			r = note_gauges(&p, place.reporter);
		gauge_list_done(&p.open);
	}
	return r;
}
