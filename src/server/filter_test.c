/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: every key matches what filter.h says, and what is no filter is told so. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/address.h"
#include "server/filter.h"

static struct filter_end end(const char *workload, const char *process, const char *container,
			     const char *address)
{
	struct filter_end e = {workload, process, container, "", ""};
	struct address_prefix p;

	assert_int_equal(address_prefix_parse(&p, address), 0);
	memcpy(e.address, p.address, 16);
	e.address_known = true;
	return e;
}

/* wrk calls the service nginx, whose process is nginx-worker, at 10.1.2.3:80. */
static bool matches(const char *text)
{
	struct filter_subject s = {end("wrk", "wrk", "", "127.0.0.1"),
				   end("nginx", "nginx-worker", "3f2a99", "10.1.2.3"), 80, "tcp",
				   "cross_zone", "sidecar"};
	struct filter *f = NULL;
	struct error e;
	bool result;

	s.client.node = "node-1";
	s.client.zone = "eu-1a";
	s.server.zone = "eu-1b";
	if (filter_parse(&f, text, &e) < 0)
		fail_msg("\"%s\": %s", text, e.text);
	result = filter_matches(f, &s);
	filter_free(f);
	return result;
}

static void test_matching(void **state)
{
	static const struct {
		const char *text;
		bool matches;
	} cases[] = {
		{"", true},
		{"   ", true},
		{"client:wrk", true},
		{"node:node-1", true},
		{"node:node", false},
		{"node:node*", true},
		{"zone:eu-1a", true},
		{"zone:eu-1b,eu-1c", true},
		{"!zone:eu-1*", false},
		{"class:cross_zone", true},
		{"class:same_node", false},
		{"carrier:sidecar", true},
		{"carrier:none", false},
		{"client:nginx", false},
		{"server:nginx", true},
		{"server:nginx-worker", true},
		{"server:ngin", false},
		{"server:ngin*", true},
		{"server:*x", true},
		{"server:*g*n*", true},
		{"server:*g*z*", false},
		{"server:*", true},
		{"either:wrk", true},
		{"wrk", true},
		{"nginx", true},
		{"curl", false},
		{"!curl", true},
		{"!wrk", false},
		{"curl,wrk", true},
		{"!curl,wrk", false},
		{"client:curl,wrk server:nginx", true},
		{"client:wrk server:redis", false},
		{"client:wrk !server:redis", true},
		{"port:80", true},
		{"port:8080", false},
		{"port:1-100", true},
		{"port:80/tcp", true},
		{"port:80/udp", false},
		{"port:1-100/tcp", true},
		{"!port:80/udp", true},
		{"port:80/udp,80/tcp", true},
		{"port:81-100", false},
		{"port:22,80", true},
		{"!port:80", false},
		{"protocol:tcp", true},
		{"protocol:udp", false},
		{"process:nginx", false},
		{"process:nginx*", true},
		{"process:wrk", true},
		{"container:3f2a", true},
		{"container:3f2a99", true},
		{"container:3f2b", false},
		{"container:*99", true},
		{"address:10.0.0.0/8", true},
		{"address:127.0.0.1", true},
		{"address:11.0.0.0/8", false},
		{"address:::1", false},
		{"address:::/0", true},
		{"\"nginx\"", true},
		{"server:\"nginx\" client:\"wrk\"", true},
		{"server:\"a b\",nginx", true},
		{"server:\"a,b:c\"", false},
		{"  client:wrk   server:nginx  ", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (matches(cases[i].text) != cases[i].matches)
			fail_msg("\"%s\" should%s match", cases[i].text,
				 cases[i].matches ? "" : " not");
}

static void test_unknown_is_no_name(void **state)
{
	struct filter_subject s = {
		{"~other", "", "", "", ""}, {"10.9.9.9", "", "", "", ""}, 0, "tcp", "unknown", ""};
	struct filter *f = NULL;

	assert_int_equal(filter_parse(&f, "process:*", NULL), 0);
	assert_false(filter_matches(f, &s));
	f = filter_free(f);
	assert_int_equal(filter_parse(&f, "address:0.0.0.0/0", NULL), 0);
	assert_false(filter_matches(f, &s));
	f = filter_free(f);
	assert_int_equal(filter_parse(&f, "container:*", NULL), 0);
	assert_false(filter_matches(f, &s));
	f = filter_free(f);
	assert_int_equal(filter_parse(&f, "server:10.9.*", NULL), 0);
	assert_true(filter_matches(f, &s));
	filter_free(f);
	assert_true(filter_matches(NULL, &s));
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"port:http", "expected a port"},
		{"class:near", "expected same_node"},
		{"carrier:pigeon", "expected none"},
		{"port:", "expected a port"},
		{"port:80,", "expected a port"},
		{"port:65536", "expected a port"},
		{"port:99-1", "expected a port"},
		{"port:1-2-3", "expected a port"},
		{"port:-5", "expected a port"},
		{"port:80/", "expected a port"},
		{"port:80/icmp", "expected a port"},
		{"port:/udp", "expected a port"},
		{"port:80/udp/tcp", "expected a port"},
		{"port:99-1/udp", "expected a port"},
		{"address:nginx", "expected an address"},
		{"address:10.0.0.0/33", "expected an address"},
		{"protocol:icmp", "expected tcp"},
		{"host:a", "expected client:"},
		{"Client:a", "expected client:"},
		{":", "expected client:"},
		{"::1", "expected client:"},
		{"!", "expected a name"},
		{"!!a:b", "expected client:"},
		{"client:", "expected a name"},
		{",", "expected a name"},
		{"client:\"\"", "expected a name"},
		{"client:\"a", "expected another"},
		{"client:\"a\"b", "expected a space"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter *f = NULL;
		struct error e = {""};

		if (filter_parse(&f, cases[i].text, &e) != -EINVAL)
			fail_msg("took \"%s\"", cases[i].text);
		if (!strstr(e.text, cases[i].expected))
			fail_msg("\"%s\": %s", cases[i].text, e.text);
		assert_null(f);
	}
}

static void test_needs_edge(void **state)
{
	static const struct {
		const char *text;
		bool needs;
	} cases[] = {
		{"", false},
		{"client:a server:b,c !process:d container:e f", false},
		{"port:80", true},
		{"a !port:80", true},
		{"protocol:udp", true},
		{"zone:a node:b", false},
		{"class:external", true},
		{"carrier:none", true},
		{"address:10.0.0.0/8", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter *f = NULL;

		assert_int_equal(filter_parse(&f, cases[i].text, NULL), 0);
		if (filter_needs_edge(f) != cases[i].needs)
			fail_msg("\"%s\"", cases[i].text);
		filter_free(f);
	}
	assert_false(filter_needs_edge(NULL));
}

static void test_bounds(void **state)
{
	char text[5000] = "";
	struct filter *f = NULL;
	struct error e;

	for (size_t i = 0; i < 64; i++)
		strcat(text, "a ");
	assert_int_equal(filter_parse(&f, text, &e), 0);
	f = filter_free(f);
	strcat(text, "a");
	assert_int_equal(filter_parse(&f, text, &e), -EINVAL);
	text[0] = '\0';
	for (size_t i = 0; i < 256; i++)
		strcat(text, i ? ",a" : "a");
	assert_int_equal(filter_parse(&f, text, &e), 0);
	f = filter_free(f);
	strcat(text, ",a");
	assert_int_equal(filter_parse(&f, text, &e), -EINVAL);
	memset(text, 'a', sizeof(text) - 1);
	text[4096] = '\0';
	assert_int_equal(filter_parse(&f, text, &e), 0);
	f = filter_free(f);
	memset(text, 'a', sizeof(text) - 1);
	text[4097] = '\0';
	assert_int_equal(filter_parse(&f, text, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matching), cmocka_unit_test(test_unknown_is_no_name),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_needs_edge),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
