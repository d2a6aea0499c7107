/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables, and how a file of an older version becomes one of this.
 *
 * A version is a row of a table: the SQL that leads to it from the one before. Each step is one
 * transaction, so a crash in the middle leaves the version before. A file of a newer version is
 * refused untouched: an older program would not know what it destroys.
 */
#pragma once

#include <sqlite3.h>

#include "base/error.h"

#define SCHEMA_APPLICATION_ID 0x6d726163 /* "mrac", in the file's header */

int schema_version(void); /* of this program */

/* Makes the tables, or brings them up to date. -EPROTO: of a newer version, or not ours. */
int schema_migrate(sqlite3 *db, const char *path, struct error *ret_error);
