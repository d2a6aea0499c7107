/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: a connection counts once, though two agents on two machines report it, or one of them, or
 * now this one and now that one; and it is never thought to be another that looks alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/world_for_test.h"

#define WEB_ADDRESS "10.0.0.1"
#define DB_ADDRESS  "10.0.0.2"

static struct world web, db; /* two machines: a client's and a server's */

static int set_up(void **state)
{
	world_init(&web, NULL);
	web.node = "web-1";
	world_join(&db, &web, "db-1");
	return 0;
}

static int tear_down(void **state)
{
	world_done(&db);
	world_done(&web);
	return 0;
}

/* web.service calls postgres.service at port 5432: flow 1 at either end. */
static void define_both(void)
{
	world_actor(&web, 1, "web", "web.service");
	world_client(&web, 1, 1, 100, WEB_ADDRESS, DB_ADDRESS, 5432);
	world_actor(&db, 1, "postgres", "postgres.service");
	world_server(&db, 1, 1, 200, DB_ADDRESS, WEB_ADDRESS, 5432);
}

static void send_both(void)
{
	world_send(&web);
	world_send(&db);
}

static const struct query_edge *only_edge(struct world *w, struct query_graph *g)
{
	*g = world_graph(w, 0, "workload", NULL);
	assert_int_equal(g->edge_count, 1);
	return &g->edges[0];
}

static uint64_t to_server(const struct query_edge *e)
{
	return e->measures.counter[MR_BYTES_TO_SERVER];
}

static void test_two_machines(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	define_both();
	world_traffic(&web, 1, 1000, 500, false);
	world_traffic(&db, 1, 1000, 500, false);
	send_both();
	e = only_edge(&db, &g);
	assert_string_equal(e->client->id, "service/web");
	assert_string_equal(e->server->id, "service/postgres");
	assert_int_equal(to_server(e), 1000);
	assert_int_equal(e->measures.counter[MR_OPENED], 1);
	assert_int_equal(e->measures.active, 1);
	assert_non_null(e->server_view);
	assert_int_equal(e->server_view->counter[MR_BYTES_TO_SERVER], 1000);
	assert_int_equal(g.node_count, 2);
}

/* The server's agent has told its listener and addresses, but saw nothing accepted yet. */
static void test_a_listener_of_another_machine(void **state)
{
	struct query_graph g;

	world_actor(&db, 1, "postgres", "postgres.service");
	world_listener(&db, 1, 200, "0.0.0.0", 5432);
	world_cover(&db, 0, DB_ADDRESS);
	world_actor(&web, 1, "web", "web.service");
	world_client(&web, 1, 1, 100, WEB_ADDRESS, DB_ADDRESS, 5432);
	world_update(&web, 1)->counter[MR_FAILED_TIMED_OUT] = 1;
	send_both();
	assert_string_equal(only_edge(&web, &g)->server->id, "service/postgres");
}

/* Addresses that every machine has mean its own only. */
static void test_loopback_and_docker_on_every_host(void **state)
{
	static const char *const servers[] = {"127.0.0.1", "172.17.0.2"};
	static const char *const clients[] = {"127.0.0.1", "172.17.0.3"};
	struct world *const hosts[] = {&web, &db};
	struct query_graph g;

	for (unsigned int h = 0; h < 2; h++) {
		struct world *w = hosts[h];

		world_actor(w, 1, "app", h ? "app-b.service" : "app-a.service");
		world_actor(w, 2, "cache", h ? "cache-b.service" : "cache-a.service");
		for (unsigned int i = 0; i < 2; i++) {
			world_client(w, 1 + i, 1, 7 + 10 * i, clients[i], servers[i], 6379);
			world_server(w, 3 + i, 2, i ? 27 : 7, servers[i], clients[i], 6379);
			world_traffic(w, 1 + i, 100 + h, 1, false);
			world_traffic(w, 3 + i, 100 + h, 1, false);
		}
		world_send(w);
	}
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 2);
	for (unsigned int h = 0; h < 2; h++) {
		const struct query_edge *e =
			world_edge(&g, h ? "service/app-b" : "service/app-a",
				   h ? "service/cache-b" : "service/cache-a", 6379);

		assert_non_null(e);
		assert_int_equal(to_server(e), 2 * (100 + h));
		assert_non_null(e->server_view);
		assert_int_equal(e->server_view->counter[MR_BYTES_TO_SERVER], 2 * (100 + h));
	}
}

/* A third machine calls an address that two others have: nobody can tell whom it means, until only
 * one of them is seen serving there. */
