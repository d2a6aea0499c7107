/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of any content from a seed; see sample_for_test.h. */
#include "wire/sample_for_test.h"

#include <stdlib.h>
#include <string.h>

struct sample {
	uint64_t random;
	struct wire_batch *batch;
};

static uint64_t any(struct sample *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

/* Small, at the end, negative, or of any length. */
static uint64_t number(struct sample *s)
{
	uint64_t how = any(s) >> 20;

	switch (how % 8) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return 0 - any(s) % 1000;
	case 3:
		return any(s) % 128;
	default:
		return any(s) >> (how >> 8) % 64;
	}
}

static void *room(struct sample *s, size_t count, size_t size)
{
	void *p = arena_alloc(s->batch->arena, count * size);

	if (!p)
		abort();
	return p;
}

/* One of some, so that they come again; of any bytes but NUL. */
static const char *text(struct sample *s)
{
	uint64_t seed = any(s) >> 16;
	size_t length = seed % 16 ? seed % 12 : 4095;
	char *p = room(s, length + 1, 1);

	for (size_t i = 0; i < length; i++)
		p[i] = (char)(1 + (seed % 64 * 31 + i * 7) % 255);
	return p;
}

static void address(struct sample *s, uint8_t ret[16])
{
	uint64_t how = any(s) >> 16;

	if (how % 4 == 0)
		return;
	for (unsigned int i = 0; i < 16; i++)
		ret[i] = (uint8_t)(how % 4 == 1 ? any(s) >> 24 : i == 15 ? how >> 8 : 0);
	if (how % 4 == 2)
		ret[10] = ret[11] = 0xff;
}

static size_t some(struct sample *s, unsigned int rows)
{
	return (any(s) >> 16) % (rows + 1);
}

static void histogram(struct sample *s, struct histogram *h)
{
	uint64_t how = any(s) >> 16;

	for (unsigned int i = 0; i < how % 6; i++)
		histogram_add(h, (uint32_t)number(s));
	if (how % 32 == 31) { /* whose parts were read at different moments */
		h->count = number(s);
		h->sum = number(s);
		h->min = (uint32_t)number(s);
		h->max = (uint32_t)number(s);
		h->bucket[any(s) % HISTOGRAM_BUCKETS] = (uint32_t)number(s);
	}
}

/* NULL where none came out. */
static struct histogram *measured(struct sample *s)
{
	static const struct histogram none;
	struct histogram *h = room(s, 1, sizeof(*h));

	histogram(s, h);
	return memcmp(h, &none, sizeof(none)) ? h : NULL;
}

static void actors(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;

	b->actor_count = some(s, rows);
	b->actors = room(s, b->actor_count, sizeof(*b->actors));
	for (size_t i = 0; i < b->actor_count; i++)
		b->actors[i] = (struct wire_actor){.handle = (uint32_t)number(s) >> 1,
						   .pid = (uint32_t)number(s),
						   .process = text(s),
						   .unit = text(s),
						   .container = text(s),
						   .pod = text(s),
						   .cgroup = text(s)};
}

static void flows(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;

	b->flow_count = some(s, rows);
	b->flows = room(s, b->flow_count, sizeof(*b->flows));
	for (size_t i = 0; i < b->flow_count; i++) {
		struct wire_flow *f = &b->flows[i];

		f->handle = (uint32_t)number(s) >> 1;
		f->actor = (uint32_t)number(s) >> 1;
		f->transport = (uint8_t)number(s);
		f->role = (uint8_t)number(s);
		f->coarse = any(s) >> 16 & 1;
		f->port = (uint16_t)number(s);
		f->netns = (uint32_t)number(s);
		address(s, f->local);
		address(s, f->remote);
		f->unresolved = any(s) >> 16 & 1;
		f->via_port = (uint16_t)number(s);
		address(s, f->via);
	}
	b->retired_count = some(s, rows);
	b->retired = room(s, b->retired_count, sizeof(*b->retired));
	for (size_t i = 0; i < b->retired_count; i++)
		b->retired[i] = (uint32_t)number(s) >> 1;
}

static const struct wire_dns *dns(struct sample *s)
{
	struct wire_dns *d = room(s, 1, sizeof(*d));

	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		d->counter[i] = number(s);
	histogram(s, &d->latency_us);
	return d;
}

