/* SPDX-License-Identifier: Apache-2.0 */
/* Folding by actor, definitions, retirement, and what happens when the handles run out. */
#include "agent/flow_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_NS 1000000000ull

struct world {
	struct actors *actors;
	struct flow_table *flows;
	struct wire_batch *batch;
};

static void world_init(struct world *w, uint32_t flows_max)
{
	assert_int_equal(actors_new(&w->actors, &(struct actors_config){0}), 0);
	assert_int_equal(flow_table_new(&w->flows, w->actors, flows_max), 0);
	w->batch = NULL;
}

static void world_done(struct world *w)
{
	wire_batch_free(w->batch);
	flow_table_free(w->flows);
	actors_free(w->actors);
}

static uint32_t actor(struct world *w, const char *name)
{
	char comm[16] = "";

	memcpy(comm, name, strlen(name));
	return actors_resolve(w->actors, &(struct actor_source){.comm = comm}, 0);
}

static void begin(struct world *w)
{
	wire_batch_free(w->batch);
	w->batch = wire_batch_new();
	flow_table_begin(w->flows, w->batch);
}

static struct mr_flow_key key_of(uint16_t port)
{
	struct mr_flow_key key;

	memset(&key, 0, sizeof(key));
	key.role = MR_ROLE_CLIENT;
	key.netns = 5;
	key.port = port;
	key.local[15] = 1;
	key.remote[15] = 2;
	return key;
}

static void fold(struct world *w, const struct mr_flow_key *key, uint32_t who, uint64_t bytes,
		 uint64_t now_ns)
{
	const struct mr_flow_value value = {.counter[MR_BYTES_TO_SERVER] = bytes};

	assert_int_equal(flow_table_fold(w->flows, key, &value, NULL, who, now_ns), 0);
}

static uint64_t bytes_of(const struct world *w)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < w->batch->update_count; i++)
		bytes += w->batch->updates[i].counter[MR_BYTES_TO_SERVER];
	return bytes;
}

/* The kernel's keys differ by process and cgroup; the agent's by actor. */
static void folds_what_is_one_actors(void **state)
{
	struct mr_flow_key a = key_of(80), b = key_of(80);
	struct world w;
	uint32_t who;

	world_init(&w, 0);
	who = actor(&w, "curl");
	b.tgid = 7;
	b.cgroup = 9;
	begin(&w);
	fold(&w, &a, who, 1, 0);
	fold(&w, &b, who, 10, 0);
	fold(&w, &a, actor(&w, "wget"), 100, 0);
	flow_table_end(w.flows, 0);
	assert_int_equal(w.batch->flow_count, 2);
	assert_int_equal(w.batch->update_count, 2);
	assert_int_equal(w.batch->updates[0].flow, w.batch->flows[0].handle);
	assert_int_equal(w.batch->updates[0].counter[MR_BYTES_TO_SERVER], 11);
	assert_int_equal(w.batch->updates[1].counter[MR_BYTES_TO_SERVER], 100);
	assert_int_equal(w.batch->flows[0].actor, who);
	assert_int_equal(w.batch->flows[0].port, 80);
	assert_int_equal(w.batch->flows[0].netns, 5);
	assert_int_equal(w.batch->flows[0].local[15], 1);
	assert_int_equal(w.batch->flows[0].remote[15], 2);
	assert_false(w.batch->flows[0].coarse);
	world_done(&w);
}

static void defines_once_and_counts_per_window(void **state)
{
	struct mr_flow_key a = key_of(80);
	struct world w;
	uint32_t who, handle;

	world_init(&w, 0);
	who = actor(&w, "curl");
	begin(&w);
	fold(&w, &a, who, 1, 0);
	flow_table_end(w.flows, 0);
	handle = w.batch->flows[0].handle;
	begin(&w);
	fold(&w, &a, who, 2, 0);
	flow_table_end(w.flows, 0);
	assert_int_equal(w.batch->flow_count, 0);
	assert_int_equal(w.batch->update_count, 1);
	assert_int_equal(w.batch->updates[0].flow, handle);
	assert_int_equal(w.batch->updates[0].counter[MR_BYTES_TO_SERVER], 2);
	world_done(&w);
}

