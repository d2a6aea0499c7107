/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite, as little of it as the store needs: errors as -errno, statements by number.
 *
 * A connection belongs to one thread at a time. -ENOSPC: the disk, or the bound of the file, is
 * full. -EIO: the disk. -EBUSY: somebody holds the file. -EUCLEAN: the file is damaged.
 */
#pragma once

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

int db_code(int sqlite_code); /* 0 for SQLITE_OK, SQLITE_ROW and SQLITE_DONE */

int db_open(sqlite3 **ret, const char *path, int flags, struct error *ret_error);
sqlite3 *db_close(sqlite3 *db); /* always NULL; accepts NULL */
int db_run(sqlite3 *db, const char *sql);
/* The first column of the first row; fallback: there is none. */
int db_number(sqlite3 *db, const char *sql, int64_t fallback, int64_t *ret);

/* Statements that are prepared once: texts[i] becomes ret[i]. On failure none is left. */
int db_prepare(sqlite3 *db, const char *const *texts, size_t count, sqlite3_stmt **ret);
void db_finalize(sqlite3_stmt **statements, size_t count);
/* Runs a statement that gives no rows and makes it ready for the next time. */
int db_step(sqlite3_stmt *s);
/* 1: there is a row, 0: no more, and the statement is ready for the next time. Or -errno. */
int db_row(sqlite3_stmt *s);

static inline void db_bind_u64(sqlite3_stmt *s, int place, uint64_t v)
{
	sqlite3_bind_int64(s, place, (int64_t)v);
}
static inline uint64_t db_u64(sqlite3_stmt *s, int column)
{
	return (uint64_t)sqlite3_column_int64(s, column);
}
/* The bytes are borrowed until the statement has run. */
static inline void db_bind_bytes(sqlite3_stmt *s, int place, const void *bytes, size_t size)
{
	sqlite3_bind_blob64(s, place, bytes, size, SQLITE_STATIC);
}
static inline void db_bind_text(sqlite3_stmt *s, int place, const char *text)
{
	sqlite3_bind_text(s, place, text, -1, SQLITE_STATIC);
}
