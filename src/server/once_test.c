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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_two_machines),
		TEST(test_a_listener_of_another_machine),
		TEST(test_loopback_and_docker_on_every_host),
		TEST(test_an_address_of_several_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
