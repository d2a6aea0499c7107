/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: a question about the past gets from the store what the live core would say, is read once
 * for all who ask the same, names what it was read at, and is refused when too many wait or too
 * much would be read.
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

#include "server/core.h"
#include "server/past.h"
#include "server/store/writer.h"
#include "server/world_for_test.h"

#define MINUTES 600

static char folder[64], path[96];
static struct world w;
static struct writer writer;
static struct past *past;
static uv_loop_t loop;

static void window(unsigned int n)
{
	struct store_item *item;

	world_traffic(&w, 1, 1000 + n, 50000, true);
	world_traffic(&w, 2, 1000 + n, 50000, true);
	if (n % 7 == 0)
		world_traffic(&w, 3, n, 10 * n, false);
	world_send(&w);
	assert_int_equal(core_news_take(w.core, world_wall(&w), &item), 0);
	assert_int_equal(writer_commit(&writer, item), 0);
	store_item_free(item);
	while (writer_tidy(&writer) > 0)
		;
}

static int setup(void **state)
{
	const struct core_config everything = {.history_bytes_max = 1 << 30,
					       .fine_ns = UINT64_C(1) << 60,
					       .retain_ns = UINT64_C(1) << 60};
	struct error error;

	strcpy(folder, "/tmp/millrace-past-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/millrace.db", folder);
	world_init(&w, &everything);
	core_news_want(w.core);
	assert_int_equal(writer_open(&writer, path, &(struct writer_limits){0}, &error), 0);
	assert_int_equal(db_run(writer.db, "PRAGMA synchronous = OFF"), 0);
	world_actor(&w, 1, "wrk", "user.scope");
	world_actor(&w, 2, "nginx", "nginx.service");
	world_client(&w, 1, 1, 7, "10.0.0.1", "10.0.0.2", 80);
	world_server(&w, 2, 2, 8, "10.0.0.2", "10.0.0.1", 80);
	world_client(&w, 3, 1, 7, "10.0.0.1", "8.8.8.8", 443);
	world_name(&w, 7, "8.8.8.8", "dns.example");
	w.window_ns = 60 * WORLD_SECOND;
	for (unsigned int n = 0; n < MINUTES; n++)
		window(n);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(past_new(&past, &loop, path, w.core), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	past_close(past);
	uv_run(&loop, UV_RUN_DEFAULT);
	past_free(past);
	uv_loop_close(&loop);
	writer_close(&writer);
	world_done(&w);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

struct heard {
	struct core *core;
	struct query_range range;
	struct query_graph graph;
	int r, times;
};

static void ask_graph(struct core *c, const struct query_range *range, struct query_graph *ret)
{
	struct query_graph_request request = {.range = *range, .now_ns = world_wall(&w)};

	assert_int_equal(query_group_parse(&request.group, "", NULL), 0);
	assert_int_equal(query_graph(c, &request, w.arena, ret), 0);
}

static void on_ready(void *userdata, void *request, struct core *core,
		     const struct query_range *range, int r)
{
	struct heard *h = userdata;

	h->times++;
	h->r = r;
	h->core = core;
	h->range = *range;
	if (!r)
		ask_graph(core, range, &h->graph);
}

static void assert_same_edges(const struct query_graph *a, const struct query_graph *b)
{
	assert_int_equal(a->edge_count, b->edge_count);
	assert_true(a->edge_count > 0);
	for (size_t i = 0; i < a->edge_count; i++) {
		assert_string_equal(a->edges[i].id, b->edges[i].id);
		assert_memory_equal(a->edges[i].measures.counter, b->edges[i].measures.counter,
				    sizeof(a->edges[i].measures.counter));
		assert_int_equal(a->edges[i].measures.active, b->edges[i].measures.active);
		assert_int_equal(a->edges[i].last_seen_ns, b->edges[i].last_seen_ns);
	}
}

static int ask(const struct query_range *range, struct heard *h)
{
	return past_ask(past, PAST_SUMS, range, world_wall(&w), on_ready, h, NULL);
}

static void test_same_answers(void **state)
{
	static const unsigned int spans_min[] = {3, 20, 100, 300, 599};
	uint64_t end = world_wall(&w);

	for (size_t i = 0; i < sizeof(spans_min) / sizeof(*spans_min); i++) {
		struct query_range range = {end - (spans_min[i] + 1) * 60 * WORLD_SECOND,
					    end - 60 * WORLD_SECOND};
		struct heard h = {0};
		struct query_graph live;

		assert_int_equal(ask(&range, &h), 0);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(h.times, 1);
		assert_int_equal(h.r, 0);
		ask_graph(w.core, &h.range, &live);
		assert_same_edges(&h.graph, &live);
		assert_int_equal(h.graph.completeness.agents_expected,
				 live.completeness.agents_expected);
	}
}

/* Names and places are the live core's, lent for the question. */
static void test_names_and_places(void **state)
{
	struct query_range range = {world_wall(&w) - 7200 * WORLD_SECOND, world_wall(&w)};
	struct heard h = {0};
	struct query_graph live;

	assert_int_equal(ask(&range, &h), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	ask_graph(w.core, &range, &live);
	for (size_t i = 0; i < h.graph.node_count; i++)
		for (size_t k = 0; k < live.node_count; k++)
			if (!strcmp(h.graph.nodes[i].id, live.nodes[k].id)) {
				assert_true(h.graph.nodes[i].x == live.nodes[k].x);
				assert_true(h.graph.nodes[i].y == live.nodes[k].y);
			}
	assert_non_null(world_edge(&h.graph, "process/wrk", "external/dns.example", 443));
}

static void test_read_once(void **state)
{
	struct query_range range = {world_wall(&w) - 9000 * WORLD_SECOND,
				    world_wall(&w) - 3600 * WORLD_SECOND};
	struct heard first = {0}, second = {0}, third = {0};

	assert_int_equal(ask(&range, &first), 0);
	assert_int_equal(ask(&range, &second), 0);
	assert_int_equal(first.times, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(first.times, 1);
	assert_int_equal(second.times, 1);
	assert_ptr_equal(first.core, second.core);
	assert_int_equal(ask(&range, &third), 0);
	assert_int_equal(third.times, 1); /* at once */
	assert_ptr_equal(third.core, first.core);
	assert_true(first.graph.completeness.resolution_s == 10);
}

static void test_too_many(void **state)
{
	struct query_range range = {world_wall(&w) - 30000 * WORLD_SECOND,
				    world_wall(&w) - 6000 * WORLD_SECOND};
	struct heard h = {0};
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < 2 * PAST_WAITERS_MAX; i++) {
		range.from_ns -= 600 * WORLD_SECOND;
		r = ask(&range, &h);
	}
	assert_int_equal(r, -EAGAIN);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(h.times, i - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_names_and_places),
		cmocka_unit_test(test_read_once),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
