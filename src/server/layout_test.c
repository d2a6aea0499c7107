/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: no two nodes have one cell; a node that has an edge never moves because others come, go
 * or are filtered away; clients stand left of servers; the same questions give the same map
 * whatever the seed; the bound holds and forgets the longest unseen; thousands of nodes take
 * milliseconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/layout.h"

#define NODES_MAX 4096
#define EDGES_MAX 16384

/* A graph that grows; nodes are named by number. */
struct net {
	struct layout *layout;
	struct arena *arena;
	const char *ids[NODES_MAX];
	struct adjacency_edge edges[EDGES_MAX];
	struct arrange_cell cells[NODES_MAX];
	struct layout_graph graph;
	uint64_t random;
};

static struct net net;

static void net_begin(uint32_t nodes_max, uint64_t seed)
{
	memset(&net, 0, sizeof(net));
	net.arena = arena_new();
	assert_non_null(net.arena);
	assert_int_equal(layout_new(&net.layout, nodes_max, seed), 0);
	net.graph = (struct layout_graph){.group = "workload", .ids = net.ids, .edges = net.edges};
	net.random = 1;
}

static int setup(void **state)
{
	net_begin(NODES_MAX, 7);
	return 0;
}

static int teardown(void **state)
{
	layout_free(net.layout);
	arena_free(net.arena);
	return 0;
}

static void grow(uint32_t count)
{
	char id[32];

	assert_true(count <= NODES_MAX);
	while (net.graph.node_count < count) {
		snprintf(id, sizeof(id), "process/n%05u", net.graph.node_count);
		net.ids[net.graph.node_count] = arena_strdup(net.arena, id);
		assert_non_null(net.ids[net.graph.node_count++]);
	}
}

static void edge(uint32_t client, uint32_t server)
{
	assert_true(net.graph.edge_count < EDGES_MAX);
	grow((client > server ? client : server) + 1);
	net.edges[net.graph.edge_count++] = (struct adjacency_edge){client, server};
}

static uint32_t random_below(uint32_t n)
{
	net.random = net.random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(net.random >> 33) % n;
}

/* A few hubs, many leaves, some cycles. */
static void grow_randomly(uint32_t nodes, uint32_t edges)
{
	uint32_t before = net.graph.node_count;

	grow(nodes);
	for (uint32_t i = before; i < nodes; i++)
		edge(i, (i + 1 + random_below(nodes - 1)) % nodes);
	for (uint32_t i = nodes - before; i < edges; i++) {
		uint32_t client = before + random_below(nodes - before);
		uint32_t server = random_below(4) ? random_below(nodes) : random_below(8);

		edge(client, server % nodes);
	}
}

static void place(void)
{
	assert_int_equal(layout_place(net.layout, &net.graph, net.arena, net.cells), 0);
}

static int by_cell(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct arrange_cell));
}

static void assert_cells_differ(void)
{
	static struct arrange_cell sorted[NODES_MAX];

	memcpy(sorted, net.cells, sizeof(sorted));
	qsort(sorted, net.graph.node_count, sizeof(*sorted), by_cell);
	for (uint32_t i = 1; i < net.graph.node_count; i++)
		if (!by_cell(&sorted[i - 1], &sorted[i]))
			fail_msg("two nodes at %d, %d", sorted[i].x, sorted[i].y);
}

static void place_and_check(void)
{
	place();
	assert_cells_differ();
}

static void assert_left_of(uint32_t client, uint32_t server)
{
	if (net.cells[client].x >= net.cells[server].x)
		fail_msg("%s at column %d is not left of %s at %d", net.ids[client],
			 net.cells[client].x, net.ids[server], net.cells[server].x);
}

static void assert_unmoved(const struct arrange_cell *before, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (by_cell(&before[i], &net.cells[i]))
			fail_msg("%s moved from %d, %d to %d, %d", net.ids[i], before[i].x,
				 before[i].y, net.cells[i].x, net.cells[i].y);
}

/* --- the first look -----------------------------------------------------------------------------
 */

