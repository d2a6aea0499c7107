/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: a batch counts once however often its bytes come; it is answered when it is durable and
 * not before; what a server does not know is asked for, and then every byte is there.
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
#include "server/intake.h"
#include "server/world_for_test.h"

#define UNANSWERED 1

static struct world w;
static struct intake in;
static uint64_t given_ticket;
static int store_state;
static unsigned int persisted;

static int store_ready(void *userdata)
{
	return store_state;
}

static void store_persist(void *userdata, const struct reporter *r, const struct wire_batch *b,
			  uint64_t ticket)
{
	assert_true(ticket > given_ticket);
	given_ticket = ticket;
	persisted++;
}

static const struct intake_store store = {.ready = store_ready, .persist = store_persist};

static int setup(void **state)
{
	world_init(&w, NULL);
	intake_init(&in, w.core, NULL);
	given_ticket = 0;
	persisted = 0;
	store_state = 0;
	return 0;
}

static int teardown(void **state)
{
	intake_done(&in);
	world_done(&w);
	return 0;
}

static void on_done(void *userdata, int r)
{
	int *answer = userdata;

	assert_int_equal(*answer, UNANSWERED);
	*answer = r;
}

static void define(void)
{
	world_actor(&w, 1, "wrk", "user.scope");
	world_actor(&w, 2, "nginx", "nginx.service");
	world_client(&w, 1, 1, 7, "10.0.0.1", "10.0.0.2", 80);
}

/* The batch as it stands, as sequence number `sequence`; body stands for its bytes. */
static int send_as(uint64_t sequence, uint8_t body, int *answer)
{
	const uint8_t hash[INTAKE_HASH_SIZE] = {body};
	struct wire_batch *b = w.batch;

	*answer = UNANSWERED;
	b->node = w.node;
	b->boot_id = w.boot_id;
	b->version = "0.1";
	b->kernel = "6.18";
	b->status.hooks = "tcp: test";
	b->started_ns = w.started_ns;
	b->sequence = sequence;
	b->window_end_ns = b->sent_ns = w.now_ns;
	b->window_start_ns = w.now_ns - w.window_ns;
	if (b->definitions)
		b->window_start_ns = b->window_end_ns = 0;
	return intake_take(&in, b, hash, world_wall(&w), on_done, answer);
}

static void new_batch(void)
{
	wire_batch_free(w.batch);
	w.batch = wire_batch_new();
	w.actor_max = w.flow_max = w.update_max = w.retired_max = 0;
	w.now_ns += w.window_ns;
}

/* Sends and must be answered at once with 0. */
static void take(uint64_t sequence, uint8_t body)
{
	int answer;

	assert_int_equal(send_as(sequence, body, &answer), 0);
	assert_int_equal(answer, 0);
}

static void refuse(uint64_t sequence, uint8_t body, int with)
{
	int answer;

	assert_int_equal(send_as(sequence, body, &answer), with);
	assert_int_equal(answer, UNANSWERED);
}

static uint64_t bytes(void)
{
	struct query_graph g = world_graph(&w, 0, "", NULL);
	uint64_t sum = 0;

	for (size_t i = 0; i < g.edge_count; i++)
		sum += g.edges[i].measures.counter[MR_BYTES_TO_SERVER];
	return sum;
}

static void first_batch(void)
{
	define();
	world_traffic(&w, 1, 1000, 0, false);
	take(1, 'a');
	assert_int_equal(bytes(), 1000);
}

static void test_again_counts_once(void **state)
{
	first_batch();
	take(1, 'a');
	take(1, 'a');
	assert_int_equal(bytes(), 1000);
	assert_int_equal(in.count[INTAKE_TAKEN], 1);
	assert_int_equal(in.count[INTAKE_REPEATED], 2);
	new_batch();
	world_traffic(&w, 1, 10, 0, false);
	take(2, 'b');
	assert_int_equal(bytes(), 1010);
}

static void test_other_body(void **state)
{
	first_batch();
	refuse(1, 'x', -EBADE);
	new_batch();
	world_traffic(&w, 1, 10, 0, false);
	take(2, 'b');
	refuse(2, 'x', -EBADE);
	refuse(1, 'a', -EBADE); /* long past: nobody knows any more */
	w.batch->definitions = true;
	refuse(2, 'b', -EBADE);
	assert_int_equal(in.count[INTAKE_OTHER_BODY], 4);
	assert_int_equal(bytes(), 1010);
}

/* A server that does not know this life asks what its handles mean, and then takes the same bytes.
 */
static void test_definitions(void **state)
{
	struct query_graph g;

	world_traffic(&w, 1, 10, 0, false);
	refuse(7, 'g', -ENOKEY);
	assert_int_equal(bytes(), 0);
	new_batch();
	define();
	w.batch->definitions = true;
	take(7, 'd');
	take(7, 'd'); /* the answer was lost */
	new_batch();
	world_traffic(&w, 1, 10, 0, false);
	w.batch->loss[WIRE_LOSS_DROPPED] = 9; /* before it came here */
	refuse(8, 'h', -ENOKEY);              /* they were for another */
	take(7, 'g');
	take(7, 'g');
	assert_int_equal(bytes(), 10);
	assert_int_equal(in.count[INTAKE_ASKED], 2);
	assert_int_equal(in.count[INTAKE_DEFINITIONS], 2);
	assert_int_equal(world_server_lost(&w, "server_gaps"), 0);
	new_batch();
	world_traffic(&w, 1, 5, 0, false);
	w.batch->loss[WIRE_LOSS_DROPPED] = 11;
	take(8, 'h');
	assert_int_equal(bytes(), 15);
	g = world_graph(&w, 0, "", NULL);
	assert_int_equal(world_lost(&g.completeness, "dropped"), 2);
}

