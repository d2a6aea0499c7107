/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: what became of processes is told once, in words, under its workload and in its range;
 * what repeats within ten seconds is one row with a count; the list is bounded and says so; rows
 * keep their actors and give them back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/events.h"
#include "server/world_for_test.h"

static struct world w;

static int setup(void **state)
{
	world_init(&w, NULL);
	world_actor(&w, 1, "redis-server", "redis.service");
	world_actor(&w, 2, "postgres", "postgres.service");
	world_actor(&w, 3, "api", "")->container = "abcdef0123456789abcdef";
	return 0;
}

static int teardown(void **state)
{
	world_done(&w);
	return 0;
}

/* In the window at hand. */
static struct wire_event *happens(uint32_t actor, uint8_t kind, uint32_t count)
{
	struct wire_event *e = world_event(&w, actor);

	e->kind = kind;
	e->count = count;
	e->pid = 4000 + actor;
	return e;
}

static struct query_events ask(double seconds, const char *filter)
{
	struct query_events_request request = {
		.range = {world_wall(&w) - (uint64_t)(seconds * WORLD_SECOND), world_wall(&w)},
		.now_ns = world_wall(&w)};
	struct filter *f = NULL;
	struct query_events events;

	if (filter)
		assert_int_equal(filter_parse(&f, filter, NULL), 0);
	request.filter = f;
	assert_int_equal(query_events(w.core, &request, w.arena, &events), 0);
	filter_free(f);
	return events;
}

static void test_words(void **state)
{
	struct wire_event *e;
	struct query_events events;

	happens(1, WIRE_EVENT_STARTED, 1);
	world_send(&w);
	e = happens(1, WIRE_EVENT_KILLED, 1);
	e->code = 9;
	e->oom = true;
	world_send(&w);
	happens(2, WIRE_EVENT_FAILED, 3)->code = 2;
	world_send(&w);
	happens(2, WIRE_EVENT_EXITED, 40)->child = true;
	world_send(&w);
	happens(3, WIRE_EVENT_RESTARTED, 1)->scope = WIRE_EVENT_CONTAINER;
	world_send(&w);
	events = ask(60, NULL);
	assert_int_equal(events.event_count, 5);
	assert_int_equal(events.total, 5);
	assert_string_equal(events.events[0].text, "container abcdef012345 restarted");
	assert_string_equal(events.events[1].text, "40 workers of postgres exited");
	assert_string_equal(events.events[2].text, "postgres exited with code 2, 3 times");
	assert_string_equal(events.events[3].text,
			    "redis-server was killed by signal 9 (SIGKILL), out of memory");
	assert_string_equal(events.events[4].text, "redis-server started");
	assert_string_equal(events.events[3].who.workload, "redis");
	assert_int_equal(events.events[3].who.pid, 4001);
	assert_int_equal(events.events[3].signal, 9);
	assert_int_equal(events.events[2].code, 2);
	assert_int_equal(events.processes.started, 1);
	assert_int_equal(events.processes.exited, 44);
	assert_int_equal(events.processes.failed, 3);
	assert_int_equal(events.processes.killed, 1);
	assert_int_equal(events.processes.oom, 1);
	assert_int_equal(events.containers.restarted, 1);
	assert_int_equal(events.containers.started, 1);
}

static void test_range_and_filter(void **state)
{
	happens(1, WIRE_EVENT_STARTED, 1);
	world_send(&w);
	w.now_ns += 100 * WORLD_SECOND;
	happens(2, WIRE_EVENT_STARTED, 1);
	world_send(&w);
	assert_int_equal(ask(3600, NULL).total, 2);
	assert_int_equal(ask(50, NULL).total, 1);
	assert_int_equal(ask(3600, "redis").total, 1);
	assert_int_equal(ask(3600, "!redis").total, 1);
	assert_int_equal(ask(3600, "process:redis-server").total, 1);
	w.now_ns += 3600 * WORLD_SECOND;
	world_send(&w);
	assert_int_equal(ask(1e6, NULL).total, 0); /* the hour is over */
}