static void update(struct sample *s, struct wire_update *u)
{
	uint64_t which = any(s) & any(s);

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		u->counter[i] = which >> i & 1 ? number(s) : 0;
	u->rtt_us = measured(s);
	u->connect_us = measured(s);
	if (which >> 62)
		u->dns = dns(s);
	u->drop_count = (uint32_t)(which >> 58 & 1 ? some(s, WIRE_DROPS_MAX) : 0);
	u->drops = u->drop_count ? room(s, u->drop_count, sizeof(*u->drops)) : NULL;
	for (uint32_t i = 0; i < u->drop_count; i++)
		u->drops[i] = (struct wire_drop){text(s), number(s)};
}

static void updates(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;
	uint32_t flow = (uint32_t)(any(s) >> 16) % 1000;

	b->update_count = some(s, rows);
	b->updates = room(s, b->update_count, sizeof(*b->updates));
	for (size_t i = 0; i < b->update_count; i++) {
		b->updates[i].flow = flow;
		flow += (uint32_t)(any(s) >> 16) % 5000;
		update(s, &b->updates[i]);
	}
}

static void names(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;

	b->name_count = some(s, rows);
	b->names = room(s, b->name_count, sizeof(*b->names));
	for (size_t i = 0; i < b->name_count; i++) {
		b->names[i].netns = (uint32_t)number(s);
		address(s, b->names[i].address);
		b->names[i].name = text(s);
	}
}

static void listeners(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;

	b->listeners_changed = any(s) >> 16 & 1;
	b->listener_count = some(s, rows);
	b->listeners = room(s, b->listener_count, sizeof(*b->listeners));
	for (size_t i = 0; i < b->listener_count; i++) {
		struct wire_listener *l = &b->listeners[i];

		l->actor = (uint32_t)number(s) >> 1;
		l->netns = (uint32_t)number(s);
		address(s, l->address);
		l->port = (uint16_t)number(s);
		l->transport = (uint8_t)number(s);
		l->drops = (uint32_t)number(s);
		l->queue = (uint32_t)number(s);
		l->queue_max = (uint32_t)number(s);
	}
}

static void events(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;

	b->event_count = some(s, rows);
	b->events = room(s, b->event_count, sizeof(*b->events));
	for (size_t i = 0; i < b->event_count; i++) {
		struct wire_event *e = &b->events[i];

		e->actor = (uint32_t)number(s) >> 1;
		e->pid = (uint32_t)number(s);
		e->count = (uint32_t)number(s);
		e->kind = (uint8_t)number(s);
		e->scope = (uint8_t)number(s);
		e->code = (uint8_t)number(s);
		e->oom = any(s) >> 16 & 1;
		e->child = any(s) >> 16 & 1;
		e->first_ns = number(s);
		e->last_ns = number(s);
	}
}

static void netns(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;

	b->netns_count = some(s, rows);
	b->netns = room(s, b->netns_count, sizeof(*b->netns));
	for (size_t i = 0; i < b->netns_count; i++) {
		b->netns[i].netns = (uint32_t)number(s);
		b->netns[i].cookie = (uint32_t)number(s);
		for (unsigned int k = 0; k < NETNS_COUNTER_COUNT; k++) {
			b->netns[i].ours[k] = number(s);
			b->netns[i].baseline[k] = number(s);
		}
	}
}

static void head(struct sample *s)
{
	struct wire_batch *b = s->batch;

	b->node = text(s);
	b->boot_id = text(s);
	b->version = text(s);
	b->kernel = text(s);
	b->started_ns = number(s);
	b->sequence = number(s);
	b->window_start_ns = number(s);
	b->window_end_ns = number(s);
	b->sent_ns = number(s);
	for (unsigned int i = 0; i < WIRE_LOSS_COUNT; i++)
		b->loss[i] = number(s);
	b->status = (struct wire_status){.hooks = text(s),
					 .agent_cpu_ns = number(s),
					 .kernel_cpu_ns = number(s),
					 .sweep_ns = number(s),
					 .sweep_sockets = number(s),
					 .window_wanted_ns = number(s),
					 .window_ns = number(s),
					 .cpu_budget_percent = (double)(any(s) % 100000) / 7,
					 .sockets = (uint32_t)number(s),
					 .slots = (uint32_t)number(s),
					 .flows_max = (uint32_t)number(s),
					 .listeners = (uint32_t)number(s),
					 .cpus = (uint32_t)number(s),
					 .process_records = number(s),
					 .foreign_drops = UINT64_C(1) << 33};
}

