/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An uplink against a model server that takes each batch once, over a network that loses requests
 * and answers, delivers some again much later, and a server that restarts and forgets: all made up
 * from seeds, on a virtual clock. What the server's book says in the end is what the agent said.
 */
#include "agent/uplink_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/model_for_test.h"
#include "wire/life_for_test.h"

#define SECOND_NS UINT64_C(1000000000)

struct world {
	struct uplink_state *uplink;
	struct model server;
	struct life life;
	struct book said;
	struct uplink_time now;
	uint8_t *late; /* a request that the network still has */
	size_t late_size;
	/* per cent: requests lost, answers lost, requests that come again, the server is not ready,
	 * it restarts */
	unsigned int lost, unanswered, again, unready, restarts;
	bool cut;
	unsigned int posts, replies, waited;
};

static bool chance(struct world *w, unsigned int percent)
{
	return life_random(&w->life) % 100 < percent;
}

/* What the network kept arrives, and its answer goes nowhere. */
static void deliver_late(struct world *w)
{
	if (w->late)
		model_post(&w->server, w->late, w->late_size, life_random(&w->life));
	free(w->late);
	w->late = NULL;
}

static void keep_late(struct world *w, const struct uplink_post *post)
{
	if (w->late)
		return;
	w->late = malloc(post->size);
	memcpy(w->late, post->data, post->size);
	w->late_size = post->size;
}

/* Bytes of a sequence never change: the server compares them. */
static int network_post(struct world *w, const struct uplink_post *post)
{
	int status;

	if (chance(w, w->restarts))
		model_restart(&w->server);
	if (chance(w, w->again))
		keep_late(w, post);
	if (w->cut || chance(w, w->lost))
		return 0;
	if (chance(w, w->unready))
		return 503;
	status = model_post(&w->server, post->data, post->size, life_random(&w->life));
	if (chance(w, 20))
		deliver_late(w);
	return chance(w, w->unanswered) ? 0 : status;
}

static void run_until(struct world *w, uint64_t until_ns)
{
	while (w->now.now_ns < until_ns) {
		struct uplink_result result = {0};
		struct wire_reply requests, reply = {.sweep_now = true};
		uint8_t *body = NULL;
		struct uplink_post post;
		uint64_t again_ns;

		if (!uplink_state_next(w->uplink, w->now, &post, &again_ns)) {
			w->waited++;
			w->now.now_ns = again_ns < until_ns ? again_ns : until_ns;
			continue;
		}
		w->posts++;
		result.status = network_post(w, &post);
		w->now.now_ns += 1000000 + life_random(&w->life) % 100000000;
		if (result.status == 200)
			assert_int_equal(wire_reply_encode(&reply, &body, &result.size), 0);
		result.data = body;
		uplink_state_result(w->uplink, &result, w->now, &requests);
		w->replies += requests.sweep_now;
		free(body);
	}
}

static void world_init(struct world *w, uint64_t seed)
{
	*w = (struct world){.now = {.now_ns = 100 * SECOND_NS}};
	life_init(&w->life, seed);
	model_init(&w->server);
	book_init(&w->said);
	assert_int_equal(uplink_state_new(&w->uplink, seed), 0);
}

static void world_done(struct world *w)
{
	w->uplink = uplink_state_free(w->uplink);
	model_done(&w->server);
	book_done(&w->said);
	free(w->late);
}

static void window(struct world *w)
{
	struct wire_batch *b = life_window(&w->life);

	book_add(&w->said, b);
	uplink_state_add(w->uplink, b, w->now);
}

static void run_windows(struct world *w, unsigned int count)
{
	for (; count; count--) {
		window(w);
		run_until(w, w->now.now_ns + SECOND_NS);
	}
}

/* Everything works again, until all is delivered. */
static void settle(struct world *w)
{
	w->lost = w->unanswered = w->again = w->unready = w->restarts = 0;
	w->cut = false;
	for (unsigned int i = 0; i < 100 && !uplink_state_is_done(w->uplink); i++)
		run_until(w, w->now.now_ns + SECOND_NS);
	assert_true(uplink_state_is_done(w->uplink));
}

static void hold_same(struct world *w, uint64_t seed)
{
	const char *difference = book_difference(&w->said, &w->server.book, false);

	if (difference)
		fail_msg("seed %llu: %s differ", (unsigned long long)seed, difference);
}