static void test_chain_is_straight(void **state)
{
	for (uint32_t i = 0; i < 9; i++)
		edge(9 - i, 8 - i);
	place_and_check();
	for (uint32_t i = 0; i < 9; i++) {
		assert_int_equal(net.cells[i].x, net.cells[i + 1].x + 1);
		assert_int_equal(net.cells[i].y, net.cells[i + 1].y);
	}
}

static void test_layers_are_ordered(void **state)
{
	for (uint32_t i = 0; i < 600; i++) { /* no cycles: clients have the lower number */
		uint32_t client = random_below(199);

		edge(client, client + 1 + random_below(199 - client));
	}
	/* so many layers may become fewer columns, but never in another order */
	place_and_check();
	for (size_t i = 0; i < net.graph.edge_count; i++)
		assert_true(net.cells[net.edges[i].client].x <= net.cells[net.edges[i].server].x);

	teardown(state);
	setup(state);
	for (uint32_t i = 0; i < 300; i++) { /* four tiers */
		uint32_t tier = random_below(3);

		edge(tier * 30 + random_below(30), tier * 30 + 30 + random_below(30));
	}
	place_and_check();
	for (size_t i = 0; i < net.graph.edge_count; i++)
		assert_left_of(net.edges[i].client, net.edges[i].server);
}

static void test_few_crossings(void **state)
{
	uint32_t crossings = 0;

	for (uint32_t i = 0; i < 12; i++) /* twelve pairs with a common client, badly numbered */
		edge(1 + i, 13 + i * 5 % 12);
	for (uint32_t i = 0; i < 12; i++)
		edge(0, 1 + i);
	place_and_check();
	for (uint32_t i = 0; i < 12; i++)
		for (uint32_t k = 0; k < i; k++) {
			const struct adjacency_edge *a = &net.edges[i], *b = &net.edges[k];

			crossings += net.cells[a->client].x == net.cells[b->client].x &&
				     (net.cells[a->client].y < net.cells[b->client].y) !=
					     (net.cells[a->server].y < net.cells[b->server].y);
		}
	assert_int_equal(crossings, 0);
}

static void test_client_stands_next_to_its_server(void **state)
{
	for (uint32_t i = 0; i < 5; i++)
		edge(i, i + 1);
	edge(6, 5); /* a second client of the last server has no reason to stand far left */
	place_and_check();
	assert_int_equal(net.cells[6].x, net.cells[5].x - 1);
}

static void test_hub_is_wrapped(void **state)
{
	int32_t low = INT32_MAX, high = INT32_MIN, left = 0;

	for (uint32_t i = 1; i <= 200; i++)
		edge(i, 0);
	place_and_check();
	for (uint32_t i = 1; i <= 200; i++) {
		assert_left_of(i, 0);
		low = net.cells[i].y < low ? net.cells[i].y : low;
		high = net.cells[i].y > high ? net.cells[i].y : high;
		left = net.cells[0].x - net.cells[i].x > left ? net.cells[0].x - net.cells[i].x
							      : left;
	}
	assert_in_range(high - low + 1, 10, 25);
	assert_in_range(left, 8, 20);
	assert_in_range(net.cells[0].y, low + 3, high - 3); /* the hub in the middle */
}

static void test_cycles_and_self_edges(void **state)
{
	edge(0, 0);
	edge(1, 2);
	edge(2, 1);
	for (uint32_t i = 3; i < 8; i++)
		edge(i, i == 7 ? 3 : i + 1);
	edge(2, 2);
	place_and_check();
	assert_int_not_equal(net.cells[1].x, net.cells[2].x);
	assert_int_not_equal(net.cells[3].x, net.cells[4].x);
}

static void test_strangers_stand_apart(void **state)
{
	for (uint32_t i = 0; i < 10; i++)
		edge(i, i + 1);
	for (uint32_t i = 20; i < 25; i++)
		edge(i, i + 1);
	grow(60); /* and many alone */
	place_and_check();
	for (uint32_t i = 26; i < 60; i++)
		for (uint32_t k = 0; k < 11; k++)
			assert_true(net.cells[i].y > net.cells[k].y + 1);
}

