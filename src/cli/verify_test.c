/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's counters are read right, and what lies outside the two readings is a difference. */
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

#include "snmp.h"
#include "verify.h"

#define TCP_NAMES                                                                                  \
	"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "           \
	"EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"

static void parses_snmp(void **state)
{
	struct snmp s;

	assert_int_equal(snmp_parse("Ip: Forwarding\nIp: 1\n" TCP_NAMES
				    "Tcp: 1 200 120000 -1 11 22 3 4 5 6 7 33 0 9 0\nUdp: x\n",
				    &s),
			 0);
	assert_int_equal(s.active_opens, 11);
	assert_int_equal(s.passive_opens, 22);
	assert_int_equal(s.retrans_segs, 33);
}

static void refuses_what_is_not_snmp(void **state)
{
	static const char *const bad[] = {
		"",
		"Tcp: ",
		"Tcp: ActiveOpens\n",
		"Tcp: A\nTcp: 1\n",
		TCP_NAMES,
		TCP_NAMES "Tcp: 1 2\n",
		TCP_NAMES "Tcp: a b c d e f g h i j k l\n",
	};
	struct snmp s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(snmp_parse(bad[i], &s), -EINVAL);
}

static void reads_the_own_namespace(void **state)
{
	struct snmp *list = NULL;
	size_t count = 0, found = 0;
	struct stat st;

	if (geteuid() != 0) {
		print_message("skip: entering network namespaces needs root\n");
		skip();
	}
	assert_int_equal(snmp_read_all(&list, &count), 0);
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	for (size_t i = 0; i < count; i++)
		found += list[i].netns == (uint32_t)st.st_ino;
	assert_int_equal(found, 1);
	free(list);
}

#define OURS(attempted, accepted, retransmits)                                                     \
	"{\"agents\": [{\"netns\": [{\"netns\": 7, \"attempted\": " attempted                      \
	", \"accepted\": " accepted ", \"retransmits\": " retransmits                              \
	", \"baseline_active_opens\": 1000, "                                                      \
	"\"baseline_passive_opens\": 2000, \"baseline_retrans_segs\": 3000}]}]}"

static void assert_difference(const char *ours, int64_t attempted, int64_t accepted,
			      int64_t retransmits)
{
	struct snmp first = {7, "", 1010, 2010, 3010}, last = {7, "", 1020, 2010, 3010};
	struct verify_snapshot before = {&first, 1}, after = {&last, 1};
	json_t *json = json_loads(ours, 0, NULL);
	struct verify_row *rows;
	size_t count;

	assert_int_equal(verify_compare(&before, json, &after, &rows, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].figures[VERIFY_ATTEMPTED].difference, attempted);
	assert_int_equal(rows[0].figures[VERIFY_ACCEPTED].difference, accepted);
	assert_int_equal(rows[0].figures[VERIFY_RETRANSMITS].difference, retransmits);
	assert_int_equal(verify_equal(rows, count), !attempted && !accepted && !retransmits);
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
	assert_difference(OURS("21", "11", "7"), 1, 1, -3);
}

static void an_unmentioned_namespace_counts_from_zero(void **state)
{
	assert_difference("{\"agents\": [{\"netns\": []}]}", -1010, -2010, -3010);
}

static void without_an_agent_nothing_is_compared(void **state)
{
	struct verify_snapshot none = {0};
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
		cmocka_unit_test(parses_snmp),
		cmocka_unit_test(refuses_what_is_not_snmp),
		cmocka_unit_test(reads_the_own_namespace),
		cmocka_unit_test(between_the_readings_is_equal),
		cmocka_unit_test(outside_is_a_difference),
		cmocka_unit_test(an_unmentioned_namespace_counts_from_zero),
		cmocka_unit_test(without_an_agent_nothing_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
