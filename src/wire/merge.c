/* SPDX-License-Identifier: Apache-2.0 */
/* See merge.h; rows in merge_rows.c, events in merge_events.c. */
#include "wire/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/merge_internal.h"
#include "wire/told_names.h"

/* Flows: all that an agent can have at a time, and those of rows that have gone since. */
const struct wire_merge_limits wire_merge_limits_default = {
	.rows_max = 16384,
	.flows_max = 122880,
	.actors_max = 12288,
	.events_max = 4096,
	.names_max = 8192,
};

static int merge_open(struct wire_merge *m)
{
	m->batch = wire_batch_new();
	m->fresh = definitions_new(m->limits.flows_max, m->limits.actors_max + 1);
	m->names = told_names_new(m->limits.names_max);
	if (!m->batch || !m->fresh || !m->names)
		return -ENOMEM;
	m->coarse_handles = WIRE_MERGE_HANDLES;
	m->retired = vector_init(m->batch->arena, sizeof(uint32_t), 0);
	m->retired_actors = vector_init(m->batch->arena, sizeof(uint32_t), 0);
	return merge_rows_open(m) < 0 ? -ENOMEM : merge_events_open(m);
}

struct wire_merge *wire_merge_new(const struct definitions *told,
				  const struct wire_merge_limits *limits)
{
	struct wire_merge *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->told = told;
	m->limits = limits ? *limits : wire_merge_limits_default;
	return merge_open(m) < 0 ? wire_merge_free(m) : m;
}

struct wire_merge *wire_merge_free(struct wire_merge *m)
{
	if (!m)
		return NULL;
	told_names_free(m->names);
	merge_rows_close(m);
	merge_events_close(m);
	definitions_free(m->fresh);
	wire_batch_free(m->batch);
	arena_free(m->states);
	free(m);
	return NULL;
}

static void add_flow(struct wire_merge *m, const struct wire_flow *from)
{
	struct wire_flow flow = *from;

	flow.actor = merge_known_actor(m, from->actor);
	definitions_put_flow(m->fresh, &flow); /* no room: its rows are lost, and counted */
}

/* One that came and went without a row was never there. */
static void retire_flow(struct wire_merge *m, uint32_t handle)
{
	if (definitions_flow(m->fresh, handle) && !definitions_flow(m->told, handle) &&
	    !merge_has_row(m, handle))
		definitions_remove_flow(m->fresh, handle);
	else
		merge_push_handle(&m->retired, handle);
}

/* --- states: as the last batch said --------------------------------------------------------------
 */

/* Listeners and covers are told when they changed: the last set that was. */
static void keep_sets(struct wire_merge *m, const struct wire_batch *b, struct arena *a)
{
	const struct wire_batch *sets = b->listeners_changed ? b : m->batch;
	struct wire_batch *to = m->batch;

	to->listener_count = sets->listener_count;
	to->listeners_changed |= b->listeners_changed;
	to->listeners = arena_copy(a, sets->listeners, to->listener_count * sizeof(*to->listeners));
	if (!to->listeners)
		to->listener_count = 0;
	sets = b->covers_changed ? b : m->batch;
	to->cover_count = sets->cover_count;
	to->covers_changed |= b->covers_changed;
	to->covers = arena_copy(a, sets->covers, to->cover_count * sizeof(*to->covers));
	if (!to->covers)
		to->cover_count = 0;
}

static const char *keep_text(struct arena *a, const char *s)
{
	const char *copy = s ? arena_strdup(a, s) : NULL;

	return copy ? copy : "";
}

static void keep_head(struct wire_merge *m, const struct wire_batch *b, struct arena *a)
{
	struct wire_batch *to = m->batch;

	to->node = keep_text(a, b->node);
	to->boot_id = keep_text(a, b->boot_id);
	to->version = keep_text(a, b->version);
	to->kernel = keep_text(a, b->kernel);
	to->zone = keep_text(a, b->zone);
	to->region = keep_text(a, b->region);
	to->cgroup = keep_text(a, b->cgroup);
	to->status = b->status;
	to->status.hooks = keep_text(a, b->status.hooks);
	to->netns = arena_copy(a, b->netns, b->netns_count * sizeof(*b->netns));
	to->netns_count = to->netns ? b->netns_count : 0;
}

/* In an arena of their own, so that what they replace goes. */
static void keep_states(struct wire_merge *m, const struct wire_batch *b)
{
	struct arena *states = arena_new();

	if (!states)
		return;
	keep_sets(m, b, states);
	keep_head(m, b, states);
	arena_free(m->states);
	m->states = states;
}

static void keep_times(struct wire_merge *m, const struct wire_batch *b)
{
	struct wire_batch *to = m->batch;

	if (!m->windows)
		to->window_start_ns = b->window_start_ns;
	m->windows += b->windows ? b->windows : 1;
	to->windows = m->windows;
	to->window_end_ns = b->window_end_ns;
	to->started_ns = b->started_ns;
	to->sent_ns = b->sent_ns;
	memcpy(to->loss, b->loss, sizeof(to->loss));
}

void wire_merge_add(struct wire_merge *m, const struct wire_batch *b)
{
	keep_times(m, b);
	keep_states(m, b);
	for (size_t i = 0; i < b->actor_count; i++)
		merge_add_actor(m, &b->actors[i]);
	for (size_t i = 0; i < b->flow_count; i++)
		add_flow(m, &b->flows[i]);
	for (size_t i = 0; i < b->update_count; i++)
		merge_add_row(m, &b->updates[i]);
	for (size_t i = 0; i < b->event_count; i++)
		merge_add_event(m, &b->events[i]);
	for (size_t i = 0; i < b->name_count; i++)
		m->lost_full += told_names_put(m->names, &b->names[i]) < 0;
	for (size_t i = 0; i < b->retired_count; i++)
		retire_flow(m, b->retired[i]);
	merge_retire_actors(m, b);
}

uint32_t wire_merge_windows(const struct wire_merge *m)
{
	return m->windows;
}

uint64_t wire_merge_lost_rows(const struct wire_merge *m)
{
	return m->lost_rows;
}

uint64_t wire_merge_lost_full(const struct wire_merge *m)
{
	return m->lost_full;
}

static int take_definitions(struct wire_merge *m, struct wire_batch *b)
{
	b->flow_count = b->actor_count = 0;
	return definitions_describe(m->fresh, b);
}

struct wire_batch *wire_merge_take(struct wire_merge *m)
{
	struct wire_batch *b = m->batch;

	merge_forget_actors(m);
	if (told_names_describe(m->names, b) < 0 || take_definitions(m, b) < 0)
		return NULL;
	keep_sets(m, b, b->arena);
	keep_head(m, b, b->arena);
	b->updates = m->rows.items;
	b->update_count = m->rows.count;
	b->events = m->events.items;
	b->event_count = m->events.count;
	b->retired = m->retired.items;
	b->retired_count = m->retired.count;
	b->retired_actors = m->retired_actors.items;
	b->retired_actor_count = m->retired_actors.count;
	m->batch = NULL;
	return b;
}
