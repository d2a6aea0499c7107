/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: a connection counts once, though two agents on two machines report it, or one of them, or
 * now this one and now that one; and it is never thought to be another that looks alike.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/core.h"
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

/* --- agents that are silent, for a while or for good ------------------------------------------ */

/* One more second of the connection that define_both() began, as both ends see it. */
static void second(uint64_t bytes)
{
	world_update(&web, 1)->counter[MR_BYTES_TO_SERVER] = bytes;
	world_update(&db, 1)->counter[MR_BYTES_TO_SERVER] = bytes;
}

static void begin_both(void)
{
	define_both();
	world_traffic(&web, 1, 100, 0, false);
	world_traffic(&db, 1, 100, 0, false);
	send_both();
}

/* Its window ends now, and nobody hears of it yet. */
static void only_db_tells(uint64_t bytes)
{
	world_update(&db, 1)->counter[MR_BYTES_TO_SERVER] = bytes;
	world_send(&db);
}

/* Nine seconds of 10 bytes each that only the server's agent can tell. */
static void cut_off(void)
{
	for (unsigned int i = 0; i < 9; i++)
		only_db_tells(10);
}

static void test_a_client_cut_off_and_back(void **state)
{
	const struct query_edge *e;
	struct wire_batch *late;
	struct query_graph g;

	begin_both();
	cut_off();
	e = only_edge(&db, &g);
	assert_string_equal(e->client->id, "service/web");
	assert_int_equal(to_server(e), 190);
	assert_int_equal(e->measures.active, 1);
	assert_true(e->provisional);

	/* it is back, with all of it in one window: nothing of what stood in counts any more */
	web.window_ns = 9 * WORLD_SECOND;
	world_update(&web, 1)->counter[MR_BYTES_TO_SERVER] = 90;
	late = world_freeze(&web);
	late->windows = 9;
	assert_int_equal(world_deliver(&web, late), 0);
	wire_batch_free(late);
	web.window_ns = WORLD_SECOND;
	e = only_edge(&db, &g);
	assert_int_equal(to_server(e), 190);
	assert_int_equal(e->server_view->counter[MR_BYTES_TO_SERVER], 190);
	assert_int_equal(e->measures.active, 1);
	assert_false(e->provisional);

	second(5);
	send_both();
	e = only_edge(&db, &g);
	assert_int_equal(to_server(e), 195);
	assert_false(e->provisional);
}

/* A pause shorter than its patience is nothing. */
static void test_a_client_that_is_late(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	begin_both();
	only_db_tells(10);
	only_db_tells(10);
	e = only_edge(&db, &g);
	assert_int_equal(to_server(e), 100); /* of the client's agent it is still to come */
	assert_false(e->provisional);
}

/* It was killed and came back without what it had not told. */
static void test_a_client_killed_and_back(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	begin_both();
	cut_off();
	world_pass(&web, 8);
	world_restart(&web);
	world_actor(&web, 1, "web", "web.service");
	world_client(&web, 1, 1, 100, WEB_ADDRESS, DB_ADDRESS, 5432);
	world_update(&web, 1)->counter[MR_ADOPTED] = 1;
	second(7);
	send_both();
	e = only_edge(&db, &g);
	assert_int_equal(to_server(e), 197);
	assert_int_equal(e->measures.active, 1);
	assert_false(e->provisional);
	assert_int_equal(e->server_view->counter[MR_BYTES_TO_SERVER], 107);
}

static void test_a_client_that_dies_for_good(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	begin_both();
	cut_off();
	world_update(&db, 1)->counter[MR_CLOSED] = 1;
	world_send(&db);
	assert_true(only_edge(&db, &g)->provisional);
	for (unsigned int i = 0; i < 70; i++) {
		db.window_ns = 10 * WORLD_SECOND;
		world_send(&db);
	}
	e = only_edge(&db, &g);
	assert_string_equal(e->client->id, "service/web");
	assert_int_equal(to_server(e), 190);
	assert_int_equal(e->measures.active, 0);
	assert_false(e->provisional);
}

