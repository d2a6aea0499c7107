/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: loopback is told from the rest, a taken port is said in one line, and only our own names
 * are ours. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/listen.h"

struct parse_case {
	const char *text;
	int r;
	const char *host;
	uint16_t port;
};

static void test_parse(void **state)
{
	static const struct parse_case cases[] = {
		{"127.0.0.1:7070", 0, "127.0.0.1", 7070},
		{"127.8.9.10:1", 0, "127.8.9.10", 1},
		{"localhost:65535", 0, "127.0.0.1", 65535},
		{"[::1]:0", 0, "[::1]", 0},
		{"[0:0::1]:80", 0, "[::1]", 80},
		{"0.0.0.0:7070", 0, "0.0.0.0", 7070},
		{"192.168.1.1:7070", 0, "192.168.1.1", 7070},
		{"[::]:7070", 0, "[::]", 7070},
		{"", -EINVAL},
		{":7070", -EINVAL},
		{"7070", -EINVAL},
		{"127.0.0.1", -EINVAL},
		{"127.0.0.1:", -EINVAL},
		{"127.0.0.1:65536", -EINVAL},
		{"127.0.0.1:99999999999", -EINVAL},
		{"127.0.0.1:7o70", -EINVAL},
		{"127.0.0.1:-1", -EINVAL},
		{"127.1:7070", -EINVAL},
		{"::1:7070", -EINVAL},
		{"[::1:7070", -EINVAL},
		{"[:7070", -EINVAL},
		{"[]:7070", -EINVAL},
		{"example.com:80", -EINVAL},
		{"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:1",
		 -EINVAL},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct listen_address a = {0};
		struct error e = {""};

		if (listen_parse(cases[i].text, &a, &e) != cases[i].r)
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_true(!cases[i].r == !e.text[0]);
		if (cases[i].r)
			continue;
		assert_string_equal(a.host, cases[i].host);
		assert_int_equal(a.port, cases[i].port);
	}
}

static void test_loopback(void **state)
{
	static const char *const others[] = {"0.0.0.0:7070", "192.168.1.1:7070", "[::]:7070",
					     "[::ffff:127.0.0.1]:7070", "[fe80::1]:7070"};
	struct listen_address a;
	struct error e;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(listen_parse(others[i], &a, &e), 0);
		assert_false(a.loopback);
		assert_int_equal(listen_parse_loopback(others[i], &a, &e), -EPERM);
	}
	assert_int_equal(listen_parse_loopback("127.9.0.1:1", &a, &e), 0);
	assert_int_equal(listen_parse_loopback("[::1]:1", &a, &e), 0);
	assert_true(a.loopback);
}

static void test_taken_port(void **state)
{
	struct listen_address a, b;
	struct error e;
	char expected[200], text[40];
	int fd, other;

	assert_int_equal(listen_parse("127.0.0.1:0", &a, &e), 0);
	assert_int_equal(listen_open(&a, &fd, &e), 0);
	assert_int_not_equal(a.port, 0);
	snprintf(text, sizeof(text), "localhost:%u", a.port);
	assert_int_equal(listen_parse(text, &b, &e), 0);
	assert_int_equal(listen_open(&b, &other, &e), -EADDRINUSE);
	snprintf(expected, sizeof(expected),
		 "cannot listen on 127.0.0.1:%u: address already in use; another millrace runs? "
		 "choose another with --listen",
		 a.port);
	assert_string_equal(e.text, expected);
	close(fd);
}

static void test_names(void **state)
{
	struct listen_address a;

	assert_int_equal(listen_parse("127.0.0.2:7070", &a, NULL), 0);
	assert_true(listen_is_ours(&a, "127.0.0.2:7070"));
	assert_true(listen_is_ours(&a, "127.0.0.1:7070"));
	assert_true(listen_is_ours(&a, "localhost:7070"));
	assert_true(listen_is_ours(&a, "LOCALHOST:7070"));
	assert_true(listen_is_ours(&a, "[::1]:7070"));
	assert_false(listen_is_ours(&a, "127.0.0.3:7070"));
	assert_false(listen_is_ours(&a, "localhost:7071"));
	assert_false(listen_is_ours(&a, "localhost"));
	assert_false(listen_is_ours(&a, "localhost:"));
	assert_false(listen_is_ours(&a, "localhost:7070x"));
	assert_false(listen_is_ours(&a, "localhost.evil.example:7070"));
	assert_false(listen_is_ours(&a, "evil.example:7070"));
	assert_false(listen_is_ours(&a, "xlocalhost:7070"));
	assert_false(listen_is_ours(&a, ""));
	a.port = 80;
	assert_true(listen_is_ours(&a, "localhost"));
}

static void test_further_names(void **state)
{
	struct listen_address a;

	assert_int_equal(listen_parse("0.0.0.0:7070", &a, NULL), 0);
	assert_false(listen_is_ours(&a, "millrace:7070"));
	a.names = "millrace,millrace.example.org,10.0.0.9";
	assert_true(listen_is_ours(&a, "millrace:7070"));
	assert_true(listen_is_ours(&a, "millrace"));
	assert_true(listen_is_ours(&a, "MILLRACE.example.org:443"));
	assert_true(listen_is_ours(&a, "10.0.0.9:30070"));
	assert_false(listen_is_ours(&a, "mill:7070"));
	assert_false(listen_is_ours(&a, "millrace.example.org.evil.example"));
	assert_false(listen_is_ours(&a, "millrace:x"));
	assert_false(listen_is_ours(&a, ""));
	assert_false(listen_is_ours(&a, ","));
	/* whatever address it was asked by */
	assert_true(listen_is_ours(&a, "192.168.3.4:7070"));
	assert_true(listen_is_ours(&a, "[2001:db8::1]:7070"));
	assert_false(listen_is_ours(&a, "192.168.3.4:7071"));
	assert_false(listen_is_ours(&a, "192.168.3.4.evil.example:7070"));
	assert_int_equal(listen_parse("10.0.0.1:7070", &a, NULL), 0);
	assert_false(listen_is_ours(&a, "192.168.3.4:7070"));
	assert_true(listen_is_ours(&a, "10.0.0.1:7070"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),         cmocka_unit_test(test_taken_port),
		cmocka_unit_test(test_loopback),      cmocka_unit_test(test_names),
		cmocka_unit_test(test_further_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
