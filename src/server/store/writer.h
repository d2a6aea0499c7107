/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one that writes: items in, as one transaction; then, when nobody waits, one small step of
 * tidying at a time (roll-ups, forgetting).
 *
 *     writer_commit(items) … writer_tidy() → 1: there is more to do … writer_commit(items) …
 *
 * No thread and no clock of its own: time is that of the newest item. What is in memory here is a
 * copy of what the file says; after a failure it is read again.
 */
#pragma once

#include "server/store/block.h"
#include "server/store/causes.h"
#include "server/store/db.h"
#include "server/store/gauges.h"
#include "server/store/item.h"
#include "server/store/level.h"

#define CUTS_MAX 16 /* in one slot */

struct writer_limits {      /* 0: the default */
	uint64_t bytes_max; /* 8 GiB */
	uint64_t retain_ns; /* nothing is kept longer */
	uint64_t pages_max; /* of the file; beyond it is as if the disk were full */
};

/* What is open at the end of a reporter's last closed minute. */
struct running {
	uint64_t reporter, end_ns;
	struct gauge_list open;
};

struct writer {
	sqlite3 *db;
	sqlite3_stmt **statements;
	struct block_zip *zip;
	struct block_builder builder;
	struct causes causes;
	struct writer_limits limits;
	struct store_level_state levels[LEVEL_COUNT];
	struct running *running; /* by reporter's number, sorted */
	size_t running_count, running_capacity;
	struct row_writer scratch;
	uint64_t now_ns;
	uint64_t late_blocks, cuts_ignored, damaged_blocks; /* since it opened */
	uint64_t dictionary_ns; /* when dictionaries were last looked through */
};

int writer_open(struct writer *w, const char *path, const struct writer_limits *limits,
		struct error *ret_error);
void writer_close(struct writer *w); /* accepts an all-zero one */

/* All of them or none. -ENOSPC, -EIO, …: nothing happened, and it may be tried again. */
int writer_commit(struct writer *w, const struct store_item *first);

/* One transaction at the most. 1: there is more to do now, 0: nothing. */
int writer_tidy(struct writer *w);

/* Bytes that the file uses, with its log. */
int writer_bytes(struct writer *w, uint64_t *ret);

/* --- between the files of the writer -------------------------------------------------------- */

