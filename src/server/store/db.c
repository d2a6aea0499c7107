/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/db.h"

#include <errno.h>
#include <string.h>

#define BUSY_MS 2000

int db_code(int sqlite_code)
{
	switch (sqlite_code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	default:
		return -EIO;
	}
}

int db_open(sqlite3 **ret, const char *path, int flags, struct error *ret_error)
{
	sqlite3 *db = NULL;
	int e = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (e != SQLITE_OK) {
		error_set(ret_error, db_code(e),
			  "cannot open %s: %s; look at the rights of its folder", path,
			  db ? sqlite3_errmsg(db) : "out of memory");
		sqlite3_close_v2(db);
		return db_code(e);
	}
	sqlite3_busy_timeout(db, BUSY_MS);
	*ret = db;
	return 0;
}

sqlite3 *db_close(sqlite3 *db)
{
	sqlite3_close_v2(db);
	return NULL;
}

int db_run(sqlite3 *db, const char *sql)
{
	return db_code(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int db_number(sqlite3 *db, const char *sql, int64_t fallback, int64_t *ret)
{
	sqlite3_stmt *s = NULL;
	int e = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

	*ret = fallback;
	if (e == SQLITE_OK)
		e = sqlite3_step(s);
	if (e == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
		*ret = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return db_code(e);
}

int db_prepare(sqlite3 *db, const char *const *texts, size_t count, sqlite3_stmt **ret)
{
	int e;

	memset(ret, 0, count * sizeof(*ret));
	for (size_t i = 0; i < count; i++) {
		e = sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &ret[i], NULL);
		if (e == SQLITE_OK)
			continue;
		db_finalize(ret, count);
		return db_code(e);
	}
	return 0;
}

void db_finalize(sqlite3_stmt **statements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sqlite3_finalize(statements[i]);
		statements[i] = NULL;
	}
}

int db_step(sqlite3_stmt *s)
{
	int e = sqlite3_step(s);

	sqlite3_reset(s);
	return db_code(e);
}

int db_row(sqlite3_stmt *s)
{
	int e = sqlite3_step(s);

	if (e == SQLITE_ROW)
		return 1;
	sqlite3_reset(s);
	return db_code(e);
}