/* History merges its windows, and the seconds before the gap stay apart from those in it. */
static void test_a_gap_outlives_merging(void **state)
{
	struct query_graph g;

	begin_both();
	cut_off();
	world_pass(&web, 8);
	world_restart(&web);
	for (unsigned int i = 0; i < 400; i++)
		send_both();
	assert_int_equal(to_server(only_edge(&db, &g)), 190);
}

/* The server's end reports a moment before the client's: nothing but the edge is ever seen. */
static void test_whoever_comes_first(void **state)
{
	struct query_graph g;

	world_cover(&web, 0, WEB_ADDRESS);
	world_cover(&db, 0, DB_ADDRESS);
	send_both();
	define_both();
	world_traffic(&db, 1, 100, 0, false);
	world_send(&db);
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 0);
	world_traffic(&web, 1, 100, 0, false);
	world_send(&web);
	assert_int_equal(to_server(only_edge(&web, &g)), 100);
}

/* Two of the client's processes use one address; when its agent is silent nobody can say which. */
static void test_two_clients_of_a_silent_agent(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	define_both();
	world_actor(&web, 2, "cron", "cron.service");
	world_client(&web, 2, 2, 100, WEB_ADDRESS, DB_ADDRESS, 5432);
	world_traffic(&web, 1, 60, 0, false);
	world_traffic(&web, 2, 40, 0, false);
	world_traffic(&db, 1, 100, 0, false);
	send_both();
	cut_off();
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 3);
	e = world_edge(&g, "external/" WEB_ADDRESS, "service/postgres", 5432);
	assert_int_equal(to_server(e), 90);
	assert_true(e->provisional);
	assert_int_equal(to_server(world_edge(&g, "service/web", "service/postgres", 5432)), 60);
}

/* A merged window counts, and says nothing of how things are now. */
static void test_a_merged_window_is_not_judged(void **state)
{
	struct query_series_request request = {.step_ns = WORLD_SECOND};
	struct query_series series;
	struct wire_batch *late;
	struct query_graph g;

	begin_both();
	world_update(&web, 1)->counter[MR_FAILED_REFUSED] = 3;
	web.window_ns = 30 * WORLD_SECOND;
	late = world_freeze(&web);
	late->windows = 30;
	assert_int_equal(world_deliver(&web, late), 0);
	wire_batch_free(late);
	only_edge(&web, &g);
	assert_int_equal(g.edges[0].measures.counter[MR_FAILED_REFUSED], 3);
	assert_string_equal(g.edges[0].health, "ok");
	request.range.from_ns = world_wall(&web) - 40 * WORLD_SECOND;
	request.range.to_ns = world_wall(&web);
	assert_int_equal(query_series(web.core, &request, web.arena, &series), 0);
	assert_true(series.merged[39]); /* half a minute in one second: no rate */
	assert_false(series.merged[9]);
}

/* The newest event's words; each second of silence the clock ticks. */
static const char *newest_event(const char *filter)
{
	struct query_events_request request = {.range = {0, UINT64_MAX}, .now_ns = world_wall(&db)};
	struct query_events events;
	struct filter *f = NULL;

	assert_int_equal(filter_parse(&f, filter, NULL), 0);
	request.filter = f;
	assert_int_equal(query_events(db.core, &request, db.arena, &events), 0);
	filter_free(f);
	return events.event_count ? events.events[0].text : "";
}

static const struct query_agent *agent_of(struct query_agents *agents, const char *node)
{
	assert_int_equal(query_agents(db.core, world_wall(&db), db.arena, agents), 0);
	for (size_t i = 0; i < agents->agent_count; i++)
		if (!strcmp(agents->agents[i].node, node))
			return &agents->agents[i];
	fail_msg("no agent %s", node);
	return NULL;
}

static void ticks(unsigned int seconds)
{
	while (seconds--) {
		world_send(&db);
		core_tick(db.core, world_wall(&db));
	}
}

