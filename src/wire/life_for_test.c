/* SPDX-License-Identifier: Apache-2.0 */
/* See life_for_test.h; the book is book_for_test.c. */
#include "wire/life_for_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

uint64_t life_random(struct life *l)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return l->random >> 11;
}

static void *room(struct wire_batch *b, size_t count, size_t size)
{
	void *p = arena_alloc(b->arena, count * size);

	if (!p)
		abort();
	return p;
}

static char *text(struct wire_batch *b, const char *format, unsigned int n)
{
	char *s = room(b, 48, 1);

	snprintf(s, 48, format, n);
	return s;
}

void life_init(struct life *l, uint64_t seed)
{
	*l = (struct life){.random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15),
			   .now_ns = 100 * SECOND_NS,
			   .moving = 30,
			   .churn = 10};
}

static void define_actor(struct life *l, struct wire_batch *b, unsigned int i)
{
	if (!l->actors[i]) {
		l->actors[i] = ++l->actor_handles;
		l->actor_defined[i] = false;
	}
	if (l->actor_defined[i] && life_random(l) % 50)
		return;
	l->actor_defined[i] = true;
	b->actors[b->actor_count++] =
		(struct wire_actor){.handle = l->actors[i],
				    .pid = (uint32_t)life_random(l),
				    .process = text(b, "process-%u", l->actors[i]),
				    .unit = "",
				    .container = "",
				    .pod = "",
				    .cgroup = text(b, "slice/%u", l->actors[i])};
}

static void define_flow(struct life *l, struct wire_batch *b, struct wire_flow *f)
{
	unsigned int actor = (unsigned int)(life_random(l) % LIFE_ACTORS);

	define_actor(l, b, actor);
	*f = (struct wire_flow){.handle = ++l->flow_handles,
				.actor = l->actors[actor],
				.transport = life_random(l) % 4 ? WIRE_TRANSPORT_TCP
								: WIRE_TRANSPORT_UDP,
				.role = (uint8_t)(1 + life_random(l) % 2),
				.port = (uint16_t)(1 + life_random(l) % 60000),
				.netns = l->flow_handles};
	b->flows[b->flow_count++] = *f;
}

static struct histogram *histogram(struct life *l, struct wire_batch *b)
{
	struct histogram *h = room(b, 1, sizeof(*h));

	for (uint64_t n = 1 + life_random(l) % 4; n; n--)
		histogram_add(h, (uint32_t)(life_random(l) >> life_random(l) % 40));
	return h;
}

static void add_drops(struct life *l, struct wire_batch *b, struct wire_update *u)
{
	u->drop_count = (uint32_t)(1 + life_random(l) % WIRE_DROPS_MAX);
	u->drops = room(b, u->drop_count, sizeof(*u->drops));
	for (uint32_t i = 0; i < u->drop_count; i++)
		u->drops[i] = (struct wire_drop){
			text(b, "REASON_%u", (unsigned int)(life_random(l) % 3 + 3 * i)),
			1 + life_random(l) % 100};
}

static void move(struct life *l, struct wire_batch *b, uint32_t flow)
{
	struct wire_update *u = &b->updates[b->update_count++];
	struct wire_dns *dns;

	u->flow = flow;
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		if (life_random(l) % 3 == 0)
			u->counter[i] = life_random(l) % 1000 - (life_random(l) % 8 ? 0 : 2000);
	if (life_random(l) % 2)
		u->rtt_us = histogram(l, b);
	if (life_random(l) % 4 == 0)
		u->connect_us = histogram(l, b);
	if (life_random(l) % 10 == 0)
		add_drops(l, b, u);
	if (life_random(l) % 10)
		return;
	u->dns = dns = room(b, 1, sizeof(*dns));
	dns->counter[life_random(l) % WIRE_DNS_COUNT] = life_random(l) % 20;
	dns->latency_us = *histogram(l, b);
}

