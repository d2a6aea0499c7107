/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: what came in is what comes out, whatever the order; what makes no sense is refused alone
 * and counted; a batch counts once; a restarted agent doubles nothing and leaves nothing open.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/world_for_test.h"

static struct world w;

static void begin(const struct core_config *config)
{
	world_init(&w, config);
	world_actor(&w, 1, "wrk", "user.scope");
	world_actor(&w, 2, "nginx", "nginx.service");
	world_client(&w, 1, 1, 7, "10.0.0.1", "10.0.0.2", 80);
}

static int setup(void **state)
{
	begin(NULL);
	return 0;
}

static int teardown(void **state)
{
	world_done(&w);
	return 0;
}

static uint64_t total(enum mr_counter counter)
{
	struct query_graph g = world_graph(&w, 0, "", NULL);
	uint64_t sum = 0;

	for (size_t i = 0; i < g.edge_count; i++)
		sum += g.edges[i].measures.counter[counter];
	return sum;
}

static int64_t active(void)
{
	struct query_graph g = world_graph(&w, 0, "", NULL);
	int64_t sum = 0;

	for (size_t i = 0; i < g.edge_count; i++)
		sum += g.edges[i].measures.active;
	return sum;
}

static void test_sequence(void **state)
{
	struct query_graph g;

	world_traffic(&w, 1, 10, 0, true);
	world_send(&w);
	w.sequence--; /* the same again */
	world_traffic(&w, 1, 10, 0, true);
	assert_int_equal(world_try_send(&w), -EALREADY);
	assert_int_equal(total(MR_BYTES_TO_SERVER), 10);
	assert_int_equal(world_server_lost(&w, "server_duplicates"), 1);
	w.sequence += 3; /* three never came */
	world_traffic(&w, 1, 5, 0, true);
	world_send(&w);
	assert_int_equal(total(MR_BYTES_TO_SERVER), 15);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(world_lost(&g.completeness, "server_gaps"), 3);
	w.sequence = UINT64_MAX;
	assert_int_equal(world_try_send(&w), -EINVAL);
}

static void test_negative_values(void **state)
{
	world_update(&w, 1)->counter[MR_BYTES_TO_SERVER] = 100;
	world_send(&w);
	world_update(&w, 1)->counter[MR_BYTES_TO_SERVER] = (uint64_t)-30;
	world_send(&w);
	assert_int_equal(total(MR_BYTES_TO_SERVER), 70);
}

static void test_hostile_rows(void **state)
{
	struct wire_update *u;
	struct query_graph g;

	world_client(&w, 2, 99, 7, "10.0.0.1", "10.0.0.2", 80); /* unknown actor */
	world_client(&w, 3, 1, 7, "10.0.0.1", "10.0.0.2", 0);   /* no port */
	world_client(&w, 4, 1, 7, "10.0.0.1", "10.0.0.2", 80)->role = 3;
	world_client(&w, 5, 1, 7, "10.0.0.1", "10.0.0.2", 80)->transport = 18;
	world_listener(&w, 99, 7, "0.0.0.0", 80);
	world_listener(&w, 1, 7, "0.0.0.0", 0);
	for (uint32_t i = 2; i <= 6; i++)
		world_traffic(&w, i, 1000, 0, false);
	world_traffic(&w, UINT32_MAX, 1000, 0, false);
	world_update(&w, 1)->counter[MR_BYTES_TO_SERVER] = UINT64_C(1) << 53;
	world_update(&w, 1)->counter[MR_OPENED] = 0 - (UINT64_C(1) << 53);
	u = world_update(&w, 1);
	wire_histogram(w.batch->arena, &u->rtt_us)->count = 2;
	u->rtt_us->bucket[5] = 1;
	u = world_update(&w, 1);
	wire_histogram(w.batch->arena, &u->connect_us)->sum = 1;
	world_traffic(&w, 1, 10, 20, false); /* the good one */
	world_send(&w);
	assert_int_equal(total(MR_BYTES_TO_SERVER), 10);
	assert_int_equal(total(MR_BYTES_TO_CLIENT), 20);
	assert_int_equal(active(), 1);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(world_lost(&g.completeness, "server_refused_flows"), 4);
	assert_int_equal(world_lost(&g.completeness, "server_refused_updates"), 5 + 1 + 4);
	assert_true(g.completeness.share < 1);
	assert_int_equal(world_server_lost(&w, "server_refused_listeners"), 2);
}