static void test_an_agent_gone_silent_is_an_event(void **state)
{
	struct query_agents agents;
	const struct query_agent *a;
	uint64_t heard_ns;

	web.zone = "eu-1a";
	core_tick(db.core, world_wall(&db));
	for (unsigned int i = 0; i < 20; i++) {
		send_both();
		core_tick(db.core, world_wall(&db));
	}
	assert_string_equal(newest_event(NULL), "the agent of db-1 started");
	heard_ns = world_wall(&web);
	ticks(4);
	assert_string_equal(agent_of(&agents, "web-1")->status, "reporting");
	assert_string_equal(newest_event(NULL), "the agent of db-1 started");
	ticks(3);
	assert_string_equal(newest_event(NULL), "the agent of web-1 fell silent");
	assert_string_equal(newest_event("zone:eu-1a"), "the agent of web-1 fell silent");
	assert_string_equal(newest_event("node:db-1"), "the agent of db-1 started");
	a = agent_of(&agents, "web-1");
	assert_string_equal(a->status, "silent");
	assert_int_equal(a->silent_since_ns, heard_ns);
	assert_string_equal(a->zone, "eu-1a");
	assert_int_equal(agents.completeness.gap_count, 1);
	assert_string_equal(agents.completeness.gaps[0].node, "web-1");
	assert_int_equal(agents.completeness.gaps[0].from_ns, heard_ns);
	assert_int_equal(agents.completeness.agents_expected, 2);
	assert_int_equal(agents.completeness.agents_reporting, 1);
	web.window_ns = 7 * WORLD_SECOND;
	world_send(&web);
	web.window_ns = WORLD_SECOND;
	assert_string_equal(newest_event(NULL), "the agent of web-1 came back");
	ticks(10);
	world_pass(&web, 9);
	world_restart(&web);
	world_send(&web);
	assert_string_equal(newest_event(NULL), "the agent of web-1 started");
	assert_int_equal(agent_of(&agents, "web-1")->silent_since_ns, 0);
	assert_int_equal(agents.completeness.gap_count, 1); /* what the old life had not told */
	ticks(620);
	assert_string_equal(agent_of(&agents, "web-1")->status, "gone");
	assert_int_equal(agents.completeness.agents_expected, 1);
}

/* A server that stood still itself (its machine slept) does not call everybody silent. */
static void test_a_server_that_slept(void **state)
{
	core_tick(db.core, world_wall(&db));
	for (unsigned int i = 0; i < 20; i++) {
		send_both();
		core_tick(db.core, world_wall(&db));
	}
	world_pass(&web, 600);
	world_pass(&db, 600);
	core_tick(db.core, world_wall(&db));
	for (unsigned int i = 0; i < 20; i++) {
		send_both();
		core_tick(db.core, world_wall(&db));
	}
	assert_string_equal(newest_event(NULL), "the agent of db-1 started");
}

/* Machines come and go: a full house has room again when the last trace of one is gone. */
static void test_a_place_for_the_next_machine(void **state)
{
	const struct core_config config = {.agents_max = 2};
	struct query_agents agents;
	struct world next;

	world_done(&db);
	world_done(&web);
	world_init(&web, &config);
	web.node = "web-1";
	world_join(&db, &web, "db-1");
	define_both();
	world_traffic(&web, 1, 100, 0, false);
	world_traffic(&db, 1, 100, 0, false);
	send_both();
	db.core->reporters[0].elsewhere = db.core->reporters[1].elsewhere = true;
	world_join(&next, &db, "web-2");
	assert_int_equal(world_try_send(&next), -ENOSPC);
	db.window_ns = 10 * WORLD_SECOND;
	for (unsigned int i = 0; i < 800; i++) {
		world_send(&db);
		for (unsigned int k = 0; k < 10; k++)
			core_tick(db.core, world_wall(&db) - (9 - k) * WORLD_SECOND);
	}
	next.now_ns = db.now_ns;
	next.sequence = 0;
	world_send(&next);
	assert_string_equal(agent_of(&agents, "web-2")->status, "reporting");
	assert_int_equal(agents.agent_count, 2);
	world_done(&next);
}

/* --- clocks ----------------------------------------------------------------------------------- */

static const struct query_flow *newest_row(struct query_flows *flows)
{
	*flows = world_flows(&db, QUERY_VIEW_ENDS, true);
	assert_true(flows->flow_count > 0);
	return &flows->flows[flows->flow_count - 1];
}

