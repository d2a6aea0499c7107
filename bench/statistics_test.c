/* SPDX-License-Identifier: Apache-2.0 */
/* Proves that the intervals hold the truth about as often as they say, and what cuts and halves do.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "statistics.h"

static uint64_t state = 88172645463325252u;

static double uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform() + 1e-300)) * cos(2 * M_PI * uniform());
}

static void test_quantiles(void **unused)
{
	double v[] = {5, 1, 4, 2, 3}, even[] = {4, 1, 3, 2};

	assert_true(stats_median(v, 5) == 3);
	assert_true(stats_median(even, 4) == 2.5);
	assert_true(stats_quantile(v, 5, 0.99) == 5);
	assert_true(stats_median(v, 0) == 0);
}

/* A tenth of the values is far off; the mean of all is spoilt, the interval is not. */
static void test_outliers_are_cut(void **unused)
{
	double v[200];
	struct interval i;

	for (int k = 0; k < 200; k++)
		v[k] = 3 + normal() + (k % 20 == 0 ? 1000 : 0);
	i = stats_trimmed(v, 200);
	assert_true(i.low < 3.3 && i.high > 3 && i.high - i.low < 0.6);
	assert_true(i.plain > 40);
}

static void test_interval_holds_the_truth(void **unused)
{
	unsigned int held = 0;
	double v[100];

	for (int run = 0; run < 1000; run++) {
		struct interval i;

		for (int k = 0; k < 100; k++)
			v[k] = 7 + normal();
		i = stats_trimmed(v, 100);
		held += i.low <= 7 && 7 <= i.high;
	}
	assert_in_range(held, 920, 975);
}

/* The effect is 2; the copies differ by 50. */
static void test_sides_cancel(void **unused)
{
	double a[100], b[100];
	struct interval i;

	for (int k = 0; k < 100; k++) {
		a[k] = 2 + 50 + normal();
		b[k] = 2 - 50 + normal();
	}
	i = stats_crossed(a, 100, b, 100);
	assert_true(i.low < 2.2 && i.high > 1.8 && i.high - i.low < 0.5);
	i = stats_exp((struct interval){0, 0, 0, 0});
	assert_true(i.middle == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_outliers_are_cut),
		cmocka_unit_test(test_interval_holds_the_truth),
		cmocka_unit_test(test_sides_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