static void without_trouble_each_window_is_a_batch(void **state)
{
	struct uplink_figures figures;
	struct world w;

	world_init(&w, 1);
	run_windows(&w, 50);
	assert_int_equal(w.server.taken, 50);
	assert_int_equal(w.posts, 50);
	assert_int_equal(w.server.asked + w.server.defined + w.server.repeated, 0);
	assert_true(w.replies > 5);
	uplink_state_figures(w.uplink, &figures);
	assert_int_equal(figures.sent, 50);
	assert_int_equal(figures.refused + figures.pending_windows, 0);
	hold_same(&w, 1);
	world_done(&w);
}

static void an_outage_is_one_batch(void **state)
{
	struct uplink_figures figures;
	struct world w;

	world_init(&w, 2);
	run_windows(&w, 5);
	w.cut = true;
	run_windows(&w, 600);
	uplink_state_figures(w.uplink, &figures);
	assert_int_equal(figures.pending_windows, 599);
	assert_true(w.posts < 5 + 600 / 5); /* it does not hammer */
	settle(&w);
	assert_int_equal(w.server.taken, 5 + 2);
	hold_same(&w, 2);
	world_done(&w);
}

static void a_server_that_forgot_is_told_again(void **state)
{
	struct world w;

	world_init(&w, 3);
	for (unsigned int i = 0; i < 20; i++) {
		run_windows(&w, 10);
		model_restart(&w.server);
	}
	run_windows(&w, 1);
	assert_int_equal(w.server.asked, 20);
	assert_int_equal(w.server.defined, 20);
	assert_int_equal(w.server.taken, 201);
	hold_same(&w, 3);
	world_done(&w);
}

/* Names, listeners and covers as well, which come once: to a server that has lost all. */
static void a_server_that_lost_all_knows_again(void **state)
{
	struct model fresh;
	struct world w;

	world_init(&w, 7);
	run_windows(&w, 50);
	model_init(&fresh);
	fresh.defined_for = 0;
	model_done(&w.server);
	w.server = fresh;
	run_windows(&w, 1);
	assert_int_equal(w.server.taken, 1);
	assert_int_equal(lru_count(w.server.book.names), lru_count(w.said.names));
	assert_int_equal(w.server.book.listeners, w.said.listeners);
	assert_int_equal(w.server.book.covers, w.said.covers);
	assert_int_equal(lru_count(w.server.book.flows), lru_count(w.said.flows));
	assert_int_equal(lru_count(w.server.book.actors), lru_count(w.said.actors));
	assert_int_equal(w.server.book.unknown, 0);
	world_done(&w);
}

static void whatever_happens_it_counts_once(void **state)
{
	unsigned int asked = 0, repeated = 0;

	for (uint64_t seed = 100; seed < 140; seed++) {
		struct world w;

		world_init(&w, seed);
		w.lost = (unsigned int)(seed % 7) * 10;
		w.unanswered = (unsigned int)(seed % 5) * 15;
		w.again = 30;
		w.unready = (unsigned int)(seed % 3) * 20;
		w.restarts = (unsigned int)(seed % 4) * 8;
		for (unsigned int i = 0; i < 8; i++) {
			w.cut = life_random(&w.life) % 4 == 0;
			run_windows(&w, 1 + (unsigned int)(life_random(&w.life) % 20));
		}
		settle(&w);
		asked += w.server.asked;
		repeated += w.server.repeated;
		hold_same(&w, seed);
		world_done(&w);
	}
	assert_true(asked > 100 && repeated > 100);
}

/* Its rows are said to be lost, all others arrive, and nothing is ever stuck. */
static void what_is_refused_for_good_is_counted(void **state)
{
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct uplink_figures figures;
		struct world w;

		world_init(&w, seed);
		w.server.refuse_one_in = 5;
		w.lost = 10;
		run_windows(&w, 60);
		settle(&w);
		uplink_state_figures(w.uplink, &figures);
		assert_true(figures.refused > 3);
		assert_int_equal(figures.refused_rows, w.server.refused_rows);
		assert_int_equal(w.server.book.unknown, 0);
		assert_int_equal(w.server.book.updates + figures.refused_rows, w.said.updates);
		world_done(&w);
	}
}

