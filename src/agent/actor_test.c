/* SPDX-License-Identifier: Apache-2.0 */
/* Naming against a fake /proc and a fake cgroup tree: who is found, and what it costs in reads. */
#include "agent/actor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/procfs.h"
#include "agent/tree_fake.h"

#define SECOND_NS 1000000000ull
#define TICK_NS   10000000ull
#define ID        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct world {
	struct tree proc, cgroups;
	struct actors *actors;
	struct arena *arena;
};

static void world_init(struct world *w, uint32_t actors_max)
{
	struct actors_config config = {.actors_max = actors_max};

	tree_init(&w->proc);
	tree_init(&w->cgroups);
	config.proc = w->proc.root;
	config.cgroup_root = w->cgroups.root;
	assert_int_equal(actors_new(&w->actors, &config), 0);
	w->arena = arena_new();
}

static void world_done(struct world *w)
{
	actors_free(w->actors);
	arena_free(w->arena);
	tree_done(&w->proc);
	tree_done(&w->cgroups);
}

static uint32_t resolve(struct world *w, uint64_t cgroup, uint32_t tgid, uint64_t start_ticks,
			const char *comm, uint64_t now_ns)
{
	char bytes[16] = "";
	const struct actor_source source = {.cgroup = cgroup,
					    .tgid = tgid,
					    .process_start_ns = start_ticks * TICK_NS + 7000000,
					    .comm = bytes};

	memcpy(bytes, comm, strnlen(comm, sizeof(bytes)));
	return actors_resolve(w->actors, &source, now_ns);
}

/* The definition of a handle, from all that were never asked for before. */
static struct wire_actor defined(struct world *w, uint32_t handle)
{
	struct vector all = vector_init(w->arena, sizeof(struct wire_actor), 0);

	assert_int_equal(actors_define(w->actors, &all), 0);
	for (size_t i = 0; i < all.count; i++)
		if (((struct wire_actor *)vector_at(&all, i))->handle ==
		    actors_number(w->actors, handle))
			return *(struct wire_actor *)vector_at(&all, i);
	fail_msg("handle %u is not defined", handle);
	return (struct wire_actor){0};
}

static void names_a_living_process(void **state)
{
	struct world w;
	struct wire_actor actor;

	world_init(&w, 0);
	tree_mkdir(&w.cgroups, "system.slice/docker-" ID ".scope");
	tree_process(&w.proc, 7, "python3", 500, "0::/system.slice/docker-" ID ".scope\n",
		     "python3|/srv/report.py|secret|");
	actor = defined(&w, resolve(&w, tree_inode(&w.cgroups, "system.slice/docker-" ID ".scope"),
				    7, 500, "python3", 0));
	assert_string_equal(actor.process, "report.py");
	assert_string_equal(actor.container, ID);
	assert_string_equal(actor.unit, "");
	assert_string_equal(actor.cgroup, "/system.slice/docker-" ID ".scope");
	assert_int_equal(actor.pid, 7);
	world_done(&w);
}

static void processes_of_one_name_and_cgroup_are_one(void **state)
{
	struct world w;
	uint64_t a, b;

	world_init(&w, 0);
	tree_mkdir(&w.cgroups, "a.service");
	tree_mkdir(&w.cgroups, "b.service");
	a = tree_inode(&w.cgroups, "a.service");
	b = tree_inode(&w.cgroups, "b.service");
	tree_process(&w.proc, 7, "worker", 1, "0::/a.service\n", "worker|");
	assert_int_equal(resolve(&w, a, 7, 1, "worker", 0), resolve(&w, a, 8, 2, "worker", 0));
	assert_int_not_equal(resolve(&w, a, 7, 1, "worker", 0), resolve(&w, b, 9, 3, "worker", 0));
	assert_int_not_equal(resolve(&w, a, 7, 1, "worker", 0), resolve(&w, a, 7, 1, "other", 0));
	world_done(&w);
}

