/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: which addresses are special, what a prefix holds, and what is no prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/address.h"

static const uint8_t *parse(const char *text)
{
	static struct address_prefix p[4];
	static unsigned int at;

	at = (at + 1) % 4;
	assert_int_equal(address_prefix_parse(&p[at], text), 0);
	return p[at].address;
}

static void test_kinds(void **state)
{
	assert_true(address_is_v4(parse("1.2.3.4")));
	assert_true(address_is_v4(parse("::ffff:1.2.3.4")));
	assert_true(address_equal(parse("1.2.3.4"), parse("::ffff:1.2.3.4")));
	assert_false(address_is_v4(parse("fe80::1")));
	assert_true(address_is_loopback(parse("127.0.0.1")));
	assert_true(address_is_loopback(parse("127.255.0.9")));
	assert_true(address_is_loopback(parse("::1")));
	assert_false(address_is_loopback(parse("128.0.0.1")));
	assert_false(address_is_loopback(parse("::")));
	assert_true(address_is_unspecified(parse("0.0.0.0")));
	assert_true(address_is_unspecified(parse("::")));
	assert_false(address_is_unspecified(parse("0.0.0.1")));
}

static void test_format(void **state)
{
	char text[ADDRESS_TEXT_MAX];

	assert_string_equal(address_format(parse("10.1.2.3"), text), "10.1.2.3");
	assert_string_equal(address_format(parse("::1"), text), "::1");
	assert_string_equal(address_format(parse("2001:db8::7"), text), "2001:db8::7");
}

static bool holds(const char *prefix, const char *address)
{
	struct address_prefix p;

	assert_int_equal(address_prefix_parse(&p, prefix), 0);
	return address_prefix_contains(&p, parse(address));
}

static void test_prefixes(void **state)
{
	assert_true(holds("10.0.0.0/8", "10.255.1.2"));
	assert_false(holds("10.0.0.0/8", "11.0.0.0"));
	assert_true(holds("10.9.9.9/8", "10.1.1.1"));
	assert_true(holds("192.168.1.128/25", "192.168.1.200"));
	assert_false(holds("192.168.1.128/25", "192.168.1.127"));
	assert_true(holds("0.0.0.0/0", "9.9.9.9"));
	assert_false(holds("0.0.0.0/0", "fe80::1"));
	assert_true(holds("::/0", "9.9.9.9"));
	assert_true(holds("fe80::/10", "febf::1"));
	assert_false(holds("fe80::/10", "fec0::1"));
	assert_true(holds("1.2.3.4", "1.2.3.4"));
	assert_false(holds("1.2.3.4", "1.2.3.5"));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"10",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"fe80::/129",
		"10.0.0.0/8x",
		"a.b.c.d",
		"10.0.0.0/4294967304",
		"/8",
		"1:2",
		"10.0.0.256",
		"0000000000000000000000000000000000000000000000000000000000",
	};
	struct address_prefix p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!address_prefix_parse(&p, bad[i]))
			fail_msg("took \"%s\"", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
