/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: a connection counts once though both ends report it; ends get the right names whatever
 * comes first; what cannot be told apart is not guessed; gauges are as of the end of the range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/world_for_test.h"

enum { WRK = 1, NGINX, CURL, REDIS, OTHER_REDIS };

static struct world w;

static int setup(void **state)
{
	world_init(&w, NULL);
	world_actor(&w, WRK, "wrk", "user@0.scope");
	world_actor(&w, NGINX, "nginx", "nginx.service");
	world_actor(&w, CURL, "curl", "session.scope");
	world_actor(&w, REDIS, "redis-server", "redis.service");
	return 0;
}

static int teardown(void **state)
{
	world_done(&w);
	return 0;
}

static const struct query_edge *need(const struct query_graph *g, const char *client,
				     const char *server, uint16_t port)
{
	const struct query_edge *e = world_edge(g, client, server, port);

	if (!e) {
		for (size_t i = 0; i < g->edge_count; i++)
			print_error("there is %s\n", g->edges[i].id);
		fail_msg("no edge %s -> %s:%u", client, server, port);
	}
	return e;
}

static void test_both_ends_count_once(void **state)
{
	const struct query_edge *e;
	struct query_graph g;
	struct wire_update *u;

	world_client(&w, 1, WRK, 7, "127.0.0.1", "127.0.0.1", 80);
	world_server(&w, 2, NGINX, 7, "127.0.0.1", "127.0.0.1", 80);
	u = world_traffic(&w, 1, 100, 5000, false);
	u->counter[MR_ATTEMPTED] = 1;
	u->counter[MR_SEGMENTS_TO_SERVER] = 3;
	u->counter[MR_RETRANSMITS_TO_SERVER] = 2;
	u->counter[MR_RETRANSMITTED_BYTES_TO_SERVER] = 20;
	histogram_add(wire_histogram(w.batch->arena, &u->rtt_us), 50);
	histogram_add(wire_histogram(w.batch->arena, &u->connect_us), 70);
	u = world_traffic(&w, 2, 100, 5000, false);
	u->counter[MR_SEGMENTS_TO_SERVER] = 3;
	u->counter[MR_RETRANSMITS_TO_CLIENT] = 4;
	u->counter[MR_SYNACK_RETRANSMITS] = 5;
	histogram_add(wire_histogram(w.batch->arena, &u->rtt_us), 60);
	world_send(&w);

	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 1);
	assert_int_equal(g.node_count, 2);
	e = need(&g, "process/wrk", "service/nginx", 80);
	assert_int_equal(e->measures.counter[MR_BYTES_TO_SERVER], 100);
	assert_int_equal(e->measures.counter[MR_BYTES_TO_CLIENT], 5000);
	assert_int_equal(e->measures.counter[MR_OPENED], 1);
	assert_int_equal(e->measures.active, 1);
	assert_int_equal(e->measures.pending, 0);
	assert_int_equal(e->measures.counter[MR_RETRANSMITS_TO_SERVER], 2);
	assert_int_equal(e->measures.counter[MR_RETRANSMITS_TO_CLIENT], 4); /* only it knows */
	assert_int_equal(e->measures.counter[MR_SYNACK_RETRANSMITS], 5);
	assert_int_equal(e->measures.rtt_us.count, 1);
	assert_int_equal(e->measures.rtt_us.max, 50);
	assert_int_equal(e->measures.connect_us.count, 1);
	assert_int_equal(e->measures.wire_bytes_to_server, 100 + 20 + 3 * 52);
	assert_non_null(e->server_view);
	assert_int_equal(e->server_view->counter[MR_BYTES_TO_CLIENT], 5000);
	assert_int_equal(e->server_view->active, 1);
	assert_int_equal(e->server_view->rtt_us.max, 60);
	assert_string_equal(e->class_name, "same_node");
	assert_string_equal(e->id, "process/wrk|service/nginx|tcp/80");
	assert_true(e->first_seen_ns == world_wall(&w) && e->last_seen_ns == world_wall(&w));
	assert_string_equal(e->client->nodes[0], "host-1");
	assert_true(g.completeness.share == 1);
	assert_int_equal(g.completeness.loss_count, 0);
	assert_int_equal(g.completeness.agents_reporting, 1);
	assert_true(g.completeness.window_s == 1);
}

