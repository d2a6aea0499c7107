/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: numbers of all sizes come out as they went in; nothing else is taken for a column. */
#include "wire/pack.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_MAX 3000

static uint64_t state_random = 1;
static uint64_t values[COUNT_MAX], back[COUNT_MAX];
static uint8_t bytes[PACK_BOUND(COUNT_MAX)];

static uint64_t random64(void)
{
	state_random ^= state_random << 13;
	state_random ^= state_random >> 7;
	state_random ^= state_random << 17;
	return state_random;
}

/* In a buffer of exactly its size, so that a step beyond it is seen. */
static int unpack_exactly(size_t size, size_t count)
{
	uint8_t *exact = malloc(size + !size);
	int r;

	memcpy(exact, bytes, size);
	r = unpack(exact, size, back, count);
	free(exact);
	return r;
}

static size_t hold_same(size_t count)
{
	size_t size = pack(values, count, bytes);

	assert_true(size <= PACK_BOUND(count));
	assert_int_equal(unpack_exactly(size, count), 0);
	assert_memory_equal(back, values, count * sizeof(*values));
	return size;
}

static void columns_of_any_kind_come_back(void **state)
{
	for (unsigned int turn = 0; turn < 3000; turn++) {
		size_t count = 1 + random64() % (turn % 10 ? 40 : COUNT_MAX);
		unsigned int bits = random64() % 65, kind = random64() % 4;
		uint64_t unit = kind == 1 ? 1 + random64() % 5000 : 1;

		for (size_t i = 0; i < count; i++) {
			uint64_t v = bits ? random64() >> (64 - bits) : 0;

			if (kind == 2)
				v >>= random64() % 64;
			if (kind == 3 && random64() % 8)
				v = 0;
			values[i] = v / unit * unit;
		}
		hold_same(count);
	}
}

/* Weights as Fibonacci's numbers make the longest codes there are. */
static void codes_are_never_too_long(void **state)
{
	size_t count = 0;

	for (uint64_t k = 0, a = 1, b = 1, sum; k < 16; k++, sum = a + b, a = b, b = sum)
		for (uint64_t i = 0; i < a && count < COUNT_MAX; i++)
			values[count++] = k < 8 ? k : UINT64_C(1) << (k - 5);
	hold_same(count);
}

static void every_size_comes_back(void **state)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		values[2 * bit] = UINT64_C(1) << bit;
		values[2 * bit + 1] = UINT64_MAX >> bit;
	}
	hold_same(128);
}

static void what_comes_often_is_small(void **state)
{
	for (size_t i = 0; i < 1000; i++)
		values[i] = 5;
	assert_in_range(hold_same(1000), 1, 4);
	for (size_t i = 0; i < 1000; i++)
		values[i] = 4000 * (i % 2); /* one bit each */
	assert_in_range(hold_same(1000), 125, 132);
}

static void anything_else_is_refused(void **state)
{
	size_t size, refused = 0;

	for (size_t i = 0; i < 200; i++)
		values[i] = random64() >> (random64() % 64);
	size = pack(values, 200, bytes);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(unpack_exactly(cut, 200), -EBADMSG);
	bytes[size] = 0;
	assert_int_equal(unpack_exactly(size + 1, 200), -EBADMSG);
	assert_int_equal(unpack_exactly(size, 199), -EBADMSG);
	assert_int_equal(unpack_exactly(size, 201), -EBADMSG);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		refused += unpack_exactly(size, 200) != 0;
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	assert_true(refused > 0);
	assert_int_equal(unpack(NULL, 0, back, 1), -EBADMSG);
	for (unsigned int turn = 0; turn < 20000; turn++) {
		size = random64() % 40;
		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)(random64() >> 20) >> turn % 8;
		unpack_exactly(size, 1 + random64() % 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_of_any_kind_come_back),
		cmocka_unit_test(codes_are_never_too_long),
		cmocka_unit_test(every_size_comes_back),
		cmocka_unit_test(what_comes_often_is_small),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
