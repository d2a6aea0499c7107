/* SPDX-License-Identifier: Apache-2.0 */
/* See schema.h. docs/store.md tells what the tables hold. A step, once released, never changes. */
#include "server/store/schema.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/store/db.h"

/* What this list begins with must be said before the first table is made. */
static const char version_1[] =
	"CREATE TABLE reporters (id INTEGER PRIMARY KEY, node TEXT NOT NULL, machine INTEGER NOT "
	"NULL,"
	" boot_id TEXT NOT NULL, version TEXT NOT NULL, kernel TEXT NOT NULL, hooks TEXT NOT NULL,"
	" zone TEXT NOT NULL, region TEXT NOT NULL, cgroup TEXT NOT NULL,"
	" started_ns INTEGER NOT NULL, started_wall_ns INTEGER NOT NULL,"
	" last_seen_ns INTEGER NOT NULL, last_window_ns INTEGER NOT NULL, window_ns INTEGER NOT "
	"NULL,"
	" sequence INTEGER NOT NULL, batches INTEGER NOT NULL, hash BLOB, loss BLOB);"
	"CREATE TABLE lives (reporter INTEGER NOT NULL, from_ns INTEGER NOT NULL,"
	" to_ns INTEGER NOT NULL, PRIMARY KEY (reporter, from_ns)) WITHOUT ROWID;"
	"CREATE TABLE actors (id INTEGER PRIMARY KEY, reporter INTEGER NOT NULL, pid INTEGER NOT "
	"NULL,"
	" other INTEGER NOT NULL, process TEXT NOT NULL, unit TEXT NOT NULL, container TEXT NOT "
	"NULL,"
	" pod TEXT NOT NULL, cgroup TEXT NOT NULL, image TEXT, image_tag TEXT,"
	" first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL);"
	"CREATE TABLE flows (id INTEGER PRIMARY KEY, reporter INTEGER NOT NULL,"
	" machine INTEGER NOT NULL, actor INTEGER NOT NULL, netns INTEGER NOT NULL,"
	" port INTEGER NOT NULL, via_port INTEGER NOT NULL, transport INTEGER NOT NULL,"
	" role INTEGER NOT NULL, flags INTEGER NOT NULL, local BLOB NOT NULL, remote BLOB NOT NULL,"
	" via BLOB, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL);"
	"CREATE INDEX flows_by_actor ON flows (actor);"
	"CREATE INDEX flows_by_last ON flows (last_ns);"
	"CREATE TABLE names (machine INTEGER NOT NULL, netns INTEGER NOT NULL, address BLOB NOT "
	"NULL,"
	" name TEXT NOT NULL, told_ns INTEGER NOT NULL,"
	" PRIMARY KEY (machine, netns, address)) WITHOUT ROWID;"
	"CREATE INDEX names_by_told ON names (told_ns);"
	"CREATE TABLE events (id INTEGER PRIMARY KEY, first_ns INTEGER NOT NULL,"
	" last_ns INTEGER NOT NULL, actor INTEGER NOT NULL, reporter INTEGER NOT NULL,"
	" pid INTEGER NOT NULL, count INTEGER NOT NULL, kind INTEGER NOT NULL, scope INTEGER NOT "
	"NULL,"
	" code INTEGER NOT NULL, flags INTEGER NOT NULL);"
	"CREATE INDEX events_by_last ON events (last_ns);"
	"CREATE INDEX events_by_actor ON events (actor);"
	"CREATE TABLE listeners (reporter INTEGER NOT NULL, actor INTEGER NOT NULL,"
	" netns INTEGER NOT NULL, address BLOB NOT NULL, port INTEGER NOT NULL,"
	" transport INTEGER NOT NULL, queue_max INTEGER NOT NULL);"
	"CREATE INDEX listeners_by_reporter ON listeners (reporter);"
	"CREATE INDEX listeners_by_actor ON listeners (actor);"
	"CREATE TABLE covers (reporter INTEGER NOT NULL, netns INTEGER NOT NULL,"
	" address BLOB NOT NULL);"
	"CREATE INDEX covers_by_reporter ON covers (reporter);"
	"CREATE TABLE reasons (number INTEGER PRIMARY KEY, name TEXT NOT NULL);"
	"CREATE TABLE causes (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE blocks (id INTEGER PRIMARY KEY, level INTEGER NOT NULL,"
	" reporter INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
	" rows INTEGER NOT NULL, merged INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE INDEX blocks_by_end ON blocks (level, end_ns, reporter);"
	"CREATE TABLE gauges (reporter INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
	" level INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE UNIQUE INDEX gauges_by_end ON gauges (reporter, end_ns);"
	"CREATE INDEX gauges_by_level ON gauges (level, end_ns);"
	"CREATE TABLE levels (level INTEGER PRIMARY KEY, closed_ns INTEGER NOT NULL,"
	" next_reporter INTEGER NOT NULL, forgotten_ns INTEGER NOT NULL, cut_rows INTEGER NOT "
	"NULL);"
	"INSERT INTO levels VALUES (0,0,0,0,0),(1,0,0,0,0),(2,0,0,0,0),(3,0,0,0,0),(4,0,0,0,0);";

static const char *const steps[] = {version_1};

int schema_version(void)
{
	return sizeof(steps) / sizeof(*steps);
}

static int refuse_newer(const char *path, int64_t version, struct error *ret_error)
{
	return error_set(
		ret_error, -EPROTO,
		"cannot use %s: a newer millrace wrote it (schema %lld, this one knows up to "
		"%d); start the newer one again, or give --data another folder",
		path, (long long)version, schema_version());
}

static int refuse_foreign(const char *path, struct error *ret_error)
{
	return error_set(
		ret_error, -EPROTO,
		"cannot use %s: it is a database, but not of millrace; give --data another "
		"folder",
		path);
}

static int step_up(sqlite3 *db, int64_t from)
{
	char version[64];
	int r = db_run(db, "BEGIN IMMEDIATE");

	snprintf(version, sizeof(version), "PRAGMA user_version = %lld", (long long)from + 1);
	if (!r)
		r = db_run(db, steps[from]);
	if (!r)
		r = db_run(db, version);
	if (!r)
		r = db_run(db, "COMMIT");
	if (r < 0)
		db_run(db, "ROLLBACK");
	return r;
}

/* What can only be said of a file without tables. */
static int prepare_new(sqlite3 *db)
{
	char id[64];

	snprintf(id, sizeof(id), "PRAGMA application_id = %d", SCHEMA_APPLICATION_ID);
	if (db_run(db, "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL") < 0)
		return -EIO;
	return db_run(db, id);
}

int schema_migrate(sqlite3 *db, const char *path, struct error *ret_error)
{
	int64_t version, id, tables;
	int r = db_number(db, "PRAGMA user_version", 0, &version);

	if (!r)
		r = db_number(db, "PRAGMA application_id", 0, &id);
	if (!r)
		r = db_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables);
	if (!r && tables && id != SCHEMA_APPLICATION_ID)
		return refuse_foreign(path, ret_error);
	if (!r && version > schema_version())
		return refuse_newer(path, version, ret_error);
	if (!r && !tables)
		r = prepare_new(db);
	if (!r)
		r = db_run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
	for (; !r && version < schema_version(); version++)
		r = step_up(db, version);
	if (r < 0)
		return error_set(
			ret_error, r, "cannot prepare %s: %s; %s", path, sqlite3_errmsg(db),
			r == -EUCLEAN ? "restore it from a copy, or move it away to begin anew"
				      : "look at the room and the rights of its folder");
	return 0;
}
