/* SPDX-License-Identifier: Apache-2.0 */
/* The table against a plain array that does the same slowly, under a long random life. */
#include "base/lru.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAPACITY 64
#define KEYS	 200

struct key {
	uint32_t number;
	char more[9]; /* a tail that is no multiple of 8 */
};

static struct key key_of(uint32_t number)
{
	struct key key;

	memset(&key, 0, sizeof(key));
	key.number = number;
	key.more[8] = (char)number;
	return key;
}

static void finds_what_was_put(void **state)
{
	struct lru *t = lru_new(2, sizeof(struct key), sizeof(uint64_t));
	struct key a = key_of(1), b = key_of(2), c = key_of(3);
	uint64_t *value;
	bool is_new;

	assert_null(lru_get(t, &a));
	assert_null(lru_oldest(t));
	value = lru_put(t, &a, &is_new);
	assert_true(is_new);
	assert_int_equal(*value, 0);
	*value = 7;
	assert_ptr_equal(lru_put(t, &a, &is_new), value);
	assert_false(is_new);
	assert_non_null(lru_put(t, &b, NULL));
	assert_null(lru_put(t, &c, NULL));
	assert_int_equal(*(uint64_t *)lru_get(t, &a), 7);
	assert_memory_equal(lru_key(t, value), &a, sizeof(a));
	assert_ptr_equal(lru_at(t, lru_index(t, value)), value);
	assert_int_equal(lru_count(t), 2);
	lru_free(t);
}

static void evicts_the_longest_unused(void **state)
{
	struct lru *t = lru_new(2, sizeof(struct key), sizeof(uint64_t));
	struct key a = key_of(1), b = key_of(2), c = key_of(3);
	uint64_t *value;

	*(uint64_t *)lru_put(t, &a, NULL) = 1;
	*(uint64_t *)lru_put(t, &b, NULL) = 2;
	lru_get(t, &a);
	value = lru_put_evict(t, &c, NULL);
	assert_int_equal(*value, 0); /* what stood there before is gone */
	assert_null(lru_get(t, &b));
	assert_int_equal(*(uint64_t *)lru_oldest(t), 1);
	assert_ptr_equal(lru_newer(t, lru_oldest(t)), value);
	assert_null(lru_newer(t, value));
	lru_free(t);
}

static void removed_index_has_no_entry(void **state)
{
	struct lru *t = lru_new(4, sizeof(struct key), sizeof(uint64_t));
	struct key a = key_of(1);
	void *value = lru_put(t, &a, NULL);
	uint32_t index = lru_index(t, value);

	lru_remove(t, value);
	assert_null(lru_at(t, index));
	assert_null(lru_at(t, 3));
	assert_null(lru_at(t, 99));
	assert_int_equal(lru_count(t), 0);
	lru_free(t);
}

/* used[k]: when key k was last used, 0: not there; *oldest: the smallest of them. */
static uint32_t model_oldest(const uint64_t *used)
{
	uint32_t oldest = KEYS;

	for (uint32_t k = 0; k < KEYS; k++)
		if (used[k] && (oldest == KEYS || used[k] < used[oldest]))
			oldest = k;
	return oldest;
}

static void agrees_with_a_model(void **state)
{
	struct lru *t = lru_new(CAPACITY, sizeof(struct key), sizeof(uint64_t));
	uint64_t used[KEYS] = {0};
	size_t count = 0;

	srand(1);
	for (uint64_t step = 1; step <= 200000; step++) {
		uint32_t k = (uint32_t)rand() % KEYS;
		struct key key = key_of(k);
		uint64_t *value = lru_get(t, &key);

		assert_int_equal(value != NULL, used[k] != 0);
		if (value)
			used[k] = step;
		if (value && rand() % 3 == 0) {
			assert_int_equal(*value, k);
			lru_remove(t, value);
			used[k] = 0;
			count--;
		} else if (!value && rand() % 2) {
			if (count == CAPACITY) {
				used[model_oldest(used)] = 0;
				count--;
			}
			*(uint64_t *)lru_put_evict(t, &key, NULL) = k;
			used[k] = step;
			count++;
		}
		assert_int_equal(lru_count(t), count);
		if (count)
			assert_int_equal(*(uint64_t *)lru_oldest(t), model_oldest(used));
	}
	lru_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(evicts_the_longest_unused),
		cmocka_unit_test(removed_index_has_no_entry),
		cmocka_unit_test(agrees_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