static void test_hostile_batches(void **state)
{
	w.batch->window_start_ns = 5;
	w.now_ns += WORLD_SECOND;
	w.batch->window_end_ns = 4;
	w.batch->sequence = 1;
	w.batch->node = "host-1";
	w.batch->boot_id = "boot-1";
	assert_int_equal(core_ingest(w.core, w.batch, world_wall(&w)), -EINVAL);
	w.batch->window_start_ns = 0;
	w.batch->sequence = 0;
	assert_int_equal(core_ingest(w.core, w.batch, world_wall(&w)), -EINVAL);
	assert_int_equal(world_server_lost(&w, "server_refused_batches"), 2);
	w.batch->sequence = 1;
	w.batch->window_end_ns = UINT64_MAX; /* clocks from nowhere */
	w.batch->sent_ns = 0;
	assert_int_equal(core_ingest(w.core, w.batch, 1), 0);
	w.batch->sequence = 2;
	w.batch->window_end_ns = 0;
	w.batch->sent_ns = UINT64_MAX;
	assert_int_equal(core_ingest(w.core, w.batch, 1), 0);
}

/* As many as a server is told to take, and not one more. */
static void test_too_many_agents(void **state)
{
	const struct core_config config = {.agents_max = 4096};
	char node[32];

	world_done(&w);
	world_init(&w, &config);
	for (unsigned int i = 0; i < 4096; i++) {
		snprintf(node, sizeof(node), "host-%u", i);
		w.node = node;
		w.sequence = 0;
		world_send(&w);
	}
	w.node = "one-more";
	w.sequence = 0;
	assert_int_equal(world_try_send(&w), -ENOSPC);
	assert_int_equal(world_server_lost(&w, "server_refused_agents"), 1);
	w.node = "host-3";
	w.sequence = 1;
	world_send(&w);
}

static void test_hostile_names(void **state)
{
	struct query_graph g;

	world_actor(&w, 3, "\x1b]0;x\x07\xff", "");
	world_client(&w, 3, 3, 7, "10.0.0.1", "10.0.0.2", 80);
	world_traffic(&w, 3, 10, 0, false);
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 1);
	assert_string_equal(g.edges[0].client->name, "\xef\xbf\xbd]0;x\xef\xbf\xbd\xef\xbf\xbd");
	assert_int_equal(g.edges[0].measures.counter[MR_BYTES_TO_SERVER], 10); /* not lost */
	assert_int_equal(g.completeness.loss_count, 0);
	assert_int_equal(world_server_lost(&w, "server_repaired_names"), 1);
}

static void test_restart(void **state)
{
	uint64_t died, reborn;
	struct query_graph g;

	world_traffic(&w, 1, 100, 0, false);
	world_listener(&w, 2, 7, "0.0.0.0", 80);
	world_send(&w);
	assert_int_equal(active(), 1);
	died = w.now_ns;
	w.now_ns += 30 * WORLD_SECOND;
	world_restart(&w);
	reborn = w.now_ns;
	world_traffic(&w, 1, 1000, 0, false); /* its handles mean nothing now */
	world_send(&w);
	assert_int_equal(total(MR_BYTES_TO_SERVER), 100);
	assert_int_equal(active(), 0);

	world_actor(&w, 50, "wrk", "user.scope"); /* the same, under other handles */
	world_client(&w, 60, 50, 7, "10.0.0.1", "10.0.0.2", 80);
	world_update(&w, 60)->counter[MR_ADOPTED] = 1;
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 1);
	assert_int_equal(world_flows(&w, QUERY_VIEW_ENDS, false).flow_count, 1);
	assert_int_equal(active(), 1);
	assert_int_equal(total(MR_BYTES_TO_SERVER), 100);
	world_update(&w, 60)->counter[MR_CLOSED] = 1;
	world_send(&w);
	assert_int_equal(active(), 0);
	w.now_ns = died + WORLD_SECOND;
	assert_int_equal(active(), 1); /* then it was open */
	w.now_ns = reborn + WORLD_SECOND / 2;
	assert_int_equal(active(), 0);

	w.now_ns = reborn + 10 * WORLD_SECOND;
	w.started_ns--; /* a batch of the old life comes late */
	assert_int_equal(world_try_send(&w), -ESTALE);
	assert_int_equal(world_server_lost(&w, "server_stale"), 1);
}

