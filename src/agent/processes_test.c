/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: records of the kernel become counted events of the right actor; a restart is what it is
 * called and nothing else is; who was there before the agent has no start; containers end when
 * their cgroup says so.
 */
#include "agent/processes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/containers.h"
#include "agent/event_rows.h"
#include "agent/tree_fake.h"

#define SECOND  1000000000ull
#define STARTED (100 * SECOND) /* the agent */

static struct actors *actors;
static struct processes *processes;
static uint64_t now_ns;

static int setup(void **state)
{
	assert_int_equal(actors_new(&actors, &(struct actors_config){0}), 0);
	assert_int_equal(
		processes_new(&processes, &(struct processes_config){.actors = actors,
								     .started_boot_ns = STARTED}),
		0);
	now_ns = STARTED;
	return 0;
}

static int teardown(void **state)
{
	processes_free(processes);
	actors_free(actors);
	return 0;
}

/* Pids far above any real one, so that /proc has none of them. A second passes. */
static struct mr_process_event record(uint8_t kind, uint32_t tgid, const char *comm)
{
	struct mr_process_event e;

	memset(&e, 0, sizeof(e));
	now_ns += SECOND;
	e.kind = kind;
	e.tgid = e.origin = 0x70000000 + tgid;
	e.start_ns = e.origin_start_ns = STARTED + tgid;
	e.time_ns = e.time_boot_ns = now_ns;
	e.flags = MR_PROCESS_TOLD;
	strcpy(e.comm, comm);
	return e;
}

static void start(uint32_t tgid, const char *comm)
{
	struct mr_process_event e = record(MR_PROCESS_STARTED, tgid, comm);

	processes_see(processes, &e, now_ns);
}

static void end(uint32_t tgid, const char *comm, uint32_t code, uint8_t flags)
{
	struct mr_process_event e = record(MR_PROCESS_EXITED, tgid, comm);

	e.code = code;
	e.flags |= flags;
	processes_see(processes, &e, now_ns);
}

/* A worker of `origin`, of which nothing was told before. */
static void end_worker(uint32_t tgid, uint32_t origin, const char *comm, uint32_t code)
{
	struct mr_process_event e = record(MR_PROCESS_EXITED, tgid, comm);

	e.code = code;
	e.flags = MR_PROCESS_CHILD | MR_PROCESS_LISTENS;
	e.origin = 0x70000000 + origin;
	e.origin_start_ns = STARTED + origin;
	processes_see(processes, &e, now_ns);
}

struct counts {
	uint32_t kind[WIRE_EVENT_KIND_COUNT], workers, oom, rows;
	uint32_t actors_seen;
};

static struct counts take(void)
{
	struct wire_batch *b = wire_batch_new();
	struct counts c = {0};
	uint64_t seen = 0;

	assert_int_equal(processes_report(processes, b, now_ns), 0);
	for (size_t i = 0; i < b->event_count; i++) {
		c.kind[b->events[i].kind] += b->events[i].count;
		c.workers += b->events[i].child ? b->events[i].count : 0;
		c.oom += b->events[i].oom;
		seen |= 1ull << b->events[i].actor;
	}
	c.rows = (uint32_t)b->event_count;
	c.actors_seen = (uint32_t)__builtin_popcountll(seen);
	wire_batch_free(b);
	return c;
}

static void test_life(void **state)
{
	struct counts c;

	start(1, "redis");
	end(1, "redis", 9, MR_PROCESS_LISTENS | MR_PROCESS_OOM);
	start(2, "redis");
	end(2, "redis", 3 << 8, MR_PROCESS_LISTENS);
	start(3, "redis");
	end(3, "redis", 0, MR_PROCESS_LISTENS);
	c = take();
	assert_int_equal(c.kind[WIRE_EVENT_STARTED], 1);
	assert_int_equal(c.kind[WIRE_EVENT_RESTARTED], 2);
	assert_int_equal(c.kind[WIRE_EVENT_KILLED], 1);
	assert_int_equal(c.kind[WIRE_EVENT_FAILED], 1);
	assert_int_equal(c.kind[WIRE_EVENT_EXITED], 1);
	assert_int_equal(c.oom, 1);
	assert_int_equal(c.actors_seen, 1);
	assert_int_equal(take().rows, 0);
	assert_int_equal(processes_records(processes), 6);
}

static void test_clients_do_not_restart(void **state)
{
	for (uint32_t i = 1; i < 5; i++) {
		start(i, "curl");
		end(i, "curl", 7 << 8, 0);
	}
	assert_int_equal(take().kind[WIRE_EVENT_STARTED], 4);
}

/* One end, one restart: a second instance is a start. */
static void test_one_end_is_one_restart(void **state)
{
	struct counts c;

	start(1, "redis");
	end(1, "redis", 9, MR_PROCESS_LISTENS);
	start(2, "redis");
	start(3, "redis");
	c = take();
	assert_int_equal(c.kind[WIRE_EVENT_RESTARTED], 1);
	assert_int_equal(c.kind[WIRE_EVENT_STARTED], 2);
}

