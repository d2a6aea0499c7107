/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: flows, series, agents and connections say what came in; joined, by end, per window and
 * per step give the same sums; bounds on answers hold. Prints what questions cost.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/address.h"
#include "server/world_for_test.h"

static struct world w;

static int setup(void **state)
{
	world_init(&w, NULL);
	world_actor(&w, 1, "wrk", "user.scope");
	world_actor(&w, 2, "nginx", "nginx.service");
	world_actor(&w, 3, "curl", "user.scope");
	world_client(&w, 1, 1, 7, "10.0.0.1", "10.0.0.2", 80);
	world_server(&w, 2, 2, 8, "10.0.0.2", "10.0.0.1", 80);
	world_client(&w, 3, 3, 7, "10.0.0.1", "8.8.8.8", 443);
	world_server(&w, 4, 2, 8, "10.0.0.2", "192.168.1.1", 80);
	return 0;
}

static int teardown(void **state)
{
	world_done(&w);
	return 0;
}

/* Three windows: wrk in each, curl in the last two, someone outside in the second. */
static void three_windows(void)
{
	for (unsigned int i = 0; i < 3; i++) {
		world_traffic(&w, 1, 100, 1000, true);
		world_traffic(&w, 2, 100, 1000, true);
		if (i > 0)
			world_traffic(&w, 3, 7, 70, true);
		if (i == 1)
			world_traffic(&w, 4, 1, 10, false);
		world_send(&w);
	}
}

/* The same two on the same port by TCP and by UDP: two edges, and neither's figures in the other.
 */
static void test_transports_apart(void **state)
{
	struct query_graph g;
	struct wire_update *u;

	world_client(&w, 10, 1, 7, "10.0.0.1", "10.0.0.2", 80)->transport = WIRE_TRANSPORT_UDP;
	world_server(&w, 11, 2, 8, "10.0.0.2", "10.0.0.1", 80)->transport = WIRE_TRANSPORT_UDP;
	world_traffic(&w, 1, 100, 1000, true);
	world_traffic(&w, 2, 100, 1000, true);
	u = world_update(&w, 10);
	u->counter[MR_BYTES_TO_SERVER] = 500;
	u->counter[MR_DATAGRAMS_TO_SERVER] = 10;
	u = world_update(&w, 11);
	u->counter[MR_BYTES_TO_SERVER] = 400;
	u->counter[MR_DATAGRAMS_TO_SERVER] = 8;
	u->counter[MR_DROPPED_TO_SERVER] = 2;
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 2);
	assert_string_equal(g.edges[0].transport, "tcp");
	assert_int_equal(g.edges[0].measures.counter[MR_BYTES_TO_SERVER], 100);
	assert_string_equal(g.edges[1].transport, "udp");
	assert_non_null(strstr(g.edges[1].id, "|udp/80"));
	assert_int_equal(g.edges[1].measures.counter[MR_BYTES_TO_SERVER], 500);
	assert_int_equal(g.edges[1].measures.counter[MR_DROPPED_TO_SERVER], 2);
	assert_int_equal(g.edges[1].measures.wire_bytes_to_server, 500 + 10 * 28);
	assert_int_equal(g.edges[1].server_view->counter[MR_DATAGRAMS_TO_SERVER], 8);
	assert_string_equal(g.edges[1].health, "degraded");
	g = world_graph(&w, 0, "", "protocol:udp");
	assert_int_equal(g.edge_count, 1);
}

static void test_flows_joined(void **state)
{
	struct query_flows flows;
	const struct query_flow *f;

	three_windows();
	flows = world_flows(&w, QUERY_VIEW_JOINED, false);
	assert_int_equal(flows.flow_count, 3);
	assert_int_equal(flows.total, 3);
	f = &flows.flows[0]; /* the most bytes */
	assert_string_equal(f->client.workload, "wrk");
	assert_string_equal(f->client.kind, "process");
	assert_string_equal(f->client.address, "10.0.0.1");
	assert_int_equal(f->client.port, 0);
	assert_int_equal(f->client.pid, 1001);
	assert_string_equal(f->server.workload, "nginx");
	assert_string_equal(f->server.id, "service/nginx");
	assert_string_equal(f->server.unit, "nginx.service");
	assert_string_equal(f->server.node, "host-1");
	assert_string_equal(f->server.address, "10.0.0.2");
	assert_int_equal(f->server.port, 80);
	assert_string_equal(f->seen_by, "client");
	assert_int_equal(f->measures.counter[MR_BYTES_TO_CLIENT], 3000);
	assert_int_equal(f->server_view->counter[MR_BYTES_TO_CLIENT], 3000);
	assert_true(f->window_s == 3 && f->time_ns == world_wall(&w));
	assert_string_equal(flows.flows[1].server.id, "external/8.8.8.8");
	assert_string_equal(flows.flows[1].server.kind, "external");
	assert_string_equal(flows.flows[1].server.workload, "8.8.8.8");
	f = &flows.flows[2];
	assert_string_equal(f->client.id, "external/192.168.1.1");
	assert_string_equal(f->seen_by, "server");
	assert_int_equal(f->measures.active, 1);
	assert_true(f->window_s == 1 && f->time_ns == world_wall(&w) - WORLD_SECOND);
}