static void test_shape_fits_a_screen(void **state)
{
	int32_t width = 0, height = 0;

	grow_randomly(300, 1500);
	place_and_check();
	for (uint32_t i = 0; i < 300; i++) {
		assert_true(net.cells[i].x >= 0 && net.cells[i].y >= 0);
		width = net.cells[i].x + 1 > width ? net.cells[i].x + 1 : width;
		height = net.cells[i].y + 1 > height ? net.cells[i].y + 1 : height;
	}
	print_message("300 nodes, 1,500 edges: %d x %d cells\n", width, height);
	assert_in_range(width, 12, 30);
	assert_in_range(height, 8, 26);
}

/* --- later --------------------------------------------------------------------------------------
 */

static void test_nobody_moves(void **state)
{
	static struct arrange_cell before[NODES_MAX];
	uint32_t known = 40;

	grow_randomly(known, 80);
	place_and_check();
	while (known < 1500) {
		uint32_t next = known + 1 + random_below(known);

		next = next > 1500 ? 1500 : next;
		memcpy(before, net.cells, sizeof(before));
		grow_randomly(next, (next - known) * 3);
		place_and_check();
		assert_unmoved(before, known);
		known = next;
	}
	assert_int_equal(layout_count(net.layout), known);
}

static void test_filter_and_order_move_nobody(void **state)
{
	struct arrange_cell before[50];
	struct layout_graph some;

	grow_randomly(50, 100);
	place();
	memcpy(before, net.cells, sizeof(before));
	some = net.graph;
	some.ids += 20;
	some.node_count = 10;
	some.edge_count = 0; /* as if a filter had cut them */
	assert_true(layout_knows(net.layout, &some));
	assert_int_equal(layout_place(net.layout, &some, net.arena, net.cells), 0);
	assert_memory_equal(net.cells, before + 20, 10 * sizeof(*before));
	net.graph.edge_count = 30; /* edges go out of the range */
	place();
	assert_unmoved(before, 50);
}

static void test_newcomers_stand_next_to_their_neighbours(void **state)
{
	for (uint32_t i = 0; i < 3; i++)
		edge(i, i + 1);
	place();
	edge(4, 3);
	edge(2, 5);
	edge(1, 6);
	edge(6, 3);
	edge(7, 8); /* a pair of strangers */
	edge(8, 9);
	edge(9, 10);
	edge(10, 4); /* known by three steps */
	place_and_check();
	assert_int_equal(net.cells[4].x, net.cells[3].x - 1);
	assert_int_equal(net.cells[5].x, net.cells[2].x + 1);
	assert_int_equal(net.cells[6].x, net.cells[2].x);
	assert_in_range(net.cells[4].y + 3, 1, 5);
	assert_in_range(net.cells[5].y + 3, 1, 5);
	assert_in_range(net.cells[6].y + 3, 1, 5);
	for (uint32_t i = 7; i < 10; i++)
		assert_left_of(i, i + 1);
	assert_left_of(10, 4);
}

static void test_strangers_come_below(void **state)
{
	int32_t lowest = 0;

	for (uint32_t i = 0; i < 20; i++)
		edge(i, i / 2);
	place();
	for (uint32_t i = 0; i < 20; i++)
		lowest = net.cells[i].y > lowest ? net.cells[i].y : lowest;
	for (uint32_t i = 20; i < 30; i++) { /* one in each question */
		grow(i + 1);
		place_and_check();
		assert_true(net.cells[i].y > lowest);
	}
	assert_int_equal(net.cells[21].y, net.cells[20].y); /* they share a row */
}