static void test_an_address_of_several_machines(void **state)
{
	struct world other;
	struct query_graph g;

	world_join(&other, &web, "db-2");
	world_cover(&db, 0, "172.17.0.2");
	world_cover(&other, 0, "172.17.0.2");
	world_actor(&db, 1, "nginx", "nginx.service");
	world_listener(&db, 1, 200, "0.0.0.0", 80);
	world_actor(&web, 1, "web", "web.service");
	world_client(&web, 1, 1, 100, WEB_ADDRESS, "172.17.0.2", 80);
	world_traffic(&web, 1, 10, 10, false);
	send_both();
	world_send(&other);
	assert_string_equal(only_edge(&web, &g)->server->id, "external/172.17.0.2");
	world_server(&db, 1, 1, 200, "172.17.0.2", "172.17.0.9", 80);
	world_traffic(&db, 1, 10, 10, false);
	world_send(&db);
	g = world_graph(&db, 0, "workload", NULL);
	assert_non_null(world_edge(&g, "service/web", "service/nginx", 80));
	world_done(&other);
}

/* --- what only carries others ----------------------------------------------------------------- */

/* The sum that is told of everything. */
static uint64_t total(struct world *w)
{
	const struct query_series_request request = {
		.range = {world_wall(w) - 100 * WORLD_SECOND, world_wall(w)},
		.step_ns = 100 * WORLD_SECOND,
		.counters = UINT64_C(1) << MR_BYTES_TO_SERVER,
		.now_ns = world_wall(w)};
	struct query_series s;

	assert_int_equal(query_series(w->core, &request, w->arena, &s), 0);
	return s.lines[0].values[0];
}

/* The application asked for the database, was redirected to the proxy in its own namespace, and the
 * proxy asked for it. The database's own proxy took the connection over and handed it on. */
static void test_a_sidecar_of_ones_own(void **state)
{
	static const uint8_t asked[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
	const struct query_edge *e;
	struct query_graph g;
	struct wire_flow *f;

	world_actor(&web, 1, "web", "web.service");
	world_actor(&web, 2, "proxy", "proxy.service");
	f = world_client(&web, 1, 1, 100, WEB_ADDRESS, "127.0.0.1", 15001);
	f->via_port = 5432;
	memcpy(f->via, asked, 16);
	world_client(&web, 2, 2, 100, WEB_ADDRESS, DB_ADDRESS, 5432);
	world_actor(&db, 1, "postgres", "postgres.service");
	world_actor(&db, 2, "guard", "guard.service");
	f = world_server(&db, 1, 2, 200, DB_ADDRESS, WEB_ADDRESS, 15006);
	f->via_port = 5432;
	memcpy(f->via, asked, 16);
	world_client(&db, 2, 2, 200, "127.0.0.1", "127.0.0.1", 5432);
	world_server(&db, 3, 1, 200, "127.0.0.1", "127.0.0.1", 5432);
	for (uint32_t i = 1; i <= 2; i++)
		world_traffic(&web, i, 1000, 0, false);
	for (uint32_t i = 1; i <= 3; i++)
		world_traffic(&db, i, 1000, 0, false);
	send_both();
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 3);
	e = world_edge(&g, "service/web", "external/127.0.0.1", 15001);
	assert_string_equal(e->carrier, "sidecar");
	assert_string_equal(e->id, "service/web|external/127.0.0.1|tcp/15001|sidecar");
	e = world_edge(&g, "service/proxy", "service/guard", 5432);
	assert_string_equal(e->carrier, "");
	assert_non_null(e->server_view);
	e = world_edge(&g, "service/guard", "service/postgres", 5432);
	assert_string_equal(e->carrier, "sidecar");
	assert_int_equal(total(&db), 1000);
	g = world_graph(&db, 0, "workload", "carrier:none");
	assert_int_equal(g.edge_count, 1);
}