static void test_flows_by_end(void **state)
{
	struct query_flows flows;
	unsigned int by_server = 0;

	three_windows();
	flows = world_flows(&w, QUERY_VIEW_ENDS, false);
	assert_int_equal(flows.flow_count, 4);
	for (size_t i = 0; i < flows.flow_count; i++) {
		const struct query_flow *f = &flows.flows[i];

		assert_null(f->server_view);
		if (strcmp(f->seen_by, "server") != 0)
			continue;
		by_server++;
		assert_string_equal(f->server.workload, "nginx");
		assert_int_equal(f->netns, 8);
		assert_string_equal(f->client.workload,
				    f->measures.counter[MR_OPENED] == 3 ? "wrk" : "192.168.1.1");
	}
	assert_int_equal(by_server, 2);
}

static void test_flows_per_window(void **state)
{
	struct query_flows flows;
	uint64_t bytes = 0;

	three_windows();
	flows = world_flows(&w, QUERY_VIEW_JOINED, true);
	assert_int_equal(flows.flow_count, 3 + 2 + 1);
	for (size_t i = 0; i < flows.flow_count; i++) {
		const struct query_flow *f = &flows.flows[i];

		assert_true(!i || flows.flows[i - 1].time_ns <= f->time_ns);
		assert_true(f->window_s == 1);
		bytes += f->measures.counter[MR_BYTES_TO_CLIENT];
		if (!strcmp(f->client.workload, "wrk"))
			assert_int_equal(f->server_view->counter[MR_BYTES_TO_CLIENT], 1000);
		else
			assert_null(f->server_view);
	}
	assert_int_equal(bytes, 3000 + 140 + 10);
	assert_int_equal(world_flows(&w, QUERY_VIEW_ENDS, true).flow_count, 6 + 2 + 1);
}

static void test_flows_limit(void **state)
{
	struct query_flows_request request = {.limit = 2};
	struct query_flows flows;

	three_windows();
	request.range.to_ns = world_wall(&w);
	assert_int_equal(query_flows(w.core, &request, w.arena, &flows), 0);
	assert_int_equal(flows.flow_count, 2);
	assert_int_equal(flows.total, 3);
	assert_string_equal(flows.flows[0].client.workload, "wrk");
	request.per_window = true;
	request.limit = 4;
	assert_int_equal(query_flows(w.core, &request, w.arena, &flows), 0);
	assert_int_equal(flows.flow_count, 4);
	assert_int_equal(flows.total, 6);
}

static void test_series(void **state)
{
	struct query_series_request request = {.step_ns = WORLD_SECOND, .rtt = true};
	const struct query_series_line *line;
	struct query_series s;

	three_windows();
	w.now_ns += WORLD_SECOND; /* a gap */
	request.range = (struct query_range){world_wall(&w) - 5 * WORLD_SECOND, world_wall(&w)};
	request.counters = UINT64_C(1) << MR_BYTES_TO_CLIENT | UINT64_C(1) << MR_OPENED;
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	assert_int_equal(s.step_count, 5);
	assert_int_equal(s.counter_count, 2);
	assert_int_equal(s.counters[0], MR_OPENED);
	assert_int_equal(s.line_count, 1);
	line = &s.lines[0];
	assert_string_equal(line->edge, "");
	assert_false(s.covered[0]);
	assert_true(s.covered[1] && s.covered[3]);
	assert_false(s.covered[4]);
	assert_int_equal(line->values[0 * 2 + 1], 0);
	assert_int_equal(line->values[1 * 2 + 1], 1000);
	assert_int_equal(line->values[2 * 2 + 1], 1000 + 70 + 10);
	assert_int_equal(line->values[3 * 2 + 1], 1000 + 70);
	assert_int_equal(line->values[4 * 2 + 1], 0);
	assert_int_equal(line->values[2 * 2], 3);
	assert_int_equal(line->rtt_us[1].count, 0);

	request.step_ns = 2 * WORLD_SECOND; /* the last step is short */
	request.by_edge = true;
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	assert_int_equal(s.step_count, 3);
	assert_int_equal(s.line_count, 3);
	assert_string_equal(s.lines[0].edge, "process/wrk|service/nginx|tcp/80");
	assert_string_equal(s.lines[0].server, "service/nginx");
	assert_int_equal(s.lines[0].values[0 * 2 + 1], 1000);
	assert_int_equal(s.lines[0].values[1 * 2 + 1], 2000);
	assert_int_equal(s.lines[1].values[1 * 2 + 1], 140);

	request.edge = "process/curl|external/8.8.8.8|tcp/443";
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	assert_int_equal(s.line_count, 1);
	assert_int_equal(s.lines[0].values[1 * 2 + 1], 140);
	request.by_edge = false;
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	assert_int_equal(s.line_count, 1);
	assert_int_equal(s.lines[0].values[1 * 2 + 1], 140);
	request.edge = "nothing";
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	assert_int_equal(s.line_count, 1);
	assert_int_equal(s.lines[0].values[1 * 2 + 1], 0);
}