/* Who listens is seen before anybody calls: that must not decide how the map looks. */
static void test_nodes_without_edges_wait(void **state)
{
	struct arrange_cell before[12];
	struct layout_graph some;

	grow(12);
	place_and_check();
	for (uint32_t i = 0; i < 10; i++)
		edge(i * 3 % 10, (i + 1) * 3 % 10);
	net.graph.edge_count = 9; /* a chain */
	some = net.graph;
	assert_false(layout_knows(net.layout, &some));
	memcpy(before, net.cells, sizeof(before));
	place_and_check();
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(net.cells[net.edges[i].client].x + 1,
				 net.cells[net.edges[i].server].x);
	for (uint32_t i = 0; i < 12; i++) /* drawn as if those without edges had never been first */
		assert_true(i < 10 ? net.cells[i].y == 0 : net.cells[i].y > 1);
	memcpy(before, net.cells, sizeof(before));
	net.graph.edge_count = 0; /* it was called once: it does not go back */
	place_and_check();
	assert_unmoved(before, 12);
	assert_int_equal(layout_forgotten(net.layout), 0);
	assert_int_equal(layout_count(net.layout), 12);
	edge(10, 0);
	place_and_check();
	assert_unmoved(before, 10);
	assert_int_not_equal(net.cells[10].y, before[10].y);
	assert_memory_equal(&before[11], &net.cells[11], sizeof(*before)); /* waits where it was */
}

static void test_hub_that_grows_one_by_one(void **state)
{
	edge(1, 0);
	for (uint32_t i = 2; i <= 400; i++) {
		edge(i, 0);
		place();
		assert_left_of(i, 0);
	}
	assert_cells_differ();
	for (uint32_t i = 1; i <= 400; i++) {
		assert_in_range(net.cells[0].x - net.cells[i].x, 1, 16);
		assert_in_range(net.cells[i].y + 40, 0, 80);
	}
}

static void test_many_at_once_are_drawn_as_one(void **state)
{
	edge(0, 1);
	place();
	for (uint32_t i = 2; i < 200; i++)
		edge(i, i < 8 ? 1 : 2 + i % 6);
	place_and_check();
	for (uint32_t i = 8; i < 200; i++)
		assert_left_of(i, 2 + i % 6);
}

static void test_groupings_are_apart(void **state)
{
	struct arrange_cell workload[30];

	grow_randomly(30, 60);
	place();
	memcpy(workload, net.cells, sizeof(workload));
	net.graph.group = "process";
	assert_false(layout_knows(net.layout, &net.graph));
	net.graph.edge_count = 0;
	place_and_check();
	assert_memory_not_equal(workload, net.cells, sizeof(workload));
	net.graph.group = "workload";
	place();
	assert_unmoved(workload, 30);
}

/* --- what holds for any graph -------------------------------------------------------------------
 */

static void test_same_for_any_seed(void **state)
{
	static struct arrange_cell first[NODES_MAX];

	for (uint64_t seed = 1; seed <= 3; seed++) {
		teardown(state);
		net_begin(NODES_MAX, seed * UINT64_C(0x9e3779b97f4a7c15));
		grow_randomly(100, 200);
		place();
		grow_randomly(160, 150);
		place();
		grow_randomly(700, 2000);
		place();
		if (seed == 1)
			memcpy(first, net.cells, sizeof(first));
		else
			assert_unmoved(first, 700);
	}
}

static void test_bound_forgets_the_longest_unseen(void **state)
{
	struct arrange_cell before[100];
	struct layout_graph some;

	teardown(state);
	net_begin(100, 7);
	grow_randomly(100, 150);
	place_and_check();
	memcpy(before, net.cells, sizeof(before));
	some = net.graph;
	some.node_count = 60; /* these are seen once more */
	some.edge_count = 0;
	assert_int_equal(layout_place(net.layout, &some, net.arena, net.cells), 0);
	some.ids = net.ids + 100;
	some.node_count = 40;
	grow(140);
	assert_int_equal(layout_place(net.layout, &some, net.arena, net.cells), 0);
	assert_int_equal(layout_count(net.layout), 100);
	assert_int_equal(layout_forgotten(net.layout), 40);
	some.ids = net.ids;
	some.node_count = 60;
	assert_true(layout_knows(net.layout, &some));
	assert_int_equal(layout_place(net.layout, &some, net.arena, net.cells), 0);
	assert_unmoved(before, 60);
	some.ids = net.ids + 60;
	some.node_count = 1;
	assert_false(layout_knows(net.layout, &some));
}

