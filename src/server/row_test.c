/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: rows come out as they went in, in any order, with the oddest values; sums are exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/row.h"

static uint64_t state_random = 1;
static struct arena *arena; /* of what sums point to */

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

/* All zero, with everything there. */
static struct sums whole_sums(void)
{
	return (struct sums){.rtt_us = arena_alloc(arena, sizeof(struct histogram)),
			     .connect_us = arena_alloc(arena, sizeof(struct histogram)),
			     .dns = arena_alloc(arena, sizeof(struct wire_dns)),
			     .drops = arena_alloc(arena, sizeof(struct drops))};
}

/* Values of every size, both signs; many columns empty. */
static struct sums random_sums(void)
{
	struct sums s = whole_sums();

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++) {
		uint64_t v = random64() >> (random64() % 64);

		if (random64() % 3)
			s.counter[i] = random64() % 2 ? v : 0 - v;
	}
	if (random64() % 4 == 0)
		s.active_lost = (int64_t)(random64() % 100) - 50;
	if (random64() % 4 == 0)
		s.pending_lost = -(int64_t)(random64() % 100);
	for (uint64_t n = random64() % 20; n--;)
		histogram_add(s.rtt_us, (uint32_t)(random64() >> (32 + random64() % 32)));
	for (uint64_t n = random64() % 3; n--;)
		histogram_add(s.connect_us, (uint32_t)(random64() >> (32 + random64() % 32)));
	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		if (random64() % 20 == 0)
			s.dns->counter[i] = random64() >> (1 + random64() % 63);
	for (uint64_t n = random64() % 3; n--;)
		histogram_add(&s.dns->latency_us, (uint32_t)(random64() >> (32 + random64() % 32)));
	for (uint64_t n = random64() % 4; n--;)
		drops_add(s.drops, (uint16_t)(1 + n * 7), random64() >> (1 + random64() % 63));
	return s;
}

static void sums_add(struct sums *into, const struct sums *s)
{
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		into->counter[i] += s->counter[i];
	into->active_lost += s->active_lost;
	into->pending_lost += s->pending_lost;
	histogram_merge(into->rtt_us, s->rtt_us);
	histogram_merge(into->connect_us, s->connect_us);
	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		into->dns->counter[i] += s->dns->counter[i];
	histogram_merge(&into->dns->latency_us, &s->dns->latency_us);
	drops_merge(into->drops, s->drops);
}

static void assert_same_or_none(const void *a, const void *b, size_t size)
{
	static const char none[1024];

	assert_true(size <= sizeof(none));
	assert_memory_equal(a ? a : none, b ? b : none, size);
}

static void assert_same(const struct sums *a, const struct sums *b)
{
	static const struct drops none;
	const struct drops *x = a->drops ? a->drops : &none, *y = b->drops ? b->drops : &none;

	assert_memory_equal(a->counter, b->counter, sizeof(a->counter));
	assert_int_equal(a->active_lost, b->active_lost);
	assert_int_equal(a->pending_lost, b->pending_lost);
	assert_same_or_none(a->rtt_us, b->rtt_us, sizeof(*a->rtt_us));
	assert_same_or_none(a->connect_us, b->connect_us, sizeof(*a->connect_us));
	assert_same_or_none(a->dns, b->dns, sizeof(*a->dns));
	assert_int_equal(x->used, y->used);
	for (uint32_t i = 0; i < x->used; i++) {
		assert_int_equal(x->item[i].reason, y->item[i].reason);
		assert_int_equal(x->item[i].count, y->item[i].count);
	}
}

static void test_round_trip(void **state)
{
	enum { ROWS = 3000 };
	static struct sums in[ROWS];
	static uint32_t flow[ROWS];
	struct row_writer w = {0};
	struct row_reader r;

	for (unsigned int i = 0; i < ROWS; i++) {
		in[i] = random_sums();
		flow[i] = (uint32_t)random64() >> (random64() % 32);
		assert_int_equal(write_sums(&w, flow[i], &in[i]), 0);
	}
	r = (struct row_reader){w.data, w.data + w.size, 0};
	for (unsigned int i = 0; i < ROWS; i++) {
		struct sums out = {0};

		assert_true(row_more(&r));
		assert_int_equal(row_flow(&r), flow[i]);
		assert_int_equal(row_add(&r, &out, arena), 0);
		assert_same(&in[i], &out);
	}
	assert_false(row_more(&r));
	free(w.data);
}

static void test_sum_of_rows_is_row_of_sums(void **state)
{
	struct row_writer w = {0};
	struct sums expected = whole_sums(), out = {0};
	struct row_reader r;

	assert_int_equal(row_write_number(&w, UINT64_MAX), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		struct sums s = random_sums();

		sums_add(&expected, &s);
		assert_int_equal(write_sums(&w, 5, &s), 0);
	}
	r = (struct row_reader){w.data, w.data + w.size, 0};
	assert_true(row_read_number(&r) == UINT64_MAX);
	while (row_more(&r)) {
		row_flow(&r);
		assert_int_equal(row_add(&r, &out, arena), 0);
	}
	assert_same(&expected, &out);
	free(w.data);
}