static bool chance(struct life *l, uint32_t percent)
{
	return life_random(l) % 100 < percent;
}

static void add_flows(struct life *l, struct wire_batch *b)
{
	b->actors = room(b, LIFE_FLOWS, sizeof(*b->actors));
	b->flows = room(b, LIFE_FLOWS, sizeof(*b->flows));
	b->updates = room(b, 2 * LIFE_FLOWS, sizeof(*b->updates));
	b->retired = room(b, LIFE_FLOWS, sizeof(*b->retired));
	for (unsigned int i = 0; i < LIFE_FLOWS; i++) {
		struct wire_flow *f = &l->flows[i];

		if (!f->handle && chance(l, l->churn))
			define_flow(l, b, f);
		if (f->handle && chance(l, l->moving))
			move(l, b, f->handle);
		if (f->handle && chance(l, l->churn / 2)) {
			b->retired[b->retired_count++] = f->handle;
			f->handle = 0;
		}
	}
}

static bool is_used(const struct life *l, uint32_t actor)
{
	for (unsigned int i = 0; i < LIFE_FLOWS; i++)
		if (l->flows[i].handle && l->flows[i].actor == actor)
			return true;
	return false;
}

static void retire_actors(struct life *l, struct wire_batch *b)
{
	b->retired_actors = room(b, LIFE_ACTORS, sizeof(*b->retired_actors));
	for (unsigned int i = 0; i < LIFE_ACTORS; i++) {
		if (!l->actors[i] || is_used(l, l->actors[i]) || !chance(l, l->churn))
			continue;
		b->retired_actors[b->retired_actor_count++] = l->actors[i];
		l->actors[i] = 0;
	}
}

static void add_events(struct life *l, struct wire_batch *b)
{
	b->events = room(b, 4, sizeof(*b->events));
	for (uint64_t n = life_random(l) % 4; n; n--) {
		uint32_t actor = l->actors[life_random(l) % LIFE_ACTORS];

		if (!actor)
			continue;
		b->events[b->event_count++] =
			(struct wire_event){.actor = actor,
					    .count = (uint32_t)(1 + life_random(l) % 5),
					    .kind = (uint8_t)(life_random(l) % 3),
					    .first_ns = l->now_ns - 5,
					    .last_ns = l->now_ns - 1};
	}
}

static void add_names(struct life *l, struct wire_batch *b)
{
	b->names = room(b, 4, sizeof(*b->names));
	b->name_count = life_random(l) % 4;
	for (size_t i = 0; i < b->name_count; i++)
		b->names[i] = (struct wire_name){
			.netns = 1 + (uint32_t)i,
			.address = {10, (uint8_t)(life_random(l) % 50)},
			.name = text(b, "name-%u", (unsigned int)(life_random(l) % 1000))};
}

static void add_sets(struct life *l, struct wire_batch *b)
{
	b->listeners_changed = chance(l, 10);
	b->listener_count = b->listeners_changed ? life_random(l) % 5 : 0;
	b->listeners = room(b, 5, sizeof(*b->listeners));
	b->covers_changed = chance(l, 10);
	b->cover_count = b->covers_changed ? life_random(l) % 5 : 0;
	b->covers = room(b, 5, sizeof(*b->covers));
}

struct wire_batch *life_window(struct life *l)
{
	struct wire_batch *b = wire_batch_new();

	if (!b)
		abort();
	b->node = b->boot_id = b->version = b->kernel = b->status.hooks = "life";
	b->sequence = ++l->sequence;
	b->started_ns = 99 * SECOND_NS;
	b->window_start_ns = l->now_ns;
	l->now_ns += SECOND_NS;
	b->window_end_ns = b->sent_ns = l->now_ns;
	b->status.sweep_ns = l->now_ns / 1000;
	add_flows(l, b);
	add_events(l, b);
	add_names(l, b);
	add_sets(l, b);
	retire_actors(l, b);
	return b;
}