/* A machine that slept: its clock stood still, the server's did not. */
static void time_asleep_has_passed(void **state)
{
	struct uplink_post post;
	uint64_t again_ns;
	struct world w;

	world_init(&w, 4);
	w.now.suspended_ns = 7 * SECOND_NS;
	window(&w);
	assert_true(uplink_state_next(w.uplink, w.now, &post, &again_ns));
	assert_int_equal(post.clock_ns, w.now.now_ns);
	w.now.suspended_ns += 3600 * SECOND_NS;
	w.now.now_ns += 3 * SECOND_NS;
	assert_true(uplink_state_next(w.uplink, w.now, &post, &again_ns));
	assert_int_equal(post.clock_ns, w.now.now_ns + 3600 * SECOND_NS);
	world_done(&w);
}

static struct wire_answer *answer(uint64_t id)
{
	struct wire_answer *a = wire_answer_new();

	a->id = id;
	return a;
}

static void result(struct world *w, int status, uint64_t again_ns)
{
	const struct uplink_result r = {.status = status, .again_ns = again_ns};
	struct wire_reply reply;

	uplink_state_result(w->uplink, &r, w->now, &reply);
}

static void answers_go_first_and_grow_old(void **state)
{
	struct uplink_post post;
	uint64_t again_ns;
	struct world w;

	world_init(&w, 5);
	window(&w);
	for (uint64_t id = 1; id <= UPLINK_ANSWERS_MAX + 1; id++)
		uplink_state_answer(w.uplink, answer(id), w.now);
	for (uint64_t id = 1; id <= 3; id++) {
		struct wire_answer *back;

		assert_true(uplink_state_next(w.uplink, w.now, &post, &again_ns));
		assert_int_equal(post.kind, UPLINK_ANSWER);
		assert_int_equal(wire_answer_decode(post.data, post.size, &back, NULL), 0);
		assert_int_equal(back->id, id);
		wire_answer_free(back);
		result(&w, 204, 0);
	}
	w.now.now_ns += 11 * SECOND_NS;
	assert_true(uplink_state_next(w.uplink, w.now, &post, &again_ns));
	assert_int_equal(post.kind, UPLINK_BATCH);
	result(&w, 204, 0);
	assert_true(uplink_state_is_done(w.uplink));
	world_done(&w);
}

/* When it asks for time it gets it, in bounds; each status that is not final comes again. */
static void the_same_bytes_come_again(void **state)
{
	static const int statuses[] = {0, 301, 401, 403, 404, 410, 415, 429, 500, 503};
	struct uplink_post post;
	uint64_t again_ns;
	struct world w;
	uint8_t *bytes;
	size_t size;

	world_init(&w, 6);
	window(&w);
	assert_true(uplink_state_next(w.uplink, w.now, &post, &again_ns));
	bytes = malloc(post.size);
	size = post.size;
	memcpy(bytes, post.data, size);
	for (unsigned int i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		uint64_t asked_ns = i == 5 ? 20 * SECOND_NS : i == 6 ? 3600 * SECOND_NS : 0;

		result(&w, statuses[i], asked_ns);
		window(&w);
		assert_false(uplink_state_next(w.uplink, w.now, &post, &again_ns));
		assert_true(again_ns > w.now.now_ns && again_ns < w.now.now_ns + 34 * SECOND_NS);
		assert_true(again_ns >= w.now.now_ns + asked_ns || asked_ns > 30 * SECOND_NS);
		w.now.now_ns = again_ns;
		assert_true(uplink_state_next(w.uplink, w.now, &post, &again_ns));
		assert_int_equal(post.size, size);
		assert_memory_equal(post.data, bytes, size);
	}
	uplink_state_hurry(w.uplink);
	result(&w, 0, 0);
	assert_false(uplink_state_next(w.uplink, w.now, &post, &again_ns));
	assert_true(again_ns <= w.now.now_ns + SECOND_NS / 2);
	free(bytes);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_trouble_each_window_is_a_batch),
		cmocka_unit_test(an_outage_is_one_batch),
		cmocka_unit_test(a_server_that_forgot_is_told_again),
		cmocka_unit_test(a_server_that_lost_all_knows_again),
		cmocka_unit_test(whatever_happens_it_counts_once),
		cmocka_unit_test(what_is_refused_for_good_is_counted),
		cmocka_unit_test(time_asleep_has_passed),
		cmocka_unit_test(answers_go_first_and_grow_old),
		cmocka_unit_test(the_same_bytes_come_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