/* The process has left its cgroup, or it was systemd's socket: the socket's own cgroup counts. */
static void believes_the_socket_not_the_process(void **state)
{
	struct world w;
	struct wire_actor actor;

	world_init(&w, 0);
	tree_mkdir(&w.cgroups, "system.slice/old.service");
	tree_mkdir(&w.cgroups, "system.slice/new.service");
	tree_process(&w.proc, 7, "worker", 1, "0::/system.slice/new.service\n", "worker|");
	actor = defined(&w, resolve(&w, tree_inode(&w.cgroups, "system.slice/old.service"), 7, 1,
				    "worker", 0));
	assert_string_equal(actor.unit, "old.service");
	world_done(&w);
}

static void a_gone_process_keeps_comm_and_cgroup(void **state)
{
	struct world w;
	struct wire_actor actor;

	world_init(&w, 0);
	tree_mkdir(&w.cgroups, "user.slice/job.service");
	actor = defined(&w, resolve(&w, tree_inode(&w.cgroups, "user.slice/job.service"), 7, 1,
				    "python3", 0));
	assert_string_equal(actor.process, "python3");
	assert_string_equal(actor.unit, "job.service");
	world_done(&w);
}

static void a_reused_pid_is_not_misnamed(void **state)
{
	struct world w;
	struct wire_actor actor;

	world_init(&w, 0);
	tree_process(&w.proc, 7, "python3", 900, "0::/x.service\n", "python3|wrong.py|");
	actor = defined(&w, resolve(&w, 0, 7, 500, "python3", 0));
	assert_string_equal(actor.process, "python3");
	assert_string_equal(actor.cgroup, "");
	world_done(&w);
}

/* The same process has become another program since. */
static void an_exec_is_not_misnamed(void **state)
{
	struct world w;
	struct wire_actor actor;

	world_init(&w, 0);
	tree_process(&w.proc, 7, "bash", 500, "0::/\n", "bash|wrong.sh|");
	actor = defined(&w, resolve(&w, 0, 7, 500, "python3", 0));
	assert_string_equal(actor.process, "python3");
	world_done(&w);
}

static void hybrid_hosts_have_systemd_names(void **state)
{
	struct world w;
	struct wire_actor actor;

	world_init(&w, 0);
	tree_process(&w.proc, 7, "nginx", 500, "9:name=systemd:/system.slice/nginx.service\n0::/\n",
		     "nginx|");
	actor = defined(&w, resolve(&w, tree_inode(&w.cgroups, ""), 7, 500, "nginx", 0));
	assert_string_equal(actor.unit, "nginx.service");
	world_done(&w);
}

/* docker and others put their containers into v1 hierarchies only. */
static void hybrid_hosts_have_containers(void **state)
{
	struct world w;
	struct actors_config config = {0};
	struct wire_actor actor;
	uint64_t service;

	world_init(&w, 0);
	tree_mkdir(&w.cgroups, "system.slice/docker.service");
	service = tree_inode(&w.cgroups, "system.slice/docker.service");
	tree_process(&w.proc, 1, "systemd", 1, "1:name=systemd:/init.scope\n0::/init.scope\n", "");
	tree_process(&w.proc, 7, "nginx", 500,
		     "4:memory:/docker/" ID "\n0::/system.slice/docker.service\n", "nginx|");
	tree_process(&w.proc, 8, "dockerd", 500,
		     "4:memory:/system.slice/docker.service\n0::/system.slice/docker.service\n",
		     "");
	actors_free(w.actors);
	config.proc = w.proc.root;
	config.cgroup_root = w.cgroups.root;
	assert_int_equal(actors_new(&w.actors, &config), 0);
	actor = defined(&w, resolve(&w, service, 7, 500, "nginx", 0));
	assert_string_equal(actor.container, ID);
	assert_string_equal(actor.unit, "");
	actor = defined(&w, resolve(&w, service, 8, 500, "dockerd", 0));
	assert_string_equal(actor.container, "");
	assert_string_equal(actor.unit, "docker.service");
	world_done(&w);
}