/* One that was given up: what it defined is missing, so the next one is not taken before. */
static void test_gap_asks_for_definitions(void **state)
{
	first_batch();
	new_batch();
	world_traffic(&w, 1, 10, 0, false);
	refuse(3, 'c', -ENOKEY);
	new_batch();
	define();
	w.batch->definitions = true;
	take(3, 'd');
	new_batch();
	world_traffic(&w, 1, 10, 0, false);
	take(3, 'c');
	assert_int_equal(bytes(), 1010);
	assert_int_equal(world_server_lost(&w, "server_gaps"), 1);
}

/* Definitions replace all there was: what they do not name means nothing any more. */
static void test_definitions_replace(void **state)
{
	first_batch();
	new_batch();
	world_actor(&w, 1, "wrk", "user.scope");
	w.batch->definitions = true;
	take(2, 'd');
	new_batch();
	world_traffic(&w, 1, 10, 0, false);
	take(2, 'b');
	assert_int_equal(bytes(), 1000);
	assert_int_equal(world_server_lost(&w, "server_refused_updates"), 1);
}

static void test_waits_for_the_store(void **state)
{
	int answer, again, next;

	in.store = &store;
	define();
	world_traffic(&w, 1, 1000, 0, false);
	assert_int_equal(send_as(1, 'a', &answer), 0);
	assert_int_equal(send_as(1, 'a', &again), 0); /* came again before it was durable */
	assert_int_equal(persisted, 1);
	assert_int_equal(answer, UNANSWERED);
	assert_int_equal(again, UNANSWERED);
	new_batch();
	world_traffic(&w, 1, 10, 0, false);
	assert_int_equal(send_as(2, 'b', &next), 0);
	intake_durable(&in, 1, 0);
	assert_int_equal(answer, 0);
	assert_int_equal(again, 0);
	assert_int_equal(next, UNANSWERED);
	intake_durable(&in, 2, 0);
	assert_int_equal(next, 0);
	take(2, 'b');
	assert_int_equal(bytes(), 1010);
	assert_int_equal(persisted, 2);
}

/* It could not be written: the agent hears so and sends it again, and it still counts once. */
static void test_disk_full(void **state)
{
	int answer;

	in.store = &store;
	define();
	world_traffic(&w, 1, 1000, 0, false);
	assert_int_equal(send_as(1, 'a', &answer), 0);
	intake_durable(&in, 1, -ENOSPC);
	assert_int_equal(answer, -ENOSPC);
	assert_int_equal(send_as(1, 'a', &answer), 0);
	assert_int_equal(answer, UNANSWERED);
	new_batch();
	store_state = -ENOSPC; /* the store has no room for more to wait */
	world_traffic(&w, 1, 10, 0, false);
	refuse(2, 'b', -EAGAIN);
	assert_int_equal(bytes(), 1000);
	store_state = 0;
	intake_durable(&in, 1, 0);
	assert_int_equal(answer, 0);
	assert_int_equal(send_as(2, 'b', &answer), 0);
	assert_int_equal(bytes(), 1010);
}

static void test_lives(void **state)
{
	first_batch();
	new_batch();
	w.started_ns += 5;
	world_traffic(&w, 1, 10, 0, false);
	refuse(2, 'b', -ENOKEY); /* a newer life, unknown here */
	define();
	take(1, 'c');
	assert_int_equal(bytes(), 1010);
	w.started_ns -= 5;
	refuse(2, 'b', -ESTALE);
	assert_int_equal(in.count[INTAKE_STALE], 1);
}

/* Two machines with one name: the one that is there keeps it, until it is silent. */
static void test_node_name_taken(void **state)
{
	const char *ours = w.boot_id;

	first_batch();
	new_batch();
	w.boot_id = "another-boot-id";
	define();
	world_traffic(&w, 1, 10, 0, false);
	refuse(1, 'z', -EADDRINUSE);
	assert_int_equal(bytes(), 1000);
	w.boot_id = ours;
	take(2, 'b');
	w.now_ns += 60 * WORLD_SECOND;
	w.boot_id = "another-boot-id";
	take(1, 'z');
	assert_int_equal(in.count[INTAKE_NAME_TAKEN], 1);
}

static void test_too_many_agents(void **state)
{
	struct core_config config = {.agents_max = 2};
	static const char *const nodes[] = {"one", "two", "three"};

	world_done(&w);
	world_init(&w, &config);
	in.core = w.core;
	for (int i = 0; i < 2; i++) {
		w.node = nodes[i];
		take(1, 'a');
	}
	w.node = nodes[2];
	refuse(1, 'a', -EUSERS);
	w.node = nodes[1];
	take(1, 'a');
}

static void test_senseless(void **state)
{
	define();
	refuse(0, 'a', -ENOKEY);
	w.batch->definitions = true;
	refuse(0, 'a', -EINVAL);
	assert_int_equal(in.count[INTAKE_SENSELESS], 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_again_counts_once),   TEST(test_other_body),
		TEST(test_definitions),         TEST(test_gap_asks_for_definitions),
		TEST(test_definitions_replace), TEST(test_waits_for_the_store),
		TEST(test_disk_full),           TEST(test_lives),
		TEST(test_node_name_taken),     TEST(test_too_many_agents),
		TEST(test_senseless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