/* The client's end came a window before anything told who serves there. */
static void test_no_ghost_stays(void **state)
{
	struct query_graph g;

	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 80);
	world_traffic(&w, 1, 10, 10, false);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	need(&g, "process/wrk", "external/10.0.0.2", 80);
	assert_string_equal(g.edges[0].class_name, "external");

	world_server(&w, 2, NGINX, 8, "10.0.0.2", "10.0.0.1", 80);
	world_traffic(&w, 2, 10, 10, false);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 1);
	assert_non_null(need(&g, "process/wrk", "service/nginx", 80)->server_view);
	assert_null(world_node(&g, "external/10.0.0.2"));
}

/* The server's end came first: its client is an address until the client's own row comes. */
static void test_server_end_first(void **state)
{
	struct query_graph g;

	world_server(&w, 2, NGINX, 8, "10.0.0.2", "10.0.0.1", 80);
	world_traffic(&w, 2, 10, 10, false)->counter[MR_RETRANSMITS_TO_CLIENT] = 3;
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	need(&g, "external/10.0.0.1", "service/nginx", 80);
	assert_int_equal(g.edges[0].measures.counter[MR_RETRANSMITS_TO_CLIENT], 3);
	assert_int_equal(g.edges[0].measures.active, 1);
	assert_null(g.edges[0].server_view);

	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 80);
	world_traffic(&w, 1, 10, 10, false);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 1);
	need(&g, "process/wrk", "service/nginx", 80);
	assert_int_equal(g.edges[0].measures.counter[MR_BYTES_TO_SERVER], 10);
}

static void test_listener_names_the_server(void **state)
{
	struct query_graph g;

	world_listener(&w, NGINX, 7, "0.0.0.0", 80);
	world_listener(&w, REDIS, 7, "127.0.0.1", 6379);
	world_client(&w, 1, WRK, 7, "127.0.0.1", "127.0.0.1", 80);
	world_client(&w, 2, WRK, 7, "127.0.0.1", "127.0.0.1", 6379);
	world_client(&w, 3, WRK, 8, "127.0.0.1", "127.0.0.1",
		     80);                                        /* another namespace's loopback */
	world_client(&w, 4, WRK, 7, "10.0.0.1", "10.0.0.9", 80); /* not an address of ours */
	world_client(&w, 5, WRK, 7, "10.0.0.1", "10.0.0.1", 80); /* our own */
	for (uint32_t i = 1; i <= 5; i++)
		world_update(&w, i)->counter[MR_ATTEMPTED] = i;
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 4);
	assert_int_equal(
		need(&g, "process/wrk", "service/nginx", 80)->measures.counter[MR_ATTEMPTED],
		1 + 5);
	need(&g, "process/wrk", "service/redis", 6379);
	/* nobody we know, but an address of this machine: a port nobody listens on */
	assert_string_equal(need(&g, "process/wrk", "external/127.0.0.1", 80)->class_name,
			    "same_node");
	assert_string_equal(need(&g, "process/wrk", "external/10.0.0.9", 80)->class_name,
			    "external");
	assert_int_equal(world_node(&g, "service/nginx")->listener_count, 1);
	assert_string_equal(world_node(&g, "service/nginx")->listeners[0].address, "0.0.0.0");
}

static void test_listener_across_namespaces(void **state)
{
	struct query_graph g;

	/* 10.0.0.2 is local in 8, as another flow there showed; :: takes IPv4 too */
	world_listener(&w, NGINX, 8, "::", 80);
	world_listener(&w, REDIS, 9, "::", 80);
	world_client(&w, 2, CURL, 8, "10.0.0.2", "8.8.8.8", 443);
	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 80);
	world_update(&w, 1)->counter[MR_ATTEMPTED] = 1;
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	need(&g, "process/wrk", "service/nginx", 80);

	world_listener(&w, REDIS, 9, "::", 80); /* the set is replaced */
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	need(&g, "process/wrk", "external/10.0.0.2", 80);
}

