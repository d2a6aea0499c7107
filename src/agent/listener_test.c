/* SPDX-License-Identifier: Apache-2.0 */
/* Which listener an accepted socket belongs to, and when the set is reported. */
#include "agent/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/probe_fake.h"

#define SECOND_NS 1000000000ull

static const uint8_t any6[16], any4[16] = {[10] = 0xff, [11] = 0xff};
static const uint8_t host4[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
static const uint8_t host6[16] = {[0] = 0xfd, [15] = 1};

struct world {
	struct probe *probe;
	struct actors *actors;
	struct listeners *listeners;
	struct wire_batch *batch;
};

static void world_init(struct world *w)
{
	assert_int_equal(probe_open(&w->probe, &(struct probe_config){0}, NULL), 0);
	assert_int_equal(actors_new(&w->actors, &(struct actors_config){0}), 0);
	assert_int_equal(listeners_new(&w->listeners, w->actors), 0);
	w->batch = wire_batch_new();
}

static void world_done(struct world *w)
{
	wire_batch_free(w->batch);
	listeners_free(w->listeners);
	actors_free(w->actors);
	probe_free(w->probe);
}

/* A process of its own listens; its start lies in no past of this machine, so /proc does not
 * matter. */
static void listen_at(struct world *w, const uint8_t *address, uint16_t port, uint64_t cgroup,
		      const char *comm)
{
	struct mr_listener *l = &w->probe->listeners[w->probe->listener_count++];

	memset(l, 0, sizeof(*l));
	memcpy(l->address, address, 16);
	memcpy(l->comm, comm, strlen(comm));
	l->port = port;
	l->cgroup = cgroup;
	l->netns = 1;
	l->tgid = (uint32_t)(4000000000u + w->probe->listener_count);
	l->process_start_ns = UINT64_MAX / 2;
	w->probe->stats.listeners_version++;
}

static void refresh(struct world *w, uint64_t now_ns)
{
	assert_int_equal(listeners_refresh(w->listeners, w->probe,
					   w->probe->stats.listeners_version, now_ns),
			 0);
}

static struct mr_flow_key accepted(const uint8_t *local, uint16_t port, uint64_t cgroup)
{
	struct mr_flow_key key;

	memset(&key, 0, sizeof(key));
	memcpy(key.local, local, 16);
	key.role = MR_ROLE_SERVER;
	key.port = port;
	key.cgroup = cgroup;
	key.netns = 1;
	return key;
}

static const char *who(struct world *w, const uint8_t *local, uint16_t port, uint64_t cgroup)
{
	struct mr_flow_key key = accepted(local, port, cgroup);
	uint32_t handle = listeners_find(w->listeners, &key);
	struct vector all = vector_init(w->batch->arena, sizeof(struct wire_actor), 0);

	if (!handle)
		return "nobody";
	assert_int_equal(actors_describe(w->actors, handle, &all), 0);
	return ((struct wire_actor *)vector_at(&all, 0))->process;
}

static void the_exact_address_comes_first(void **state)
{
	struct world w;

	world_init(&w);
	listen_at(&w, host4, 80, 5, "exact");
	listen_at(&w, any4, 80, 5, "any4");
	listen_at(&w, any6, 80, 5, "any6");
	listen_at(&w, any6, 81, 5, "dual");
	listen_at(&w, any4, 82, 5, "only4");
	refresh(&w, 0);
	assert_string_equal(who(&w, host4, 80, 5), "exact");
	assert_string_equal(who(&w, (const uint8_t[16]){[10] = 0xff, [11] = 0xff, [12] = 9}, 80, 5),
			    "any4");
	assert_string_equal(who(&w, host6, 80, 5), "any6");
	assert_string_equal(who(&w, host4, 81, 5), "dual");
	assert_string_equal(who(&w, host6, 81, 5), "dual");
	assert_string_equal(who(&w, host6, 82, 5), "nobody");
	assert_string_equal(who(&w, host4, 83, 5), "nobody");
	world_done(&w);
}

/* Two processes of one name are one actor: each socket still has its own listener's pid. */
static void tells_processes_of_one_name_apart(void **state)
{
	struct mr_flow_key first = accepted(host4, 80, 5), second = accepted(host4, 81, 5);
	struct world w;

	world_init(&w);
	listen_at(&w, host4, 80, 5, "twin");
	listen_at(&w, host4, 81, 5, "twin");
	refresh(&w, 0);
	assert_int_equal(listeners_find(w.listeners, &first), listeners_find(w.listeners, &second));
	assert_int_equal(listeners_pid(w.listeners, &first), 4000000001u);
	assert_int_equal(listeners_pid(w.listeners, &second), 4000000002u);
	w.probe->listeners[0].closed = 1;
	w.probe->stats.listeners_version++;
	refresh(&w, SECOND_NS);
	assert_int_equal(listeners_pid(w.listeners, &first), 0);
	world_done(&w);
}

static void the_same_cgroup_comes_before_others(void **state)
{
	struct world w;

	world_init(&w);
	listen_at(&w, any4, 80, 5, "five");
	listen_at(&w, any4, 80, 6, "six");
	refresh(&w, 0);
	assert_string_equal(who(&w, host4, 80, 5), "five");
	assert_string_equal(who(&w, host4, 80, 6), "six");
	assert_string_equal(who(&w, host4, 80, 7), "five"); /* the first will do */
	world_done(&w);
}

static void another_namespace_is_another_place(void **state)
{
	struct mr_flow_key key = accepted(host4, 80, 5);
	struct world w;

	world_init(&w);
	listen_at(&w, any4, 80, 5, "here");
	refresh(&w, 0);
	assert_int_not_equal(listeners_find(w.listeners, &key), 0);
	key.netns = 2;
	assert_int_equal(listeners_find(w.listeners, &key), 0);
	world_done(&w);
}

static void a_known_process_stands_for_unknown_ones(void **state)
{
	struct world w;

	world_init(&w);
	listen_at(&w, any4, 80, 5, "");
	w.probe->listeners[0].tgid = 0;
	listen_at(&w, any4, 80, 5, "known");
	refresh(&w, 0);
	assert_string_equal(who(&w, host4, 80, 5), "known");
	world_done(&w);
}

static void the_gone_keep_their_name_for_a_minute(void **state)
{
	struct world w;

	world_init(&w);
	listen_at(&w, any4, 80, 5, "short");
	refresh(&w, 0);
	w.probe->listener_count = 0;
	refresh(&w, 10 * SECOND_NS);
	assert_string_equal(who(&w, host4, 80, 5), "short");
	assert_int_equal(listeners_count(w.listeners), 0);
	refresh(&w, 61 * SECOND_NS);
	assert_string_equal(who(&w, host4, 80, 5), "nobody");
	world_done(&w);
}

static void a_new_one_takes_the_place(void **state)
{
	struct world w;

	world_init(&w);
	listen_at(&w, any4, 80, 5, "old");
	refresh(&w, 0);
	w.probe->listener_count = 0;
	listen_at(&w, any4, 80, 5, "new");
	refresh(&w, SECOND_NS);
	assert_string_equal(who(&w, host4, 80, 5), "new");
	world_done(&w);
}

/* It came and went within one window: what it accepted has its name, and no list has it. */
static void one_that_closed_names_what_it_accepted(void **state)
{
	struct world w;

	world_init(&w);
	listen_at(&w, any4, 80, 5, "brief");
	w.probe->listeners[0].closed = 1;
	refresh(&w, 0);
	assert_string_equal(who(&w, host4, 80, 5), "brief");
	assert_int_equal(listeners_count(w.listeners), 0);
	listen_at(&w, any4, 80, 5, "successor");
	refresh(&w, SECOND_NS);
	assert_string_equal(who(&w, host4, 80, 5), "successor");
	world_done(&w);
}

static bool reports(struct world *w)
{
	wire_batch_free(w->batch);
	w->batch = wire_batch_new();
	assert_int_equal(listeners_report(w->listeners, w->batch), 0);
	return w->batch->listeners_changed;
}

static void reports_only_changes(void **state)
{
	struct world w;

	world_init(&w);
	assert_true(reports(&w)); /* none is news too, the first time */
	listen_at(&w, any4, 80, 5, "x");
	refresh(&w, 0);
	assert_true(reports(&w));
	assert_int_equal(w.batch->listener_count, 1);
	assert_int_equal(w.batch->listeners[0].port, 80);
	refresh(&w, 0);
	assert_false(reports(&w));
	w.probe->listeners[0].queue = 3;
	refresh(&w, SECOND_NS);
	assert_false(reports(&w)); /* not read again so soon */
	assert_int_equal(w.probe->listener_reads, 1);
	refresh(&w, 10 * SECOND_NS);
	assert_true(reports(&w));
	assert_int_equal(w.batch->listeners[0].queue, 3);
	refresh(&w, 20 * SECOND_NS);
	assert_false(reports(&w));
	w.probe->listener_count = 0;
	refresh(&w, 30 * SECOND_NS);
	assert_true(reports(&w));
	assert_int_equal(w.batch->listener_count, 0);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exact_address_comes_first),
		cmocka_unit_test(tells_processes_of_one_name_apart),
		cmocka_unit_test(the_same_cgroup_comes_before_others),
		cmocka_unit_test(another_namespace_is_another_place),
		cmocka_unit_test(a_known_process_stands_for_unknown_ones),
		cmocka_unit_test(the_gone_keep_their_name_for_a_minute),
		cmocka_unit_test(a_new_one_takes_the_place),
		cmocka_unit_test(one_that_closed_names_what_it_accepted),
		cmocka_unit_test(reports_only_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
