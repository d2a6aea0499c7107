/* SPDX-License-Identifier: Apache-2.0 */
/* An item into rows of the file, see item.h and docs/store.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/writer.h"
#include "wire/numbers.h"

int write_level(struct writer *w, unsigned int level)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_SET_LEVEL);
	const struct store_level_state *l = &w->levels[level];

	db_bind_u64(s, 1, level);
	db_bind_u64(s, 2, l->closed_ns);
	db_bind_u64(s, 3, l->next_reporter);
	db_bind_u64(s, 4, l->forgotten_ns);
	db_bind_u64(s, 5, l->cut_rows);
	return db_step(s);
}

/* By wire numbers, which never change. */
static int write_losses(struct writer *w, const uint64_t loss[WIRE_LOSS_COUNT])
{
	int r = 0;

	w->scratch.size = 0;
	for (unsigned int i = 0; !r && i < WIRE_LOSS_COUNT; i++) {
		if (!loss[i])
			continue;
		r = row_write_number(&w->scratch, wire_loss_numbers.number[i]);
		if (!r)
			r = row_write_number(&w->scratch, loss[i]);
	}
	return r;
}

static int write_reporter(struct writer *w, const struct store_reporter *a)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_REPORTER);
	const char *const texts[] = {a->boot_id, a->version, a->kernel, a->hooks,
				     a->zone,    a->region,  a->cgroup};
	const uint64_t numbers[] = {a->started_ns,     a->started_wall_ns, a->last_seen_ns,
				    a->last_window_ns, a->window_ns,       a->sequence,
				    a->batches};
	int r = write_losses(w, a->loss);

	if (r < 0)
		return r;
	db_bind_u64(s, 1, a->id);
	db_bind_text(s, 2, a->node);
	db_bind_u64(s, 3, a->machine);
	for (int i = 0; i < 7; i++)
		db_bind_text(s, 4 + i, texts[i]);
	for (int i = 0; i < 7; i++)
		db_bind_u64(s, 11 + i, numbers[i]);
	db_bind_bytes(s, 18, a->hash, sizeof(a->hash));
	db_bind_bytes(s, 19, w->scratch.data, w->scratch.size);
	return db_step(s);
}

static int write_life(struct writer *w, const struct store_reporter *a)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_LIFE);

	if (!a->life_to_ns)
		return 0;
	db_bind_u64(s, 1, a->id);
	db_bind_u64(s, 2, a->life_from_ns);
	db_bind_u64(s, 3, a->life_to_ns);
	return db_step(s);
}

static int write_actor(struct writer *w, const struct store_actor *a)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_ACTOR);

	db_bind_u64(s, 1, a->id);
	db_bind_u64(s, 2, a->reporter);
	db_bind_u64(s, 3, a->pid);
	db_bind_u64(s, 4, a->other);
	db_bind_text(s, 5, a->process);
	db_bind_text(s, 6, a->unit);
	db_bind_text(s, 7, a->container);
	db_bind_text(s, 8, a->pod);
	db_bind_text(s, 9, a->cgroup);
	db_bind_u64(s, 10, a->first_ns);
	db_bind_u64(s, 11, a->last_ns);
	return db_step(s);
}

static int write_flow(struct writer *w, const struct store_flow *f)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_FLOW);
	const uint64_t numbers[] = {f->id,   f->reporter, f->machine,   f->actor, f->netns,
				    f->port, f->via_port, f->transport, f->role};

	for (int i = 0; i < 9; i++)
		db_bind_u64(s, 1 + i, numbers[i]);
	db_bind_u64(s, 10, (uint64_t)f->coarse | (uint64_t)f->unresolved << 1);
	db_bind_bytes(s, 11, f->local, 16);
	db_bind_bytes(s, 12, f->remote, 16);
	if (f->via_port)
		db_bind_bytes(s, 13, f->via, 16);
	else
		sqlite3_bind_null(s, 13);
	db_bind_u64(s, 14, f->first_ns);
	db_bind_u64(s, 15, f->last_ns);
	return db_step(s);
}

static int write_name(struct writer *w, const struct store_name *n, uint64_t told_ns)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_NAME);

	db_bind_u64(s, 1, n->machine);
	db_bind_u64(s, 2, n->netns);
	db_bind_bytes(s, 3, n->address, 16);
	db_bind_text(s, 4, n->name);
	db_bind_u64(s, 5, told_ns);
	return db_step(s);
}

static int write_event(struct writer *w, const struct store_event *e)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_EVENT);
	const uint64_t numbers[] = {e->first_ns, e->last_ns, e->actor, e->reporter, e->pid,
				    e->count,    e->kind,    e->scope, e->code};

	for (int i = 0; i < 9; i++)
		db_bind_u64(s, 1 + i, numbers[i]);
	db_bind_u64(s, 10, (uint64_t)e->oom | (uint64_t)e->child << 1);
	return db_step(s);
}

static int write_listeners(struct writer *w, const struct store_item *item)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_NO_LISTENERS);
	int r;

	db_bind_u64(s, 1, item->reporter.id);
	r = db_step(s);
	s = writer_statement(w, WRITE_LISTENER);
	for (size_t i = 0; !r && i < item->listeners.count; i++) {
		const struct store_listener *l = vector_at(&item->listeners, i);

		db_bind_u64(s, 1, item->reporter.id);
		db_bind_u64(s, 2, l->actor);
		db_bind_u64(s, 3, l->netns);
		db_bind_bytes(s, 4, l->address, 16);
		db_bind_u64(s, 5, l->port);
		db_bind_u64(s, 6, l->transport);
		db_bind_u64(s, 7, l->queue_max);
		r = db_step(s);
	}
	return r;
}

