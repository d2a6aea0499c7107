/* SPDX-License-Identifier: Apache-2.0 */
/* See reader.h: the connection, and which level answers for which time. */
#include "server/store/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/reader_internal.h"

#define TEXT(id, text) text,
static const char *const texts[] = {READER_STATEMENTS(TEXT)};

int reader_open(struct reader *r, const char *path, struct error *ret_error)
{
	int e;

	*r = (struct reader){0};
	e = db_open(&r->db, path, SQLITE_OPEN_READWRITE, ret_error);
	if (e < 0)
		return e;
	r->zip = block_zip_new();
	r->statements = calloc(READ_COUNT, sizeof(*r->statements));
	e = r->zip && r->statements ? 0 : -ENOMEM;
	if (!e)
		e = db_run(r->db, "PRAGMA query_only = 1; PRAGMA cache_size = -16384");
	if (!e)
		e = db_prepare(r->db, texts, READ_COUNT, r->statements);
	if (!e)
		return 0;
	error_set(ret_error, e, "cannot read %s: %s", path, sqlite3_errmsg(r->db));
	reader_close(r);
	return e;
}

void reader_close(struct reader *r)
{
	if (r->statements)
		db_finalize(r->statements, READ_COUNT);
	free(r->statements);
	r->db = db_close(r->db);
	r->zip = block_zip_free(r->zip);
	idmap_done(&r->known_flows);
	free(r->flows);
	*r = (struct reader){0};
}

static int read_oldest(struct reader *r)
{
	sqlite3_stmt *s = reader_statement(r, READ_OLDEST);
	uint64_t end;
	int e = 0;

	r->oldest_ns = UINT64_MAX;
	for (unsigned int i = 0; e >= 0 && i < LEVEL_COUNT; i++) {
		db_bind_u64(s, 1, i);
		e = db_row(s);
		end = e > 0 && sqlite3_column_type(s, 0) != SQLITE_NULL ? db_u64(s, 0) : UINT64_MAX;
		sqlite3_reset(s);
		if (end < r->oldest_ns)
			r->oldest_ns = end;
	}
	return e < 0 ? e : 0;
}

int reader_begin(struct reader *r)
{
	sqlite3_stmt *s = reader_statement(r, READ_LEVELS);
	int e = db_run(r->db, "BEGIN");

	while (!e && (e = db_row(s)) > 0) {
		unsigned int level = (unsigned int)sqlite3_column_int(s, 0);

		if (level < LEVEL_COUNT)
			r->levels[level] = (struct store_level_state){db_u64(s, 1), db_u64(s, 2),
								      db_u64(s, 3), db_u64(s, 4)};
		e = 0;
	}
	if (!e)
		e = read_oldest(r);
	if (!e)
		e = causes_read(&r->causes, r->db);
	if (e < 0)
		reader_end(r);
	return e;
}

void reader_end(struct reader *r)
{
	db_run(r->db, "COMMIT");
}

int reader_newest(struct reader *r, uint64_t *ret)
{
	int64_t newest, end;
	int e = 0;

	*ret = 0;
	for (unsigned int i = 0; !e && i < LEVEL_COUNT; i++) {
		sqlite3_stmt *s = reader_statement(r, READ_NEWEST);

		db_bind_u64(s, 1, i);
		e = db_row(s);
		newest = e > 0 ? sqlite3_column_int64(s, 0) : 0;
		sqlite3_reset(s);
		end = (int64_t)*ret;
		if (newest > end)
			*ret = (uint64_t)newest;
		e = e < 0 ? e : 0;
	}
	return e;
}

/* --- time ----------------------------------------------------------------------------------- */

/* Whether a whole slot of a level begins here and lies within what it holds and is asked for. */
static bool fits(const struct reader *r, unsigned int level, uint64_t at_ns, uint64_t to_ns)
{
	const struct store_level_state *s = &r->levels[level];

	return at_ns == level_floor(level, at_ns) && at_ns >= s->forgotten_ns &&
	       at_ns + level_width(level) <= to_ns && at_ns + level_width(level) <= s->closed_ns;
}

/* The finest level that still holds what comes after this instant. */
static unsigned int finest_kept(const struct reader *r, uint64_t at_ns)
{
	for (unsigned int level = LEVEL_FINE; level < LEVEL_DAYS; level++)
		if (at_ns >= r->levels[level].forgotten_ns)
			return level;
	return LEVEL_DAYS;
}

/* The coarsest level that may answer for a slot that begins here. */
static unsigned int choose(const struct reader *r, uint64_t at_ns, const struct reader_range *range)
{
	unsigned int kept = finest_kept(r, at_ns);
	unsigned int most = range->coarsest > kept ? range->coarsest : kept;

	for (unsigned int level = most; level > LEVEL_FINE; level--)
		if (fits(r, level, at_ns, range->to_ns))
			return level;
	return LEVEL_FINE;
}

/* The finest level that is wanted or kept. */
static unsigned int least_level(const struct reader *r, uint64_t at_ns,
				const struct reader_range *range)
{
	unsigned int kept = finest_kept(r, at_ns);

	return range->finest > kept ? range->finest : kept;
}

/* What remains is less than a slot of it, which is closed. */
static bool is_rest(const struct reader *r, uint64_t at_ns, const struct reader_range *range)
{
	unsigned int least = least_level(r, at_ns, range);
	uint64_t end = at_ns + level_width(least);

	return least > LEVEL_FINE && end > range->to_ns && end <= r->levels[least].closed_ns;
}

struct reader_range reader_last(uint64_t newest_ns, uint64_t span_ns, unsigned int level)
{
	return (struct reader_range){.from_ns = newest_ns > span_ns ? newest_ns - span_ns : 0,
				     .to_ns = level_slot_end(LEVEL_DAYS, newest_ns),
				     .finest = level,
				     .coarsest = level};
}

uint64_t reader_resolution(const struct reader *r, const struct reader_range *range)
{
	unsigned int level = least_level(r, range->from_ns, range);

	return level ? level_width(level) : 0;
}

static uint64_t step_end(unsigned int level, uint64_t at_ns, uint64_t to_ns)
{
	uint64_t end = level ? at_ns + level_width(level) : level_slot_end(LEVEL_TENS, at_ns + 1);

	return end < to_ns ? end : to_ns;
}

size_t reader_cover(const struct reader *r, const struct reader_range *range,
		    struct reader_piece ret[READER_PIECES_MAX])
{
	uint64_t from = range->from_ns, at;
	size_t count = 0;

	if (from < r->oldest_ns - 1 && r->oldest_ns != UINT64_MAX)
		from = level_floor(LEVEL_DAYS, r->oldest_ns - 1); /* time without anything */
	at = level_floor(least_level(r, from, range), from);
	while (at < range->to_ns) {
		unsigned int level = choose(r, at, range), kept = finest_kept(r, at);
		uint64_t end = step_end(level, at, range->to_ns);

		if (is_rest(r, at, range) || level < kept) {
			if (count)
				break;
			level = least_level(r, at, range); /* all of it is within one slot */
			level = at + level_width(level) <= r->levels[level].closed_ns ? level
										      : kept;
			end = at + level_width(level);
		}
		if (!count || ret[count - 1].level != level) {
			if (count == READER_PIECES_MAX)
				break;
			ret[count++] = (struct reader_piece){level, at, end};
		}
		ret[count - 1].to_ns = at = end;
	}
	return count;
}