static void works_without_cgroup_v2(void **state)
{
	struct world w;
	struct actors_config config = {0};
	struct wire_actor actor;

	world_init(&w, 0);
	actors_free(w.actors);
	config.proc = w.proc.root;
	assert_int_equal(actors_new(&w.actors, &config), 0);
	tree_process(&w.proc, 7, "nginx", 500, "0::/system.slice/nginx.service\n", "nginx|");
	actor = defined(&w, resolve(&w, 4711, 7, 500, "nginx", 0));
	assert_string_equal(actor.unit, "nginx.service");
	world_done(&w);
}

/* Names of 15 bytes may be cut, but a comm need not be terminated. */
static void takes_a_full_comm(void **state)
{
	struct world w;
	struct wire_actor actor;

	world_init(&w, 0);
	actor = defined(&w, resolve(&w, 0, 0, 0, "sixteen-bytes-xx", 0));
	assert_string_equal(actor.process, "sixteen-bytes-x");
	world_done(&w);
}

/* Two thousand new processes a second that are gone already: a look at a few, names for all. */
static void a_storm_of_processes_costs_little(void **state)
{
	struct world w;
	uint32_t first;

	world_init(&w, 0);
	first = resolve(&w, 0, 1, 1, "short", 0);
	for (uint32_t i = 2; i < 60000; i++)
		assert_int_equal(resolve(&w, 0, i, i, "short", i * (SECOND_NS / 2000)), first);
	assert_in_range(actors_looks(w.actors), 1, PROCFS_BURST + 30 * PROCFS_RATE);
	world_done(&w);
}

/* A plain name in a known cgroup: nothing in /proc could say more. */
static void a_known_cgroup_needs_no_look(void **state)
{
	struct world w;
	uint64_t cgroup;

	world_init(&w, 0);
	tree_mkdir(&w.cgroups, "a.service");
	cgroup = tree_inode(&w.cgroups, "a.service");
	tree_process(&w.proc, 7, "worker", 1, "0::/a.service\n", "worker|");
	resolve(&w, cgroup, 7, 1, "worker", 0);
	assert_int_equal(actors_looks(w.actors), 1);
	for (uint32_t i = 8; i < 100; i++)
		resolve(&w, cgroup, i, i, "worker", 0);
	assert_int_equal(actors_looks(w.actors), 1);
	world_done(&w);
}

static void bounds_reads_and_makes_up_for_it(void **state)
{
	struct world w;
	uint32_t plain = 0, named;

	world_init(&w, 0);
	for (uint32_t i = 1; i <= PROCFS_BURST; i++)
		resolve(&w, 0, i, 1, "python3", 0);
	tree_process(&w.proc, 5000, "python3", 1, "0::/\n", "python3|late.py|");
	plain = resolve(&w, 0, 5000, 1, "python3", 0);
	assert_string_equal(defined(&w, plain).process, "python3");
	assert_int_equal(resolve(&w, 0, 5000, 1, "python3", SECOND_NS / 2), plain);
	named = resolve(&w, 0, 5000, 1, "python3", SECOND_NS);
	assert_string_equal(defined(&w, named).process, "late.py");
	world_done(&w);
}

static void full_goes_to_other_and_is_counted(void **state)
{
	struct world w;

	world_init(&w, 2);
	assert_int_not_equal(resolve(&w, 0, 0, 0, "a", 0), actors_other(w.actors));
	assert_int_not_equal(resolve(&w, 0, 0, 0, "b", 0), actors_other(w.actors));
	assert_int_equal(resolve(&w, 0, 0, 0, "c", 0), actors_other(w.actors));
	assert_int_equal(actors_lost_full(w.actors), 1);
	assert_string_equal(defined(&w, actors_other(w.actors)).process, "~other");
	world_done(&w);
}

