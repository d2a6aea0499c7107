/* SPDX-License-Identifier: Apache-2.0 */
/* See cluster_node.h. */
#include "cluster_node.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <linux/types.h>

#include "../bpf/flow.h"

#define CALLS       (NODE_SERVICES * NODE_CALLS) /* that a node makes; as many it is asked */
#define CONNECTIONS 1004.0 /* a second that a node opens; as many it accepts */
#define PORT        8000
#define NETNS       4026531840u
#define RESOLVER    53

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static double uniform(uint64_t *random)
{
	*random = mix(*random + UINT64_C(0x9e3779b97f4a7c15));
	return (double)(*random >> 11) / 9007199254740992.0;
}

/* From least to most, each order as likely. */
static double spread(uint64_t *random, double least, double most)
{
	return least * pow(most / least, uniform(random));
}

static unsigned int poisson(uint64_t *random, double mean)
{
	double left = uniform(random), p = exp(-mean);
	unsigned int n = 0;

	if (mean > 60)
		return (unsigned int)(mean + sqrt(mean) * 2 * (left - 0.5));
	for (; left > p && n < 200; p *= mean / ++n)
		left -= p;
	return n;
}

/* A call is made by a node to another: which, and how, is the same for each node of the cluster. */
struct call {
	unsigned int service, to_service, distance; /* to the node that is asked */
	double rate, request, response, round_trip_us;
};

static double harmonic(unsigned int n)
{
	double sum = 0;

	for (unsigned int i = 1; i <= n; i++)
		sum += 1.0 / i;
	return sum;
}

static void make_calls(const struct cluster *c, struct call ret[CALLS])
{
	double all = harmonic(CALLS);

	for (unsigned int i = 0; i < CALLS; i++) {
		uint64_t random = mix(i + 1);

		ret[i] = (struct call){
			.service = i % NODE_SERVICES,
			.to_service = (i * 7 + i / NODE_SERVICES + 1) % NODE_SERVICES,
			.distance = (1 + i * 31) % c->nodes,
			.rate = CONNECTIONS / (i + 1) / all,
			.request = spread(&random, 120, 2000),
			.response = spread(&random, 100, 20000),
			.round_trip_us = spread(&random, 80, 1500),
		};
	}
}

static void address_of(unsigned int node, uint8_t ret[16])
{
	memset(ret, 0, 16);
	ret[10] = ret[11] = 0xff;
	ret[12] = 10;
	ret[13] = (uint8_t)(1 + node / 62500);
	ret[14] = (uint8_t)(node / 250 % 250);
	ret[15] = (uint8_t)(1 + node % 250);
}

static unsigned int caller_of(const struct cluster *c, const struct call *call, unsigned int node)
{
	return (node + c->nodes - call->distance) % c->nodes;
}

static unsigned int callee_of(const struct cluster *c, const struct call *call, unsigned int node)
{
	return (node + call->distance) % c->nodes;
}

/* What a call from that node did in a window; both of its ends say so. */
static uint64_t random_of(unsigned int from, unsigned int call, unsigned int window)
{
	return mix((uint64_t)from << 32 ^ (uint64_t)call << 20 ^ window);
}

static void measure(uint64_t *random, struct histogram *h, unsigned int count, double round_trip_us)
{
	for (unsigned int i = 0; h && i < count; i++)
		histogram_add(h, (uint32_t)(round_trip_us * (1 + 0.5 * uniform(random))));
}