/* A translated address of one's own machine is no sidecar when somebody else's namespace has it. */
static void test_a_published_port_is_no_sidecar(void **state)
{
	static const uint8_t asked[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	struct query_graph g;
	struct wire_flow *f;

	world_actor(&web, 1, "web", "web.service");
	world_actor(&web, 2, "nginx", "nginx.service");
	f = world_client(&web, 1, 1, 100, WEB_ADDRESS, "172.17.0.2", 80);
	f->via_port = 8080;
	memcpy(f->via, asked, 16);
	world_server(&web, 2, 2, 300, "172.17.0.2", WEB_ADDRESS, 80);
	world_traffic(&web, 1, 10, 0, false);
	world_traffic(&web, 2, 10, 0, false);
	world_send(&web);
	assert_string_equal(only_edge(&web, &g)->carrier, "");
}

/* … nor does it count twice when a client of another machine asked for it. */
static void test_a_published_port_from_elsewhere(void **state)
{
	static const uint8_t asked[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
	const struct query_edge *e;
	struct query_graph g;
	struct wire_flow *f;

	world_actor(&web, 1, "web", "web.service");
	world_client(&web, 1, 1, 100, WEB_ADDRESS, DB_ADDRESS, 8080);
	world_actor(&db, 1, "nginx", "nginx.service");
	f = world_server(&db, 1, 1, 300, "172.17.0.2", WEB_ADDRESS, 80);
	f->via_port = 8080;
	memcpy(f->via, asked, 16);
	world_traffic(&web, 1, 10, 0, false);
	world_traffic(&db, 1, 10, 0, false);
	send_both();
	e = only_edge(&db, &g);
	assert_string_equal(e->server->id, "service/nginx");
	assert_int_equal(to_server(e), 10);
	assert_non_null(e->server_view);
}

/* Inside, web calls postgres at addresses of an overlay; outside, the kernels exchange VXLAN. */
static void test_inside_and_outside_of_a_tunnel(void **state)
{
	static const char *const outside[] = {"192.168.1.1", "192.168.1.2"};
	struct world *const hosts[] = {&web, &db};
	const struct query_edge *e;
	struct query_graph g;

	define_both();
	world_traffic(&web, 1, 1000, 0, false);
	world_traffic(&db, 1, 1000, 0, false);
	for (unsigned int h = 0; h < 2; h++) {
		struct wire_actor *a = world_actor(hosts[h], 9, "", "");
		struct wire_flow *f;

		a->pid = 0;
		a->cgroup = "/";
		f = h ? world_server(&db, 9, 9, 1, outside[1], outside[0], 4789)
		      : world_client(&web, 9, 9, 1, outside[0], outside[1], 4789);
		f->transport = WIRE_TRANSPORT_UDP;
		world_update(hosts[h], 9)->counter[MR_BYTES_TO_SERVER] = 1500;
	}
	send_both();
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 2);
	e = world_edge(&g, "process/unknown", "process/unknown", 4789);
	assert_string_equal(e->carrier, "tunnel");
	assert_int_equal(to_server(e), 1500);
	assert_int_equal(total(&db), 1000);
}

/* --- zones ------------------------------------------------------------------------------------ */

static void test_zones(void **state)
{
	struct world third;
	const struct query_edge *e;
	struct query_graph g;

	world_join(&third, &web, "web-2");
	web.zone = "eu-1a";
	db.zone = "eu-1b";
	third.zone = "eu-1b";
	web.region = db.region = third.region = "eu-1";
	define_both();
	world_actor(&third, 1, "web", "web.service");
	world_client(&third, 1, 1, 100, "10.0.0.3", DB_ADDRESS, 5432);
	world_server(&db, 2, 1, 200, DB_ADDRESS, "10.0.0.3", 5432);
	world_traffic(&web, 1, 1000, 0, false);
	world_traffic(&db, 1, 1000, 0, false);
	world_traffic(&third, 1, 30, 0, false);
	world_traffic(&db, 2, 30, 0, false);
	world_send(&third);
	send_both();
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 2);
	e = &g.edges[0];
	assert_string_equal(e->id, "service/web|service/postgres|tcp/5432|eu-1a>eu-1b");
	assert_string_equal(e->class_name, "cross_zone");
	assert_string_equal(e->client_zone, "eu-1a");
	assert_string_equal(e->server_region, "eu-1");
	assert_int_equal(to_server(e), 1000);
	assert_non_null(e->server_view);
	e = &g.edges[1];
	assert_string_equal(e->class_name, "same_zone");
	assert_int_equal(e->client->zone_count, 2);
	assert_string_equal(e->client->zones[0], "eu-1a");
	assert_string_equal(e->client->nodes[1], "web-2");
	g = world_graph(&db, 0, "zone", NULL);
	assert_non_null(world_edge(&g, "zone/eu-1a", "zone/eu-1b", 5432));
	assert_non_null(world_edge(&g, "zone/eu-1b", "zone/eu-1b", 5432));
	g = world_graph(&db, 0, "region", NULL);
	assert_int_equal(g.node_count, 1);
	g = world_graph(&db, 0, "node", "class:cross_zone");
	assert_int_equal(g.edge_count, 1);
	assert_non_null(world_edge(&g, "node/web-1", "node/db-1", 5432));
	g = world_graph(&db, 0, "workload", "node:web-2");
	assert_int_equal(g.edge_count, 1);
	world_done(&third);
}

/* Who calls is not known, but whose address it is. */
static void test_an_address_of_a_known_machine(void **state)
{
	struct query_graph g;

	web.zone = "eu-1a";
	db.zone = "eu-1b";
	world_cover(&web, 0, WEB_ADDRESS);
	world_send(&web);
	world_actor(&db, 1, "postgres", "postgres.service");
	world_server(&db, 1, 1, 200, DB_ADDRESS, WEB_ADDRESS, 5432);
	world_traffic(&db, 1, 1000, 500, false);
	world_send(&db);
	world_send(&web);
	g = world_graph(&db, 0, "zone", NULL);
	assert_non_null(world_edge(&g, "zone/eu-1a", "zone/eu-1b", 5432));
	assert_string_equal(only_edge(&db, &g)->class_name, "cross_zone");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_two_machines),
		TEST(test_a_listener_of_another_machine),
		TEST(test_loopback_and_docker_on_every_host),
		TEST(test_an_address_of_several_machines),
		TEST(test_a_sidecar_of_ones_own),
		TEST(test_a_published_port_is_no_sidecar),
		TEST(test_a_published_port_from_elsewhere),
		TEST(test_inside_and_outside_of_a_tunnel),
		TEST(test_zones),
		TEST(test_an_address_of_a_known_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