static void test_shared_pair_is_not_split(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	world_client(&w, 1, WRK, 7, "127.0.0.1", "127.0.0.1", 80);
	world_client(&w, 2, CURL, 7, "127.0.0.1", "127.0.0.1", 80);
	world_server(&w, 3, NGINX, 7, "127.0.0.1", "127.0.0.1", 80);
	world_traffic(&w, 1, 100, 0, true);
	world_traffic(&w, 3, 100, 0, true);
	world_send(&w);
	world_traffic(&w, 2, 30, 0, true);
	world_traffic(&w, 3, 30, 0, true);
	world_send(&w);

	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 2);
	e = need(&g, "process/wrk", "service/nginx", 80);
	assert_int_equal(e->measures.counter[MR_BYTES_TO_SERVER], 100);
	assert_null(e->server_view);
	e = need(&g, "process/curl", "service/nginx", 80);
	assert_int_equal(e->measures.counter[MR_BYTES_TO_SERVER], 30);
	assert_null(e->server_view);

	g = world_graph(&w, 1, "", NULL); /* only curl moved: it is its view alone */
	assert_int_equal(g.edge_count, 1);
	assert_int_equal(need(&g, "process/curl", "service/nginx", 80)
				 ->server_view->counter[MR_BYTES_TO_SERVER],
			 30);
	g = world_graph(&w, 0, "node", NULL); /* one edge takes both */
	assert_int_equal(g.edge_count, 1);
	assert_int_equal(g.edges[0].measures.counter[MR_BYTES_TO_SERVER], 130);
	assert_int_equal(g.edges[0].server_view->counter[MR_BYTES_TO_SERVER], 130);
	g = world_graph(&w, 0, "", "client:wrk"); /* a filter does not make it divisible */
	assert_int_equal(g.edge_count, 1);
	assert_null(g.edges[0].server_view);
}

/* Loopback means something in one namespace only. */
static void test_loopback_scope(void **state)
{
	struct query_graph g;

	world_client(&w, 1, WRK, 7, "127.0.0.1", "127.0.0.1", 6379);
	world_server(&w, 2, REDIS, 8, "127.0.0.1", "127.0.0.1", 6379);
	world_client(&w, 3, CURL, 8, "::1", "::1", 6379);
	world_server(&w, 4, REDIS, 8, "::1", "::1", 6379);
	for (uint32_t i = 1; i <= 4; i++)
		world_traffic(&w, i, i, 0, true);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 3);
	need(&g, "process/wrk", "external/127.0.0.1", 6379);
	need(&g, "external/127.0.0.1", "service/redis", 6379);
	assert_non_null(need(&g, "process/curl", "service/redis", 6379)->server_view);
}

/* One address and port, one server after the other: each keeps its own clients of its time. */
static void test_address_used_again(void **state)
{
	struct query_graph g;

	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 80);
	world_server(&w, 2, NGINX, 8, "10.0.0.2", "10.0.0.1", 80);
	world_traffic(&w, 1, 1, 1, true);
	world_traffic(&w, 2, 1, 1, true);
	world_send(&w);
	w.now_ns += 20 * WORLD_SECOND;
	world_server(&w, 3, REDIS, 8, "10.0.0.2", "10.0.0.1", 80);
	world_traffic(&w, 1, 2, 2, true);
	world_traffic(&w, 3, 2, 2, true);
	world_send(&w);
	g = world_graph(&w, 10, "", NULL);
	assert_int_equal(g.edge_count, 1);
	need(&g, "process/wrk", "service/redis", 80);
	w.now_ns -= 15 * WORLD_SECOND; /* looking back */
	g = world_graph(&w, 10, "", NULL);
	assert_int_equal(g.edge_count, 1);
	need(&g, "process/wrk", "service/nginx", 80);
}

