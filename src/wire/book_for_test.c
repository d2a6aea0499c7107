/* SPDX-License-Identifier: Apache-2.0 */
/* What a receiver was told, by what flows are; see life_for_test.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/life_for_test.h"

#define BOOK_MAX 16384

struct identity {
	char process[24];
	uint32_t netns;
	uint16_t port;
	uint8_t transport, role;
};

struct sums {
	uint64_t counter[MR_COUNTER_COUNT], dns[WIRE_DNS_COUNT], drops;
	struct histogram rtt_us, connect_us, latency_us;
};

struct known_actor {
	char process[24];
};

struct name_key {
	uint32_t netns;
	uint8_t address[16];
};

void book_init(struct book *b)
{
	*b = (struct book){.flows = lru_new(BOOK_MAX, sizeof(uint32_t), sizeof(struct wire_flow)),
			   .actors =
				   lru_new(BOOK_MAX, sizeof(uint32_t), sizeof(struct known_actor)),
			   .sums = lru_new(BOOK_MAX, sizeof(struct identity), sizeof(struct sums)),
			   .kinds = lru_new(BOOK_MAX, sizeof(struct identity), sizeof(struct sums)),
			   .names = lru_new(BOOK_MAX, sizeof(struct name_key), 48)};
}

static struct lru *sums_free(struct lru *t)
{
	for (struct sums **s = lru_oldest(t); s; s = lru_newer(t, s))
		free(*s);
	return lru_free(t);
}

void book_done(struct book *b)
{
	lru_free(b->flows);
	lru_free(b->actors);
	sums_free(b->sums);
	sums_free(b->kinds);
	lru_free(b->names);
}

void book_forget_handles(struct book *b)
{
	void *entry;

	while ((entry = lru_oldest(b->flows)))
		lru_remove(b->flows, entry);
	while ((entry = lru_oldest(b->actors)))
		lru_remove(b->actors, entry);
}

static struct sums *find_sums(struct lru *t, const struct identity *id)
{
	struct sums **s = lru_put(t, id, NULL);

	if (s && !*s)
		*s = calloc(1, sizeof(**s));
	if (!s || !*s)
		abort();
	return *s;
}

static void add_sums(struct sums *s, const struct wire_update *u)
{
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		s->counter[i] += u->counter[i];
	for (unsigned int i = 0; u->dns && i < WIRE_DNS_COUNT; i++)
		s->dns[i] += u->dns->counter[i];
	for (uint32_t i = 0; i < u->drop_count; i++)
		s->drops += u->drops[i].count;
	if (u->rtt_us)
		histogram_merge(&s->rtt_us, u->rtt_us);
	if (u->connect_us)
		histogram_merge(&s->connect_us, u->connect_us);
	if (u->dns)
		histogram_merge(&s->latency_us, &u->dns->latency_us);
}

static void add_update(struct book *b, const struct wire_update *u)
{
	const struct wire_flow *f = lru_get(b->flows, &u->flow);
	const struct known_actor *a = f ? lru_get(b->actors, &f->actor) : NULL;
	struct identity id;

	if (!a) {
		b->unknown++;
		return;
	}
	memset(&id, 0, sizeof(id));
	memcpy(id.process, a->process, sizeof(id.process));
	id.transport = f->transport;
	id.role = f->role;
	add_sums(find_sums(b->kinds, &id), u);
	id.netns = f->netns;
	id.port = f->port;
	add_sums(find_sums(b->sums, &id), u);
	b->updates++;
}

static void define(struct book *b, const struct wire_batch *batch)
{
	for (size_t i = 0; i < batch->actor_count; i++) {
		struct known_actor *a = lru_put(b->actors, &batch->actors[i].handle, NULL);

		snprintf(a->process, sizeof(a->process), "%s", batch->actors[i].process);
	}
	for (size_t i = 0; i < batch->flow_count; i++)
		memcpy(lru_put(b->flows, &batch->flows[i].handle, NULL), &batch->flows[i],
		       sizeof(struct wire_flow));
}

static void retire(struct lru *t, const uint32_t *handles, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *entry = lru_get(t, &handles[i]);

		if (entry)
			lru_remove(t, entry);
	}
}

static void add_rest(struct book *b, const struct wire_batch *batch)
{
	for (size_t i = 0; i < batch->event_count; i++) {
		b->unknown += !lru_get(b->actors, &batch->events[i].actor);
		b->events += batch->events[i].count;
	}
}

static void learn(struct book *b, const struct wire_batch *batch)
{
	for (size_t i = 0; i < batch->name_count; i++) {
		struct name_key key = {.netns = batch->names[i].netns};

		memcpy(key.address, batch->names[i].address, 16);
		strncpy(lru_put(b->names, &key, NULL), batch->names[i].name, 48);
	}
	if (batch->listeners_changed)
		b->listeners = (uint32_t)batch->listener_count;
	if (batch->covers_changed)
		b->covers = (uint32_t)batch->cover_count;
}

void book_add(struct book *b, const struct wire_batch *batch)
{
	define(b, batch);
	learn(b, batch);
	if (batch->definitions)
		return;
	for (size_t i = 0; i < batch->update_count; i++)
		add_update(b, &batch->updates[i]);
	add_rest(b, batch);
	retire(b->flows, batch->retired, batch->retired_count);
	retire(b->actors, batch->retired_actors, batch->retired_actor_count);
	b->windows += batch->windows ? batch->windows : 1;
	b->window_end_ns = batch->window_end_ns;
	b->sweep_ns = batch->status.sweep_ns;
}

static bool same_sums(struct lru *a, struct lru *b)
{
	if (lru_count(a) != lru_count(b))
		return false;
	for (struct sums **s = lru_oldest(a); s; s = lru_newer(a, s)) {
		struct sums *const *other = lru_get(b, lru_key(a, s));

		if (!other || memcmp(*s, *other, sizeof(**s)))
			return false;
	}
	return true;
}

static bool same_table(struct lru *a, struct lru *b, size_t value_size)
{
	if (lru_count(a) != lru_count(b))
		return false;
	for (void *entry = lru_oldest(a); entry; entry = lru_newer(a, entry)) {
		const void *other = lru_get(b, lru_key(a, entry));

		if (!other || memcmp(entry, other, value_size))
			return false;
	}
	return true;
}

const char *book_difference(const struct book *a, const struct book *b, bool coarse)
{
	if (a->unknown || b->unknown)
		return "handles that were not known";
	if (a->windows != b->windows || a->window_end_ns != b->window_end_ns)
		return "windows";
	if (!same_sums(a->kinds, b->kinds))
		return "sums by actor";
	if (a->sweep_ns != b->sweep_ns)
		return "status";
	if (coarse)
		return NULL;
	if (!same_sums(a->sums, b->sums))
		return "sums by flow";
	if (!same_table(a->names, b->names, 48))
		return "names";
	if (a->events != b->events || a->listeners != b->listeners || a->covers != b->covers)
		return "events, listeners or covers";
	return lru_count(a->flows) == lru_count(b->flows) &&
			       lru_count(a->actors) == lru_count(b->actors)
		       ? NULL
		       : "handles in use";
}
