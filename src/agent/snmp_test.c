/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snmp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void reads_by_name(void **state)
{
	struct snmp_tcp tcp;

	assert_int_equal(
		snmp_parse("Ip: Forwarding DefaultTTL\nIp: 1 64\n"
			   "Tcp: RtoAlgorithm MaxConn ActiveOpens PassiveOpens RetransSegs InErrs\n"
			   "Tcp: 1 -1 173488 18446744073709551615 5 0\nUdp: InDatagrams\nUdp: 1\n",
			   &tcp),
		0);
	assert_int_equal(tcp.active_opens, 173488);
	assert_true(tcp.passive_opens == UINT64_MAX);
	assert_int_equal(tcp.retrans_segs, 5);
}

static void refuses_what_is_not_whole(void **state)
{
	static const char *const bad[] = {
		"",
		"Tcp: ActiveOpens PassiveOpens RetransSegs\n",
		"Tcp: ActiveOpens PassiveOpens RetransSegs\nTcp: 1 2\n",
		"Tcp: ActiveOpens PassiveOpens\nTcp: 1 2 3\n",
		"Udp: ActiveOpens PassiveOpens RetransSegs\nUdp: 1 2 3\n",
	};
	struct snmp_tcp tcp = {.active_opens = 42};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(snmp_parse(bad[i], &tcp), -EBADMSG);
	assert_int_equal(tcp.active_opens, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_by_name),
		cmocka_unit_test(refuses_what_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
