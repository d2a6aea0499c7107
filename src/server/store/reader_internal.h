/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of the reader, for its files only. */
#pragma once

#include "server/store/reader.h"

#define READER_STATEMENTS(X)                                                                       \
	X(LEVELS, "SELECT level, closed_ns, next_reporter, forgotten_ns, cut_rows FROM levels")    \
	X(NEWEST, "SELECT max(end_ns) FROM blocks WHERE level=?1")                                 \
	X(OLDEST, "SELECT min(end_ns) FROM blocks WHERE level=?1")                                 \
	X(BLOCKS,                                                                                  \
	  "SELECT reporter, start_ns, end_ns, merged, data FROM blocks WHERE level=?1 AND "        \
	  "end_ns>?2 AND end_ns<=?3 ORDER BY end_ns, reporter")                                    \
	X(REFS, "SELECT id, reporter, start_ns, end_ns, merged FROM blocks WHERE level=?1 AND "    \
		"end_ns>?2 AND end_ns<=?3")                                                        \
	X(BLOCK, "SELECT reporter, start_ns, end_ns, merged, data FROM blocks WHERE id=?1")        \
	X(GAUGES, "SELECT end_ns, data FROM gauges WHERE reporter=?1 AND end_ns<=?2 "              \
		  "ORDER BY end_ns DESC LIMIT 1")                                                  \
	X(FLOW, "SELECT reporter, machine, actor, netns, port, via_port, transport, role, flags, " \
		"local, remote, via, first_ns, last_ns FROM flows WHERE id=?1")                    \
	X(ACTOR, "SELECT reporter, pid, other, process, unit, container, pod, cgroup, first_ns, "  \
		 "last_ns FROM actors WHERE id=?1")                                                \
	X(REPORTERS, "SELECT id, machine, node, boot_id, version, kernel, hooks, zone, region, "   \
		     "cgroup, started_ns, started_wall_ns, last_seen_ns, last_window_ns, "         \
		     "window_ns, sequence, batches, hash, loss FROM reporters ORDER BY "           \
		     "last_seen_ns DESC, id DESC")                                                 \
	X(REASONS, "SELECT number, name FROM reasons ORDER BY number")                             \
	X(NAMES, "SELECT machine, netns, address, name FROM (SELECT * FROM names ORDER BY "        \
		 "told_ns DESC LIMIT ?1) ORDER BY told_ns")                                        \
	X(EVENTS,                                                                                  \
	  "SELECT first_ns, last_ns, actor, reporter, pid, count, kind, scope, code, flags FROM "  \
	  "(SELECT * FROM events WHERE last_ns>?1 AND last_ns<=?2 ORDER BY last_ns DESC, "         \
	  "id DESC LIMIT ?3) ORDER BY last_ns, id")                                                \
	X(LISTENERS, "SELECT actor, netns, address, port, transport, queue_max FROM listeners "    \
		     "WHERE reporter=?1 ORDER BY rowid")                                           \
	X(COVERS, "SELECT netns, address FROM covers WHERE reporter=?1 ORDER BY rowid")            \
	X(LIVES, "SELECT reporter, from_ns, to_ns FROM lives WHERE from_ns<=?2 AND from_ns>="      \
		 "ifnull((SELECT max(from_ns) FROM lives l WHERE l.reporter=lives.reporter AND "   \
		 "l.from_ns<=?1),0) ORDER BY reporter, from_ns")                                   \
	X(NUMBERS, "SELECT (SELECT max(id) FROM reporters), max((SELECT ifnull(max(id),0) FROM "   \
		   "actors),(SELECT ifnull(max(actor),0) FROM flows)), (SELECT max(id) FROM "      \
		   "flows), max((SELECT ifnull(max(machine),-1) FROM reporters),(SELECT "          \
		   "ifnull(max(machine),-1) FROM flows))")

#define READER_STATEMENT_ENUM(id, text) READ_##id,
enum reader_statement { READER_STATEMENTS(READER_STATEMENT_ENUM) READ_COUNT };

static inline sqlite3_stmt *reader_statement(struct reader *r, enum reader_statement which)
{
	return r->statements[which];
}
