/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forgetting: what is older than its level is kept, what there is no room for (the oldest of the
 * finest level first), and what nothing refers to any more. Some rows a step, so that nobody waits.
 *
 * A level is never forgotten beyond what the next one holds, and always up to a border of the next
 * one: whoever reads takes the finer level behind that instant and the coarser one before.
 */
#include <errno.h>

#include "server/store/writer.h"

#define BLOCKS_A_STEP  500
#define ROWS_A_STEP    1000
#define VACUUM_A_STEP  "PRAGMA incremental_vacuum(512)"
#define FREE_PAGES_MIN 1024
#define NAMES_MAX      262144
#define EVENTS_LEVEL   LEVEL_HOURS      /* kept as long as its blocks */
#define DICTIONARY_NS  LEVEL_HOUR       /* between looks at dictionaries */
#define UNTOLD_NS      (3 * LEVEL_HOUR) /* what moves is told to have moved within this */
#define ROOM_PERCENT   95

static uint64_t keep_ns(const struct writer *w, unsigned int level)
{
	uint64_t keep = store_level_kinds[level].keep_ns, cap = w->limits.retain_ns;

	return cap && cap < keep ? cap : keep;
}

static uint64_t before(uint64_t now_ns, uint64_t span_ns)
{
	return now_ns > span_ns ? now_ns - span_ns : 0;
}

/* The border up to which a level may be forgotten. */
static uint64_t border(const struct writer *w, unsigned int level, uint64_t until_ns)
{
	unsigned int next = level + 1;

	if (next == LEVEL_COUNT)
		return level_floor(level, until_ns);
	if (until_ns > w->levels[next].closed_ns)
		until_ns = w->levels[next].closed_ns;
	return level_floor(next, until_ns);
}

static int delete_some(struct writer *w, enum writer_statement which, unsigned int level,
		       uint64_t until_ns)
{
	sqlite3_stmt *s = writer_statement(w, which);
	int r;

	db_bind_u64(s, 1, level);
	db_bind_u64(s, 2, until_ns);
	db_bind_u64(s, 3, BLOCKS_A_STEP);
	r = db_step(s);
	return r ? r : sqlite3_changes(w->db);
}

/* 1: something went. */
static int forget_until(struct writer *w, unsigned int level, uint64_t until_ns)
{
	int r = writer_begin(w), gone = 0;

	if (r < 0)
		return r;
	if (w->levels[level].forgotten_ns < until_ns) {
		w->levels[level].forgotten_ns = until_ns;
		r = write_level(w, level);
	}
	if (!r)
		r = gone = delete_some(w, WRITE_FORGET_BLOCKS, level, until_ns);
	if (r >= 0 && level >= LEVEL_MINUTES) {
		r = delete_some(w, WRITE_FORGET_GAUGES, level, until_ns);
		gone += r > 0 ? r : 0;
	}
	r = writer_end(w, r < 0 ? r : 0);
	return r ? r : gone > 0;
}

static int oldest_end(struct writer *w, unsigned int level, uint64_t until_ns, uint64_t *ret)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_OLDEST);
	int r;

	*ret = 0;
	db_bind_u64(s, 1, level);
	db_bind_u64(s, 2, until_ns);
	r = db_row(s);
	if (r > 0)
		*ret = db_u64(s, 0);
	sqlite3_reset(s);
	return r;
}

static int forget_by_age(struct writer *w)
{
	uint64_t until, oldest;
	int r;

	for (unsigned int level = 0; level < LEVEL_COUNT; level++) {
		until = border(w, level, before(w->now_ns, keep_ns(w, level)));
		if (!until)
			continue;
		r = oldest_end(w, level, until, &oldest);
		if (r > 0)
			r = forget_until(w, level, until);
		if (r)
			return r;
	}
	return 0;
}

/* --- by size -------------------------------------------------------------------------------- */

static int count_rows(struct writer *w, unsigned int level, uint64_t until_ns, uint64_t *ret)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_COUNT_ROWS);
	int r;

	db_bind_u64(s, 1, level);
	db_bind_u64(s, 2, until_ns);
	r = db_row(s);
	if (r > 0)
		*ret = (uint64_t)sqlite3_column_double(s, 0);
	sqlite3_reset(s);
	return r < 0 ? r : 0;
}

