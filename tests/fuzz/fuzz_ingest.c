/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches from a hostile agent, and questions in between. Bytes are read as a little program:
 * define, update, retire, listen, send, restart. Whatever comes, the answers agree with each other:
 * the sum per window is the sum over the range, and the graph holds what the joined flows hold.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECOND UINT64_C(1000000000)
#define EACH   32 /* definitions or updates of a kind in a batch */
#define EPOCH  (UINT64_C(1700000000) * SECOND)

struct input {
	const uint8_t *at, *end;
};

struct hostile {
	struct core *core;
	struct wire_batch batch;
	struct wire_actor actors[EACH];
	struct wire_flow flows[EACH];
	struct wire_update updates[EACH];
	struct histogram rtt_us[EACH], connect_us[EACH];
	struct wire_listener listeners[EACH];
	struct wire_name dns_names[EACH];
	struct wire_dns dns[EACH];
	uint32_t retired[EACH];
	char names[EACH][4];
	uint64_t now_ns;
	unsigned int checks; /* how often still, so that an input does not take forever */
};

static uint8_t byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* Small, large or negative. */
static uint64_t number(struct input *in)
{
	uint8_t b = byte(in);

	if (b < 0xf0)
		return b;
	return b < 0xf8 ? 0 - (uint64_t)byte(in) : (uint64_t)byte(in) << (b & 7) * 8;
}

/* One of a few, so that ends meet; loopback, any, IPv4 and IPv6 among them. */
static void address(struct input *in, uint8_t ret[16])
{
	uint8_t b = byte(in);

	memset(ret, 0, 16);
	if (b & 0x80) {
		ret[15] = b & 3;
		return;
	}
	ret[10] = ret[11] = 0xff;
	ret[12] = b & 0x40 ? 127 : b & 0x20 ? 0 : 10;
	ret[15] = b & 3;
}

static void define_actor(struct hostile *h, struct input *in)
{
	size_t i = h->batch.actor_count;

	if (i == EACH)
		return;
	h->batch.actor_count++;
	snprintf(h->names[i], sizeof(h->names[i]), "%c%c", byte(in), byte(in));
	h->actors[i] = (struct wire_actor){.handle = byte(in) % 8,
					   .process = h->names[i],
					   .unit = byte(in) & 1 ? "x.service" : "",
					   .container = byte(in) & 1 ? "0123456789abcdef" : "",
					   .pod = "",
					   .cgroup = ""};
}

/* One in eight is UDP, and a few are neither. */
static uint8_t transport(uint8_t any)
{
	if (any >= 250)
		return any;
	return any & 7 ? WIRE_TRANSPORT_TCP : WIRE_TRANSPORT_UDP;
}

static void define_flow(struct hostile *h, struct input *in)
{
	struct wire_flow *f = &h->flows[h->batch.flow_count];

	if (h->batch.flow_count == EACH)
		return;
	h->batch.flow_count++;
	*f = (struct wire_flow){.handle = byte(in) % 32, .actor = byte(in) % 10};
	f->transport = transport(byte(in));
	f->role = byte(in) % 4;
	f->coarse = byte(in) > 240;
	f->port = byte(in) % 4;
	f->netns = byte(in) % 3;
	address(in, f->local);
	address(in, f->remote);
}

static const struct wire_dns *dns(struct wire_dns *ret, struct input *in)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned int n = byte(in) % 8; n--;)
		ret->counter[byte(in) % WIRE_DNS_COUNT] = number(in);
	for (unsigned int n = byte(in) % 4; n--;)
		histogram_add(&ret->latency_us, (uint32_t)number(in));
	return ret;
}

static void update(struct hostile *h, struct input *in)
{
	struct wire_update *u = &h->updates[h->batch.update_count];

	if (h->batch.update_count == EACH)
		return;
	h->batch.update_count++;
	memset(u, 0, sizeof(*u));
	u->flow = byte(in) % 34;
	for (unsigned int n = byte(in) % 8; n--;)
		u->counter[byte(in) % MR_COUNTER_COUNT] = number(in);
	u->rtt_us = &h->rtt_us[u - h->updates];
	memset(u->rtt_us, 0, sizeof(*u->rtt_us));
	for (unsigned int n = byte(in) % 4; n--;)
		histogram_add(u->rtt_us, (uint32_t)number(in));
	if (byte(in) == 255) {
		u->connect_us = &h->connect_us[u - h->updates];
		*u->connect_us = (struct histogram){.count = 1};
	}
	if (byte(in) % 4 == 1)
		u->dns = dns(&h->dns[u - h->updates], in);
}

/* A few names, good and bad, so that several addresses share one. */
static void name(struct hostile *h, struct input *in)
{
	static const char *const names[] = {"a.example", "b.example", "",         "e\033[2J",
					    "two words", NULL,        "\303\251", "~other"};
	struct wire_name *n = &h->dns_names[h->batch.name_count];

	if (h->batch.name_count == EACH)
		return;
	h->batch.name_count++;
	*n = (struct wire_name){.netns = byte(in) % 3, .name = names[byte(in) % 8]};
	address(in, n->address);
}