static void test_repeated_is_one_row(void **state)
{
	struct query_events events;

	for (int i = 0; i < 8; i++) { /* a second each */
		happens(1, WIRE_EVENT_RESTARTED, 2);
		happens(1, WIRE_EVENT_FAILED, 1)->code = 1;
		world_send(&w);
	}
	events = ask(60, NULL);
	assert_int_equal(events.total, 2);
	assert_int_equal(events.processes.restarted, 16);
	assert_int_equal(events.processes.failed, 8);
	w.now_ns += 10 * WORLD_SECOND;
	happens(1, WIRE_EVENT_RESTARTED, 1);
	world_send(&w);
	assert_int_equal(ask(60, NULL).total, 3);
}

static void test_node_of_the_graph(void **state)
{
	const struct query_node *node;
	struct query_graph g;

	world_client(&w, 1, 2, 7, "10.0.0.1", "10.0.0.2", 80);
	world_traffic(&w, 1, 10, 0, true);
	happens(2, WIRE_EVENT_KILLED, 1)->code = 11;
	happens(2, WIRE_EVENT_RESTARTED, 1);
	happens(1, WIRE_EVENT_STARTED, 1); /* has no edge: is not in the graph */
	world_send(&w);
	happens(2, WIRE_EVENT_EXITED, 1);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	node = world_node(&g, "service/postgres");
	assert_non_null(node);
	assert_int_equal(node->happenings.processes.killed, 1);
	assert_int_equal(node->happenings.processes.exited, 2);
	assert_int_equal(node->happenings.processes.restarted, 1);
	assert_int_equal(node->happenings.containers.started, 0);
	assert_string_equal(node->happenings.last, "postgres restarted");
	assert_null(world_node(&g, "service/redis"));
}

static void test_nonsense_is_refused(void **state)
{
	happens(1, WIRE_EVENT_KIND_COUNT, 1);
	happens(1, WIRE_EVENT_STARTED, 0);
	happens(1, WIRE_EVENT_STARTED, 1)->scope = WIRE_EVENT_SCOPE_COUNT;
	happens(77, WIRE_EVENT_STARTED, 1);
	happens(1, WIRE_EVENT_STARTED, 1);
	world_send(&w);
	assert_int_equal(ask(60, NULL).total, 1);
	assert_int_equal(world_server_lost(&w, "server_refused_events"), 4);
}

static void test_bound(void **state)
{
	struct actor_table actors;
	struct events e = {0};
	struct event row = {.count = 1};
	bool changed;
	uint32_t i;

	assert_int_equal(actor_table_init(&actors, 4, 64, 1), 0);
	assert_int_equal(actor_table_add(&actors, 0,
					 &(struct wire_actor){.process = "a",
							      .unit = "",
							      .container = "",
							      .pod = "",
							      .cgroup = ""},
					 &row.actor, &changed),
			 0);
	assert_int_equal(events_init(&e, &actors, 10), 0);
	for (i = 0; i < EVENTS_MAX + 3; i++) {
		row.first_ns = row.last_ns = 100 * (uint64_t)i;
		events_add(&e, &row);
	}
	assert_int_equal(events_count(&e), EVENTS_MAX);
	assert_int_equal(e.cut, 3);
	assert_int_equal(e.cut_until_ns, 200);
	assert_int_equal(events_at(&e, 0)->first_ns, 300);
	assert_int_equal(actors.actors[row.actor].references, EVENTS_MAX + 1);
	events_forget(&e, UINT64_MAX);
	assert_int_equal(events_count(&e), 0);
	assert_int_equal(actors.actors[row.actor].references, 1);
	events_done(&e);
	actor_table_done(&actors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_range_and_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repeated_is_one_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_node_of_the_graph, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense_is_refused, setup, teardown),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