/* One slot of the next level, the oldest, of the finest level that has one to give. */
static int cut_some(struct writer *w)
{
	uint64_t oldest, until, rows = 0;
	int r = 0;

	for (unsigned int level = 0; level < LEVEL_COUNT; level++) {
		unsigned int next = level + 1 < LEVEL_COUNT ? level + 1 : level;

		r = oldest_end(w, level, border(w, level, w->now_ns), &oldest);
		if (r < 0)
			return r;
		if (!r)
			continue;
		until = level_slot_end(next, oldest);
		r = w->levels[level].forgotten_ns < until ? count_rows(w, level, until, &rows) : 0;
		w->levels[level].cut_rows += rows; /* written with forgotten_ns */
		return r ? r : forget_until(w, level, until);
	}
	return 0;
}

static int forget_by_size(struct writer *w)
{
	uint64_t bytes;
	int r = writer_bytes(w, &bytes);

	if (r < 0 || bytes <= w->limits.bytes_max / 100 * ROOM_PERCENT)
		return r;
	return cut_some(w);
}

/* --- dictionaries --------------------------------------------------------------------------- */

/* Where the oldest slot of any level begins: no block names what was not seen after it. */
static int horizon(struct writer *w, uint64_t *ret)
{
	uint64_t oldest, begin;
	int r;

	*ret = before(w->now_ns, UNTOLD_NS);
	for (unsigned int level = 0; level < LEVEL_COUNT; level++) {
		r = oldest_end(w, level, INT64_MAX, &oldest);
		if (r < 0)
			return r;
		begin = r ? level_slot_end(level, oldest) - level_width(level) : UINT64_MAX;
		if (begin < *ret)
			*ret = begin;
	}
	return 0;
}

static int forget_rows(struct writer *w, enum writer_statement which, uint64_t before_ns)
{
	sqlite3_stmt *s = writer_statement(w, which);
	int r;

	if (sqlite3_bind_parameter_count(s) > 0)
		db_bind_u64(s, 1, before_ns);
	if (sqlite3_bind_parameter_count(s) > 1)
		db_bind_u64(s, 2, ROWS_A_STEP);
	r = db_step(s);
	return r ? r : sqlite3_changes(w->db);
}

static int forget_unnamed(struct writer *w)
{
	static const enum writer_statement tables[] = {
		WRITE_FORGET_FLOWS,     WRITE_FORGET_ACTORS,    WRITE_FORGET_LIVES,
		WRITE_FORGET_REPORTERS, WRITE_FORGET_LISTENERS, WRITE_FORGET_COVERS};
	uint64_t until, events = before(w->now_ns, keep_ns(w, EVENTS_LEVEL));
	int r = horizon(w, &until), gone = 0;

	if (!r)
		r = writer_begin(w);
	if (r < 0)
		return r;
	r = forget_rows(w, WRITE_FORGET_EVENTS, events);
	gone += r > 0;
	for (size_t i = 0; r >= 0 && i < sizeof(tables) / sizeof(*tables); i++) {
		r = forget_rows(w, tables[i], until);
		gone += r > 0;
	}
	if (r >= 0)
		r = forget_rows(w, WRITE_FORGET_NAMES, NAMES_MAX);
	r = writer_end(w, r < 0 ? r : 0);
	return r ? r : gone > 0;
}

/* Once an hour all that is to go, in steps. */
static int forget_dictionaries(struct writer *w)
{
	int r;

	if (w->now_ns < w->dictionary_ns + DICTIONARY_NS)
		return 0;
	r = forget_unnamed(w);
	if (!r)
		w->dictionary_ns = w->now_ns;
	return r;
}

/* --- the file shrinks ----------------------------------------------------------------------- */

static int give_back(struct writer *w)
{
	int64_t pages, free_pages;
	int r = db_number(w->db, "PRAGMA page_count", 0, &pages);

	if (!r)
		r = db_number(w->db, "PRAGMA freelist_count", 0, &free_pages);
	if (r < 0 || free_pages < FREE_PAGES_MIN || free_pages < pages / 10)
		return r;
	r = db_run(w->db, VACUUM_A_STEP);
	return r ? r : 1;
}

int retain_step(struct writer *w)
{
	int r = forget_by_age(w);

	if (!r)
		r = forget_by_size(w);
	if (!r)
		r = forget_dictionaries(w);
	return r ? r : give_back(w);
}