/* Whatever an agent's clock says, only the age of its windows counts. */
static void test_an_agent_an_hour_ahead(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	web.ahead_ns = 3600 * WORLD_SECOND;
	world_pass(&web, 3600);
	web.started_ns += 3600 * WORLD_SECOND;
	begin_both();
	second(10);
	send_both();
	e = only_edge(&db, &g);
	assert_int_equal(to_server(e), 110);
	assert_int_equal(e->server_view->counter[MR_BYTES_TO_SERVER], 110);
	assert_int_equal(e->last_seen_ns, world_wall(&db));
	assert_int_equal(g.completeness.covered_to_ns - g.completeness.covered_from_ns,
			 2 * WORLD_SECOND);
}

/* Its clock jumps by an hour in the middle of a window: that one seems long and is not judged; the
 * next is where it belongs. */
static void test_a_clock_that_steps(void **state)
{
	const struct query_edge *e;
	struct query_graph g;
	struct wire_batch *b;

	begin_both();
	second(10);
	world_update(&web, 1)->counter[MR_FAILED_REFUSED] = 1;
	b = world_freeze(&web);
	b->status.window_ns = WORLD_SECOND;
	web.now_ns += 3600 * WORLD_SECOND;
	web.ahead_ns += 3600 * WORLD_SECOND;
	b->window_end_ns = web.now_ns;
	assert_int_equal(world_deliver(&web, b), 0);
	wire_batch_free(b);
	world_send(&db);
	second(7);
	send_both();
	e = only_edge(&db, &g);
	assert_int_equal(to_server(e), 117);
	assert_int_equal(e->last_seen_ns, world_wall(&db));
	assert_string_equal(e->health, "ok");
}

/* Its machine sleeps for an hour, and so does its clock: it comes back where it left, in time. */
static void test_a_suspended_agent(void **state)
{
	struct query_flows flows;
	struct query_graph g;

	begin_both();
	world_pass(&db, 3599);
	world_send(&db);
	web.ahead_ns -= 3600 * WORLD_SECOND; /* its clock stood still */
	second(10);
	send_both();
	assert_int_equal(to_server(only_edge(&db, &g)), 110);
	assert_int_equal(newest_row(&flows)->time_ns, world_wall(&db));
	assert_true(newest_row(&flows)->window_s < 1.1);
}

/* A batch that was frozen and comes an hour later lies where it was, an hour ago. */
static void test_a_batch_an_hour_late(void **state)
{
	struct query_graph g;
	struct wire_batch *late;
	uint64_t then_ns;

	begin_both();
	second(10);
	late = world_freeze(&web);
	then_ns = world_wall(&web);
	world_send(&db);
	world_pass(&web, 1800);
	world_pass(&db, 1800);
	assert_int_equal(world_deliver(&web, late), 0);
	wire_batch_free(late);
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edges[0].last_seen_ns, then_ns);
	assert_int_equal(to_server(&g.edges[0]), 110);
}

/* --- agents that overlap ---------------------------------------------------------------------- */

/* web-all sees the whole machine, web-1 only one subtree of it: the same sockets. */
static void test_two_agents_that_overlap(void **state)
{
	const struct query_edge *e;
	struct query_graph g;
	struct world all;

	web.cgroup = "/system.slice";
	world_join(&all, &web, "web-all");
	all.boot_id = web.boot_id;
	define_both();
	world_actor(&all, 5, "web", "web.service");
	world_client(&all, 5, 5, 100, WEB_ADDRESS, DB_ADDRESS, 5432);
	world_traffic(&all, 5, 100, 0, false);
	world_traffic(&web, 1, 100, 0, false);
	world_traffic(&db, 1, 100, 0, false);
	world_send(&web);
	world_send(&all);
	world_send(&db);
	e = only_edge(&db, &g);
	assert_int_equal(to_server(e), 100);
	assert_int_equal(e->measures.active, 1);
	assert_int_equal(e->server_view->counter[MR_BYTES_TO_SERVER], 100);
	/* the wider one falls silent, the other stands in */
	for (unsigned int i = 0; i < 9; i++) {
		second(10);
		send_both();
	}
	e = only_edge(&db, &g);
	assert_int_equal(to_server(e), 190);
	assert_true(e->provisional);
	assert_int_equal(e->measures.active, 1);
	world_done(&all);
}