static void sample(struct mr_histogram *h, uint32_t v)
{
	h->sum += v;
	h->max = v > h->max ? v : h->max;
	h->min_inverted = ~v > h->min_inverted ? ~v : h->min_inverted;
	h->bucket[mr_histogram_bucket(v)]++;
}

static void merges_histograms_and_wraps_counters(void **state)
{
	struct mr_flow_value one = {.counter[MR_UNACKED_TO_SERVER] = 5}, two = {0}, none = {0};
	struct mr_flow_key a = key_of(80);
	struct histogram expected = {0};
	const struct wire_update *row;
	struct world w;

	world_init(&w, 0);
	two.counter[MR_UNACKED_TO_SERVER] = (uint64_t)-7;
	for (uint32_t v = 3; v < 100000; v = v * 3 + 1) {
		sample(v & 1 ? &one.rtt_us : &two.rtt_us, v);
		histogram_add(&expected, v);
	}
	begin(&w);
	assert_int_equal(flow_table_fold(w.flows, &a, &one, NULL, actor(&w, "x"), 0), 0);
	assert_int_equal(flow_table_fold(w.flows, &a, &none, NULL, actor(&w, "x"), 0), 0);
	assert_int_equal(flow_table_fold(w.flows, &a, &two, NULL, actor(&w, "x"), 0), 0);
	flow_table_end(w.flows, 0);
	row = &w.batch->updates[0];
	assert_true(row->counter[MR_UNACKED_TO_SERVER] == (uint64_t)-2);
	assert_memory_equal(row->rtt_us, &expected, sizeof(expected));
	assert_null(row->connect_us);
	world_done(&w);
}

static void retires_the_idle(void **state)
{
	struct mr_flow_key idle = key_of(80), busy = key_of(81);
	struct world w;
	uint32_t who, handle;

	world_init(&w, 0);
	who = actor(&w, "curl");
	begin(&w);
	fold(&w, &idle, who, 1, 0);
	fold(&w, &busy, who, 1, 0);
	flow_table_end(w.flows, 0);
	handle = w.batch->flows[0].handle;
	begin(&w);
	fold(&w, &busy, who, 1, 601 * SECOND_NS);
	flow_table_end(w.flows, 601 * SECOND_NS);
	assert_int_equal(w.batch->retired_count, 1);
	assert_int_equal(w.batch->retired[0], handle);
	begin(&w);
	fold(&w, &idle, who, 1, 602 * SECOND_NS);
	flow_table_end(w.flows, 602 * SECOND_NS);
	assert_int_equal(w.batch->flow_count, 1); /* it came back: defined again, as another */
	assert_int_not_equal(w.batch->flows[0].handle, handle);
	world_done(&w);
}

/* Whatever runs out, every byte is in some row, and every row's flow was defined. */
static void nothing_is_lost_when_full(void **state)
{
	bool defined[512] = {false};
	struct world w;
	unsigned int coarse = 0;

	world_init(&w, 64);
	for (int window = 0; window < 3; window++) {
		begin(&w);
		for (uint16_t port = 1; port <= 300; port++) {
			struct mr_flow_key key = key_of(port);
			char name[16];

			snprintf(name, sizeof(name), "client-%u", port);
			key.role = port & 1 ? MR_ROLE_CLIENT : MR_ROLE_SERVER;
			fold(&w, &key, actor(&w, name), port, (uint64_t)window * SECOND_NS);
		}
		flow_table_end(w.flows, (uint64_t)window * SECOND_NS);
		for (size_t i = 0; i < w.batch->flow_count; i++) {
			defined[w.batch->flows[i].handle] = true;
			coarse += w.batch->flows[i].coarse;
		}
		for (size_t i = 0; i < w.batch->update_count; i++)
			assert_true(defined[w.batch->updates[i].flow]);
		assert_int_equal(bytes_of(&w), 300 * 301 / 2);
	}
	assert_int_equal(coarse, 64 / 8 + 4 + 2); /* those kept, and TCP's last resorts */
	assert_int_equal(flow_table_lost_full(w.flows), 3 * (300 - (64 - 4)));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_what_is_one_actors),
		cmocka_unit_test(defines_once_and_counts_per_window),
		cmocka_unit_test(merges_histograms_and_wraps_counters),
		cmocka_unit_test(retires_the_idle),
		cmocka_unit_test(nothing_is_lost_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