static void test_more_than_can_be_kept(void **state)
{
	teardown(state);
	net_begin(100, 7);
	grow_randomly(250, 400);
	place_and_check();
	assert_int_equal(layout_count(net.layout), 100);
	place_and_check();
	assert_int_equal(layout_count(net.layout), 100);
	assert_int_equal(layout_forgotten(net.layout), 0);
}

static void test_groupings_have_a_bound(void **state)
{
	char name[32];

	grow_randomly(20, 30);
	net.graph.group = name;
	for (int i = 0; i < 3 * LAYOUT_GROUPS_MAX; i++) {
		snprintf(name, sizeof(name), "label:%d", i);
		place_and_check();
	}
	assert_int_equal(layout_count(net.layout), 20 * LAYOUT_GROUPS_MAX);
	assert_int_equal(layout_forgotten(net.layout), 20 * 2 * LAYOUT_GROUPS_MAX);
	assert_true(layout_knows(net.layout, &net.graph));
	snprintf(name, sizeof(name), "label:0");
	assert_false(layout_knows(net.layout, &net.graph));
}

static void test_nothing(void **state)
{
	place();
	assert_int_equal(layout_count(net.layout), 0);
	grow(1);
	place();
	assert_int_equal(net.cells[0].x, 0);
	assert_int_equal(net.cells[0].y, 0);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double time_of_placing(void)
{
	double begun = cpu_ms();

	place();
	return cpu_ms() - begun;
}

/* CPU time, with room for sanitizers and slow machines: what must not happen is a square. */
static void test_time(void **state)
{
	double at_300, again, at_2000, one_by_one, hub;

	grow_randomly(300, 1500);
	at_300 = time_of_placing();
	again = time_of_placing();
	teardown(state);
	setup(state);
	grow_randomly(2000, 10000);
	at_2000 = time_of_placing();
	grow_randomly(3900, 5000); /* fewer than there are: each next to its neighbours */
	one_by_one = time_of_placing();
	assert_cells_differ();
	teardown(state);
	setup(state);
	grow(2000);
	place();
	for (uint32_t i = 2000; i < 3900; i++) /* too many for the neighbourhood of one */
		edge(i, 0);
	hub = time_of_placing();
	assert_cells_differ();
	print_message("300 nodes %.2f ms, again %.2f ms; 2,000 nodes %.2f ms; 1,900 newcomers "
		      "%.2f ms, of one hub %.2f ms\n",
		      at_300, again, at_2000, one_by_one, hub);
	assert_true(at_300 < 50);
	assert_true(again < 5);
	assert_true(at_2000 < 500);
	assert_true(one_by_one < 1000);
	assert_true(hub < 500);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chain_is_straight),
		TEST(test_layers_are_ordered),
		TEST(test_few_crossings),
		TEST(test_client_stands_next_to_its_server),
		TEST(test_hub_is_wrapped),
		TEST(test_cycles_and_self_edges),
		TEST(test_strangers_stand_apart),
		TEST(test_shape_fits_a_screen),
		TEST(test_nobody_moves),
		TEST(test_filter_and_order_move_nobody),
		TEST(test_newcomers_stand_next_to_their_neighbours),
		TEST(test_strangers_come_below),
		TEST(test_nodes_without_edges_wait),
		TEST(test_hub_that_grows_one_by_one),
		TEST(test_many_at_once_are_drawn_as_one),
		TEST(test_groupings_are_apart),
		TEST(test_same_for_any_seed),
		TEST(test_bound_forgets_the_longest_unseen),
		TEST(test_more_than_can_be_kept),
		TEST(test_groupings_have_a_bound),
		TEST(test_nothing),
		TEST(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