static void test_into_the_background(void **state)
{
	struct mr_process_event e;
	struct counts c;

	start(1, "nginx");
	end(1, "nginx", 0, MR_PROCESS_LISTENS | MR_PROCESS_LEAVES_CHILDREN);
	start(2, "nginx"); /* another instance */
	assert_int_equal(take().kind[WIRE_EVENT_RESTARTED], 0);
	end_worker(3, 1, "nginx", 9);
	end_worker(4, 1, "cgi", 0); /* has a name of its own */
	c = take();
	assert_int_equal(c.kind[WIRE_EVENT_STARTED], 2); /* now that they are known */
	assert_int_equal(c.kind[WIRE_EVENT_KILLED], 1);
	assert_int_equal(c.workers, 4);
	assert_int_equal(c.actors_seen, 2);
	start(5, "nginx");
	assert_int_equal(take().kind[WIRE_EVENT_RESTARTED], 0); /* a worker's end is none */
	e = record(MR_PROCESS_EXITED, 6, "nginx"); /* the one in the background: no worker */
	e.flags = MR_PROCESS_LISTENS;
	e.start_ns -= 6;
	processes_see(processes, &e, now_ns);
	start(7, "nginx");
	assert_int_equal(take().kind[WIRE_EVENT_RESTARTED], 1);
}

static void test_trial_is_no_end(void **state)
{
	struct mr_process_event e;

	start(1, "nginx");
	e = record(MR_PROCESS_EXITED, 1, "nginx");
	e.flags |= MR_PROCESS_LISTENS;
	e.time_boot_ns = e.start_ns + SECOND / 2;
	processes_see(processes, &e, now_ns);
	start(2, "nginx");
	assert_int_equal(take().kind[WIRE_EVENT_RESTARTED], 0);
}

static void test_before_the_agent(void **state)
{
	struct mr_process_event e = record(MR_PROCESS_STARTED, 1, "sshd");
	struct counts c;

	e.flags |= MR_PROCESS_ADOPTED;
	processes_see(processes, &e, now_ns);
	e = record(MR_PROCESS_STARTED, 2, "ntpd"); /* its first socket, long after its start */
	e.start_ns = e.origin_start_ns = STARTED - 1;
	processes_see(processes, &e, now_ns);
	assert_int_equal(take().rows, 0);
	end(1, "sshd", 0, MR_PROCESS_ADOPTED | MR_PROCESS_LISTENS);
	c = take();
	assert_int_equal(c.kind[WIRE_EVENT_EXITED], 1);
	assert_int_equal(c.kind[WIRE_EVENT_STARTED], 0);
}

static void test_becomes_another_program(void **state)
{
	struct mr_process_event e;
	struct counts c;

	start(1, "wrapper");
	e = record(MR_PROCESS_EXECED, 1, "server");
	processes_see(processes, &e, now_ns);
	end(1, "server", 0, 0);
	c = take();
	assert_int_equal(c.kind[WIRE_EVENT_STARTED], 1);
	assert_int_equal(c.kind[WIRE_EVENT_EXITED], 1);
	assert_int_equal(c.actors_seen, 2);
}

static void test_rows_are_bounded(void **state)
{
	struct event_rows *t = event_rows_new();
	struct wire_batch *b = wire_batch_new();

	for (uint32_t i = 0; i < EVENT_ROWS_MAX + 5; i++)
		event_rows_add(t, &(struct wire_event){.actor = i, .last_ns = i});
	event_rows_add(t, &(struct wire_event){.actor = 1, .last_ns = 9, .pid = 3});
	assert_int_equal(event_rows_lost(t), 5);
	assert_int_equal(event_rows_report(t, b), 0);
	assert_int_equal(b->event_count, EVENT_ROWS_MAX);
	assert_int_equal(b->events[EVENT_ROWS_MAX - 1].actor, 1); /* the newest */
	assert_int_equal(b->events[EVENT_ROWS_MAX - 1].count, 2);
	assert_int_equal(b->events[EVENT_ROWS_MAX - 1].first_ns, 1);
	assert_int_equal(b->events[EVENT_ROWS_MAX - 1].last_ns, 9);
	wire_batch_free(b);
	event_rows_free(t);
}

/* --- containers ------------------------------------------------------------------------------- */

#define ID   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PATH "/docker/" ID

struct heard {
	uint32_t kind[WIRE_EVENT_KIND_COUNT], total;
	uint8_t code;
};

static void hear(void *userdata, const struct wire_event *event)
{
	struct heard *h = userdata;

	assert_int_equal(event->scope, WIRE_EVENT_CONTAINER);
	h->kind[event->kind]++;
	h->total++;
	h->code = event->code;
}