static void test_reboot(void **state)
{
	world_traffic(&w, 1, 100, 0, false);
	world_send(&w);
	w.boot_id = "boot-2";
	w.started_ns = 1; /* the clock began anew */
	w.sequence = 0;
	world_send(&w);
	assert_int_equal(active(), 0);
	assert_int_equal(total(MR_BYTES_TO_SERVER), 100);
}

static void test_handles_used_again(void **state)
{
	struct query_graph g;

	world_traffic(&w, 1, 1, 0, true);
	world_send(&w);
	world_client(&w, 1, 1, 7, "10.0.0.1", "10.0.0.3", 80); /* replaces */
	world_traffic(&w, 1, 2, 0, true);
	world_send(&w);
	world_retire(&w, 1); /* and is gone, after its last update */
	world_traffic(&w, 1, 4, 0, true);
	world_send(&w);
	world_traffic(&w, 1, 100, 0, true);
	world_send(&w);
	world_client(&w, 1, 2, 7, "10.0.0.4", "10.0.0.5", 80);
	world_traffic(&w, 1, 8, 0, true);
	world_send(&w);
	world_client(&w, 1, 2, 7, "10.0.0.4", "10.0.0.6", 80);
	world_traffic(&w, 1, 16, 0, true);
	world_send(&w);
	world_client(&w, 3, 2, 7, "10.0.0.4", "10.0.0.6", 80); /* came and went in one batch */
	world_traffic(&w, 3, 32, 0, true);
	world_retire(&w, 3);
	world_send(&w);
	world_traffic(&w, 3, 1000, 0, true);
	world_send(&w);
	world_retire(&w, 77); /* never there */
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(g.edge_count, 4);
	assert_int_equal(world_edge(&g, "process/wrk", "external/10.0.0.2", 80)
				 ->measures.counter[MR_BYTES_TO_SERVER],
			 1);
	assert_int_equal(world_edge(&g, "process/wrk", "external/10.0.0.3", 80)
				 ->measures.counter[MR_BYTES_TO_SERVER],
			 2 + 4);
	assert_int_equal(world_edge(&g, "service/nginx", "external/10.0.0.5", 80)
				 ->measures.counter[MR_BYTES_TO_SERVER],
			 8);
	assert_int_equal(world_edge(&g, "service/nginx", "external/10.0.0.6", 80)
				 ->measures.counter[MR_BYTES_TO_SERVER],
			 16 + 32);
	assert_int_equal(world_lost(&g.completeness, "server_refused_updates"), 2);
}