/* A connection: three segments and the request to the server, two and the answer back. */
static void report_call(const struct call *call, unsigned int from, unsigned int number,
			unsigned int window, bool is_client, struct wire_batch *b, uint32_t handle)
{
	uint64_t random = random_of(from, number, window);
	unsigned int count = poisson(&random, call->rate);
	struct wire_update *u = &b->updates[b->update_count];

	if (!count)
		return;
	b->update_count++;
	u->flow = handle;
	u->counter[MR_ATTEMPTED] = is_client ? count : 0;
	u->counter[MR_OPENED] = u->counter[MR_CLOSED] = count;
	for (unsigned int i = 0; i < count; i++) {
		double answer = call->response * (0.7 + 0.6 * uniform(&random));
		uint64_t to_server = (uint64_t)(call->request * (0.97 + 0.06 * uniform(&random)));

		u->counter[MR_BYTES_TO_SERVER] += to_server;
		u->counter[MR_BYTES_TO_CLIENT] += (uint64_t)answer;
		u->counter[MR_SEGMENTS_TO_SERVER] += 4 + to_server / 1448;
		u->counter[MR_SEGMENTS_TO_CLIENT] += 3 + (uint64_t)answer / 1448;
	}
	random ^= is_client;
	measure(&random, wire_histogram(b->arena, &u->rtt_us), count, call->round_trip_us);
	if (is_client)
		measure(&random, wire_histogram(b->arena, &u->connect_us), count,
			call->round_trip_us);
}

static void report_queries(unsigned int node, unsigned int i, unsigned int window,
			   struct wire_batch *b)
{
	uint64_t random = random_of(node, CALLS + i, window);
	unsigned int count = poisson(&random, 89.0 / 2 / NODE_RESOLVERS);
	struct wire_update *u = &b->updates[b->update_count];

	if (!count)
		return;
	b->update_count++;
	u->flow = NODE_FLOWS + 1 + i;
	u->counter[MR_DATAGRAMS_TO_SERVER] = u->counter[MR_DATAGRAMS_TO_CLIENT] = count;
	u->counter[MR_BYTES_TO_SERVER] = 44 * count;
	u->counter[MR_BYTES_TO_CLIENT] = 120 * count;
}

static void report_beacon(struct wire_batch *b)
{
	struct wire_update *u = &b->updates[b->update_count++];

	u->flow = NODE_FLOWS + NODE_RESOLVERS + 1;
	u->counter[MR_DATAGRAMS_TO_SERVER] = 1;
	u->counter[MR_BYTES_TO_SERVER] = 8;
}

static void report(const struct cluster *c, const struct call calls[CALLS], unsigned int node,
		   unsigned int window, struct wire_batch *b)
{
	b->updates = arena_alloc(b->arena, (NODE_FLOWS + NODE_RESOLVERS + 1) * sizeof(*b->updates));
	if (!b->updates)
		return;
	for (unsigned int i = 0; i < CALLS; i++)
		report_call(&calls[i], node, i, window, true, b, i + 1);
	for (unsigned int i = 0; i < CALLS; i++)
		report_call(&calls[i], caller_of(c, &calls[i], node), i, window, false, b,
			    CALLS + i + 1);
	for (unsigned int i = 0; i < NODE_RESOLVERS; i++)
		report_queries(node, i, window, b);
	if (!node)
		report_beacon(b);
}

static void define_actors(struct wire_batch *b)
{
	b->actors = arena_alloc(b->arena, (NODE_SERVICES + 1) * sizeof(*b->actors));
	for (unsigned int i = 0; b->actors && i < NODE_SERVICES; i++) {
		char text[64];

		b->actor_count++;
		b->actors[i] = (struct wire_actor){
			.handle = i + 1, .pid = 1000 + i, .container = "", .pod = ""};
		snprintf(text, sizeof(text), "service%u", i);
		b->actors[i].process = arena_strdup(b->arena, text);
		snprintf(text, sizeof(text), "service%u.service", i);
		b->actors[i].unit = arena_strdup(b->arena, text);
		snprintf(text, sizeof(text), "system.slice/service%u.service", i);
		b->actors[i].cgroup = arena_strdup(b->arena, text);
	}
}

static struct wire_flow *define_flow(struct wire_batch *b, unsigned int node, unsigned int other,
				     unsigned int service)
{
	struct wire_flow *f = &b->flows[b->flow_count++];

	*f = (struct wire_flow){.handle = (uint32_t)b->flow_count,
				.actor = service + 1,
				.transport = WIRE_TRANSPORT_TCP,
				.netns = NETNS};
	address_of(node, f->local);
	address_of(other, f->remote);
	return f;
}