static void test_gauges_as_of_the_end(void **state)
{
	struct query_graph g;
	struct wire_update *u;
	uint64_t opened_at;

	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 80);
	u = world_update(&w, 1);
	u->counter[MR_ATTEMPTED] = 5;
	u->counter[MR_OPENED] = 3;
	u->counter[MR_ADOPTED] = 2;
	world_send(&w);
	opened_at = w.now_ns;
	w.now_ns += 9 * WORLD_SECOND;
	u = world_update(&w, 1);
	u->counter[MR_CLOSED] = 5;
	u->counter[MR_FAILED_TIMED_OUT] = 2;
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edges[0].measures.active, 0);
	assert_int_equal(g.edges[0].measures.pending, 0);
	assert_string_equal(g.edges[0].health, "degraded");
	w.now_ns = opened_at;
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edges[0].measures.active, 5);
	assert_int_equal(g.edges[0].measures.pending, 2);
	assert_string_equal(g.edges[0].health, "ok"); /* both tried just now */
	w.now_ns += 4 * WORLD_SECOND;                 /* nothing moved, all is open still */
	g = world_graph(&w, 1, "", NULL);
	assert_int_equal(g.edge_count, 1);
	assert_int_equal(g.edges[0].measures.active, 5);
	assert_int_equal(g.edges[0].measures.counter[MR_OPENED], 0);
	assert_string_equal(g.edges[0].health, "degraded"); /* waiting for four seconds */
	w.now_ns += 60 * WORLD_SECOND;
	g = world_graph(&w, 1, "", NULL);
	assert_int_equal(g.edge_count, 0);
}

static void test_health(void **state)
{
	struct query_graph g;
	struct wire_update *u;

	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 1);
	world_client(&w, 2, WRK, 7, "10.0.0.1", "10.0.0.2", 2);
	world_client(&w, 3, WRK, 7, "10.0.0.1", "10.0.0.2", 3);
	world_client(&w, 4, WRK, 7, "10.0.0.1", "10.0.0.2", 4);
	u = world_update(&w, 1);
	u->counter[MR_ATTEMPTED] = u->counter[MR_FAILED_REFUSED] = 1;
	world_update(&w, 2)->counter[MR_ATTEMPTED] = 1;
	u = world_traffic(&w, 3, 1, 1, true);
	u->counter[MR_SEGMENTS_TO_SERVER] = 1000;
	u->counter[MR_RETRANSMITS_TO_SERVER] = 21;
	u = world_traffic(&w, 4, 1, 1, true);
	u->counter[MR_RESET_BY_CLIENT] = 1;
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_string_equal(world_edge(&g, "process/wrk", "external/10.0.0.2", 1)->health,
			    "failing");
	assert_string_equal(world_edge(&g, "process/wrk", "external/10.0.0.2", 2)->health, "ok");
	assert_int_equal(world_edge(&g, "process/wrk", "external/10.0.0.2", 2)->measures.pending,
			 1);
	assert_string_equal(world_edge(&g, "process/wrk", "external/10.0.0.2", 3)->health,
			    "degraded");
	assert_string_equal(world_edge(&g, "process/wrk", "external/10.0.0.2", 4)->health, "ok");
	assert_string_equal(world_node(&g, "external/10.0.0.2")->health, "failing");
	assert_string_equal(world_node(&g, "process/wrk")->health, "ok");
	world_send(&w);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_string_equal(world_edge(&g, "process/wrk", "external/10.0.0.2", 2)->health,
			    "failing"); /* no answer for longer than a second */
}

static void test_translated_keeps_what_was_asked_for(void **state)
{
	struct wire_flow *f = world_client(&w, 1, WRK, 0, "10.0.0.1", "10.0.0.2", 80);
	struct query_graph g;

	f->via_port = 8000;
	memcpy(f->via, (const uint8_t[16]){[10] = 0xff, 0xff, 10, 96, 0, 1}, 16);
	f = world_client(&w, 2, WRK, 0, "10.0.0.1", "10.96.0.1", 8000);
	f->unresolved = true;
	world_traffic(&w, 1, 10, 20, true);
	world_traffic(&w, 2, 3, 4, true);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_string_equal(need(&g, "process/wrk", "external/10.0.0.2", 80)->via,
			    "10.96.0.1:8000");
	assert_string_equal(need(&g, "process/wrk", "external/10.96.0.1", 8000)->via, "");
	assert_int_equal(g.completeness.unresolved_bytes, 7);
}