/* --- ends that do not know each other --------------------------------------------------------- */

/* Both clients call the same service on loopback; the server sees one address. */
static void test_two_loopback_clients_behind_one_address(void **state)
{
	struct query_graph g;

	world_actor(&web, 1, "a", "a.service");
	world_actor(&web, 2, "b", "b.service");
	world_actor(&web, 3, "redis", "redis.service");
	for (uint32_t i = 1; i <= 2; i++)
		world_client(&web, i, i, 7, "127.0.0.1", "127.0.0.1", 6379);
	world_server(&web, 3, 3, 7, "127.0.0.1", "127.0.0.1", 6379);
	world_traffic(&web, 1, 60, 0, false);
	world_traffic(&web, 2, 40, 0, false);
	world_traffic(&web, 3, 100, 0, false);
	send_both();
	g = world_graph(&web, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 2);
	assert_int_equal(to_server(world_edge(&g, "service/a", "service/redis", 6379)), 60);
	assert_int_equal(to_server(world_edge(&g, "service/b", "service/redis", 6379)), 40);
	assert_null(g.edges[0].server_view);
	assert_int_equal(total(&web), 100);
}

/* Both agents found the connection open; who listened for it is gone, so its process is not known.
 */
static void test_an_adopted_socket_without_a_listener(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	define_both();
	world_actor(&db, 1, "", "postgres.service");
	world_update(&web, 1)->counter[MR_ADOPTED] = 1;
	world_update(&db, 1)->counter[MR_ADOPTED] = 1;
	send_both();
	second(10);
	send_both();
	e = only_edge(&db, &g);
	assert_string_equal(e->server->id, "service/postgres");
	assert_int_equal(to_server(e), 10);
	assert_int_equal(e->measures.active, 1);
}

/* Two peers on the same port (NTP): both know that the lower address serves. */
static void test_symmetric_udp(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	world_actor(&web, 1, "ntpd", "ntp-a.service");
	world_actor(&db, 1, "ntpd", "ntp-b.service");
	world_server(&web, 1, 1, 100, WEB_ADDRESS, DB_ADDRESS, 123)->transport = WIRE_TRANSPORT_UDP;
	world_client(&db, 1, 1, 200, DB_ADDRESS, WEB_ADDRESS, 123)->transport = WIRE_TRANSPORT_UDP;
	for (unsigned int i = 0; i < 2; i++) {
		struct wire_update *u = world_update(i ? &web : &db, 1);

		u->counter[MR_BYTES_TO_SERVER] = 48;
		u->counter[MR_BYTES_TO_CLIENT] = 96;
	}
	send_both();
	e = only_edge(&db, &g);
	assert_string_equal(e->server->id, "service/ntp-a");
	assert_string_equal(e->client->id, "service/ntp-b");
	assert_int_equal(to_server(e), 48);
	assert_non_null(e->server_view);
}

/* Both ports are bound, and both could be ephemeral: each end thinks that it serves. */
static void test_udp_between_two_bound_ports(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	world_actor(&web, 1, "phone", "phone-a.service");
	world_actor(&db, 1, "phone", "phone-b.service");
	world_server(&web, 1, 1, 100, WEB_ADDRESS, DB_ADDRESS, 50000)->transport =
		WIRE_TRANSPORT_UDP;
	world_server(&db, 1, 1, 200, DB_ADDRESS, WEB_ADDRESS, 40000)->transport =
		WIRE_TRANSPORT_UDP;
	for (unsigned int i = 0; i < 2; i++) {
		struct wire_update *u = world_update(i ? &web : &db, 1);

		u->counter[i ? MR_BYTES_TO_CLIENT : MR_BYTES_TO_SERVER] = 160;
		u->counter[i ? MR_BYTES_TO_SERVER : MR_BYTES_TO_CLIENT] = 320;
	}
	send_both();
	e = only_edge(&db, &g);
	assert_string_equal(e->client->id, "service/phone-a");
	assert_string_equal(e->server->id, "service/phone-b");
	assert_int_equal(e->port, 40000);
	assert_int_equal(to_server(e), 160);
	assert_int_equal(e->measures.counter[MR_BYTES_TO_CLIENT], 320);
	assert_int_equal(total(&db), 160);
}