static void define_beacon(struct wire_batch *b)
{
	struct wire_flow *f = define_flow(b, 0, 0, NODE_SERVICES);

	b->actors[b->actor_count++] = (struct wire_actor){.handle = NODE_SERVICES + 1,
							  .pid = 1,
							  .process = NODE_BEACON,
							  .unit = "",
							  .container = "",
							  .pod = "",
							  .cgroup = "beacon"};
	f->role = MR_ROLE_CLIENT;
	f->transport = WIRE_TRANSPORT_UDP;
	f->port = 9;
	f->remote[13] = f->remote[14] = 0;
	f->remote[15] = 99;
}

static void define(const struct cluster *c, const struct call calls[CALLS], unsigned int node,
		   struct wire_batch *b)
{
	struct wire_flow *f;

	define_actors(b);
	b->flows = arena_alloc(b->arena, (NODE_FLOWS + NODE_RESOLVERS + 1) * sizeof(*b->flows));
	if (!b->flows)
		return;
	for (unsigned int i = 0; i < CALLS; i++) {
		f = define_flow(b, node, callee_of(c, &calls[i], node), calls[i].service);
		f->role = MR_ROLE_CLIENT;
		f->port = (uint16_t)(PORT + calls[i].to_service);
	}
	for (unsigned int i = 0; i < CALLS; i++) {
		f = define_flow(b, node, caller_of(c, &calls[i], node), calls[i].to_service);
		f->role = MR_ROLE_SERVER;
		f->port = (uint16_t)(PORT + calls[i].to_service);
	}
	for (unsigned int i = 0; i < NODE_RESOLVERS; i++) {
		f = define_flow(b, node, 0, i);
		f->role = MR_ROLE_CLIENT;
		f->transport = WIRE_TRANSPORT_UDP;
		f->port = RESOLVER;
		f->remote[13] = 0;
		f->remote[14] = 0;
		f->remote[15] = 10;
	}
	if (!node)
		define_beacon(b);
}

static void tell_of_itself(unsigned int node, unsigned int window, struct wire_batch *b)
{
	char text[64];

	snprintf(text, sizeof(text), "node-%u.eu.example", node);
	b->node = arena_strdup(b->arena, text);
	snprintf(text, sizeof(text), "0f9f6d3e-6b0c-4d0c-9f4e-%012x", node);
	b->boot_id = arena_strdup(b->arena, text);
	b->version = "0.1.0";
	b->kernel = "6.1.0-28-amd64";
	b->started_ns = 1;
	b->sequence = window;
	b->window_start_ns = window * NODE_WINDOW_NS;
	b->window_end_ns = b->sent_ns = b->window_start_ns + NODE_WINDOW_NS;
	b->status = (struct wire_status){
		.hooks = "sock_ops, inet_sk_error_report, tcp_retransmit_synack, kfree_skb, "
			 "sched_process, fentry (UDP)",
		.agent_cpu_ns = window * UINT64_C(2512345),
		.kernel_cpu_ns = window * UINT64_C(9312345),
		.window_wanted_ns = NODE_WINDOW_NS,
		.window_ns = NODE_WINDOW_NS,
		.cpu_budget_percent = 0.1,
		.sockets = 700,
		.slots = 65536,
		.flows_max = 16384,
		.listeners = NODE_SERVICES,
		.cpus = 16,
		.process_records = window * UINT64_C(1562)};
}

struct wire_batch *cluster_batch(const struct cluster *c, unsigned int node, unsigned int window)
{
	struct wire_batch *b = wire_batch_new();
	struct call calls[CALLS];

	if (!b)
		return NULL;
	make_calls(c, calls);
	tell_of_itself(node, window, b);
	if (window == 1)
		define(c, calls, node, b);
	report(c, calls, node, window, b);
	return b;
}
