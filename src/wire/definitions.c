/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables by handle; an actor's strings stand in one piece of memory behind it. */
#include "wire/definitions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lru.h"

struct definitions {
	struct lru *flows;  /* handle ─► struct wire_flow */
	struct lru *actors; /* handle ─► struct wire_actor *, owned */
};

struct definitions *definitions_new(uint32_t flows_max, uint32_t actors_max)
{
	struct definitions *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->flows = lru_new(flows_max, sizeof(uint32_t), sizeof(struct wire_flow));
	d->actors = lru_new(actors_max, sizeof(uint32_t), sizeof(struct wire_actor *));
	return d->flows && d->actors ? d : definitions_free(d);
}

struct definitions *definitions_free(struct definitions *d)
{
	if (!d)
		return NULL;
	if (d->actors)
		for (struct wire_actor **a = lru_oldest(d->actors); a; a = lru_newer(d->actors, a))
			free(*a);
	lru_free(d->actors);
	lru_free(d->flows);
	free(d);
	return NULL;
}

int definitions_put_flow(struct definitions *d, const struct wire_flow *flow)
{
	struct wire_flow *place = lru_put(d->flows, &flow->handle, NULL);

	if (!place)
		return -ENOSPC;
	*place = *flow;
	return 0;
}

/* Moves a string behind those before it; returns where the next one goes. */
static char *keep(char *to, const char **s)
{
	size_t size = strlen(*s ? *s : "") + 1;

	*s = memcpy(to, *s ? *s : "", size);
	return to + size;
}

static size_t size_of(const char *s)
{
	return s ? strlen(s) + 1 : 1;
}

static struct wire_actor *actor_copy(const struct wire_actor *from)
{
	struct wire_actor *a =
		malloc(sizeof(*a) + size_of(from->process) + size_of(from->unit) +
		       size_of(from->container) + size_of(from->pod) + size_of(from->cgroup));
	char *to = (char *)(a + 1);

	if (!a)
		return NULL;
	*a = *from;
	to = keep(to, &a->process);
	to = keep(to, &a->unit);
	to = keep(to, &a->container);
	to = keep(to, &a->pod);
	keep(to, &a->cgroup);
	return a;
}

int definitions_put_actor(struct definitions *d, const struct wire_actor *actor)
{
	struct wire_actor *copy = actor_copy(actor);
	struct wire_actor **place = copy ? lru_put(d->actors, &actor->handle, NULL) : NULL;

	if (!place) {
		int r = copy ? -ENOSPC : -ENOMEM;

		free(copy);
		return r;
	}
	free(*place);
	*place = copy;
	return 0;
}

const struct wire_flow *definitions_flow(const struct definitions *d, uint32_t handle)
{
	return lru_get(d->flows, &handle);
}

const struct wire_actor *definitions_actor(const struct definitions *d, uint32_t handle)
{
	struct wire_actor *const *place = lru_get(d->actors, &handle);

	return place ? *place : NULL;
}

const struct wire_flow *definitions_next_flow(const struct definitions *d,
					      const struct wire_flow *before)
{
	return before ? lru_newer(d->flows, before) : lru_oldest(d->flows);
}

void definitions_remove_flow(struct definitions *d, uint32_t handle)
{
	void *place = lru_get(d->flows, &handle);

	if (place)
		lru_remove(d->flows, place);
}

void definitions_remove_actor(struct definitions *d, uint32_t handle)
{
	struct wire_actor **place = lru_get(d->actors, &handle);

	if (!place)
		return;
	free(*place);
	lru_remove(d->actors, place);
}

size_t definitions_flow_count(const struct definitions *d)
{
	return lru_count(d->flows);
}

size_t definitions_actor_count(const struct definitions *d)
{
	return lru_count(d->actors);
}

static int actor_describe(struct arena *arena, const struct wire_actor *from, struct wire_actor *to)
{
	*to = *from;
	to->process = arena_strdup(arena, from->process);
	to->unit = arena_strdup(arena, from->unit);
	to->container = arena_strdup(arena, from->container);
	to->pod = arena_strdup(arena, from->pod);
	to->cgroup = arena_strdup(arena, from->cgroup);
	return to->process && to->unit && to->container && to->pod && to->cgroup ? 0 : -ENOMEM;
}

static int compare_actors(const void *a, const void *b)
{
	uint32_t x = ((const struct wire_actor *)a)->handle;
	uint32_t y = ((const struct wire_actor *)b)->handle;

	return (x > y) - (x < y);
}

static int describe_actors(const struct definitions *d, struct wire_batch *b)
{
	int r = 0;

	b->actors = arena_alloc(b->arena, lru_count(d->actors) * sizeof(*b->actors));
	if (!b->actors)
		return -ENOMEM;
	for (struct wire_actor **a = lru_oldest(d->actors); a && !r; a = lru_newer(d->actors, a))
		r = actor_describe(b->arena, *a, &b->actors[b->actor_count++]);
	if (!r && b->actor_count)
		qsort(b->actors, b->actor_count, sizeof(*b->actors), compare_actors);
	return r;
}

static int compare_flows(const void *a, const void *b)
{
	uint32_t x = ((const struct wire_flow *)a)->handle;
	uint32_t y = ((const struct wire_flow *)b)->handle;

	return (x > y) - (x < y);
}

int definitions_describe(const struct definitions *d, struct wire_batch *b)
{
	b->flows = arena_alloc(b->arena, lru_count(d->flows) * sizeof(*b->flows));
	if (!b->flows)
		return -ENOMEM;
	for (const struct wire_flow *f = lru_oldest(d->flows); f; f = lru_newer(d->flows, f))
		b->flows[b->flow_count++] = *f;
	if (b->flow_count)
		qsort(b->flows, b->flow_count, sizeof(*b->flows), compare_flows);
	return describe_actors(d, b);
}