static void test_coarse_counts_once(void **state)
{
	struct query_graph g;

	world_coarse(&w, 1, WRK, MR_ROLE_CLIENT);
	world_coarse(&w, 2, NGINX, MR_ROLE_SERVER);
	world_traffic(&w, 2, 10, 20, true);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL); /* nobody else could have counted it */
	assert_int_equal(g.edge_count, 1);
	assert_int_equal(
		need(&g, "~other", "service/nginx", 0)->measures.counter[MR_BYTES_TO_CLIENT], 20);
	assert_int_equal(g.completeness.unresolved_bytes, 30);
	assert_string_equal(g.edges[0].class_name, "unknown");

	world_traffic(&w, 1, 10, 20, true);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL); /* now the client's end may hold the same bytes */
	assert_int_equal(g.edge_count, 2);
	assert_int_equal(need(&g, "process/wrk", "~other", 0)->measures.counter[MR_BYTES_TO_CLIENT],
			 20);
	assert_int_equal(
		need(&g, "~other", "service/nginx", 0)->measures.counter[MR_BYTES_TO_CLIENT], 0);
	assert_int_equal(
		need(&g, "~other", "service/nginx", 0)->server_view->counter[MR_BYTES_TO_CLIENT],
		20);
	assert_true(g.completeness.share == 1);
}

static void test_grouping(void **state)
{
	struct query_graph g;

	world_actor(&w, OTHER_REDIS, "redis-server", "docker.service")->container =
		"3f2a0123456789abcdef";
	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 6379);
	world_server(&w, 2, OTHER_REDIS, 8, "10.0.0.2", "10.0.0.1", 6379);
	world_client(&w, 3, NGINX, 7, "10.0.0.1", "8.8.8.8", 53);
	world_traffic(&w, 1, 1, 1, true);
	world_traffic(&w, 2, 1, 1, true);
	world_traffic(&w, 3, 1, 1, true);
	world_send(&w);
	g = world_graph(&w, 0, "workload", NULL);
	need(&g, "process/wrk", "container/3f2a01234567", 6379);
	need(&g, "service/nginx", "external/8.8.8.8", 53);
	g = world_graph(&w, 0, "process", NULL);
	need(&g, "process/wrk", "process/redis-server", 6379);
	need(&g, "process/nginx", "external/8.8.8.8", 53);
	g = world_graph(&w, 0, "container", NULL);
	need(&g, "node/host-1", "container/3f2a01234567", 6379);
	g = world_graph(&w, 0, "instance", NULL);
	need(&g, "instance/host-1/system.slice/nginx.service:nginx", "external/8.8.8.8", 53);
	g = world_graph(&w, 0, "node", NULL);
	need(&g, "node/host-1", "node/host-1", 6379);
	need(&g, "node/host-1", "external/8.8.8.8", 53);
	g = world_graph(&w, 0, "zone", NULL);
	need(&g, "", "", 6379);
	need(&g, "", "external", 53);
	g = world_graph(&w, 0, "label:app", NULL);
	need(&g, "", "", 6379);
}

static void test_group_names(void **state)
{
	struct query_group group;
	struct error e;
	char text[160];

	assert_int_equal(query_group_parse(&group, NULL, &e), 0);
	assert_string_equal(query_group_name(&group, text, sizeof(text)), "workload");
	assert_int_equal(query_group_parse(&group, "label:app", &e), 0);
	assert_string_equal(query_group_name(&group, text, sizeof(text)), "label:app");
	assert_int_not_equal(query_group_parse(&group, "label:", &e), 0);
	assert_int_not_equal(query_group_parse(&group, "pods", &e), 0);
	assert_non_null(strstr(e.text, "expected workload"));
}