/* … also on one machine, at one address. */
static void test_udp_between_two_bound_ports_of_one_host(void **state)
{
	struct query_graph g;

	world_actor(&web, 1, "a", "a.service");
	world_actor(&web, 2, "b", "b.service");
	for (uint32_t i = 1; i <= 2; i++) {
		world_server(&web, i, i, 7, "127.0.0.1", "127.0.0.1", (uint16_t)(40000 + i))
			->transport = WIRE_TRANSPORT_UDP;
		world_update(&web, i)->counter[i == 1 ? MR_BYTES_TO_SERVER : MR_BYTES_TO_CLIENT] =
			99;
	}
	send_both();
	assert_int_equal(to_server(only_edge(&web, &g)), 99);
	assert_string_equal(g.edges[0].client->id, "service/b");
	assert_string_equal(g.edges[0].server->id, "service/a");
}

/* --- addresses that are replaced on the way --------------------------------------------------- */

#define BOX_ADDRESS "192.0.2.1"

/* web calls the database through a box without an agent, which puts its own address in. */
static void define_behind_a_box(void)
{
	world_cover(&web, 0, WEB_ADDRESS);
	world_actor(&web, 1, "web", "web.service");
	world_client(&web, 1, 1, 100, WEB_ADDRESS, DB_ADDRESS, 5432);
	world_cover(&db, 0, DB_ADDRESS);
	world_actor(&db, 1, "postgres", "postgres.service");
	world_listener(&db, 1, 200, "0.0.0.0", 5432);
	world_server(&db, 1, 1, 200, DB_ADDRESS, BOX_ADDRESS, 5432);
}

static void test_a_box_without_an_agent(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	define_behind_a_box();
	world_traffic(&web, 1, 1000, 300, false);
	world_traffic(&db, 1, 1000, 300, false);
	send_both();
	second(10);
	send_both();
	e = only_edge(&db, &g);
	assert_string_equal(e->client->id, "service/web");
	assert_string_equal(e->server->id, "service/postgres");
	assert_int_equal(to_server(e), 1010);
	assert_int_equal(e->server_view->counter[MR_BYTES_TO_SERVER], 1010);
	assert_int_equal(e->measures.active, 1);
	assert_int_equal(total(&db), 1010);
}

/* Others come through the same box, and one comes from elsewhere: what is not web's stays. */
static void test_others_behind_the_same_box(void **state)
{
	struct wire_update *u;
	const struct query_edge *e;
	struct query_graph g;

	define_behind_a_box();
	world_server(&db, 2, 1, 200, DB_ADDRESS, "198.51.100.7", 5432);
	world_traffic(&web, 1, 1000, 300, false);
	u = world_traffic(&db, 1, 1700, 400, false);
	u->counter[MR_OPENED] = 3;
	world_traffic(&db, 2, 50, 60, false);
	send_both();
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 3);
	assert_int_equal(to_server(world_edge(&g, "service/web", "service/postgres", 5432)), 1000);
	e = world_edge(&g, "external/" BOX_ADDRESS, "service/postgres", 5432);
	assert_int_equal(to_server(e), 700);
	assert_int_equal(e->measures.counter[MR_BYTES_TO_CLIENT], 100);
	assert_int_equal(e->measures.counter[MR_OPENED], 2);
	assert_int_equal(e->measures.active, 2);
	e = world_edge(&g, "external/198.51.100.7", "service/postgres", 5432);
	assert_int_equal(to_server(e), 50);
	assert_int_equal(total(&db), 1750);
	/* filters and steps see the same */
	g = world_graph(&db, 0, "workload", "client:192.0.2.1");
	assert_int_equal(g.edge_count, 1);
	assert_int_equal(to_server(&g.edges[0]), 700);
}