static void populate(const struct tree *t, bool populated)
{
	const char *text = populated ? "populated 1\nfrozen 0\n" : "populated 0\nfrozen 0\n";

	tree_write(t, "docker/" ID "/cgroup.events", text, strlen(text));
}

static void test_container_lives_on(void **state)
{
	const struct wire_event probe = {.pid = 5},
				main_killed = {.pid = 4, .kind = WIRE_EVENT_KILLED, .code = 9};
	struct containers *c;
	struct heard h = {0};
	struct tree t;

	tree_init(&t);
	tree_mkdir(&t, "docker/" ID);
	populate(&t, true);
	c = containers_new(t.root, NULL);
	containers_enter(c, ID, PATH, &main_killed, false, hear, &h);
	assert_int_equal(h.kind[WIRE_EVENT_STARTED], 1);
	containers_enter(c, ID, PATH, &probe, false, hear, &h);
	containers_leave(c, ID, &probe, 0, SECOND);
	containers_check(c, 100 * SECOND, hear, &h);
	assert_int_equal(h.total, 1); /* its main process is there */
	containers_leave(c, ID, &main_killed, 0, 100 * SECOND);
	containers_check(c, 101 * SECOND, hear, &h);
	assert_int_equal(h.total, 1); /* one without a socket is */
	populate(&t, false);
	containers_check(c, 200 * SECOND, hear, &h);
	assert_int_equal(h.kind[WIRE_EVENT_KILLED], 1);
	assert_int_equal(h.code, 9); /* as its main process did */
	containers_check(c, 300 * SECOND, hear, &h);
	assert_int_equal(h.total, 2);
	containers_enter(c, ID, PATH, &probe, false, hear, &h);
	assert_int_equal(h.kind[WIRE_EVENT_RESTARTED], 1);
	assert_int_equal(h.total, 3);
	containers_free(c);
	tree_done(&t);
}

static void test_container_there_before_then_removed(void **state)
{
	const struct wire_event process = {.pid = 4};
	struct containers *c;
	struct heard h = {0};
	struct tree t;

	tree_init(&t);
	c = containers_new(t.root, NULL);
	containers_enter(c, ID, PATH, &process, true, hear, &h);
	assert_int_equal(h.total, 0);
	containers_leave(c, ID, &(struct wire_event){.pid = 4, .kind = WIRE_EVENT_EXITED}, 0,
			 SECOND);
	containers_check(c, SECOND, hear, &h);
	assert_int_equal(h.total, 0); /* a moment for its cgroup to become empty */
	containers_check(c, 2 * SECOND, hear, &h);
	assert_int_equal(h.kind[WIRE_EVENT_EXITED], 1);
	containers_free(c);
	tree_done(&t);
}

/* Who is forgotten as an actor, or not, by its number among those retired. */
static bool is_retired(uint32_t number)
{
	struct arena *arena = arena_new();
	struct vector retired = vector_init(arena, sizeof(uint32_t), 0);
	bool found = false;

	assert_int_equal(actors_retire(actors, &retired), 0);
	for (size_t i = 0; i < retired.count; i++)
		found |= *(uint32_t *)vector_at(&retired, i) == number;
	arena_free(arena);
	return found;
}

/* Long idle, its actor is known until its end is told. */
static void test_container_end_has_its_actor(void **state)
{
	const struct actor_source source = {.comm = "main"};
	uint32_t actor = actors_resolve(actors, &source, SECOND);
	const struct wire_event main_ended = {.pid = 4, .actor = actors_number(actors, actor)};
	struct arena *arena = arena_new();
	struct vector defined = vector_init(arena, sizeof(struct wire_actor), 0);
	struct containers *c;
	struct heard h = {0};
	struct tree t;

	tree_init(&t);
	tree_mkdir(&t, "docker/" ID);
	populate(&t, true);
	c = containers_new(t.root, actors);
	containers_enter(c, ID, PATH, &main_ended, true, hear, &h);
	containers_leave(c, ID, &main_ended, actor, SECOND);
	assert_int_equal(actors_define(actors, &defined), 0);
	actors_expire(actors, 3600 * SECOND);
	assert_false(is_retired(main_ended.actor));
	populate(&t, false);
	containers_check(c, 3601 * SECOND, hear, &h);
	assert_int_equal(h.total, 1);
	actors_expire(actors, 7200 * SECOND);
	assert_true(is_retired(main_ended.actor));
	containers_free(c);
	tree_done(&t);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clients_do_not_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_end_is_one_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_into_the_background, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trial_is_no_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_before_the_agent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_becomes_another_program, setup, teardown),
		cmocka_unit_test(test_rows_are_bounded),
		cmocka_unit_test(test_container_lives_on),
		cmocka_unit_test(test_container_there_before_then_removed),
		cmocka_unit_test_setup_teardown(test_container_end_has_its_actor, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
