/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A usual window of a busy node, for measuring sizes; see sample_for_test.h.
 *
 * Of the moving flows 60 % keep their connections (requests, answers, a round trip or two
 * measured), 30 % open and close some a window, 5 % also send segments again, 5 % are UDP. Numbers
 * of bytes are spread over three decimal orders, as are round trips: they hold more noise than most
 * services' do.
 */
#include <math.h>
#include <stdlib.h>

#include "wire/sample_for_test.h"

static double uniform(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (double)(*random >> 11) / 9007199254740992.0;
}

/* From least to a thousand times that, each order as likely. */
static uint64_t spread(uint64_t *random, double least)
{
	return (uint64_t)(least * pow(10, 3 * uniform(random)));
}

static void add_round_trips(uint64_t *random, struct histogram *h, unsigned int count, double base)
{
	for (unsigned int i = 0; h && i < count; i++)
		histogram_add(h, (uint32_t)(base * (1 + uniform(random))));
}

/* A request here is 300 bytes and more, its answer longer. */
static void carry(uint64_t *random, struct wire_update *u, uint64_t requests)
{
	uint64_t to_server = requests * 300 + spread(random, 10);
	uint64_t to_client = requests * spread(random, 200);

	u->counter[MR_BYTES_TO_SERVER] = to_server;
	u->counter[MR_BYTES_TO_CLIENT] = to_client;
	u->counter[MR_SEGMENTS_TO_SERVER] = requests + to_server / 1448;
	u->counter[MR_SEGMENTS_TO_CLIENT] = requests + to_client / 1448;
	u->counter[MR_BUSY_TO_SERVER] = requests * 1000;
}

static void move(uint64_t *random, struct arena *a, struct wire_update *u)
{
	double kind = uniform(random), round_trip = (double)spread(random, 50);
	uint64_t requests = 1 + spread(random, 0.5);

	if (kind > 0.95) {
		u->counter[MR_DATAGRAMS_TO_SERVER] = u->counter[MR_DATAGRAMS_TO_CLIENT] = requests;
		u->counter[MR_BYTES_TO_SERVER] = requests * 40;
		u->counter[MR_BYTES_TO_CLIENT] = requests * 120;
		return;
	}
	carry(random, u, requests);
	add_round_trips(random, wire_histogram(a, &u->rtt_us),
			kind > 0.6 ? (unsigned int)(requests % 4) + 1 : 1, round_trip);
	if (kind > 0.6) {
		unsigned int opened = 1 + (unsigned int)(requests % 4);

		u->counter[MR_ATTEMPTED] = u->counter[MR_OPENED] = u->counter[MR_CLOSED] = opened;
		add_round_trips(random, wire_histogram(a, &u->connect_us), opened, round_trip);
	}
	if (kind > 0.9) {
		u->counter[MR_RETRANSMITS_TO_SERVER] = 1 + requests / 100;
		u->counter[MR_RETRANSMITTED_BYTES_TO_SERVER] =
			u->counter[MR_RETRANSMITS_TO_SERVER] * 1448;
	}
}

static void define(uint64_t *random, struct wire_batch *b, unsigned int known)
{
	b->flow_count = known;
	b->flows = arena_alloc(b->arena, known * sizeof(*b->flows));
	for (unsigned int i = 0; b->flows && i < known; i++) {
		struct wire_flow *f = &b->flows[i];

		*f = (struct wire_flow){.handle = i + 1,
					.actor = 1 + (uint32_t)(uniform(random) * 40),
					.transport = uniform(random) > 0.95 ? WIRE_TRANSPORT_UDP
									    : WIRE_TRANSPORT_TCP,
					.role = (uint8_t)(uniform(random) * 2),
					.port = (uint16_t)(8000 + uniform(random) * 20),
					.netns = 4026531840u + (uint32_t)(uniform(random) * 40),
					.local = {[10] = 0xff, 0xff, 10, 1, 2},
					.remote = {[10] = 0xff, 0xff, 10, 1}};
		f->local[15] = (uint8_t)(uniform(random) * 40);
		f->remote[14] = (uint8_t)(uniform(random) * 8);
		f->remote[15] = (uint8_t)(uniform(random) * 250);
	}
}

/* Each known flow as likely as the others. */
static void report(uint64_t *random, struct wire_batch *b, unsigned int known, unsigned int moving)
{
	b->updates = arena_alloc(b->arena, moving * sizeof(*b->updates));
	for (unsigned int i = 0; b->updates && b->update_count < moving; i++) {
		if (uniform(random) * (known - i) >= (double)(moving - b->update_count))
			continue;
		b->updates[b->update_count].flow = i + 1;
		move(random, b->arena, &b->updates[b->update_count++]);
	}
}

struct wire_batch *sample_window(uint64_t seed, unsigned int known, unsigned int moving,
				 bool defined)
{
	uint64_t random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	struct wire_batch *b = wire_batch_new();

	if (!b)
		abort();
	b->node = "node-17.eu.example";
	b->boot_id = "0f9f6d3e-6b0c-4d0c-9f4e-2f1f6f0f6f6f";
	b->version = "0.1.0";
	b->kernel = "6.1.0-28-amd64";
	b->started_ns = UINT64_C(83214123456789);
	b->sequence = 4711;
	b->window_start_ns = b->started_ns + b->sequence * 1000000000;
	b->window_end_ns = b->sent_ns = b->window_start_ns + 1000123456;
	b->status = (struct wire_status){.hooks = "sock_ops, inet_sk_error_report, fentry",
					 .agent_cpu_ns = 5123456789,
					 .sweep_ns = 1123456789,
					 .sweep_sockets = 1234567,
					 .window_wanted_ns = 1000000000,
					 .window_ns = 1000000000,
					 .cpu_budget_percent = 0.1,
					 .sockets = 1200,
					 .slots = 65536,
					 .flows_max = 16384,
					 .listeners = 60,
					 .cpus = 16};
	if (defined)
		define(&random, b, known);
	report(&random, b, known, moving);
	return b;
}