/* The server's end lags behind, or lost something: nothing negative comes of it. */
static void test_a_box_that_shows_less(void **state)
{
	struct query_graph g;

	define_behind_a_box();
	world_traffic(&web, 1, 1000, 300, false);
	world_traffic(&db, 1, 400, 300, false);
	send_both();
	assert_int_equal(to_server(only_edge(&db, &g)), 1000);
}

/* The client's agent is away: what comes from the box is all there is, and it counts. */
static void test_a_box_in_front_of_a_silent_agent(void **state)
{
	define_behind_a_box();
	world_traffic(&web, 1, 1000, 0, false);
	world_traffic(&db, 1, 1000, 0, false);
	send_both();
	for (unsigned int i = 0; i < 10; i++) {
		world_traffic(&db, 1, 10, 0, true);
		world_send(&db);
	}
	assert_int_equal(total(&db), 1100);
}

/* A container's address becomes its own host's on the way out: the host's agent knows whose it is.
 */
static void test_a_container_behind_its_host(void **state)
{
	const struct query_edge *e;
	struct query_graph g;

	world_cover(&web, 0, WEB_ADDRESS);
	world_actor(&web, 1, "web", "web.service");
	world_client(&web, 1, 1, 300, "172.17.0.2", DB_ADDRESS, 5432);
	world_actor(&db, 1, "postgres", "postgres.service");
	world_server(&db, 1, 1, 200, DB_ADDRESS, WEB_ADDRESS, 5432);
	world_traffic(&web, 1, 1000, 300, false);
	world_traffic(&db, 1, 1000, 300, false);
	send_both();
	e = only_edge(&db, &g);
	assert_string_equal(e->client->id, "service/web");
	assert_int_equal(to_server(e), 1000);
	assert_int_equal(e->server_view->counter[MR_BYTES_TO_SERVER], 1000);
	/* a process of the host itself calls, too: whose view it is nobody can tell */
	world_actor(&web, 2, "cron", "cron.service");
	world_client(&web, 2, 2, 100, WEB_ADDRESS, DB_ADDRESS, 5432);
	world_traffic(&web, 2, 7, 0, false);
	world_traffic(&db, 1, 7, 0, false);
	send_both();
	g = world_graph(&db, 0, "workload", NULL);
	assert_int_equal(g.edge_count, 2);
	assert_null(g.edges[0].server_view);
	assert_null(g.edges[1].server_view);
	assert_int_equal(total(&db), 1007);
}

/* --- what only carries others ----------------------------------------------------------------- */

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
		TEST(test_a_client_cut_off_and_back),
		TEST(test_a_client_that_is_late),
		TEST(test_a_client_killed_and_back),
		TEST(test_a_client_that_dies_for_good),
		TEST(test_a_gap_outlives_merging),
		TEST(test_whoever_comes_first),
		TEST(test_two_clients_of_a_silent_agent),
		TEST(test_a_merged_window_is_not_judged),
		TEST(test_an_agent_gone_silent_is_an_event),
		TEST(test_a_server_that_slept),
		TEST(test_a_place_for_the_next_machine),
		TEST(test_an_agent_an_hour_ahead),
		TEST(test_a_clock_that_steps),
		TEST(test_a_suspended_agent),
		TEST(test_a_batch_an_hour_late),
		TEST(test_two_agents_that_overlap),
		TEST(test_two_loopback_clients_behind_one_address),
		TEST(test_an_adopted_socket_without_a_listener),
		TEST(test_symmetric_udp),
		TEST(test_udp_between_two_bound_ports),
		TEST(test_udp_between_two_bound_ports_of_one_host),
		TEST(test_a_box_without_an_agent),
		TEST(test_others_behind_the_same_box),
		TEST(test_a_box_that_shows_less),
		TEST(test_a_box_in_front_of_a_silent_agent),
		TEST(test_a_container_behind_its_host),
		TEST(test_a_sidecar_of_ones_own),
		TEST(test_a_published_port_is_no_sidecar),
		TEST(test_a_published_port_from_elsewhere),
		TEST(test_inside_and_outside_of_a_tunnel),
		TEST(test_zones),
		TEST(test_an_address_of_a_known_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