/* Detail goes, bytes stay. */
static void test_full_tables(void **state)
{
	const struct core_config config = {.flows_max = 10, .actors_max = 3};
	struct query_graph g;
	char name[32];

	world_done(&w);
	begin(&config);
	for (uint32_t i = 0; i < 15; i++) {
		snprintf(name, sizeof(name), "10.9.0.%u", i + 1);
		world_client(&w, 100 + i, 1, 7, "10.0.0.1", name, 80);
		world_traffic(&w, 100 + i, 1, 0, false);
	}
	for (uint32_t i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		world_actor(&w, 10 + i, name, "");
		world_coarse(&w, 200 + i, 10 + i, MR_ROLE_CLIENT);
		world_traffic(&w, 200 + i, 1000, 0, false);
	}
	world_send(&w);
	assert_int_equal(total(MR_BYTES_TO_SERVER), 15 + 5000);
	assert_int_equal(active(), 20);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(world_lost(&g.completeness, "server_flows_full"), 6);
	assert_int_equal(world_lost(&g.completeness, "server_actors_full"), 4);
	assert_int_equal(world_lost(&g.completeness, "server_refused_updates"), 0);
	assert_int_equal(g.completeness.unresolved_bytes, 6 + 5000);
	assert_true(g.completeness.share == 1);
	assert_int_equal(
		world_edge(&g, "process/wrk", "~other", 0)->measures.counter[MR_BYTES_TO_SERVER],
		6);
	assert_int_equal(
		world_edge(&g, "~other", "~other", 0)->measures.counter[MR_BYTES_TO_SERVER], 4000);
}

/* Flows come and go by the thousand; those that are over make room for new ones. */
static void test_flows_are_forgotten(void **state)
{
	const struct core_config config = {.flows_max = 50,
					   .fine_ns = 5 * WORLD_SECOND,
					   .coarse_window_ns = WORLD_SECOND,
					   .retain_ns = 20 * WORLD_SECOND};
	struct query_agents agents;
	char remote[32];

	world_done(&w);
	begin(&config);
	world_traffic(&w, 1, 1, 0, false); /* stays open, however long ago */
	world_send(&w);
	world_retire(&w, 1);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(remote, sizeof(remote), "10.%u.%u.1", i / 250, i % 250);
		world_client(&w, 2 + i, 1, 7, "10.0.0.1", remote, 80);
		world_traffic(&w, 2 + i, 1, 0, true);
		if (i)
			world_retire(&w, 2 + i - 1);
		world_send(&w);
	}
	assert_int_equal(query_agents(w.core, world_wall(&w), w.arena, &agents), 0);
	assert_in_range(agents.flows, 20, 35);
	assert_int_equal(world_server_lost(&w, "server_flows_full"), 0);
	assert_int_equal(active(), 1);
	assert_in_range(agents.windows, 20, 25);
}

static void test_losses_of_agents(void **state)
{
	struct query_graph g;

	world_traffic(&w, 1, 1, 0, true);
	w.batch->loss[WIRE_LOSS_DROPPED] = 2;
	w.batch->loss[WIRE_LOSS_SLOTS_FULL] = 9;
	w.batch->loss[WIRE_LOSS_LATE_WINDOWS] = 7; /* late is not lost */
	world_send(&w);
	world_traffic(&w, 1, 1, 0, true);
	w.batch->loss[WIRE_LOSS_DROPPED] = 2; /* a sum: nothing new */
	w.batch->loss[WIRE_LOSS_SLOTS_FULL] = 10;
	world_send(&w);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(world_lost(&g.completeness, "dropped"), 2);
	assert_int_equal(world_lost(&g.completeness, "slots_full"), 10);
	assert_int_equal(world_lost(&g.completeness, "late_windows"), 0);
	assert_true(g.completeness.share == 4.0 / 6);
	g = world_graph(&w, 1, "", NULL); /* only the last window */
	assert_int_equal(world_lost(&g.completeness, "dropped"), 0);
	assert_int_equal(world_lost(&g.completeness, "slots_full"), 1);
	assert_true(g.completeness.share == 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sequence),
		TEST(test_negative_values),
		TEST(test_hostile_rows),
		TEST(test_hostile_batches),
		TEST(test_too_many_agents),
		TEST(test_hostile_names),
		TEST(test_restart),
		TEST(test_reboot),
		TEST(test_handles_used_again),
		TEST(test_full_tables),
		TEST(test_flows_are_forgotten),
		TEST(test_losses_of_agents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
