/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: the sum over history is what came in, through merging; windows are merged, forgotten and
 * cut when they should be, and what was cut is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/history.h"

#define SECOND UINT64_C(1000000000)
#define FLOWS  64

static uint64_t state_random = 1;

static int write_sums(struct row_writer *w, uint64_t flow, const struct sums *s)
{
	struct row_source source = sums_source(s);

	return row_write(w, flow, &source);
}

static uint64_t random64(void)
{
	state_random ^= state_random << 13;
	state_random ^= state_random >> 7;
	state_random ^= state_random << 17;
	return state_random;
}

static struct history h;
static struct sums expected[FLOWS];
static struct histogram rtt_us[FLOWS]; /* of expected */
static uint64_t expected_loss;

static void begin(size_t bytes_max)
{
	const struct history_limits limits = {.bytes_max = bytes_max,
					      .fine_ns = 60 * SECOND,
					      .coarse_window_ns = 10 * SECOND,
					      .retain_ns = 600 * SECOND,
					      .flow_count = FLOWS};

	assert_int_equal(history_init(&h, &limits), 0);
	memset(expected, 0, sizeof(expected));
	memset(rtt_us, 0, sizeof(rtt_us));
	for (unsigned int i = 0; i < FLOWS; i++)
		expected[i].rtt_us = &rtt_us[i];
	expected_loss = 0;
}

static void add_sums(struct sums *into, const struct sums *s)
{
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		into->counter[i] += s->counter[i];
	into->active_lost += s->active_lost;
	histogram_merge(into->rtt_us, s->rtt_us);
}

static struct sums random_sums(struct histogram *measured)
{
	struct sums s = {.rtt_us = measured};

	*measured = (struct histogram){0};
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i += 1 + random64() % 4)
		s.counter[i] = random64() % 2 ? random64() % 100000 : 0 - random64() % 1000;
	if (random64() % 3)
		histogram_add(s.rtt_us, (uint32_t)(random64() % 100000));
	s.active_lost = random64() % 50 ? 0 : 1;
	return s;
}

/* A window of one second that ends at end_ns, of one of two agents. */
static void add(uint64_t end_ns, unsigned int rows)
{
	struct window w = {.start_ns = end_ns - SECOND, .end_ns = end_ns, .rows = rows};
	uint64_t loss[LOSS_COUNT] = {[LOSS_GAPS] = random64() % 2};
	struct row_writer writer = {0};

	w.reporter = (uint32_t)(random64() % 2);
	expected_loss += loss[LOSS_GAPS];
	assert_int_equal(fold_write_losses(&writer, loss), 0);
	for (unsigned int i = 0; i < rows; i++) {
		struct histogram measured;
		struct sums s = random_sums(&measured);
		uint32_t flow = (uint32_t)(random64() % FLOWS);

		add_sums(&expected[flow], &s);
		assert_int_equal(write_sums(&writer, flow, &s), 0);
	}
	w.data = row_shrink(&writer);
	w.size = writer.size;
	assert_int_equal(history_append(&h, &w), 0);
}

static void assert_all_there(void)
{
	static const struct histogram none;
	static const struct sums zero;
	struct fold all;

	assert_int_equal(fold_init(&all, FLOWS), 0);
	for (size_t i = 0; i < history_count(&h); i++)
		assert_int_equal(fold_window(&all, history_at(&h, i)), 0);
	for (unsigned int i = 0; i < FLOWS; i++) {
		const struct sums *s = all.by_flow[i] ? &all.by_flow[i]->sums : &zero;

		assert_memory_equal(s->counter, expected[i].counter, sizeof(s->counter));
		assert_memory_equal(s->rtt_us ? s->rtt_us : &none, &rtt_us[i], sizeof(none));
		assert_int_equal(s->active_lost, expected[i].active_lost);
	}
	assert_int_equal(all.loss[LOSS_GAPS], expected_loss);
	fold_done(&all);
}

static void test_merging_is_exact(void **state)
{
	uint64_t now = 1000 * SECOND;

	begin(64 << 20);
	for (unsigned int i = 0; i < 500; i++) {
		now += SECOND;
		add(now, (unsigned int)(random64() % 40));
		assert_int_equal(history_advance(&h, now), 0);
		if (i % 50 == 0)
			assert_all_there();
	}
	assert_all_there();
	assert_in_range(h.fine.count, 60, 71);
	assert_in_range(h.merged.count, 2 * 43, 2 * 44); /* two agents */
	for (size_t i = 0; i < h.merged.count; i++) {
		const struct window *w = &h.merged.windows[i];

		assert_true(w->end_ns - w->start_ns <= 10 * SECOND);
		assert_true(w->end_ns + 60 * SECOND <= now);
		assert_int_equal((w->end_ns - 1) / (10 * SECOND), w->start_ns / (10 * SECOND));
	}
	assert_int_equal(h.cut_rows, 0);
	history_done(&h);
}