static void listener(struct hostile *h, struct input *in)
{
	struct wire_listener *l = &h->listeners[h->batch.listener_count];
	uint8_t any;

	h->batch.listeners_changed = true;
	if (h->batch.listener_count == EACH)
		return;
	h->batch.listener_count++;
	*l = (struct wire_listener){.actor = byte(in) % 10, .netns = byte(in) % 3};
	any = byte(in);
	l->port = any % 4;
	l->transport = transport(any);
	address(in, l->address);
}

static void retire(struct hostile *h, struct input *in)
{
	if (h->batch.retired_count < EACH)
		h->retired[h->batch.retired_count++] = byte(in) % 34;
}

static void begin_batch(struct hostile *h)
{
	struct wire_batch next = {.node = "n",
				  .boot_id = h->batch.boot_id ? h->batch.boot_id : "a",
				  .version = "",
				  .kernel = "",
				  .started_ns = h->batch.started_ns,
				  .sequence = h->batch.sequence + 1,
				  .actors = h->actors,
				  .flows = h->flows,
				  .updates = h->updates,
				  .listeners = h->listeners,
				  .names = h->dns_names,
				  .retired = h->retired};

	next.status.hooks = "";
	h->batch = next;
}

static void send_batch(struct hostile *h, struct input *in)
{
	h->batch.window_start_ns = h->now_ns;
	h->now_ns += SECOND * (1 + byte(in) % 16);
	h->batch.window_end_ns = h->batch.sent_ns = h->now_ns;
	h->batch.loss[byte(in) % WIRE_LOSS_COUNT] = byte(in);
	core_ingest(h->core, &h->batch, EPOCH + h->now_ns);
	begin_batch(h);
}

static void restart(struct hostile *h, struct input *in)
{
	uint8_t how = byte(in);

	if (how & 1)
		h->batch.started_ns = h->now_ns;
	if (how & 2)
		h->batch.boot_id = how & 4 ? "a" : "b";
	h->batch.sequence = how & 8 ? byte(in) : 1;
}

static uint64_t sum(const struct query_flows *flows, enum mr_counter counter)
{
	uint64_t total = 0;

	for (size_t i = 0; i < flows->flow_count; i++)
		total += flows->flows[i].measures.counter[counter];
	return total;
}

static struct query_flows flows(struct hostile *h, struct arena *arena, enum query_view view,
				bool per_window)
{
	const struct query_flows_request request = {.range = {0, EPOCH + h->now_ns},
						    .view = view,
						    .per_window = per_window,
						    .limit = 1000000};
	struct query_flows ret;

	if (query_flows(h->core, &request, arena, &ret) < 0)
		abort();
	return ret;
}

static void check_graph(struct hostile *h, struct arena *arena, const struct query_flows *joined,
			uint8_t group)
{
	struct query_graph_request request = {.range = {0, EPOCH + h->now_ns}};
	uint64_t bytes = 0, opened = 0;
	struct query_graph g;

	request.group.kind = (enum query_group_kind)(group % (QUERY_GROUP_LABEL + 1));
	if (query_graph(h->core, &request, arena, &g) < 0)
		abort();
	for (size_t i = 0; i < g.edge_count; i++) {
		bytes += g.edges[i].measures.counter[MR_BYTES_TO_SERVER];
		opened += g.edges[i].measures.counter[MR_OPENED];
		if (g.edges[i].measures.active < 0 || g.edges[i].measures.pending < 0)
			abort();
	}
	if (bytes != sum(joined, MR_BYTES_TO_SERVER) || opened != sum(joined, MR_OPENED))
		abort();
}

static void check(struct hostile *h, struct input *in)
{
	struct arena *arena = arena_new();
	struct query_flows whole = flows(h, arena, QUERY_VIEW_ENDS, false);
	struct query_flows parts = flows(h, arena, QUERY_VIEW_ENDS, true);
	struct query_flows joined = flows(h, arena, QUERY_VIEW_JOINED, false);
	struct query_flows windows = flows(h, arena, QUERY_VIEW_JOINED, true);
	struct query_agents agents;

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		if (sum(&whole, i) != sum(&parts, i) || sum(&joined, i) != sum(&windows, i))
			abort();
	check_graph(h, arena, &joined, byte(in));
	if (query_agents(h->core, EPOCH + h->now_ns, arena, &agents) < 0)
		abort();
	arena_free(arena);
}

static void check_sometimes(struct hostile *h, struct input *in)
{
	if (!h->checks)
		return;
	h->checks--;
	check(h, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const steps[])(struct hostile * h, struct input * in) = {
		define_actor, define_flow, update,  update,          listener,
		retire,       send_batch,  restart, check_sometimes, name};
	const struct core_config config = {.flows_max = 24,
					   .actors_max = 5,
					   .history_bytes_max = 1 << 20,
					   .fine_ns = 20 * SECOND,
					   .coarse_window_ns = 5 * SECOND,
					   .retain_ns = 100 * SECOND};
	struct input in = {data, data + size};
	static struct hostile h;

	h = (struct hostile){.now_ns = 1000 * SECOND, .checks = 3};
	if (core_new(&h.core, &config) < 0)
		return 0;
	begin_batch(&h);
	while (in.at < in.end)
		steps[byte(&in) % (sizeof(steps) / sizeof(*steps))](&h, &in);
	send_batch(&h, &in);
	check(&h, &in);
	core_free(h.core);
	return 0;
}