static void test_series_bounds(void **state)
{
	struct query_series_request request = {.step_ns = 1};
	struct query_series s;

	request.range = (struct query_range){0, world_wall(&w)};
	assert_int_equal(query_series(w.core, &request, w.arena, &s), -EINVAL);
	world_traffic(&w, 1, 1, 1, true);
	for (uint32_t i = 0; i < 20; i++) {
		world_client(&w, 100 + i, 1, 7, "10.0.0.1", "8.8.8.8", (uint16_t)(1000 + i));
		world_traffic(&w, 100 + i, 1, 1, true);
	}
	world_send(&w);
	request.range.from_ns = world_wall(&w) - 9000 * WORLD_SECOND;
	request.range.to_ns = world_wall(&w);
	request.step_ns = WORLD_SECOND;
	request.by_edge = request.rtt = true;
	request.limit = 5;
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	request.limit = 20;
	assert_int_equal(query_series(w.core, &request, w.arena, &s), -E2BIG);
	request = (struct query_series_request){.range.to_ns = world_wall(&w)};
	request.step_ns = 0; /* about 300 steps, whatever the range */
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	assert_in_range(s.step_count, 300, 301);
	request.range.from_ns = world_wall(&w) - 60 * WORLD_SECOND;
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	assert_int_equal(s.step_count, 60);
	request.range.from_ns = request.range.to_ns + 1; /* backwards: empty */
	assert_int_equal(query_series(w.core, &request, w.arena, &s), 0);
	assert_int_equal(s.step_count, 0);
}

static void test_agents(void **state)
{
	struct query_agents agents;
	const struct query_agent *a;

	for (unsigned int i = 0; i < 100; i++) {
		static struct wire_netns netns = {.netns = 7, .ours[NETNS_ATTEMPTED] = 5};

		w.batch->status = (struct wire_status){.agent_cpu_ns = i * WORLD_SECOND / 100,
						       .kernel_cpu_ns = i * WORLD_SECOND / 200,
						       .window_wanted_ns = WORLD_SECOND,
						       .cpu_budget_percent = 0.1,
						       .sockets = 12,
						       .cpus = 2};
		w.batch->netns = &netns;
		w.batch->netns_count = 1;
		w.batch->loss[WIRE_LOSS_SLOTS_FULL] = 3;
		world_send(&w);
	}
	assert_int_equal(query_agents(w.core, world_wall(&w), w.arena, &agents), 0);
	assert_int_equal(agents.agent_count, 1);
	a = &agents.agents[0];
	assert_true(a->reporting);
	assert_string_equal(a->node, "host-1");
	assert_string_equal(a->kernel, "6.18");
	assert_int_equal(a->batches, 100);
	assert_in_range((uint64_t)(a->cpu_cores * 1e6), 9990, 10010);
	assert_in_range((uint64_t)(a->kernel_cpu_cores * 1e6), 4990, 5010);
	assert_in_range((uint64_t)(a->cpu_share * 1e6), 7490, 7510);
	assert_true(a->started_ns == WORLD_EPOCH + w.started_ns);
	assert_int_equal(a->netns_count, 1);
	assert_int_equal(a->netns[0].ours[NETNS_ATTEMPTED], 5);
	assert_int_equal(a->loss_count, WIRE_LOSS_COUNT);
	assert_int_equal(a->losses[WIRE_LOSS_SLOTS_FULL].count, 3);
	assert_int_equal(agents.flows, 4);
	assert_int_equal(agents.windows, 100);
	assert_int_equal(agents.history_from_ns, world_wall(&w) - 100 * WORLD_SECOND);
	assert_int_equal(agents.completeness.agents_reporting, 1);
	w.now_ns += 6 * WORLD_SECOND;
	assert_int_equal(query_agents(w.core, world_wall(&w), w.arena, &agents), 0);
	assert_false(agents.agents[0].reporting);
	assert_int_equal(agents.completeness.agents_reporting, 0);
	assert_int_equal(agents.completeness.agents_expected, 1);
}