static void test_filter(void **state)
{
	struct query_graph g;

	world_listener(&w, REDIS, 7, "0.0.0.0", 6379);
	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 80);
	world_server(&w, 2, NGINX, 8, "10.0.0.2", "10.0.0.1", 80);
	world_client(&w, 3, CURL, 7, "10.0.0.1", "8.8.8.8", 53);
	for (uint32_t i = 1; i <= 3; i++)
		world_traffic(&w, i, 1, 1, true);
	world_send(&w);
	assert_int_equal(world_graph(&w, 0, "", NULL).node_count, 5); /* who listens, too */
	g = world_graph(&w, 0, "", "server:nginx");
	assert_int_equal(g.edge_count, 1);
	assert_int_equal(g.node_count, 2);
	assert_non_null(g.edges[0].server_view);
	assert_int_equal(world_graph(&w, 0, "", "address:8.8.0.0/16").edge_count, 1);
	assert_int_equal(world_graph(&w, 0, "", "!port:80").edge_count, 1);
	assert_int_equal(world_graph(&w, 0, "", "port:80 curl").edge_count, 0);
	assert_int_equal(world_graph(&w, 0, "", "8.8.8.8").edge_count, 1);
}

static void test_order(void **state)
{
	struct query_graph g;

	for (uint32_t i = 0; i < 200; i++) {
		char remote[32] = "10.0.0.";

		remote[7] = (char)('0' + i * 7 % 10);
		world_client(&w, i, 1 + i * 3 % 4, 7, "10.1.1.1", remote,
			     (uint16_t)(1 + i * 5 % 11));
		world_traffic(&w, i, i, i, false);
	}
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_true(g.edge_count > 100);
	for (size_t i = 1; i < g.node_count; i++)
		assert_true(strcmp(g.nodes[i - 1].id, g.nodes[i].id) < 0);
	for (size_t i = 1; i < g.edge_count; i++) {
		const struct query_edge *a = &g.edges[i - 1], *b = &g.edges[i];
		int order = strcmp(a->client->id, b->client->id);

		order = order ? order : strcmp(a->server->id, b->server->id);
		assert_true(order < 0 || (!order && a->port < b->port));
	}
}

/* What a filter shows first must not decide where things stand for everybody. */
static void test_places(void **state)
{
	struct query_graph some, all, later;
	const struct query_node *n;

	world_client(&w, 1, WRK, 7, "10.0.0.1", "10.0.0.2", 80);
	world_server(&w, 2, NGINX, 8, "10.0.0.2", "10.0.0.1", 80);
	world_client(&w, 3, NGINX, 8, "10.0.0.2", "10.0.0.3", 6379);
	world_server(&w, 4, REDIS, 9, "10.0.0.3", "10.0.0.2", 6379);
	for (uint32_t i = 1; i <= 4; i++)
		world_traffic(&w, i, 1, 1, true);
	world_send(&w);
	some = world_graph(&w, 0, "", "server:redis");
	assert_int_equal(some.node_count, 2);
	assert_true(world_node(&some, "service/redis")->x == 2);
	assert_true(world_node(&some, "service/nginx")->x == 1);
	all = world_graph(&w, 0, "", NULL);
	assert_true(world_node(&all, "process/wrk")->x == 0);
	world_client(&w, 5, CURL, 7, "10.0.0.1", "10.0.0.2", 80);
	world_traffic(&w, 5, 1, 1, true);
	world_send(&w);
	later = world_graph(&w, 0, "", NULL);
	assert_int_equal(later.node_count, 4);
	for (size_t i = 0; i < all.node_count; i++) {
		n = world_node(&later, all.nodes[i].id);
		assert_true(n->x == all.nodes[i].x && n->y == all.nodes[i].y);
	}
	assert_true(world_node(&later, "process/curl")->x == 0);
}

