/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: query strings become the values meant, and whatever else is refused with its reason. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/params.h"

#define S   UINT64_C(1000000000)
#define NOW (1700000000 * S)

static const struct param_spec specs[] = {
	{"from", PARAM_TIME, .fallback = "-5m"},
	{"step", PARAM_SPAN, .min = S, .max = 3600 * S},
	{"limit", PARAM_COUNT, .fallback = "10", .min = 1, .max = 100},
	{"buckets", PARAM_FLAG, .fallback = "0"},
	{"view", PARAM_CHOICE, .fallback = "joined", .choices = "joined|ends|x"},
	{"filter", PARAM_TEXT},
	{0},
};

static const struct param_spec none[] = {{0}};

static void test_fallbacks(void **state)
{
	struct params p;

	assert_int_equal(params_parse(&p, specs, NULL, NOW, NULL), 0);
	assert_true(params_number(&p, "from") == NOW - 300 * S);
	assert_int_equal(params_number(&p, "limit"), 10);
	assert_int_equal(params_number(&p, "buckets"), 0);
	assert_int_equal(params_number(&p, "view"), 0);
	assert_string_equal(params_text(&p, "view"), "joined");
	assert_null(params_text(&p, "filter"));
	assert_int_equal(params_number(&p, "step"), 0);
}

static void test_values(void **state)
{
	struct params p;

	assert_int_equal(params_parse(&p, specs,
				      "&from=-90s&&step=10s&limit=100&buckets=1&view=ends&filter="
				      "client%3Aa+b%20%E2%82%AC%25=&",
				      NOW, NULL),
			 0);
	assert_true(params_number(&p, "from") == NOW - 90 * S);
	assert_true(params_number(&p, "step") == 10 * S);
	assert_int_equal(params_number(&p, "limit"), 100);
	assert_int_equal(params_number(&p, "buckets"), 1);
	assert_int_equal(params_number(&p, "view"), 1);
	assert_string_equal(params_text(&p, "filter"), "client:a b \xe2\x82\xac%=");
	assert_int_equal(params_parse(&p, specs, "filter=", NOW, NULL), 0);
	assert_string_equal(params_text(&p, "filter"), "");
	assert_int_equal(params_parse(&p, specs, "%66rom=now", NOW, NULL), 0);
	assert_true(params_number(&p, "from") == NOW);
}

struct refusal {
	const char *query, *reason;
};

static void test_refusals(void **state)
{
	static const struct refusal cases[] = {
		{"colour=red", "unknown parameter 'colour': expected one of from, step, limit"},
		{"=x", "unknown parameter ''"},
		{"from", "expected from=VALUE"},
		{"from=yesterday", "from=yesterday: expected now, -5m"},
		{"from=", "expected now, -5m"},
		{"from=now&from=now", "given twice"},
		{"step=0", "from 1s to 3600s"},
		{"step=2h", "from 1s to 3600s"},
		{"limit=0", "an integer from 1 to 100"},
		{"limit=101", "an integer from 1 to 100"},
		{"limit=99999999999999999999999999", "an integer from 1 to 100"},
		{"limit=-1", "an integer"},
		{"limit=1.5", "an integer"},
		{"limit=", "an integer"},
		{"buckets=yes", "expected 0 or 1"},
		{"view=join", "expected one of joined|ends|x"},
		{"view=joined|ends", "expected one of"},
		{"view=", "expected one of"},
		{"filter=%", "hexadecimal"},
		{"filter=%4", "hexadecimal"},
		{"filter=%g0", "hexadecimal"},
		{"filter=a%00b", "not %00"},
		{"%00=1", "not %00"},
	};
	struct params p;
	struct error e;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(params_parse(&p, specs, cases[i].query, NOW, &e), -EINVAL);
		if (!strstr(e.text, cases[i].reason))
			fail_msg("%s: %s", cases[i].query, e.text);
	}
	assert_int_equal(params_parse(&p, none, "a=1", NOW, &e), -EINVAL);
	assert_non_null(strstr(e.text, "expected no parameter"));
	assert_int_equal(params_parse(&p, none, "", NOW, &e), 0);
}

static void test_too_long(void **state)
{
	char *query = malloc(PARAMS_TEXT_MAX + 2);
	struct params p;

	memset(query, 'a', PARAMS_TEXT_MAX + 1);
	memcpy(query, "filter=", 7);
	query[PARAMS_TEXT_MAX + 1] = '\0';
	assert_int_equal(params_parse(&p, specs, query, NOW, NULL), -EINVAL);
	query[PARAMS_TEXT_MAX] = '\0';
	assert_int_equal(params_parse(&p, specs, query, NOW, NULL), 0);
	assert_int_equal(strlen(params_text(&p, "filter")), PARAMS_TEXT_MAX - 7);
	free(query);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fallbacks),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
