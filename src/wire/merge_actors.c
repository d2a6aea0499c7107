/* SPDX-License-Identifier: Apache-2.0 */
/* The actors of a merge: who is known, who is "~other", whom nobody names any more. */
#include "wire/merge_internal.h"

#define FORGET_EVERY 1024 /* actors retired */

bool merge_push_handle(struct vector *v, uint32_t handle)
{
	uint32_t *place = vector_push(v);

	if (place)
		*place = handle;
	return place;
}

static void define_other(struct wire_merge *m)
{
	const struct wire_actor other = {.handle = WIRE_MERGE_OTHER, .process = "~other"};

	if (!definitions_actor(m->fresh, WIRE_MERGE_OTHER))
		definitions_put_actor(m->fresh, &other);
}

uint32_t merge_known_actor(struct wire_merge *m, uint32_t actor)
{
	if (definitions_actor(m->fresh, actor) || definitions_actor(m->told, actor))
		return actor;
	define_other(m);
	return WIRE_MERGE_OTHER;
}

/* One place is kept for "~other". */
void merge_add_actor(struct wire_merge *m, const struct wire_actor *a)
{
	if (definitions_actor_count(m->fresh) >= m->limits.actors_max &&
	    !definitions_actor(m->fresh, a->handle))
		return;
	definitions_put_actor(m->fresh, a);
}

static struct lru *find_used_actors(const struct wire_merge *m)
{
	struct lru *used = lru_new(definitions_flow_count(m->fresh) + m->events.count +
					   m->batch->listener_count + 1,
				   sizeof(uint32_t), 1);

	if (!used)
		return NULL;
	for (const struct wire_flow *f = NULL; (f = definitions_next_flow(m->fresh, f));)
		lru_put(used, &f->actor, NULL);
	for (size_t i = 0; i < m->events.count; i++)
		lru_put(used, &((struct wire_event *)vector_at(&m->events, i))->actor, NULL);
	for (size_t i = 0; i < m->batch->listener_count; i++)
		lru_put(used, &m->batch->listeners[i].actor, NULL);
	return used;
}

void merge_forget_actors(struct wire_merge *m)
{
	struct lru *used = find_used_actors(m);
	uint32_t *handles = m->retired_actors.items;
	size_t kept = 0;

	if (!used)
		return;
	for (size_t i = 0; i < m->retired_actors.count; i++) {
		if (lru_get(used, &handles[i]) || definitions_actor(m->told, handles[i]))
			handles[kept++] = handles[i];
		else
			definitions_remove_actor(m->fresh, handles[i]);
	}
	m->retired_actors.count = m->retired_actors_seen = kept;
	lru_free(used);
}

void merge_retire_actors(struct wire_merge *m, const struct wire_batch *b)
{
	for (size_t i = 0; i < b->retired_actor_count; i++)
		merge_push_handle(&m->retired_actors, b->retired_actors[i]);
	if (m->retired_actors.count >= m->retired_actors_seen + FORGET_EVERY)
		merge_forget_actors(m);
}
