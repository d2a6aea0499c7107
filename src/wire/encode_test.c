/* SPDX-License-Identifier: Apache-2.0 */
/* What goes out comes in again, field by field, whatever it holds. */
#include "wire/encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/decode.h"
#include "wire/sample_for_test.h"

static struct wire_batch *there_and_back(const struct wire_batch *b)
{
	struct error error = {""};
	struct wire_batch *back;
	uint8_t *data;
	size_t size;

	assert_int_equal(wire_encode(b, &data, &size), 0);
	if (wire_decode(data, size, NULL, &back, &error))
		fail_msg("%s", error.text);
	free(data);
	return back;
}

static void hold_same(struct wire_batch *b)
{
	struct wire_batch *back = there_and_back(b);
	const char *difference = sample_difference(b, back);

	if (difference)
		fail_msg("%s came back differently", difference);
	wire_batch_free(back);
}

static struct wire_batch *empty_batch(void)
{
	struct wire_batch *b = wire_batch_new();

	assert_non_null(b);
	b->node = b->boot_id = b->version = b->kernel = b->status.hooks = "";
	return b;
}

static void an_empty_batch_comes_back(void **state)
{
	struct wire_batch *b = empty_batch();

	hold_same(b);
	wire_batch_free(b);
}

static void every_field_comes_back(void **state)
{
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct wire_batch *b = sample_batch(seed, seed % 10 ? 12 : 120);

		hold_same(b);
		wire_batch_free(b);
	}
}

static void a_usual_window_comes_back(void **state)
{
	struct wire_batch *b = sample_window(1, 1000, 300, true);

	assert_int_equal(b->flow_count, 1000);
	assert_int_equal(b->update_count, 300);
	hold_same(b);
	wire_batch_free(b);
}

static void the_difference_is_seen(void **state)
{
	struct wire_batch *a = sample_batch(10, 120), *b = there_and_back(a);

	assert_true(b->update_count > 0);
	b->updates[b->update_count - 1].counter[MR_COUNTER_COUNT - 1]++;
	assert_string_equal(sample_difference(a, b), "counter");
	wire_batch_free(a);
	wire_batch_free(b);
}

/* Or a batch in doubt could not be sent again as it was. */
static void the_same_batch_gives_the_same_bytes(void **state)
{
	struct wire_batch *a = sample_batch(20, 120), *b = sample_batch(20, 120);
	uint8_t *of_a, *of_b;
	size_t a_size, b_size;

	assert_int_equal(wire_encode(a, &of_a, &a_size), 0);
	assert_int_equal(wire_encode(b, &of_b, &b_size), 0);
	assert_int_equal(a_size, b_size);
	assert_memory_equal(of_a, of_b, a_size);
	free(of_a);
	free(of_b);
	wire_batch_free(a);
	wire_batch_free(b);
}

/* Negative ones too: sums are by two's complement. */
static void counters_hold_their_extremes(void **state)
{
	static const uint64_t values[] = {1, 127, 128, UINT64_MAX, UINT64_C(1) << 63, 0 - 1000ull};
	struct wire_batch *b = empty_batch();

	b->update_count = MR_COUNTER_COUNT;
	b->updates = arena_alloc(b->arena, b->update_count * sizeof(*b->updates));
	for (uint32_t i = 0; i < b->update_count; i++) {
		b->updates[i].flow = i + 1;
		b->updates[i].counter[i] = values[i % 6];
		b->updates[i].counter[(i + 5) % MR_COUNTER_COUNT] = values[(i + 1) % 6];
	}
	hold_same(b);
	wire_batch_free(b);
}

static void handles_hold_their_extremes(void **state)
{
	static const uint32_t handles[] = {UINT32_MAX - 1, 0, UINT32_MAX - 1, 1, 0};
	struct wire_batch *b = empty_batch();

	b->retired = (uint32_t *)handles;
	b->retired_count = 5;
	hold_same(b);
	wire_batch_free(b);
}

static void updates_come_sorted_and_keep_their_order_within_a_flow(void **state)
{
	static const uint32_t flows[] = {70000, 3, 9, 3, 0}, sorted[] = {0, 3, 3, 9, 70000};
	static const uint64_t bytes[] = {4, 1, 3, 2, 0};
	struct wire_batch *b = empty_batch(), *back;

	b->update_count = 5;
	b->updates = arena_alloc(b->arena, 5 * sizeof(*b->updates));
	for (unsigned int i = 0; i < 5; i++) {
		b->updates[i].flow = flows[i];
		b->updates[i].counter[MR_BYTES_TO_SERVER] = bytes[i];
	}
	back = there_and_back(b);
	assert_int_equal(back->update_count, 5);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(back->updates[i].flow, sorted[i]);
		assert_int_equal(back->updates[i].counter[MR_BYTES_TO_SERVER], i);
	}
	wire_batch_free(b);
	wire_batch_free(back);
}

static void a_string_is_never_too_long(void **state)
{
	struct wire_batch *b = empty_batch();
	char *s = arena_alloc(b->arena, WIRE_STRING_SIZE_MAX + 2);
	uint8_t *data;
	size_t size;

	memset(s, 0xff, WIRE_STRING_SIZE_MAX);
	b->node = s;
	hold_same(b);
	s[WIRE_STRING_SIZE_MAX] = 'x';
	assert_int_equal(wire_encode(b, &data, &size), -EINVAL);
	wire_batch_free(b);
}

static void drops_are_never_too_many(void **state)
{
	struct wire_batch *b = empty_batch();
	uint8_t *data;
	size_t size;

	b->update_count = 1;
	b->updates = arena_alloc(b->arena, sizeof(*b->updates));
	b->updates->drops = arena_alloc(b->arena, 9 * sizeof(*b->updates->drops));
	for (unsigned int i = 0; i < 9; i++)
		b->updates->drops[i] = (struct wire_drop){"NETFILTER_DROP", i};
	b->updates->drop_count = WIRE_DROPS_MAX;
	hold_same(b);
	b->updates->drop_count = WIRE_DROPS_MAX + 1;
	assert_int_equal(wire_encode(b, &data, &size), -EINVAL);
	wire_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_batch_comes_back),
		cmocka_unit_test(every_field_comes_back),
		cmocka_unit_test(a_usual_window_comes_back),
		cmocka_unit_test(the_difference_is_seen),
		cmocka_unit_test(the_same_batch_gives_the_same_bytes),
		cmocka_unit_test(counters_hold_their_extremes),
		cmocka_unit_test(handles_hold_their_extremes),
		cmocka_unit_test(updates_come_sorted_and_keep_their_order_within_a_flow),
		cmocka_unit_test(a_string_is_never_too_long),
		cmocka_unit_test(drops_are_never_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
