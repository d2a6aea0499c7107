/* SPDX-License-Identifier: Apache-2.0 */
/* A vector keeps its items in order while it grows, and starts at the size it was given. */
#include "base/vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void keeps_items_while_growing(void **state)
{
	struct arena *arena = arena_new();
	struct vector v = vector_init(arena, sizeof(uint32_t), 0);

	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *item = vector_push(&v);

		assert_int_equal(*item, 0);
		*item = i;
	}
	assert_int_equal(v.count, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(*(uint32_t *)vector_at(&v, i), i);
	arena_free(arena);
}

static void a_good_guess_never_moves(void **state)
{
	struct arena *arena = arena_new();
	struct vector v = vector_init(arena, sizeof(uint64_t), 100);
	void *first = vector_push(&v);

	for (uint32_t i = 1; i < 100; i++)
		vector_push(&v);
	assert_ptr_equal(v.items, first);
	vector_push(&v);
	assert_ptr_not_equal(v.items, first);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_items_while_growing),
		cmocka_unit_test(a_good_guess_never_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