static void test_forgetting(void **state)
{
	uint64_t now = 1000 * SECOND;

	begin(64 << 20);
	assert_true(history_oldest_ns(&h) == UINT64_MAX);
	for (unsigned int i = 0; i < 2000; i++) {
		now += SECOND;
		add(now, 1);
		assert_int_equal(history_advance(&h, now), 0);
		assert_true(history_oldest_ns(&h) + 611 * SECOND >= now);
	}
	assert_int_equal(h.cut_rows, 0);
	now += 700 * SECOND;
	assert_int_equal(history_advance(&h, now), 0);
	assert_int_equal(history_count(&h), 0);
	assert_int_equal(h.bytes, 0);
	history_done(&h);
}

/* Merged early, then cut: what is held and what was cut are all that came. */
static void test_bound(void **state)
{
	uint64_t now = 1000 * SECOND, before = 0;
	struct fold all;

	begin(100000);
	for (unsigned int i = 0; i < 500; i++) {
		struct row_writer writer = {0};
		struct window w = {now, now + SECOND, 0, FLOWS};
		struct histogram measured = {0};
		struct sums s = {.rtt_us = &measured};

		now += SECOND;
		assert_int_equal(fold_write_losses(&writer, (uint64_t[LOSS_COUNT]){0}), 0);
		for (uint32_t flow = 0; flow < FLOWS; flow++) {
			s.counter[MR_OPENED] = 1;
			for (unsigned int k = 0; k < 8; k++)
				histogram_add(s.rtt_us, (uint32_t)random64());
			assert_int_equal(write_sums(&writer, flow, &s), 0);
		}
		w.data = row_shrink(&writer);
		w.size = writer.size;
		assert_int_equal(history_append(&h, &w), 0);
		assert_int_equal(history_advance(&h, now), 0);
		assert_true(h.bytes <= h.bytes_max);
		assert_true(h.fine_bytes <= h.bytes);
		assert_true(h.cut_rows >= before);
		before = h.cut_rows;
	}
	assert_in_range(h.fine.count, 1, 30); /* not the 60 that time allows */
	assert_true(h.cut_rows > 0 && h.merged.count > 1);
	/* no hole behind what was cut */
	assert_int_equal(fold_init(&all, FLOWS), 0);
	for (size_t i = 0; i < history_count(&h); i++)
		assert_int_equal(fold_window(&all, history_at(&h, i)), 0);
	for (unsigned int i = 0; i < FLOWS; i++)
		assert_int_equal(all.list[i]->sums.counter[MR_OPENED],
				 (now - history_oldest_ns(&h)) / SECOND);
	fold_done(&all);
	assert_true(h.cut_until_ns == history_oldest_ns(&h));
	assert_true(h.cut_until_ns < history_at(&h, 0)->end_ns);
	history_done(&h);
}

/* The wall clock stepped: windows come in any order, nothing is lost or counted twice. */
static void test_clock_steps(void **state)
{
	uint64_t now = 1000 * SECOND;

	begin(64 << 20);
	for (unsigned int i = 0; i < 300; i++) {
		now += SECOND;
		if (i == 100)
			now -= 45 * SECOND;
		if (i == 200)
			now += 100 * SECOND;
		add(now, 5);
		assert_int_equal(history_advance(&h, now), 0);
	}
	assert_all_there();
	history_done(&h);
}

static size_t one_cut(void *userdata, uint64_t from_ns, uint64_t to_ns, uint64_t *ret)
{
	const uint64_t *cut = userdata;

	*ret = *cut;
	return *cut > from_ns && *cut < to_ns;
}

/* What lies on one side of an instant stays apart from what lies on the other, and from what lies
 * on both. */
static void test_cuts_are_never_merged_across(void **state)
{
	uint64_t cut_ns = 1004 * SECOND + SECOND / 2;
	size_t before = 0, after = 0, across = 0;

	begin(1 << 20);
	h.cut_fn = one_cut;
	h.userdata = &cut_ns;
	for (unsigned int i = 1; i <= 10; i++)
		add((1000 + i) * SECOND, 3);
	assert_int_equal(history_advance(&h, 1100 * SECOND), 0);
	assert_all_there();
	assert_int_equal(h.fine.count, 0);
	for (size_t i = 0; i < history_count(&h); i++) {
		const struct window *w = history_at(&h, i);

		before += w->end_ns <= cut_ns;
		after += w->start_ns >= cut_ns;
		across += w->start_ns < cut_ns && w->end_ns > cut_ns;
	}
	assert_in_range(before, 1, 2); /* one for each agent */
	assert_in_range(after, 1, 2);
	assert_int_equal(across, 1);
	history_done(&h);
}

/* What came merged from an agent keeps its span, and does not stretch others'. */
static void test_long_windows_stay_as_they_are(void **state)
{
	begin(1 << 20);
	for (unsigned int i = 1; i <= 10; i++)
		add((1000 + i) * SECOND, 3);
	h.fine.windows[4].start_ns = 500 * SECOND;
	assert_int_equal(history_advance(&h, 1100 * SECOND), 0);
	assert_all_there();
	for (size_t i = 0; i < history_count(&h); i++) {
		const struct window *w = history_at(&h, i);

		assert_true(w->start_ns == 500 * SECOND ? w->end_ns == 1005 * SECOND
							: w->start_ns >= 1000 * SECOND);
	}
	history_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merging_is_exact),
		cmocka_unit_test(test_forgetting),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_cuts_are_never_merged_across),
		cmocka_unit_test(test_long_windows_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
