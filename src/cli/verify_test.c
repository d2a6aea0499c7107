/* SPDX-License-Identifier: Apache-2.0 */
/* What lies outside the two readings is a difference. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "verify.h"

static void reads_the_own_namespace(void **state)
{
	struct kernel_sums sums;
	const struct kernel_sum *own;
	struct stat st;

	if (geteuid() != 0) {
		print_message("skip: entering network namespaces needs root\n");
		skip();
	}
	assert_int_equal(kernel_sums_read(&sums), 0);
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	own = kernel_sums_find(&sums, (uint32_t)st.st_ino);
	assert_non_null(own);
	assert_true(own->name[0]);
	kernel_sums_done(&sums);
}

#define OURS(attempted, accepted, retransmits)                                                     \
	"{\"agents\": [{\"netns\": [{\"netns\": 7, \"attempted\": " attempted                      \
	", \"accepted\": " accepted ", \"retransmits\": " retransmits                              \
	", \"baseline_active_opens\": 1000, "                                                      \
	"\"baseline_passive_opens\": 2000, \"baseline_retrans_segs\": 3000}]}]}"

static void assert_difference(const char *ours, int64_t attempted, int64_t accepted,
			      int64_t retransmits)
{
	struct kernel_sum first = {7, "", {1010, 2010, 3010}}, last = {7, "", {1020, 2010, 3010}};
	struct kernel_sums before = {&first, 1}, after = {&last, 1};
	json_t *json = json_loads(ours, 0, NULL);
	struct verify_row *rows;
	size_t count;

	assert_int_equal(verify_compare(&before, json, &after, &rows, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].figures[VERIFY_ATTEMPTED].difference, attempted);
	assert_int_equal(rows[0].figures[VERIFY_ACCEPTED].difference, accepted);
	assert_int_equal(rows[0].figures[VERIFY_RETRANSMITS].difference, retransmits);
	assert_int_equal(verify_equal(rows, count),
			 !attempted && !retransmits && (!accepted || accepted == -1));
	free(rows);
	json_decref(json);
}

static void between_the_readings_is_equal(void **state)
{
	assert_difference(OURS("10", "10", "10"), 0, 0, 0);
	assert_difference(OURS("20", "10", "10"), 0, 0, 0);
}

static void outside_is_a_difference(void **state)
{
	assert_difference(OURS("9", "10", "10"), -1, 0, 0);
	assert_difference(OURS("10", "9", "10"), 0, -1, 0); /* twins: shown, and forgiven */
	assert_difference(OURS("10", "8", "10"), 0, -2, 0);
	assert_difference(OURS("21", "11", "7"), 1, 1, -3);
}

static void an_unmentioned_namespace_counts_from_zero(void **state)
{
	assert_difference("{\"agents\": [{\"netns\": []}]}", -1010, -2010, -3010);
}

static void without_an_agent_nothing_is_compared(void **state)
{
	struct kernel_sums none = {0};
	json_t *json = json_loads("{\"agents\": []}", 0, NULL);
	struct verify_row *rows;
	size_t count;

	assert_int_equal(verify_compare(&none, json, &none, &rows, &count), -EPROTO);
	assert_false(verify_equal(NULL, 0));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_own_namespace),
		cmocka_unit_test(between_the_readings_is_equal),
		cmocka_unit_test(outside_is_a_difference),
		cmocka_unit_test(an_unmentioned_namespace_counts_from_zero),
		cmocka_unit_test(without_an_agent_nothing_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
