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

/* What the kernel had when the agent began: a thousand of the first, two of the second, … */
#define BASELINES                                                                                  \
	"\"baseline_active_opens\": 1000, \"baseline_passive_opens\": 2000, "                      \
	"\"baseline_retrans_segs\": 3000, \"baseline_out_datagrams\": 4000, "                      \
	"\"baseline_in_datagrams\": 5000, \"baseline_rcvbuf_errors\": 6000"
#define NETNS(cookie, figures)                                                                     \
	"{\"agents\": [{\"hooks\": \"sock_ops, fentry (UDP)\", \"netns\": [{\"netns\": 7, "        \
	"\"cookie\": " cookie ", " figures ", " BASELINES "}]}]}"
#define OURS(attempted, accepted, retransmits, sent, received, dropped)                            \
	NETNS("1", "\"attempted\": " attempted ", \"accepted\": " accepted                         \
		   ", \"retransmits\": " retransmits ", \"datagrams_sent\": " sent                 \
		   ", \"datagrams_received\": " received ", \"datagrams_dropped\": " dropped)
#define TCP(attempted, accepted, retransmits)                                                      \
	OURS(attempted, accepted, retransmits, "10", "10", "10")
#define UDP(sent, received, dropped) OURS("10", "10", "10", sent, received, dropped)

/* The kernel counts ten of each; of the first, ten more while we ask. */
static struct verify_row compare(const char *ours)
{
	struct kernel_sum first = {7, 1, "", {{1010, 2010, 3010, 4010, 5010, 6010}}}, last = first;
	struct kernel_sums before = {&first, 1}, after = {&last, 1};
	json_t *json = json_loads(ours, 0, NULL);
	struct verify_row *rows, row;
	size_t count;

	last.kernel.counter[NETNS_ATTEMPTED] = 1020;
	assert_int_equal(verify_compare(&before, json, &after, &rows, &count), 0);
	assert_int_equal(count, 1);
	row = rows[0];
	free(rows);
	json_decref(json);
	return row;
}

static void assert_differences(const char *ours, const int64_t differences[NETNS_COUNTER_COUNT],
			       bool equal)
{
	struct verify_row row = compare(ours);

	for (int c = 0; c < NETNS_COUNTER_COUNT; c++)
		assert_int_equal(row.figures[c].difference, differences[c]);
	assert_int_equal(verify_equal(&row, 1), equal);
}
#define NONE      ((int64_t[NETNS_COUNTER_COUNT]){0})
#define SOME(...) ((int64_t[NETNS_COUNTER_COUNT]){__VA_ARGS__})

static void between_the_readings_is_equal(void **state)
{
	assert_differences(TCP("10", "10", "10"), NONE, true);
	assert_differences(TCP("20", "10", "10"), NONE, true);
}

static void outside_is_a_difference(void **state)
{
	assert_differences(TCP("9", "10", "10"), SOME(-1), false);
	assert_differences(TCP("10", "9", "10"), SOME(0, -1),
			   true); /* twins: shown, and forgiven */
	assert_differences(TCP("10", "8", "10"), SOME(0, -2), false);
	assert_differences(TCP("21", "11", "7"), SOME(1, 1, -3), false);
}

/* Ours are datagrams, the kernel's are buffers; what waits to be read it does not count yet. */
static void no_datagram_may_be_missing(void **state)
{
	assert_differences(UDP("9", "10", "10"), SOME(0, 0, 0, -1), false);
	assert_differences(UDP("10", "10", "8"), SOME(0, 0, 0, 0, 0, -2), false);
	assert_differences(UDP("25", "25", "25"), NONE, true);
	assert_differences(UDP("10", "7", "10"), SOME(0, 0, 0, 0, -3),
			   true); /* shown, not judged */
}

static void udp_that_is_not_watched_is_not_compared(void **state)
{
	struct verify_row row = compare(
		"{\"agents\": [{\"hooks\": \"sock_ops\", \"netns\": [{\"netns\": 7, "
		"\"attempted\": 10, \"accepted\": 10, \"retransmits\": 10, " BASELINES "}]}]}");

	assert_false(row.udp);
	assert_int_equal(row.figures[NETNS_DATAGRAMS_SENT].difference, 0);
	assert_true(verify_equal(&row, 1));
}

static void an_unmentioned_namespace_counts_from_zero(void **state)
{
	assert_differences("{\"agents\": [{\"hooks\": \"(UDP)\", \"netns\": []}]}",
			   SOME(-1010, -2010, -3010, -4010, -5010, -6010), false);
}

/* The inode is another one's now: what the agent said is of the one before. */
static void another_namespace_of_the_same_inode_counts_from_zero(void **state)
{
	assert_differences(NETNS("2", "\"attempted\": 10"),
			   SOME(-1010, -2010, -3010, -4010, -5010, -6010), false);
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
		cmocka_unit_test(no_datagram_may_be_missing),
		cmocka_unit_test(udp_that_is_not_watched_is_not_compared),
		cmocka_unit_test(an_unmentioned_namespace_counts_from_zero),
		cmocka_unit_test(another_namespace_of_the_same_inode_counts_from_zero),
		cmocka_unit_test(without_an_agent_nothing_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
