/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snmp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TCP_NAMES "Tcp: RtoAlgorithm MaxConn ActiveOpens PassiveOpens RetransSegs InErrs\n"
#define UDP_NAMES "Udp: InDatagrams NoPorts OutDatagrams RcvbufErrors MemErrors\n"

static void reads_by_name(void **state)
{
	struct snmp s;

	assert_int_equal(snmp_parse("Ip: Forwarding DefaultTTL\nIp: 1 64\n" TCP_NAMES
				    "Tcp: 1 -1 173488 18446744073709551615 5 0\n" UDP_NAMES
				    "Udp: 11 12 13 14 100\n",
				    "", &s),
			 0);
	assert_int_equal(s.counter[NETNS_ATTEMPTED], 173488);
	assert_true(s.counter[NETNS_ACCEPTED] == UINT64_MAX);
	assert_int_equal(s.counter[NETNS_RETRANSMITS], 5);
	assert_int_equal(s.counter[NETNS_DATAGRAMS_RECEIVED], 11);
	assert_int_equal(s.counter[NETNS_DATAGRAMS_SENT], 13);
	assert_int_equal(s.counter[NETNS_DATAGRAMS_DROPPED], 114);
}

static void adds_ipv6(void **state)
{
	struct snmp s;

	assert_int_equal(snmp_parse(TCP_NAMES "Tcp: 1 2 3 4 5 6\n" UDP_NAMES
					      "Udp: 11 12 13 14 100\n",
				    "Ip6InReceives                   \t7\n"
				    "Udp6InDatagrams                 \t1000\n"
				    "Udp6NoPorts                     \t5\n"
				    "Udp6OutDatagrams                \t2000\n"
				    "Udp6RcvbufErrors                \t3000\n"
				    "UdpLite6OutDatagrams            \t9\n"
				    "Udp6MemErrors                   \t4000\n",
				    &s),
			 0);
	assert_int_equal(s.counter[NETNS_ATTEMPTED], 3);
	assert_int_equal(s.counter[NETNS_DATAGRAMS_RECEIVED], 1011);
	assert_int_equal(s.counter[NETNS_DATAGRAMS_SENT], 2013);
	assert_int_equal(s.counter[NETNS_DATAGRAMS_DROPPED], 7114);
}

static void refuses_what_is_not_whole(void **state)
{
	static const char *const bad[] = {
		"",
		TCP_NAMES,
		TCP_NAMES "Tcp: 1 2\n" UDP_NAMES "Udp: 1 2 3 4 5\n",
		TCP_NAMES "Tcp: 1 2 3 4 5 6\n",
		TCP_NAMES "Tcp: 1 2 3 4 5 6\n" UDP_NAMES "Udp: 1 2 3\n",
		"Udp: ActiveOpens PassiveOpens RetransSegs\nUdp: 1 2 3\n",
	};
	struct snmp s = {.counter[NETNS_ATTEMPTED] = 42};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(snmp_parse(bad[i], "", &s), -EBADMSG);
	assert_int_equal(s.counter[NETNS_ATTEMPTED], 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_by_name),
		cmocka_unit_test(adds_ipv6),
		cmocka_unit_test(refuses_what_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
