/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/event_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lru.h"

/* Compared as bytes. */
struct row_key {
	uint32_t actor;
	uint8_t kind, scope, code, oom, child, pad[3];
};

struct row {
	uint64_t first_ns, last_ns;
	uint32_t pid, count;
};

struct event_rows {
	struct lru *rows;
	uint64_t lost;
};

struct event_rows *event_rows_new(void)
{
	struct event_rows *t = calloc(1, sizeof(*t));

	if (t)
		t->rows = lru_new(EVENT_ROWS_MAX, sizeof(struct row_key), sizeof(struct row));
	return t && t->rows ? t : event_rows_free(t);
}

struct event_rows *event_rows_free(struct event_rows *t)
{
	if (!t)
		return NULL;
	lru_free(t->rows);
	free(t);
	return NULL;
}

void event_rows_add(struct event_rows *t, const struct wire_event *e)
{
	const struct row_key key = {.actor = e->actor,
				    .kind = e->kind,
				    .scope = e->scope,
				    .code = e->code,
				    .oom = e->oom,
				    .child = e->child};
	struct row *row = lru_put(t->rows, &key, NULL);

	if (!row) {
		t->lost++;
		return;
	}
	if (!row->count || e->last_ns < row->first_ns)
		row->first_ns = e->last_ns;
	if (e->last_ns >= row->last_ns) {
		row->last_ns = e->last_ns;
		row->pid = e->pid;
	}
	row->count++;
}

static struct wire_event event_of(const struct event_rows *t, const struct row *row)
{
	const struct row_key *key = lru_key(t->rows, row);

	return (struct wire_event){.actor = key->actor,
				   .pid = row->pid,
				   .count = row->count,
				   .kind = key->kind,
				   .scope = key->scope,
				   .code = key->code,
				   .oom = key->oom,
				   .child = key->child,
				   .first_ns = row->first_ns,
				   .last_ns = row->last_ns};
}

int event_rows_report(struct event_rows *t, struct wire_batch *batch)
{
	size_t count = lru_count(t->rows);
	struct row *row;

	if (!count || batch->events) /* told by a try before, which failed later */
		return 0;
	batch->events = arena_alloc(batch->arena, count * sizeof(*batch->events));
	if (!batch->events)
		return -ENOMEM;
	while ((row = lru_oldest(t->rows))) {
		batch->events[batch->event_count++] = event_of(t, row);
		lru_remove(t->rows, row);
	}
	return 0;
}

uint64_t event_rows_lost(const struct event_rows *t)
{
	return t->lost;
}

/* As WIFSIGNALED and WEXITSTATUS; 0x80 says that a core was written. */
void event_rows_read_status(uint32_t status, struct wire_event *ret)
{
	if (status & 0x7f) {
		ret->kind = WIRE_EVENT_KILLED;
		ret->code = status & 0x7f;
	} else {
		ret->code = status >> 8 & 0xff;
		ret->kind = ret->code ? WIRE_EVENT_FAILED : WIRE_EVENT_EXITED;
	}
}
