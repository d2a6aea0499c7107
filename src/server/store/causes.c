/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/causes.h"

#include <errno.h>
#include <string.h>

#include "server/store/db.h"

static void note(struct causes *c, const char *name, int64_t number)
{
	for (uint16_t i = 0; i < LOSS_COUNT; i++) {
		if (strcmp(loss_name(i), name) != 0)
			continue;
		c->number[i] = (uint16_t)number;
		c->place[number] = i + 1;
	}
}

int causes_read(struct causes *c, sqlite3 *db)
{
	const char *const text = "SELECT number, name FROM causes";
	sqlite3_stmt *s;
	int r = db_prepare(db, &text, 1, &s);

	*c = (struct causes){0};
	while (!r && (r = db_row(s)) > 0) {
		int64_t number = sqlite3_column_int64(s, 0);

		r = number > 0 && number < BLOCK_CAUSES_MAX ? 0 : -EUCLEAN;
		if (!r)
			note(c, (const char *)sqlite3_column_text(s, 1), number);
	}
	db_finalize(&s, 1);
	return r;
}

int causes_write(struct causes *c, sqlite3 *db)
{
	const char *const text = "INSERT OR IGNORE INTO causes (name) VALUES (?)";
	sqlite3_stmt *s;
	int r = db_prepare(db, &text, 1, &s);

	for (unsigned int i = 0; !r && i < LOSS_COUNT; i++) {
		db_bind_text(s, 1, loss_name(i));
		r = db_step(s);
	}
	db_finalize(&s, 1);
	return r ? r : causes_read(c, db);
}
