/* SPDX-License-Identifier: Apache-2.0 */
/* Names by address and namespace: which one counts, for how long, what is told to the server. */
#include "agent/dns_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000ull

static const uint8_t address[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};

static struct dns_message answer(const char *name, uint32_t ttl_s)
{
	struct dns_message m = {.is_answer = true, .address_count = 1};

	snprintf(m.question, sizeof(m.question), "%s", name);
	memcpy(m.addresses[0].address, address, 16);
	m.addresses[0].ttl_s = ttl_s;
	return m;
}

static void learn(struct dns_names *n, uint32_t netns, const char *name, uint32_t ttl_s,
		  uint64_t now_ns)
{
	struct dns_message m = answer(name, ttl_s);

	dns_names_learn(n, netns, &m, now_ns);
}

static struct dns_names *made(uint32_t max)
{
	struct dns_names *n;

	assert_int_equal(dns_names_new(&n, max), 0);
	return n;
}

static void the_last_asked_counts(void **state)
{
	struct dns_names *n = made(0);

	learn(n, 1, "a.example", 60, S);
	learn(n, 1, "b.example", 60, 2 * S);
	learn(n, 2, "c.example", 60, 3 * S);
	assert_string_equal(dns_names_find(n, 1, address, 4 * S), "b.example");
	assert_string_equal(dns_names_find(n, 2, address, 4 * S), "c.example");
	assert_null(dns_names_find(n, 3, address, 4 * S));
	dns_names_free(n);
}

static void lives_as_long_as_it_should(void **state)
{
	static const struct {
		uint32_t ttl_s;
		uint64_t life_s;
	} cases[] = {{0, DNS_TTL_MIN_S}, {700, 700}, {UINT32_MAX, DNS_TTL_MAX_S}};

	for (size_t i = 0; i < 3; i++) {
		struct dns_names *n = made(0);

		learn(n, 1, "a.example", cases[i].ttl_s, 5 * S);
		assert_non_null(dns_names_find(n, 1, address, (5 + cases[i].life_s) * S - 1));
		assert_null(dns_names_find(n, 1, address, (5 + cases[i].life_s) * S));
		assert_null(dns_names_find(n, 1, address, 5 * S)); /* gone for good */
		dns_names_free(n);
	}
}

static size_t told(struct dns_names *n, const char *expected)
{
	struct wire_batch *b = wire_batch_new();
	size_t count;

	assert_int_equal(dns_names_tell(n, b), 0);
	count = b->name_count;
	if (expected) {
		assert_int_equal(b->names[0].netns, 1);
		assert_memory_equal(b->names[0].address, address, 16);
		assert_string_equal(b->names[0].name, expected);
	}
	wire_batch_free(b);
	return count;
}

static void tells_what_changed(void **state)
{
	struct dns_names *n = made(0);

	assert_int_equal(told(n, NULL), 0);
	learn(n, 1, "a.example", 60, S);
	assert_int_equal(told(n, "a.example"), 1);
	assert_int_equal(told(n, NULL), 0);
	learn(n, 1, "a.example", 60, 2 * S); /* nothing new */
	assert_int_equal(told(n, NULL), 0);
	learn(n, 1, "b.example", 60, 3 * S);
	learn(n, 1, "c.example", 60, 3 * S);
	assert_int_equal(told(n, "c.example"), 1);
	dns_names_free(n);
}

static void is_bounded(void **state)
{
	struct dns_names *n = made(4);

	for (uint32_t i = 0; i < 100; i++)
		learn(n, i, "a.example", 60, S);
	assert_int_equal(dns_names_evicted(n), 96);
	assert_null(dns_names_find(n, 0, address, S));
	assert_non_null(dns_names_find(n, 99, address, S));
	assert_int_equal(told(n, NULL), 4);
	dns_names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_asked_counts),
		cmocka_unit_test(lives_as_long_as_it_should),
		cmocka_unit_test(tells_what_changed),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