/* Where a name was asked for, it is what the server is called; its addresses stay to be seen. */
static void test_names_of_addresses(void **state)
{
	struct query_graph g;
	const struct query_node *n;

	world_actor(&w, WRK, "wrk", "");
	world_client(&w, 1, WRK, 7, "10.0.0.1", "203.0.113.1", 443);
	world_client(&w, 2, WRK, 7, "10.0.0.1", "203.0.113.2", 443);
	world_client(&w, 3, WRK, 8, "10.0.0.1", "203.0.113.1", 443); /* another namespace */
	world_name(&w, 7, "203.0.113.1", "old.example");
	world_name(&w, 7, "203.0.113.1", "api.example");
	world_name(&w, 7, "203.0.113.2", "api.example");
	for (uint32_t i = 1; i <= 3; i++)
		world_traffic(&w, i, 10, 100, true);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 2);
	assert_int_equal(need(&g, "process/wrk", "external/api.example", 443)
				 ->measures.counter[MR_BYTES_TO_SERVER],
			 20);
	need(&g, "process/wrk", "external/203.0.113.1", 443);
	n = world_node(&g, "external/api.example");
	assert_string_equal(n->name, "api.example");
	assert_string_equal(n->kind, "external");
	assert_int_equal(n->address_count, 2);
	assert_string_equal(n->addresses[0], "203.0.113.1");
	assert_string_equal(n->addresses[1], "203.0.113.2");
	g = world_graph(&w, 0, "", "server:api.example address:203.0.113.2");
	assert_int_equal(g.edge_count, 1);
	g = world_graph(&w, 0, "namespace", NULL);
	assert_non_null(world_node(&g, "external"));
}

static void test_hostile_names_are_refused(void **state)
{
	char longer[400];
	struct query_graph g;

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	world_actor(&w, WRK, "wrk", "");
	world_client(&w, 1, WRK, 7, "10.0.0.1", "203.0.113.1", 443);
	world_name(&w, 7, "203.0.113.1", "e\033[2J");
	world_name(&w, 7, "203.0.113.1", "two words");
	world_name(&w, 7, "203.0.113.1", "");
	world_name(&w, 7, "203.0.113.1", NULL);
	world_name(&w, 7, "203.0.113.1", longer);
	world_traffic(&w, 1, 10, 100, true);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	need(&g, "process/wrk", "external/203.0.113.1", 443);
	assert_int_equal(world_server_lost(&w, "server_refused_dns_names"), 5);
}

static void test_dns_figures(void **state)
{
	struct wire_dns dns = {.counter = {[WIRE_DNS_QUERIES] = 5,
					   [WIRE_DNS_ANSWERS] = 4,
					   [WIRE_DNS_TIMEOUTS] = 1,
					   [WIRE_DNS_NXDOMAIN] = 2}};
	struct query_graph g;
	const struct query_measures *m;

	for (uint32_t i = 1; i <= 4; i++)
		histogram_add(&dns.latency_us, i * 1000);
	world_actor(&w, WRK, "wrk", "");
	world_client(&w, 1, WRK, 7, "10.0.0.1", "203.0.113.1", 53);
	for (int i = 0; i < 3; i++) {
		world_update(&w, 1)->dns = &dns;
		world_send(&w);
	}
	g = world_graph(&w, 0, "", NULL);
	m = &need(&g, "process/wrk", "external/203.0.113.1", 53)->measures;
	assert_int_equal(m->dns.counter[WIRE_DNS_QUERIES], 15);
	assert_int_equal(m->dns.counter[WIRE_DNS_NXDOMAIN], 6);
	assert_int_equal(m->dns.latency_us.count, 12);
	assert_int_equal(m->dns.latency_us.max, 4000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_ends_count_once),
		TEST(test_no_ghost_stays),
		TEST(test_server_end_first),
		TEST(test_listener_names_the_server),
		TEST(test_listener_across_namespaces),
		TEST(test_shared_pair_is_not_split),
		TEST(test_loopback_scope),
		TEST(test_address_used_again),
		TEST(test_gauges_as_of_the_end),
		TEST(test_health),
		TEST(test_translated_keeps_what_was_asked_for),
		TEST(test_coarse_counts_once),
		TEST(test_grouping),
		TEST(test_group_names),
		TEST(test_filter),
		TEST(test_order),
		TEST(test_places),
		TEST(test_names_of_addresses),
		TEST(test_hostile_names_are_refused),
		TEST(test_dns_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
