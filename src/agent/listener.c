/* SPDX-License-Identifier: Apache-2.0 */
/* See listener.h. */
#include "agent/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lru.h"

#define LISTENERS_MAX 8192
#define REFRESH_NS    10000000000ull
#define KEEP_NS       60000000000ull

/* A place to listen at. Every listener is here twice: in its cgroup, and in any (0). */
struct place_key {
	uint64_t cgroup;
	uint8_t address[16];
	uint32_t netns;
	uint16_t port, transport; /* enum mr_transport */
};

struct place {
	uint64_t seen_ns; /* when a listener was last there */
	uint32_t actor;   /* held */
	uint32_t pid;     /* who began to listen; 0: not known */
	bool named;       /* its process is known */
	bool live;        /* it still listens */
};

struct listeners {
	struct actors *actors; /* borrowed */
	struct lru *places;
	struct wire_listener *rows, *next_rows; /* as of now, their actors held; while reading */
	size_t count, next_count;
	uint64_t version, refreshed_ns, now_ns;
	bool fresh, changed;
};

int listeners_new(struct listeners **ret, struct actors *actors)
{
	struct listeners *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->actors = actors;
	l->fresh = l->changed = true;
	l->places = lru_new(LISTENERS_MAX * 3, sizeof(struct place_key), sizeof(struct place));
	l->rows = calloc(LISTENERS_MAX, sizeof(*l->rows));
	l->next_rows = calloc(LISTENERS_MAX, sizeof(*l->next_rows));
	if (!l->places || !l->rows || !l->next_rows) {
		listeners_free(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

struct listeners *listeners_free(struct listeners *l)
{
	if (!l)
		return NULL;
	lru_free(l->places);
	free(l->rows);
	free(l->next_rows);
	free(l);
	return NULL;
}

static void place_remove(struct listeners *l, struct place *place)
{
	actors_release(l->actors, place->actor);
	lru_remove(l->places, place);
}

/* Of several at one place the first that lives and is known by name stands for all. */
static void place_put(struct listeners *l, const struct mr_listener *from, uint64_t cgroup,
		      uint32_t actor)
{
	struct place_key key = {.cgroup = cgroup,
				.netns = from->netns,
				.port = from->port,
				.transport = from->transport};
	struct place *place;

	memcpy(key.address, from->address, sizeof(key.address));
	place = lru_get(l->places, &key);
	if (place && place->seen_ns == l->now_ns && (place->named || !from->tgid) &&
	    (place->live || from->closed))
		return;
	if (!place) {
		if (lru_count(l->places) == lru_capacity(l->places))
			place_remove(l, lru_oldest(l->places));
		place = lru_put(l->places, &key, NULL);
	} else {
		actors_release(l->actors, place->actor);
	}
	actors_hold(l->actors, actor);
	*place = (struct place){.seen_ns = l->now_ns,
				.actor = actor,
				.pid = from->tgid,
				.named = from->tgid != 0,
				.live = !from->closed};
}

static void row_put(struct listeners *l, const struct mr_listener *from, uint32_t actor)
{
	struct wire_listener *row = &l->next_rows[l->next_count];

	if (l->next_count == LISTENERS_MAX)
		return;
	memset(row, 0, sizeof(*row)); /* padding too: rows are compared as bytes */
	row->netns = from->netns;
	row->port = from->port;
	row->transport =
		from->transport == MR_TRANSPORT_UDP ? WIRE_TRANSPORT_UDP : WIRE_TRANSPORT_TCP;
	row->drops = from->drops;
	row->queue = from->queue;
	row->queue_max = from->queue_max;
	memcpy(row->address, from->address, sizeof(row->address));
	row->actor = actor;
	actors_hold(l->actors, actor);
	l->next_count++;
}

/* One that closed names what it accepted before, and is in no list any more. */
static int on_listener(void *userdata, const struct mr_listener *from)
{
	struct listeners *l = userdata;
	const struct actor_source source = {.cgroup = from->cgroup,
					    .tgid = from->tgid,
					    .comm = from->comm,
					    .process_start_ns = from->process_start_ns};
	uint32_t actor = actors_resolve(l->actors, &source, l->now_ns);

	place_put(l, from, from->cgroup, actor);
	if (from->cgroup)
		place_put(l, from, 0, actor);
	if (!from->closed)
		row_put(l, from, actor);
	return 0;
}

static void forget_gone(struct listeners *l)
{
	for (struct place *place = lru_oldest(l->places), *next; place; place = next) {
		next = lru_newer(l->places, place);
		if (l->now_ns - place->seen_ns > KEEP_NS)
			place_remove(l, place);
	}
}

static void release_rows(struct listeners *l)
{
	for (size_t i = 0; i < l->count; i++)
		actors_release(l->actors, l->rows[i].actor);
}

int listeners_refresh(struct listeners *l, struct probe *probe, uint64_t version, uint64_t now_ns)
{
	struct wire_listener *rows = l->next_rows;
	int r;

	if (!l->fresh && version == l->version && now_ns - l->refreshed_ns < REFRESH_NS)
		return 0;
	l->now_ns = now_ns;
	l->next_count = 0;
	r = probe_listeners(probe, on_listener, l);
	release_rows(l);
	l->next_rows = l->rows;
	l->rows = rows;
	if (l->next_count != l->count ||
	    memcmp(l->rows, l->next_rows, l->count * sizeof(*rows)) != 0)
		l->changed = true;
	l->count = l->next_count;
	l->version = version;
	l->refreshed_ns = now_ns;
	l->fresh = r < 0; /* what could not be read now is read next time */
	forget_gone(l);
	return r;
}

static const struct place *place_at(struct listeners *l, const struct mr_flow_key *flow,
				    const uint8_t *address)
{
	struct place_key key = {.cgroup = flow->cgroup,
				.netns = flow->netns,
				.port = flow->port,
				.transport = flow->transport};
	const struct place *place;

	memcpy(key.address, address, sizeof(key.address));
	place = lru_get(l->places, &key);
	if (place || !key.cgroup)
		return place;
	key.cgroup = 0;
	return lru_get(l->places, &key);
}

static const struct place *place_of(struct listeners *l, const struct mr_flow_key *key)
{
	static const uint8_t any6[16], any4[16] = {[10] = 0xff, [11] = 0xff};
	const struct place *place;

	if (key->coarse)
		return NULL;
	place = place_at(l, key, key->local);
	if (!place && !memcmp(key->local, any4, 12))
		place = place_at(l, key, any4);
	return place ? place : place_at(l, key, any6);
}

uint32_t listeners_find(struct listeners *l, const struct mr_flow_key *key)
{
	const struct place *place = place_of(l, key);

	return place ? place->actor : 0;
}

uint32_t listeners_pid(struct listeners *l, const struct mr_flow_key *key)
{
	const struct place *place = place_of(l, key);

	return place && place->live ? place->pid : 0;
}

int listeners_report(struct listeners *l, struct wire_batch *batch)
{
	struct wire_listener *rows;

	if (!l->changed)
		return 0;
	rows = arena_copy(batch->arena, l->rows, l->count * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < l->count; i++)
		rows[i].actor = actors_number(l->actors, rows[i].actor);
	batch->listeners = rows;
	batch->listener_count = l->count;
	batch->listeners_changed = true;
	l->changed = false;
	return 0;
}

uint32_t listeners_count(const struct listeners *l)
{
	return (uint32_t)l->count;
}