static void set_address(uint8_t ret[16], const char *text)
{
	struct address_prefix p;

	assert_int_equal(address_prefix_parse(&p, text), 0);
	memcpy(ret, p.address, 16);
}

static void test_connections(void **state)
{
	struct wire_actor late = {9, 77, "late", "", "", "", "/x"};
	struct wire_connection c[4] = {
		{.actor = 1,
		 .netns = 7,
		 .role = MR_ROLE_CLIENT,
		 .state = 1,
		 .local_port = 40000,
		 .remote_port = 80,
		 .pid = 555},
		{.actor = 9,
		 .netns = 7,
		 .role = MR_ROLE_CLIENT,
		 .state = 2,
		 .local_port = 40001,
		 .remote_port = 443},
		{.actor = 1234,
		 .netns = 8,
		 .role = MR_ROLE_SERVER,
		 .state = 99,
		 .local_port = 80,
		 .remote_port = 40000},
		{.actor = 1, .role = 77},
	};
	struct wire_answer answer = {.actors = &late,
				     .actor_count = 1,
				     .connections = c,
				     .connection_count = 4,
				     .total = 40};
	struct query_connections out;
	struct filter *f = NULL;

	for (unsigned int i = 0; i < 4; i++) {
		set_address(c[i].local, i == 2 ? "10.0.0.2" : "10.0.0.1");
		set_address(c[i].remote, i == 2 ? "10.0.0.1" : i ? "8.8.8.8" : "10.0.0.2");
	}
	assert_int_equal(query_connections(w.core, 0, &answer, NULL, w.arena, &out), 0);
	assert_int_equal(out.connection_count, 0); /* no agent yet */
	three_windows();
	assert_int_equal(query_connections(w.core, 0, &answer, NULL, w.arena, &out), 0);
	assert_int_equal(out.connection_count, 3);
	assert_int_equal(out.total, 40);
	assert_string_equal(out.connections[0].client.workload, "wrk");
	assert_int_equal(out.connections[0].client.port, 40000);
	assert_int_equal(out.connections[0].client.pid, 555);
	assert_string_equal(out.connections[0].server.id, "service/nginx");
	assert_int_equal(out.connections[0].server.port, 80);
	assert_string_equal(out.connections[0].state, "established");
	assert_string_equal(out.connections[1].client.workload, "late");
	assert_string_equal(out.connections[1].state, "syn_sent");
	assert_string_equal(out.connections[2].server.id, "external/10.0.0.2");
	assert_string_equal(out.connections[2].state, "unknown");
	assert_string_equal(out.connections[2].seen_by, "server");
	assert_ptr_equal(out.connections[2].wire, &c[2]);
	assert_int_equal(filter_parse(&f, "server:nginx", NULL), 0);
	assert_int_equal(query_connections(w.core, 0, &answer, f, w.arena, &out), 0);
	assert_int_equal(out.connection_count, 1);
	filter_free(f);
}

static void test_version(void **state)
{
	uint64_t version = core_version(w.core);

	assert_int_equal(core_latest_ns(w.core), 0);
	world_send(&w);
	assert_int_not_equal(core_version(w.core), version);
	assert_true(core_latest_ns(w.core) == world_wall(&w));
	version = core_version(w.core);
	w.sequence--;
	assert_int_equal(world_try_send(&w), -EALREADY);
	assert_int_equal(core_version(w.core), version);
}

/* Rates are sums divided by this: a filter whose edges went quiet must not shorten it. */
static void test_covered_whatever_the_filter(void **state)
{
	static const char *const filters[] = {NULL, "port:443", "client:nobody"};

	three_windows();
	world_traffic(&w, 1, 100, 1000, true);
	world_send(&w);
	world_send(&w);
	for (size_t i = 0; i < 3; i++) {
		struct query_graph all = world_graph(&w, 0, "", filters[i]);
		struct query_graph two = world_graph(&w, 2, "", filters[i]);

		assert_int_equal(all.completeness.covered_from_ns,
				 world_wall(&w) - 5 * WORLD_SECOND);
		assert_int_equal(all.completeness.covered_to_ns, world_wall(&w));
		assert_int_equal(two.completeness.covered_from_ns,
				 world_wall(&w) - 2 * WORLD_SECOND);
		assert_int_equal(two.completeness.covered_to_ns, world_wall(&w));
	}
}

