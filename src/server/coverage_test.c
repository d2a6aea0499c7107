/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: a span is covered, missing, or to come, by the lives of an agent; lives stay bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/coverage.h"

static void assert_state(const struct coverage *c, enum coverage_tail tail, uint64_t from,
			 uint64_t to, enum coverage_state expected)
{
	assert_int_equal(coverage_of(c, tail, from, to), expected);
}

static void test_states(void **state)
{
	struct coverage c = {0};

	assert_state(&c, COVERAGE_SILENT, 1, 2, COVERAGE_THERE);
	coverage_add(&c, true, 100, 110);
	coverage_add(&c, false, 110, 130);
	coverage_add(&c, true, 150, 160);
	assert_int_equal(c.count, 2);
	assert_state(&c, COVERAGE_REPORTING, 90, 100, COVERAGE_GAP); /* it did not run yet */
	assert_state(&c, COVERAGE_REPORTING, 90, 101, COVERAGE_THERE);
	assert_state(&c, COVERAGE_REPORTING, 120, 125, COVERAGE_THERE);
	assert_state(&c, COVERAGE_REPORTING, 129, 140, COVERAGE_THERE); /* partly */
	assert_state(&c, COVERAGE_REPORTING, 130, 150, COVERAGE_GAP);
	assert_state(&c, COVERAGE_REPORTING, 140, 151, COVERAGE_THERE);
	assert_state(&c, COVERAGE_REPORTING, 160, 170, COVERAGE_TO_COME);
	assert_state(&c, COVERAGE_SILENT, 160, 170, COVERAGE_OPEN_GAP);
	assert_state(&c, COVERAGE_GONE, 160, 170, COVERAGE_GAP);
	assert_state(&c, COVERAGE_SILENT, 120, 170, COVERAGE_THERE);
	assert_int_equal(coverage_end(&c), 160);
	coverage_done(&c);
}

static void test_gaps(void **state)
{
	struct coverage_life gap;
	struct coverage c = {0};

	assert_false(coverage_gap(&c, 0, &gap));
	coverage_add(&c, true, 100, 110);
	assert_false(coverage_gap(&c, 0, &gap));
	coverage_add(&c, true, 109, 120); /* no gap: clocks are not that good */
	assert_int_equal(c.count, 1);
	coverage_add(&c, true, 130, 140);
	assert_true(coverage_gap(&c, 0, &gap));
	assert_int_equal(gap.from_ns, 120);
	assert_int_equal(gap.to_ns, 130);
	assert_false(coverage_gap(&c, 1, &gap));
	coverage_done(&c);
}

static void test_bound(void **state)
{
	struct coverage c = {0};

	for (uint64_t i = 0; i < 100; i++)
		coverage_add(&c, true, 100 * i, 100 * i + 50);
	assert_int_equal(c.count, COVERAGE_LIVES_MAX);
	assert_state(&c, COVERAGE_REPORTING, 60, 90, COVERAGE_THERE);
	assert_state(&c, COVERAGE_REPORTING, 9860, 9890, COVERAGE_GAP);
	coverage_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
