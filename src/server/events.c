/* SPDX-License-Identifier: Apache-2.0 */
#include "server/events.h"

#include <errno.h>
#include <stdlib.h>

#define PLACE(n)  ((n) & (EVENTS_MAX - 1))
#define COUNT_MAX (UINT32_C(1) << 30) /* of one agent's row */
#define LOOK_BACK 512                 /* rows that are looked at for one to merge with */

int events_init(struct events *e, struct actor_table *actors, uint64_t merge_ns)
{
	e->rows = calloc(EVENTS_MAX, sizeof(*e->rows));
	e->actors = actors;
	e->merge_ns = merge_ns;
	return e->rows ? 0 : -ENOMEM;
}

void events_done(struct events *e)
{
	free(e->rows);
	e->rows = NULL;
}

bool events_is_sane(const struct wire_event *w)
{
	return w->kind < WIRE_EVENT_KIND_COUNT && w->scope < WIRE_EVENT_SCOPE_COUNT && w->count &&
	       w->count < COUNT_MAX && w->first_ns <= w->last_ns;
}

static void drop_oldest(struct events *e)
{
	actor_release(e->actors, e->rows[PLACE(e->begin)].actor);
	e->begin++;
}

static bool is_alike(const struct event *a, const struct event *b)
{
	return a->actor == b->actor && a->reporter == b->reporter && a->kind == b->kind &&
	       a->scope == b->scope && a->code == b->code && a->oom == b->oom &&
	       a->child == b->child;
}

/* NULL: none that is young enough. */
static struct event *find_alike(struct events *e, const struct event *event)
{
	for (uint64_t n = e->end; n > e->begin && e->end - n < LOOK_BACK; n--) {
		struct event *row = &e->rows[PLACE(n - 1)];

		if (is_alike(row, event))
			return row->first_ns + e->merge_ns > event->last_ns &&
					       row->count < COUNT_MAX
				       ? row
				       : NULL;
	}
	return NULL;
}

void events_add(struct events *e, const struct event *event)
{
	struct event *row = find_alike(e, event);

	if (row) {
		row->count += event->count;
		if (event->last_ns >= row->last_ns) {
			row->last_ns = event->last_ns;
			row->pid = event->pid;
		}
		return;
	}
	if (e->end - e->begin == EVENTS_MAX) {
		e->cut++;
		e->cut_until_ns = e->rows[PLACE(e->begin)].last_ns;
		drop_oldest(e);
	}
	e->rows[PLACE(e->end++)] = *event;
	actor_reference(e->actors, event->actor);
}

void events_forget(struct events *e, uint64_t before_ns)
{
	while (e->begin < e->end && e->rows[PLACE(e->begin)].last_ns < before_ns)
		drop_oldest(e);
}

size_t events_count(const struct events *e)
{
	return e->end - e->begin;
}

const struct event *events_at(const struct events *e, size_t i)
{
	return &e->rows[PLACE(e->begin + i)];
}

void event_counts_add(struct event_counts *c, const struct event *event)
{
	bool start = event->kind == WIRE_EVENT_STARTED || event->kind == WIRE_EVENT_RESTARTED;

	*(start ? &c->started : &c->exited) += event->count;
	if (event->kind == WIRE_EVENT_RESTARTED)
		c->restarted += event->count;
	if (event->kind == WIRE_EVENT_FAILED)
		c->failed += event->count;
	if (event->kind == WIRE_EVENT_KILLED)
		c->killed += event->count;
	if (event->oom)
		c->oom += event->count;
}