static void covers(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;

	b->covers_changed = any(s) >> 16 & 1;
	b->cover_count = some(s, rows);
	b->covers = room(s, b->cover_count, sizeof(*b->covers));
	for (size_t i = 0; i < b->cover_count; i++) {
		b->covers[i].netns = (uint32_t)number(s);
		address(s, b->covers[i].address);
	}
}

/* What came into the schema after its first version; in order, so that what was before stays. */
static void later(struct sample *s, unsigned int rows)
{
	struct wire_batch *b = s->batch;

	b->zone = text(s);
	b->region = text(s);
	b->cgroup = text(s);
	b->windows = (uint32_t)number(s);
	b->definitions = any(s) >> 16 & 1;
	covers(s, rows);
	b->retired_actor_count = some(s, rows);
	b->retired_actors = room(s, b->retired_actor_count, sizeof(*b->retired_actors));
	for (size_t i = 0; i < b->retired_actor_count; i++)
		b->retired_actors[i] = (uint32_t)number(s) >> 1;
}

struct wire_batch *sample_batch(uint64_t seed, unsigned int rows)
{
	struct sample s = {.random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15),
			   .batch = wire_batch_new()};

	if (!s.batch)
		abort();
	head(&s);
	actors(&s, rows);
	flows(&s, rows);
	updates(&s, rows);
	names(&s, rows);
	listeners(&s, rows);
	events(&s, rows);
	netns(&s, rows);
	later(&s, rows);
	return s.batch;
}

static void connection(struct sample *s, struct wire_connection *c)
{
	c->actor = (uint32_t)number(s) >> 1;
	c->netns = (uint32_t)number(s);
	c->role = (uint8_t)number(s);
	c->state = (uint8_t)number(s);
	address(s, c->local);
	address(s, c->remote);
	c->local_port = (uint16_t)number(s);
	c->remote_port = (uint16_t)number(s);
	c->pid = (uint32_t)number(s);
	c->rtt_us = (uint32_t)number(s);
	c->rttvar_us = (uint32_t)number(s);
	c->min_rtt_us = (uint32_t)number(s);
	c->cwnd = (uint32_t)number(s);
	c->ssthresh = (uint32_t)number(s);
	c->mss = (uint32_t)number(s);
	c->unacked_segments = (uint32_t)number(s);
	c->retransmits = (uint32_t)number(s);
	c->bytes_sent = number(s);
	c->bytes_received = number(s);
	c->bytes_acked = number(s);
	c->segments_sent = (uint32_t)number(s);
	c->segments_received = (uint32_t)number(s);
	c->pacing_rate = number(s);
	c->delivery_rate = number(s);
	c->age_ms = (uint32_t)number(s);
	c->last_send_ms = (uint32_t)number(s);
	c->last_receive_ms = (uint32_t)number(s);
}

struct wire_answer *sample_answer(uint64_t seed, unsigned int rows)
{
	struct wire_answer *a = wire_answer_new();
	struct wire_batch *names = sample_batch(seed, rows);
	struct sample s = {.random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15)};

	if (!a)
		abort();
	a->id = number(&s);
	a->total = number(&s);
	a->connection_count = some(&s, rows);
	a->connections = arena_alloc(a->arena, a->connection_count * sizeof(*a->connections));
	a->actors = arena_copy(a->arena, names->actors, names->actor_count * sizeof(*a->actors));
	a->actor_count = names->actor_count;
	if (!a->connections || !a->actors)
		abort();
	for (size_t i = 0; i < a->actor_count; i++) {
		struct wire_actor *actor = &a->actors[i];

		actor->process = arena_strdup(a->arena, actor->process);
		actor->unit = arena_strdup(a->arena, actor->unit);
		actor->container = arena_strdup(a->arena, actor->container);
		actor->pod = arena_strdup(a->arena, actor->pod);
		actor->cgroup = arena_strdup(a->arena, actor->cgroup);
	}
	for (size_t i = 0; i < a->connection_count; i++)
		connection(&s, &a->connections[i]);
	wire_batch_free(names);
	return a;
}