static void test_extremes(void **state)
{
	struct sums in = whole_sums(), out = {0};
	struct row_writer w = {0};
	struct row_reader r;

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		in.counter[i] = i % 2 ? UINT64_MAX : INT64_MAX;
	in.active_lost = INT64_MIN;
	in.pending_lost = INT64_MAX;
	in.rtt_us->sum = in.connect_us->sum = UINT64_MAX;
	in.rtt_us->max = UINT32_MAX;
	in.connect_us->min = in.connect_us->max = UINT32_MAX;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		in.rtt_us->bucket[i] = in.connect_us->bucket[i] = UINT32_MAX;
		in.rtt_us->count = in.connect_us->count += UINT32_MAX;
	}
	assert_int_equal(write_sums(&w, UINT32_MAX, &in), 0);
	assert_int_equal(write_sums(&w, 0, &in), 0);
	r = (struct row_reader){w.data, w.data + w.size, 0};
	assert_int_equal(row_flow(&r), UINT32_MAX);
	assert_int_equal(row_add(&r, &out, arena), 0);
	assert_same(&in, &out);
	assert_int_equal(row_flow(&r), 0);
	free(w.data);
}

/* The counters of rows without the rest of them, and nothing but the rest is passed over. */
static void test_counters_alone(void **state)
{
	struct row_writer w = {0};
	struct sums in[200], out;
	struct row_reader r;

	for (uint32_t i = 0; i < 200; i++) {
		in[i] = random_sums();
		assert_int_equal(write_sums(&w, i, &in[i]), 0);
	}
	r = (struct row_reader){w.data, w.data + w.size, 0};
	for (uint32_t i = 0; i < 200; i++) {
		out = (struct sums){0};
		assert_int_equal(row_flow(&r), i);
		row_add_counters(&r, &out);
		assert_memory_equal(out.counter, in[i].counter, sizeof(out.counter));
		assert_int_equal(out.active_lost, in[i].active_lost);
		assert_null(out.rtt_us);
		assert_null(out.dns);
	}
	assert_false(row_more(&r));
	free(w.data);
}

/* Figures alone, written or copied, are the same figures. */
static void test_figures(void **state)
{
	struct row_writer from = {0}, copied = {0}, written = {0};
	struct sums in[200], out;
	struct row_source source;
	struct row_reader r;
	const uint8_t *figures;
	size_t size;

	for (uint64_t i = 0; i < 200; i++) {
		in[i] = random_sums();
		source = sums_source(&in[i]);
		assert_int_equal(row_write(&from, i << 40, &source), 0);
		assert_int_equal(row_write_sums(&written, &source), 0);
	}
	r = (struct row_reader){from.data, from.data + from.size, 0};
	for (uint64_t i = 0; i < 200; i++) {
		assert_true(row_flow(&r) == i << 40);
		figures = row_figures(&r, &size);
		assert_int_equal(row_write_bytes(&copied, figures, size), 0);
	}
	assert_false(row_more(&r));
	assert_int_equal(copied.size, written.size);
	assert_memory_equal(copied.data, written.data, written.size);
	r = (struct row_reader){copied.data, copied.data + copied.size, 0};
	for (uint64_t i = 0; i < 200; i++) {
		out = (struct sums){0};
		assert_int_equal(row_add(&r, &out, arena), 0);
		assert_same(&in[i], &out);
	}
	assert_false(row_more(&r));
	free(from.data);
	free(copied.data);
	free(written.data);
}

static void test_gauges(void **state)
{
	struct sums s = {0};

	s.counter[MR_ATTEMPTED] = 10;
	s.counter[MR_OPENED] = 6;
	s.counter[MR_FAILED_REFUSED] = 1;
	s.counter[MR_FAILED_OTHER] = 1;
	s.counter[MR_ADOPTED] = 3;
	s.counter[MR_CLOSED] = 4;
	assert_int_equal(sums_failed(&s), 2);
	assert_int_equal(sums_active(&s), 5);
	assert_int_equal(sums_pending(&s, true), 2);
	assert_int_equal(sums_pending(&s, false), 0);
	s.active_lost = 5;
	s.pending_lost = 2;
	assert_int_equal(sums_active(&s), 0);
	assert_int_equal(sums_pending(&s, true), 0);
}

/* What a row of usual traffic costs: the bound on history is planned with it. */
static void test_size(void **state)
{
	struct row_writer w = {0};
	struct sums s = whole_sums();

	s.counter[MR_ATTEMPTED] = s.counter[MR_OPENED] = s.counter[MR_CLOSED] = 40;
	s.counter[MR_BYTES_TO_SERVER] = 40 * 120;
	s.counter[MR_BYTES_TO_CLIENT] = 40 * 5000;
	s.counter[MR_SEGMENTS_TO_SERVER] = s.counter[MR_SEGMENTS_TO_CLIENT] = 200;
	s.counter[MR_BUSY_TO_SERVER] = 12345;
	for (uint32_t i = 0; i < 40; i++) {
		histogram_add(s.rtt_us, 50 + i);
		histogram_add(s.connect_us, 60 + i);
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(write_sums(&w, i, &s), 0);
	print_message("a row of 8 counters and two histograms: %zu bytes\n", w.size / 1000);
	assert_true(w.size / 1000 < 60);
	free(w.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sum_of_rows_is_row_of_sums),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_counters_alone),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_gauges),
		cmocka_unit_test(test_size),
	};

	int r;

	arena = arena_new();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return r;
}
