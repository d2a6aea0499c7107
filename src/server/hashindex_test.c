/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: what was put in is found, what was removed is not, through growth and collisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/hashindex.h"

static unsigned int count(const struct hashindex *ix, uint32_t hash, uint32_t value)
{
	struct hashindex_cursor at = hashindex_begin(hash);
	unsigned int found = 0;
	uint32_t v;

	while (hashindex_next(ix, &at, &v))
		found += v == value;
	return found;
}

static void test_multimap(void **state)
{
	struct hashindex ix = {0};
	uint32_t v;

	assert_false(hashindex_get(&ix, 7, &v));
	assert_false(hashindex_remove(&ix, 7, 1));
	assert_int_equal(hashindex_insert(&ix, 7, 1), 0);
	assert_int_equal(hashindex_insert(&ix, 7, 2), 0);
	assert_int_equal(hashindex_insert(&ix, 7 + 64, 3), 0); /* the same place, another hash */
	assert_int_equal(count(&ix, 7, 1), 1);
	assert_int_equal(count(&ix, 7, 2), 1);
	assert_int_equal(count(&ix, 7, 3), 0);
	assert_int_equal(count(&ix, 7 + 64, 3), 1);
	assert_true(hashindex_remove(&ix, 7, 1));
	assert_false(hashindex_remove(&ix, 7, 1));
	assert_int_equal(count(&ix, 7, 2), 1);
	assert_int_equal(count(&ix, 7 + 64, 3), 1);
	hashindex_clear(&ix);
	assert_int_equal(ix.count, 0);
	assert_false(hashindex_get(&ix, 7 + 64, &v));
	hashindex_done(&ix);
}

/* Against a plain array, with hashes so few that runs are long and wrap around. */
static void test_random_against_model(void **state)
{
	enum { HASHES = 37, VALUES = 16, STEPS = 200000 };
	static bool model[HASHES][VALUES];
	struct hashindex ix = {0};
	uint32_t random = 1, held = 0, i;

	for (i = 0; i < STEPS; i++) {
		uint32_t h, v, hash;

		random = random * 1664525 + 1013904223;
		h = (random >> 8) % HASHES;
		v = (random >> 20) % VALUES;
		hash = h * 0xfffffff1u; /* some near the end of the table */
		if (model[h][v]) {
			assert_true(hashindex_remove(&ix, hash, v));
		} else {
			assert_int_equal(hashindex_insert(&ix, hash, v), 0);
		}
		model[h][v] = !model[h][v];
		held += model[h][v] ? 1 : -1;
		assert_int_equal(ix.count, held);
		h = (random >> 3) % HASHES;
		v = (random >> 12) % VALUES;
		assert_int_equal(count(&ix, h * 0xfffffff1u, v), model[h][v]);
	}
	hashindex_done(&ix);
}

static void test_hashes(void **state)
{
	const char bytes[] = "0123456789abcdef0";
	uint32_t i;

	for (i = 0; i + 1 < sizeof(bytes); i++) /* every length is another key */
		assert_int_not_equal(hashindex_hash(1, bytes, i), hashindex_hash(1, bytes, i + 1));
	assert_int_not_equal(hashindex_hash(1, bytes, 16), hashindex_hash(2, bytes, 16));
	for (i = 0; i < 1000; i++)
		assert_int_not_equal(hashindex_hash_u32(i), hashindex_hash_u32(i + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multimap),
		cmocka_unit_test(test_random_against_model),
		cmocka_unit_test(test_hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