static void forgets_the_idle_unless_held(void **state)
{
	struct world w;
	struct vector retired;
	uint32_t held, idle, next, number;

	world_init(&w, 2);
	retired = vector_init(w.arena, sizeof(uint32_t), 0);
	held = resolve(&w, 0, 0, 0, "held", 0);
	idle = resolve(&w, 0, 0, 0, "idle", 0);
	number = actors_number(w.actors, idle);
	actors_hold(w.actors, held);
	defined(&w, held);
	actors_expire(w.actors, 601 * SECOND_NS);
	assert_int_equal(actors_retire(w.actors, &retired), 0);
	assert_int_equal(actors_retire(w.actors, &retired), 0);
	assert_int_equal(retired.count, 1); /* told once */
	assert_int_equal(*(uint32_t *)vector_at(&retired, 0), number);
	next = resolve(&w, 0, 0, 0, "next", 601 * SECOND_NS);
	assert_int_equal(next, idle); /* its handle is free again … */
	assert_int_not_equal(actors_number(w.actors, next), number); /* … its number is not … */
	assert_string_equal(defined(&w, next).process, "next");      /* … and defined anew */
	assert_int_equal(resolve(&w, 0, 0, 0, "held", 601 * SECOND_NS), held);
	assert_int_equal(resolve(&w, 0, 0, 0, "idle", 601 * SECOND_NS), actors_other(w.actors));
	world_done(&w);
}

/* The example that is shown lives: when it ends, another is shown, or none. */
static void shows_a_living_example(void **state)
{
	struct world w;
	uint32_t handle;

	world_init(&w, 0);
	tree_process(&w.proc, 7, "worker", 1, "0::/\n", "worker|");
	tree_process(&w.proc, 8, "worker", 2, "0::/\n", "worker|");
	handle = resolve(&w, 0, 7, 1, "worker", 0);
	assert_int_equal(resolve(&w, 0, 8, 2, "worker", 0), handle);
	assert_int_equal(defined(&w, handle).pid, 7);
	tree_process_gone(&w.proc, 7);
	actors_expire(w.actors, 61 * SECOND_NS);
	assert_int_equal(defined(&w, handle).pid, 8);
	tree_process_gone(&w.proc, 8);
	actors_expire(w.actors, 122 * SECOND_NS);
	assert_int_equal(defined(&w, handle).pid, 0);
	world_done(&w);
}

static void is_described_whether_defined_or_not(void **state)
{
	struct world w;
	struct vector before, after;
	uint32_t handle;

	world_init(&w, 0);
	before = vector_init(w.arena, sizeof(struct wire_actor), 0);
	after = vector_init(w.arena, sizeof(struct wire_actor), 0);
	handle = resolve(&w, 0, 0, 0, "x", 0);
	assert_int_equal(actors_describe(w.actors, handle, &before), 0);
	assert_string_equal(((struct wire_actor *)vector_at(&before, 0))->process, "x");
	assert_string_equal(defined(&w, handle).process, "x");
	assert_int_equal(actors_describe(w.actors, handle, &after), 0);
	assert_string_equal(((struct wire_actor *)vector_at(&after, 0))->process, "x");
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_a_living_process),
		cmocka_unit_test(processes_of_one_name_and_cgroup_are_one),
		cmocka_unit_test(believes_the_socket_not_the_process),
		cmocka_unit_test(a_gone_process_keeps_comm_and_cgroup),
		cmocka_unit_test(a_reused_pid_is_not_misnamed),
		cmocka_unit_test(an_exec_is_not_misnamed),
		cmocka_unit_test(hybrid_hosts_have_systemd_names),
		cmocka_unit_test(hybrid_hosts_have_containers),
		cmocka_unit_test(works_without_cgroup_v2),
		cmocka_unit_test(takes_a_full_comm),
		cmocka_unit_test(a_storm_of_processes_costs_little),
		cmocka_unit_test(a_known_cgroup_needs_no_look),
		cmocka_unit_test(bounds_reads_and_makes_up_for_it),
		cmocka_unit_test(full_goes_to_other_and_is_counted),
		cmocka_unit_test(forgets_the_idle_unless_held),
		cmocka_unit_test(shows_a_living_example),
		cmocka_unit_test(is_described_whether_defined_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