static int write_covers(struct writer *w, const struct store_item *item)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_NO_COVERS);
	int r;

	db_bind_u64(s, 1, item->reporter.id);
	r = db_step(s);
	s = writer_statement(w, WRITE_COVER);
	for (size_t i = 0; !r && i < item->covers.count; i++) {
		const struct store_cover *c = vector_at(&item->covers, i);

		db_bind_u64(s, 1, item->reporter.id);
		db_bind_u64(s, 2, c->netns);
		db_bind_bytes(s, 3, c->address, 16);
		r = db_step(s);
	}
	return r;
}

static int write_reason(struct writer *w, const struct store_reason *reason)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_REASON);

	db_bind_u64(s, 1, reason->number);
	db_bind_text(s, 2, reason->name);
	return db_step(s);
}

int write_block(struct writer *w, const struct block_place *place, const struct block_builder *b)
{
	sqlite3_stmt *s = writer_statement(w, WRITE_BLOCK);
	const uint8_t *bytes;
	size_t size;
	int r = block_pack(w->zip, b, &bytes, &size);

	if (r < 0)
		return r;
	db_bind_u64(s, 1, place->level);
	db_bind_u64(s, 2, place->reporter);
	db_bind_u64(s, 3, place->start_ns);
	db_bind_u64(s, 4, place->end_ns);
	db_bind_u64(s, 5, b->rows);
	db_bind_u64(s, 6, place->merged);
	db_bind_bytes(s, 7, bytes, size);
	return db_step(s);
}

/* --- a window of history into a block ------------------------------------------------------- */

struct loose_row {
	uint64_t flow;
	const uint8_t *figures;
	size_t size;
};

static int by_flow(const void *a, const void *b)
{
	const struct loose_row *x = a, *y = b;

	return (x->flow > y->flow) - (x->flow < y->flow);
}

static void read_losses(struct writer *w, struct row_reader *r)
{
	uint64_t used = row_read_number(r);

	while (used--) {
		uint64_t cause = row_read_number(r), count = row_read_number(r);

		w->builder.loss[w->causes.number[cause]] += count;
	}
}

/* The rows of one flow: as a rule there is one. Two handles may name the same flow. */
static int add_rows(struct writer *w, const struct loose_row *rows, size_t count)
{
	struct whole_sums whole = {0};

	if (count == 1)
		return block_add_figures(&w->builder, rows->flow, rows->figures, rows->size);
	whole_sums_clear(&whole);
	for (size_t i = 0; i < count; i++)
		row_add(&(struct row_reader){rows[i].figures, rows[i].figures + rows[i].size, 0},
			&whole.sums, NULL);
	return block_add(&w->builder, rows->flow, &whole.sums);
}

static int add_all(struct writer *w, const struct loose_row *rows, size_t count)
{
	int r = 0;

	for (size_t i = 0, next; !r && i < count; i = next) {
		for (next = i + 1; next < count && rows[next].flow == rows[i].flow;)
			next++;
		r = add_rows(w, &rows[i], next - i);
	}
	return r;
}

static int build_block(struct writer *w, const struct store_window *v)
{
	struct row_reader reader = {v->data, v->data + v->size, 0};
	struct loose_row *rows = calloc(v->rows + 1, sizeof(*rows));
	int r = rows ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	block_begin(&w->builder);
	read_losses(w, &reader);
	for (uint32_t i = 0; i < v->rows; i++) {
		row_flow(&reader);
		rows[i].flow = v->flows[i];
		rows[i].figures = row_figures(&reader, &rows[i].size);
	}
	qsort(rows, v->rows, sizeof(*rows), by_flow);
	r = add_all(w, rows, v->rows);
	free(rows);
	return r;
}

static int write_window(struct writer *w, const struct store_window *v)
{
	const struct block_place place = {.level = LEVEL_FINE,
					  .reporter = v->reporter,
					  .start_ns = v->start_ns,
					  .end_ns = v->end_ns,
					  .merged = v->merged};
	int r = build_block(w, v);

	if (!r)
		r = write_block(w, &place, &w->builder);
	return r ? r : rollup_late(w, &place, &w->builder);
}

#define EACH(list, type, call)                                                                     \
	for (size_t i = 0; !r && i < item->list.count; i++) {                                      \
		const type *it = vector_at(&item->list, i);                                        \
		r = call;                                                                          \
	}

int write_item(struct writer *w, const struct store_item *item)
{
	int r = item->reporter.id ? write_reporter(w, &item->reporter) : 0;

	if (!r)
		r = write_life(w, &item->reporter);
	EACH(actors, struct store_actor, write_actor(w, it))
	EACH(flows, struct store_flow, write_flow(w, it))
	EACH(names, struct store_name, write_name(w, it, item->now_ns))
	EACH(reasons, struct store_reason, write_reason(w, it))
	EACH(events, struct store_event, write_event(w, it))
	EACH(windows, struct store_window, write_window(w, it))
	if (!r && item->listeners_changed)
		r = write_listeners(w, item);
	if (!r && item->covers_changed)
		r = write_covers(w, item);
	return r;
}
