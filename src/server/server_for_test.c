/* SPDX-License-Identifier: Apache-2.0 */
#include "server/server_for_test.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/types.h>

#include "../../bpf/flow.h"

#define SECOND UINT64_C(1000000000)
#define NETNS  4026531840u

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static void mapped(uint8_t ret[16], const char *ipv4)
{
	memset(ret, 0, 16);
	ret[10] = ret[11] = 0xff;
	inet_pton(AF_INET, ipv4, ret + 12);
}

static void add_actors(struct wire_batch *b)
{
	static const struct wire_actor actors[] = {
		{1, 101, "nginx", "nginx.service", "", "", "/system.slice/nginx.service"},
		{2, 102, "redis-server", "redis-server.service", "", "",
		 "/system.slice/redis-server.service"},
		{3, 103, "e\"vil\xff\n\x1b[31m<script>\xe2\x82", "", "", "", "/user.slice\\\x01"},
	};

	b->actor_count = sizeof(actors) / sizeof(*actors);
	b->actors = arena_copy(b->arena, actors, sizeof(actors));
}

static void add_flows(struct wire_batch *b)
{
	struct wire_flow flows[] = {
		{1, 1, WIRE_TRANSPORT_TCP, MR_ROLE_CLIENT, false, 6379, NETNS},
		{2, 2, WIRE_TRANSPORT_TCP, MR_ROLE_SERVER, false, 6379, NETNS},
		{3, 3, WIRE_TRANSPORT_TCP, MR_ROLE_CLIENT, false, 443, NETNS},
		{4, 3, WIRE_TRANSPORT_TCP, MR_ROLE_CLIENT, true},
	};
	int i;

	for (i = 0; i < 2; i++) {
		mapped(flows[i].local, "127.0.0.1");
		mapped(flows[i].remote, "127.0.0.1");
	}
	mapped(flows[2].local, "10.1.2.1");
	mapped(flows[2].remote, "10.1.2.3");
	b->flow_count = 4;
	b->flows = arena_copy(b->arena, flows, sizeof(flows));
}

static void fill_redis(struct arena *a, struct wire_update *u, bool client)
{
	u->counter[MR_OPENED] = 3;
	u->counter[MR_CLOSED] = 2;
	u->counter[MR_BYTES_TO_SERVER] = 1000;
	u->counter[MR_BYTES_TO_CLIENT] = 50000;
	u->counter[MR_SEGMENTS_TO_SERVER] = 10;
	u->counter[MR_SEGMENTS_TO_CLIENT] = 40;
	if (client) {
		u->counter[MR_ATTEMPTED] = 3;
		u->counter[MR_RETRANSMITS_TO_SERVER] = 1;
		histogram_add(wire_histogram(a, &u->connect_us), 55);
	} else {
		u->counter[MR_RETRANSMITS_TO_CLIENT] = 2;
		u->counter[MR_SEND_BUFFER_TO_CLIENT] = 1234;
	}
	histogram_add(wire_histogram(a, &u->rtt_us), 40);
	histogram_add(wire_histogram(a, &u->rtt_us), 80);
}

static void add_updates(struct wire_batch *b)
{
	struct wire_update *u = arena_alloc(b->arena, 4 * sizeof(*u));
	int i;

	for (i = 0; i < 4; i++)
		u[i].flow = i + 1;
	fill_redis(b->arena, &u[0], true);
	fill_redis(b->arena, &u[1], false);
	u[2].counter[MR_ATTEMPTED] = 2;
	u[2].counter[MR_FAILED_REFUSED] = 2;
	u[3].counter[MR_BYTES_TO_SERVER] = 7;
	b->updates = u;
	b->update_count = 4;
}

static void add_listeners(struct wire_batch *b)
{
	struct wire_listener redis = {.actor = 2,
				      .netns = NETNS,
				      .port = 6379,
				      .transport = WIRE_TRANSPORT_TCP,
				      .queue_max = 511};
	struct wire_netns netns = {NETNS, 7, {5, 3, 1}, {100, 200, 300}};

	mapped(redis.address, "0.0.0.0");
	b->listeners_changed = true;
	b->listeners = arena_copy(b->arena, &redis, sizeof(redis));
	b->listener_count = 1;
	b->netns = arena_copy(b->arena, &netns, sizeof(netns));
	b->netns_count = 1;
}

/* A worker each batch, and an end of a process with a hostile name. */
static void add_events(struct wire_batch *b)
{
	const struct wire_event events[] = {
		{.actor = 2, .pid = 7, .count = 2, .child = true},
		{.actor = 3,
		 .pid = 8,
		 .count = 1,
		 .kind = WIRE_EVENT_KILLED,
		 .code = 9,
		 .oom = true},
	};

	b->event_count = sizeof(events) / sizeof(*events);
	b->events = arena_copy(b->arena, events, sizeof(events));
	for (size_t i = 0; i < b->event_count; i++)
		b->events[i].first_ns = b->events[i].last_ns = b->window_end_ns;
}

