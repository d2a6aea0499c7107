/* SPDX-License-Identifier: Apache-2.0 */
/* See writer.h: opening, transactions, and what is open of each reporter. */
#include "server/store/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/schema.h"

#define BYTES_DEFAULT (UINT64_C(8) << 30)
#define LOG_BYTES_MAX "67108864"
#define CHECKPOINT    "2000" /* pages of the log */

#define TEXT(id, text) text,
static const char *const texts[] = {WRITER_STATEMENTS(TEXT)};

static int read_levels(struct writer *w)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_LEVELS);
	int r;

	while ((r = db_row(s)) > 0) {
		unsigned int level = (unsigned int)sqlite3_column_int(s, 0);

		if (level < LEVEL_COUNT)
			w->levels[level] = (struct store_level_state){db_u64(s, 1), db_u64(s, 2),
								      db_u64(s, 3), db_u64(s, 4)};
	}
	return r;
}

static int set_up(struct writer *w)
{
	char text[64];
	int r = db_run(w->db, "PRAGMA wal_autocheckpoint = " CHECKPOINT
			      "; PRAGMA journal_size_limit = " LOG_BYTES_MAX
			      "; PRAGMA cache_size = -16384");

	if (!r && w->limits.pages_max) {
		snprintf(text, sizeof(text), "PRAGMA max_page_count = %llu",
			 (unsigned long long)w->limits.pages_max);
		r = db_run(w->db, text);
	}
	if (!r)
		r = writer_begin(w);
	if (!r)
		r = writer_end(w, causes_write(&w->causes, w->db));
	return r;
}

static int begin_work(struct writer *w, const char *path, struct error *ret_error)
{
	int64_t now;
	int r = schema_migrate(w->db, path, ret_error);

	if (r < 0)
		return r;
	w->zip = block_zip_new();
	w->statements = calloc(WRITE_COUNT, sizeof(*w->statements));
	r = w->zip && w->statements ? 0 : -ENOMEM;
	if (!r)
		r = db_prepare(w->db, texts, WRITE_COUNT, w->statements);
	if (!r)
		r = read_levels(w);
	if (!r)
		r = set_up(w);
	if (!r)
		r = db_number(w->db, "SELECT max(last_seen_ns) FROM reporters", 0, &now);
	if (r < 0)
		return error_set(ret_error, r, "cannot begin to write %s: %s", path,
				 sqlite3_errmsg(w->db));
	w->now_ns = (uint64_t)now;
	return 0;
}

int writer_open(struct writer *w, const char *path, const struct writer_limits *limits,
		struct error *ret_error)
{
	int r;

	*w = (struct writer){.limits = *limits};
	if (!w->limits.bytes_max)
		w->limits.bytes_max = BYTES_DEFAULT;
	r = db_open(&w->db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ret_error);
	if (!r)
		r = begin_work(w, path, ret_error);
	if (r < 0)
		writer_close(w);
	return r;
}

void writer_close(struct writer *w)
{
	if (w->statements)
		db_finalize(w->statements, WRITE_COUNT);
	free(w->statements);
	w->db = db_close(w->db);
	w->zip = block_zip_free(w->zip);
	block_builder_done(&w->builder);
	running_forget_all(w);
	free(w->running);
	free(w->scratch.data);
	*w = (struct writer){0};
}

int writer_begin(struct writer *w)
{
	return db_run(w->db, "BEGIN IMMEDIATE");
}

int writer_end(struct writer *w, int r)
{
	if (!r)
		r = db_run(w->db, "COMMIT");
	if (!r)
		return 0;
	db_run(w->db, "ROLLBACK"); /* a full disk may have done so already */
	running_forget_all(w);
	read_levels(w);
	return r;
}

int writer_commit(struct writer *w, const struct store_item *first)
{
	int r = writer_begin(w);

	if (r < 0)
		return r;
	for (const struct store_item *item = first; !r && item; item = item->next) {
		r = write_item(w, item);
		if (item->now_ns > w->now_ns)
			w->now_ns = item->now_ns;
	}
	return writer_end(w, r);
}

int writer_tidy(struct writer *w)
{
	int r = rollup_step(w), forgot;

	if (r > 0)
		return r;
	forgot = retain_step(
		w); /* also when nothing can be rolled up: that may be for want of room */
	return r ? r : forgot;
}

int writer_bytes(struct writer *w, uint64_t *ret)
{
	int64_t pages, free_pages, page_size;
	int r = db_number(w->db, "PRAGMA page_count", 0, &pages);

	if (!r)
		r = db_number(w->db, "PRAGMA freelist_count", 0, &free_pages);
	if (!r)
		r = db_number(w->db, "PRAGMA page_size", 0, &page_size);
	if (!r)
		*ret = (uint64_t)(pages - free_pages) * (uint64_t)page_size;
	return r;
}

/* --- what is open --------------------------------------------------------------------------- */

void running_forget_all(struct writer *w)
{
	for (size_t i = 0; i < w->running_count; i++)
		gauge_list_done(&w->running[i].open);
	w->running_count = 0;
}

static int running_insert(struct writer *w, size_t at, const struct running *new)
{
	size_t capacity = w->running_capacity ? w->running_capacity * 2 : 16;
	struct running *list;

	if (w->running_count == w->running_capacity) {
		list = realloc(w->running, capacity * sizeof(*list));
		if (!list)
			return -ENOMEM;
		w->running = list;
		w->running_capacity = capacity;
	}
	memmove(&w->running[at + 1], &w->running[at],
		(w->running_count - at) * sizeof(*w->running));
	w->running[at] = *new;
	w->running_count++;
	return 0;
}

static int running_load(struct writer *w, size_t at, uint64_t reporter)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_LAST_GAUGES);
	struct running new = {.reporter = reporter};
	int r;

	db_bind_u64(s, 1, reporter);
	r = db_row(s);
	if (r > 0) {
		new.end_ns = db_u64(s, 0);
		r = gauge_list_read(&new.open, sqlite3_column_blob(s, 1),
				    (size_t)sqlite3_column_bytes(s, 1));
		sqlite3_reset(s);
	}
	if (!r)
		r = running_insert(w, at, &new);
	if (r < 0)
		gauge_list_done(&new.open);
	return r;
}

int running_find(struct writer *w, uint64_t reporter, struct running **ret)
{
	size_t low = 0, high = w->running_count;
	int r = 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (w->running[middle].reporter < reporter)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == w->running_count || w->running[low].reporter != reporter)
		r = running_load(w, low, reporter);
	if (!r)
		*ret = &w->running[low];
	return r;
}

int running_add(struct writer *w, struct running *r, const struct gauge_list *more, uint64_t end_ns)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_GAUGES);
	struct gauge_list sum = {0};
	int e = gauge_list_sum(&r->open, more, &sum);

	if (!e)
		e = gauge_list_write(&sum, &w->scratch);
	if (e < 0) {
		gauge_list_done(&sum);
		return e;
	}
	gauge_list_done(&r->open);
	r->open = sum;
	if (end_ns > r->end_ns)
		r->end_ns = end_ns;
	db_bind_u64(s, 1, r->reporter);
	db_bind_u64(s, 2, r->end_ns);
	db_bind_u64(s, 3, LEVEL_MINUTES);
	db_bind_bytes(s, 4, w->scratch.data, w->scratch.size);
	return db_step(s);
}
