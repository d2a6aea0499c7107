/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a merge: as they came while there is room, then folded with their like. */
#include <errno.h>

#include "wire/merge_internal.h"

#define APART_SHARE 4 /* of the room, what is used before they fold */

struct event_key {
	uint32_t actor;
	uint8_t kind, scope, code, flags;
};

int merge_events_open(struct wire_merge *m)
{
	m->events = vector_init(m->batch->arena, sizeof(struct wire_event), 0);
	m->by_event = lru_new(m->limits.events_max, sizeof(struct event_key), sizeof(uint32_t));
	return m->by_event ? 0 : -ENOMEM;
}

void merge_events_close(struct wire_merge *m)
{
	lru_free(m->by_event);
}

static void fold(struct wire_event *into, const struct wire_event *e)
{
	into->count += e->count;
	if (e->first_ns < into->first_ns)
		into->first_ns = e->first_ns;
	if (e->last_ns < into->last_ns)
		return;
	into->last_ns = e->last_ns;
	into->pid = e->pid;
}

static void append(struct wire_merge *m, const struct event_key *key, const struct wire_event *e)
{
	uint32_t *index = NULL;
	struct wire_event *item = NULL;

	if (m->events.count < m->limits.events_max)
		item = vector_push(&m->events);
	if (item)
		index = lru_put(m->by_event, key, NULL);
	if (!index) {
		m->events.count -= item != NULL;
		m->lost_full += e->count;
		return;
	}
	*item = *e;
	item->actor = key->actor;
	*index = (uint32_t)(m->events.count - 1);
}

void merge_add_event(struct wire_merge *m, const struct wire_event *e)
{
	const struct event_key key = {.actor = merge_known_actor(m, e->actor),
				      .kind = e->kind,
				      .scope = e->scope,
				      .code = e->code,
				      .flags = (uint8_t)(e->oom | e->child << 1)};
	const uint32_t *index = NULL;

	if (m->events.count >= m->limits.events_max / APART_SHARE)
		index = lru_get(m->by_event, &key);
	if (index)
		fold(vector_at(&m->events, *index), e);
	else
		append(m, &key, e);
}