static void add_status(struct wire_batch *b)
{
	b->status = (struct wire_status){
		.hooks = "sock_ops",
		.agent_cpu_ns = b->sequence * 1000000,
		.window_wanted_ns = SECOND,
		.window_ns = SECOND,
		.cpu_budget_percent = 0.1,
		.sockets = 12,
		.slots = 65536,
		.flows_max = 16384,
		.listeners = 1,
	};
	b->loss[WIRE_LOSS_FLOWS_FULL] = 1;
}

struct wire_batch *server_fixture_batch(struct server_fixture *f, const char *node)
{
	struct wire_batch *b = wire_batch_new();

	b->node = node;
	b->boot_id = "11111111-2222-3333-4444-555555555555";
	b->version = "test";
	b->kernel = "6.1.0";
	b->started_ns = 1;
	b->sequence = ++f->sequence;
	b->sent_ns = b->window_end_ns = monotonic_ns();
	b->window_start_ns = b->window_end_ns - SECOND;
	if (b->sequence == 1) {
		add_actors(b);
		add_flows(b);
	}
	add_updates(b);
	add_listeners(b);
	add_events(b);
	add_status(b);
	return b;
}

void server_fixture_submit(struct server_fixture *f)
{
	server_submit(f->server, server_fixture_batch(f, "one"));
}

json_t *server_fixture_get(struct server_fixture *f, const char *target, int status)
{
	struct client_reply reply;
	json_error_t error;
	json_t *root;

	client_get(f->port, target, &reply);
	root = json_loads(reply.body, 0, &error);
	if (reply.status != status || !root)
		fail_msg("%s: status %d, not %d; %s: %.500s", target, reply.status, status,
			 error.text, reply.text);
	client_reply_done(&reply);
	return root;
}

static uint64_t batches_seen(struct server_fixture *f)
{
	json_t *root = server_fixture_get(f, "/api/v1/agents", 200);
	json_t *agent = json_array_get(json_object_get(root, "agents"), 0);
	uint64_t sequence = json_integer_value(json_object_get(agent, "sequence"));

	json_decref(root);
	return sequence;
}

void server_fixture_submit_and_wait(struct server_fixture *f)
{
	int i;

	server_fixture_submit(f);
	for (i = 0; i < 1000 && batches_seen(f) < f->sequence; i++)
		usleep(5000);
	assert_int_equal(batches_seen(f), f->sequence);
}

/* Three live sockets: both ends of one on loopback, and one whose actor only the answer names. */
struct wire_answer *server_fixture_answer(uint64_t id)
{
	struct wire_answer *a = wire_answer_new();
	struct wire_connection c[3] = {
		{.actor = 1,
		 .role = MR_ROLE_CLIENT,
		 .state = 1,
		 .local_port = 40000,
		 .remote_port = 6379,
		 .pid = 101,
		 .rtt_us = 50,
		 .age_ms = 1500,
		 .bytes_sent = 1000},
		{.actor = 2,
		 .role = MR_ROLE_SERVER,
		 .state = 1,
		 .local_port = 6379,
		 .remote_port = 40000,
		 .pid = 102},
		{.actor = 9,
		 .role = MR_ROLE_CLIENT,
		 .state = 2,
		 .local_port = 40001,
		 .remote_port = 443,
		 .pid = 109},
	};
	struct wire_actor late = {9, 109, "curl", "", "", "", "/"};
	int i;

	for (i = 0; i < 3; i++) {
		c[i].netns = NETNS;
		mapped(c[i].local, i < 2 ? "127.0.0.1" : "10.1.2.1");
		mapped(c[i].remote, i < 2 ? "127.0.0.1" : "10.1.2.3");
	}
	a->id = id;
	a->actors = arena_copy(a->arena, &late, sizeof(late));
	a->actor_count = 1;
	a->connections = arena_copy(a->arena, c, sizeof(c));
	a->connection_count = a->total = 3;
	return a;
}

static void on_request(void *userdata, const struct wire_request *request)
{
	struct server_fixture *f = userdata;

	f->asked_max = request->connections_max;
	if (f->answering == ANSWERS)
		server_answer(f->server, server_fixture_answer(request->id));
}

static void on_sweep(void *userdata)
{
	struct server_fixture *f = userdata;

	f->sweeps++;
	if (f->answering == ANSWERS) {
		server_fixture_submit(f);
		server_fixture_submit(f);
	}
}

static int setup(void **state, bool agent_here)
{
	struct server_fixture *f = calloc(1, sizeof(*f));
	struct error error;

	f->config = (struct server_config){
		.listen = "127.0.0.1:0",
		.version = "test",
		.auth = {.takes_agents = true},
		.request = agent_here ? on_request : NULL,
		.sweep_now = agent_here ? on_sweep : NULL,
		.userdata = f,
	};
	if (server_open(&f->server, &f->config, &error) < 0)
		fail_msg("%s", error.text);
	f->port = server_port(f->server);
	assert_int_equal(server_start(f->server), 0);
	*state = f;
	return 0;
}

int server_fixture_setup(void **state)
{
	return setup(state, true);
}

int server_fixture_setup_elsewhere(void **state)
{
	return setup(state, false);
}

int server_fixture_teardown(void **state)
{
	struct server_fixture *f = *state;

	server_free(f->server);
	free(f);
	return 0;
}
