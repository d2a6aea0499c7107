/* SPDX-License-Identifier: Apache-2.0 */
/* See told.h. */
#include "agent/told.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/told_names.h"

/* All that an agent can have at a time, and as much again for what came and went in one batch. */
#define FLOWS_MAX  196608
#define ACTORS_MAX 32768
#define NAMES_MAX  8192 /* as many as an agent keeps */

int told_init(struct told *t)
{
	*t = (struct told){.definitions = definitions_new(FLOWS_MAX, ACTORS_MAX),
			   .names = told_names_new(NAMES_MAX)};
	return t->definitions && t->names ? 0 : -ENOMEM;
}

void told_done(struct told *t)
{
	told_names_free(t->names);
	definitions_free(t->definitions);
	wire_batch_free(t->last);
}

static const char *copy_text(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : "";
}

static int copy_head(struct wire_batch *to, const struct wire_batch *from)
{
	to->node = copy_text(to->arena, from->node);
	to->boot_id = copy_text(to->arena, from->boot_id);
	to->version = copy_text(to->arena, from->version);
	to->kernel = copy_text(to->arena, from->kernel);
	to->zone = copy_text(to->arena, from->zone);
	to->region = copy_text(to->arena, from->region);
	to->cgroup = copy_text(to->arena, from->cgroup);
	to->started_ns = from->started_ns;
	return to->node && to->boot_id && to->version && to->kernel && to->zone && to->region &&
			       to->cgroup
		       ? 0
		       : -ENOMEM;
}

static int copy_listeners(struct wire_batch *to, const struct wire_batch *from)
{
	to->listeners = arena_copy(to->arena, from->listeners,
				   from->listener_count * sizeof(*from->listeners));
	if (!to->listeners)
		return -ENOMEM;
	to->listener_count = from->listener_count;
	to->listeners_changed = from->listeners_changed;
	return 0;
}

static int copy_covers(struct wire_batch *to, const struct wire_batch *from)
{
	to->covers = arena_copy(to->arena, from->covers, from->cover_count * sizeof(*from->covers));
	if (!to->covers)
		return -ENOMEM;
	to->cover_count = from->cover_count;
	to->covers_changed = from->covers_changed;
	return 0;
}

/* The sets that are told when they change stay those that were told last. */
static int keep_last(struct told *t, const struct wire_batch *b)
{
	struct wire_batch *last = wire_batch_new();
	int r = last ? copy_head(last, b) : -ENOMEM;

	if (!r && (b->listeners_changed || t->last))
		r = copy_listeners(last, b->listeners_changed ? b : t->last);
	if (!r && (b->covers_changed || t->last))
		r = copy_covers(last, b->covers_changed ? b : t->last);
	if (r < 0) {
		wire_batch_free(last);
		return r;
	}
	wire_batch_free(t->last);
	t->last = last;
	return 0;
}

/* The oldest one makes room. */
static int add_name(struct told *t, const struct wire_name *n)
{
	int r = told_names_put(t->names, n);

	if (r != -ENOSPC)
		return r;
	told_names_drop_oldest(t->names);
	return told_names_put(t->names, n);
}

int told_add(struct told *t, const struct wire_batch *b)
{
	int r = 0;

	if (!t->last || b->listeners_changed || b->covers_changed)
		r = keep_last(t, b);
	for (size_t i = 0; i < b->actor_count; i++)
		r |= definitions_put_actor(t->definitions, &b->actors[i]);
	for (size_t i = 0; i < b->flow_count; i++)
		r |= definitions_put_flow(t->definitions, &b->flows[i]);
	for (size_t i = 0; i < b->name_count; i++)
		r |= add_name(t, &b->names[i]);
	return r ? -ENOMEM : 0;
}

void told_retire(struct told *t, const uint32_t *flows, size_t flow_count, const uint32_t *actors,
		 size_t actor_count)
{
	for (size_t i = 0; i < flow_count; i++)
		definitions_remove_flow(t->definitions, flows[i]);
	for (size_t i = 0; i < actor_count; i++)
		definitions_remove_actor(t->definitions, actors[i]);
}

static int describe(const struct told *t, struct wire_batch *b)
{
	int r = 0;

	if (t->last) {
		r = copy_head(b, t->last);
		r = r ? r : copy_listeners(b, t->last);
		r = r ? r : copy_covers(b, t->last);
	}
	r = r ? r : told_names_describe(t->names, b);
	return r ? r : definitions_describe(t->definitions, b);
}

struct wire_batch *told_describe(const struct told *t, uint64_t sequence)
{
	struct wire_batch *b = wire_batch_new();

	if (!b || describe(t, b) < 0)
		return wire_batch_free(b);
	b->definitions = true;
	b->sequence = sequence;
	return b;
}