#define WRITER_STATEMENTS(X)                                                                       \
	X(REPORTER, "INSERT OR REPLACE INTO reporters VALUES "                                     \
		    "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)")        \
	X(LIFE, "INSERT INTO lives VALUES (?1,?2,?3) ON CONFLICT DO UPDATE SET "                   \
		"to_ns=max(to_ns,excluded.to_ns)")                                                 \
	X(ACTOR, "INSERT INTO actors VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,NULL,NULL,?10,?11) "       \
		 "ON CONFLICT DO UPDATE SET last_ns=max(last_ns,excluded.last_ns)")                \
	X(FLOW, "INSERT INTO flows VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15) "   \
		"ON CONFLICT DO UPDATE SET last_ns=max(last_ns,excluded.last_ns)")                 \
	X(NAME, "INSERT OR REPLACE INTO names VALUES (?1,?2,?3,?4,?5)")                            \
	X(EVENT, "INSERT INTO events VALUES (NULL,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")                \
	X(NO_LISTENERS, "DELETE FROM listeners WHERE reporter=?1")                                 \
	X(LISTENER, "INSERT INTO listeners VALUES (?1,?2,?3,?4,?5,?6,?7)")                         \
	X(NO_COVERS, "DELETE FROM covers WHERE reporter=?1")                                       \
	X(COVER, "INSERT INTO covers VALUES (?1,?2,?3)")                                           \
	X(REASON, "INSERT OR IGNORE INTO reasons VALUES (?1,?2)")                                  \
	X(BLOCK, "INSERT INTO blocks VALUES (NULL,?1,?2,?3,?4,?5,?6,?7)")                          \
	X(GAUGES, "INSERT INTO gauges VALUES (?1,?2,?3,?4) "                                       \
		  "ON CONFLICT DO UPDATE SET level=max(level,excluded.level), "                    \
		  "data=excluded.data")                                                            \
	X(LAST_GAUGES, "SELECT end_ns, data FROM gauges WHERE reporter=?1 "                        \
		       "ORDER BY end_ns DESC LIMIT 1")                                             \
	X(LIFT_GAUGES, "UPDATE gauges SET level=?1 WHERE reporter=?2 AND end_ns=(SELECT "          \
		       "max(end_ns) FROM gauges WHERE reporter=?2 AND end_ns>?3 AND end_ns<=?4)")  \
	X(LEVELS, "SELECT level, closed_ns, next_reporter, forgotten_ns, cut_rows FROM levels")    \
	X(SET_LEVEL, "UPDATE levels SET closed_ns=?2, next_reporter=?3, forgotten_ns=?4, "         \
		     "cut_rows=?5 WHERE level=?1")                                                 \
	X(NEXT_END, "SELECT min(end_ns) FROM blocks WHERE level=?1 AND end_ns>?2")                 \
	X(SLOT,                                                                                    \
	  "SELECT id, reporter, start_ns, end_ns, rows, merged FROM blocks WHERE level=?1 AND "    \
	  "end_ns>?2 AND end_ns<=?3 AND reporter>=?4 ORDER BY reporter, end_ns, id")               \
	X(DATA, "SELECT data FROM blocks WHERE id=?1")                                             \
	X(CUTS, "SELECT DISTINCT at FROM (SELECT from_ns AS at FROM lives UNION ALL "              \
		"SELECT to_ns FROM lives) WHERE at>?1 AND at<?2 ORDER BY at")                      \
	X(FLOW_SEEN, "UPDATE flows SET last_ns=?2 WHERE id=?1 AND last_ns<?2")                     \
	X(ACTOR_SEEN, "UPDATE actors SET last_ns=?2 WHERE id=(SELECT actor FROM flows WHERE "      \
		      "id=?1) AND last_ns<?2")                                                     \
	X(OLDEST, "SELECT end_ns, rows FROM blocks WHERE level=?1 AND end_ns<=?2 "                 \
		  "ORDER BY end_ns LIMIT 1")                                                       \
	X(COUNT_ROWS, "SELECT total(rows) FROM blocks WHERE level=?1 AND end_ns<=?2")              \
	X(FORGET_BLOCKS, "DELETE FROM blocks WHERE id IN (SELECT id FROM blocks WHERE level=?1 "   \
			 "AND end_ns<=?2 ORDER BY end_ns LIMIT ?3)")                               \
	X(FORGET_GAUGES, "DELETE FROM gauges WHERE rowid IN (SELECT rowid FROM gauges WHERE "      \
			 "level=?1 AND end_ns<=?2 ORDER BY end_ns LIMIT ?3)")                      \
	X(FORGET_EVENTS, "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE "            \
			 "last_ns<=?1 ORDER BY last_ns LIMIT ?2)")                                 \
	X(FORGET_FLOWS, "DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE last_ns<?1 "    \
			"ORDER BY last_ns LIMIT ?2)")                                              \
	X(FORGET_ACTORS, "DELETE FROM actors WHERE id IN (SELECT id FROM actors a WHERE "          \
			 "last_ns<?1 AND NOT EXISTS (SELECT 1 FROM flows WHERE actor=a.id) AND "   \
			 "NOT EXISTS (SELECT 1 FROM events WHERE actor=a.id) AND NOT EXISTS "      \
			 "(SELECT 1 FROM listeners WHERE actor=a.id) LIMIT ?2)")                   \
	X(FORGET_NAMES, "DELETE FROM names WHERE told_ns<(SELECT told_ns FROM names ORDER BY "     \
			"told_ns DESC LIMIT 1 OFFSET ?1)")                                         \
	X(FORGET_LIVES, "DELETE FROM lives WHERE to_ns<?1")                                        \
	X(FORGET_REPORTERS, "DELETE FROM reporters WHERE last_window_ns<?1 AND last_seen_ns<?1") \
	X(FORGET_LISTENERS, "DELETE FROM listeners WHERE reporter NOT IN (SELECT id FROM "         \
			    "reporters)")                                                          \
	X(FORGET_COVERS, "DELETE FROM covers WHERE reporter NOT IN (SELECT id FROM reporters)")

#define WRITER_STATEMENT_ENUM(id, text) WRITE_##id,
enum writer_statement { WRITER_STATEMENTS(WRITER_STATEMENT_ENUM) WRITE_COUNT };

static inline sqlite3_stmt *writer_statement(struct writer *w, enum writer_statement which)
{
	return w->statements[which];
}

int writer_begin(struct writer *w);
/* Commits if r is 0, else undoes it all and reads again what memory holds of it. Returns r. */
int writer_end(struct writer *w, int r);

int write_item(struct writer *w, const struct store_item *item); /* write.c */

/* A block's place; what is in it is the builder's. */
struct block_place {
	unsigned int level;
	uint64_t reporter, start_ns, end_ns;
	bool merged;
};
int write_block(struct writer *w, const struct block_place *place, const struct block_builder *b);
int write_level(struct writer *w, unsigned int level);

/* Rolls up one slot of one level, or a part of it; 1: done something. rollup.c */
int rollup_step(struct writer *w);
/* A block that came after its slot was closed: adds it to every level that misses it. */
int rollup_late(struct writer *w, const struct block_place *place, const struct block_builder *b);

/* What is open of a reporter; it stays until running_forget_all(). NULL: see *ret_error. */
int running_find(struct writer *w, uint64_t reporter, struct running **ret);
int running_add(struct writer *w, struct running *r, const struct gauge_list *more,
		uint64_t end_ns);
void running_forget_all(struct writer *w);

int retain_step(struct writer *w); /* 1: forgot something. retain.c */