/* Every question about nothing at all. */
static void test_empty(void **state)
{
	struct query_graph g = world_graph(&w, 0, "", NULL);

	assert_int_equal(g.edge_count + g.node_count, 0);
	assert_true(g.completeness.share == 1);
	assert_true(g.completeness.window_s == 0);
	assert_int_equal(g.completeness.covered_from_ns | g.completeness.covered_to_ns, 0);
	assert_int_equal(world_flows(&w, QUERY_VIEW_JOINED, true).flow_count, 0);
}

static double ms_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) * 1e3 +
	       (double)(now.tv_nsec - begin->tv_nsec) / 1e6;
}

/* A busy window of 1,500 edges, each seen by both ends. */
static void busy_window(unsigned int edges, bool define)
{
	char local[32], remote[32];

	for (uint32_t i = 0; i < edges; i++) {
		struct wire_update *u;

		snprintf(local, sizeof(local), "10.1.0.%u", i % 50 + 1);
		snprintf(remote, sizeof(remote), "10.2.%u.1", i % 30);
		for (uint32_t end = 0; end < 2; end++) {
			u = world_traffic(&w, 1000 + 2 * i + end, 1000 + i, 50000, true);
			u->counter[MR_ATTEMPTED] = !end;
			u->counter[MR_SEGMENTS_TO_SERVER] = u->counter[MR_SEGMENTS_TO_CLIENT] = 40;
			u->counter[MR_BUSY_TO_SERVER] = 1234;
			for (uint32_t k = 0; k < 8; k++)
				histogram_add(wire_histogram(w.batch->arena, &u->rtt_us),
					      40 + 10 * k);
			histogram_add(wire_histogram(w.batch->arena, &u->connect_us), 90);
		}
		if (!define)
			continue;
		world_client(&w, 1000 + 2 * i, 100 + i % 50, 7, local, remote, 1 + i / 50);
		world_server(&w, 1001 + 2 * i, 200 + i % 30, 8, remote, local, 1 + i / 50);
	}
}

static void test_cost(void **state)
{
	enum { EDGES = 1500, WINDOWS = 300 };
	struct query_agents agents;
	struct query_graph g;
	struct timespec begin;
	double took = 0, best = 1e9;
	char name[16];

	for (uint32_t i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		world_actor(&w, 100 + i, name, "");
		snprintf(name, sizeof(name), "s%u", i);
		world_actor(&w, 200 + i, name, "");
	}
	for (unsigned int i = 0; i < WINDOWS; i++) {
		busy_window(EDGES, !i);
		clock_gettime(CLOCK_MONOTONIC, &begin);
		world_send(&w);
		took += ms_since(&begin);
	}
	print_message("ingest: %.2f million updates a second\n",
		      2.0 * EDGES * WINDOWS / took / 1e3);
	for (unsigned int i = 0; i < 5; i++) {
		clock_gettime(CLOCK_MONOTONIC, &begin);
		g = world_graph(&w, 300, "", NULL);
		took = ms_since(&begin);
		best = took < best ? took : best;
	}
	assert_int_equal(g.edge_count, EDGES);
	assert_int_equal(g.edges[0].measures.counter[MR_OPENED], WINDOWS);
	assert_int_equal(g.edges[0].server_view->counter[MR_OPENED], WINDOWS);
	assert_int_equal(query_agents(w.core, world_wall(&w), w.arena, &agents), 0);
	print_message("history: %zu bytes, %.1f a row\n", agents.history_bytes,
		      (double)agents.history_bytes / (2.0 * EDGES * WINDOWS));
	print_message("graph of %u edges over %u windows, %u rows that came: %.1f ms\n", EDGES,
		      WINDOWS, 2 * EDGES * WINDOWS, best);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_transports_apart),
		TEST(test_flows_joined),
		TEST(test_flows_by_end),
		TEST(test_flows_per_window),
		TEST(test_flows_limit),
		TEST(test_series),
		TEST(test_series_bounds),
		TEST(test_agents),
		TEST(test_connections),
		TEST(test_version),
		TEST(test_covered_whatever_the_filter),
		TEST(test_empty),
		TEST(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
