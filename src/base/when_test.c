/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: the times DESIGN promises are read exactly, everything else is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/when.h"

#define S   UINT64_C(1000000000)
#define NOW (1700000000 * S + 5)

struct when_case {
	const char *text;
	int r;
	uint64_t ns;
};

static void test_times(void **state)
{
	static const struct when_case cases[] = {
		{"now", 0, NOW},
		{"-5m", 0, NOW - 300 * S},
		{"-90s", 0, NOW - 90 * S},
		{"-2h", 0, NOW - 7200 * S},
		{"-1d", 0, NOW - 86400 * S},
		{"-1.5h", 0, NOW - 5400 * S},
		{"-0s", 0, NOW},
		{"-40000d", 0, 0},
		{"0", 0, 0},
		{"1700000000", 0, 1700000000 * S},
		{"1700000000.25", 0, 1700000000 * S + S / 4},
		{"1.0000000019", 0, S + 1},
		{"5.", 0, 5 * S},
		{"2023-11-14", 0, 1699920000 * S},
		{"2023-11-14T22:13", 0, 1699999980 * S},
		{"2023-11-14T22:13:20", 0, 1700000000 * S},
		{"2023-11-14T22:13:20Z", 0, 1700000000 * S},
		{"2023-11-14T23:13:20+01:00", 0, 1700000000 * S},
		{"2023-11-14T16:43:20-05:30", 0, 1700000000 * S},
		{"2024-02-29", 0, 1709164800 * S},
		{"2000-03-01", 0, 951868800 * S},
		{"1970-01-01", 0, 0},
		{"2023-02-29", -EINVAL},
		{"2100-02-29", -EINVAL},
		{"2023-13-01", -EINVAL},
		{"2023-00-01", -EINVAL},
		{"2023-1-1", -EINVAL},
		{"2023-11-14T", -EINVAL},
		{"2023-11-14T24:00", -EINVAL},
		{"2023-11-14T22:13:20+1", -EINVAL},
		{"2023-11-14 22:13", -EINVAL},
		{"1969-12-31", -EINVAL},
		{"", -EINVAL},
		{"-", -EINVAL},
		{"-5", -EINVAL},
		{"5m", -EINVAL},
		{"-5mm", -EINVAL},
		{"-5w", -EINVAL},
		{"--5m", -EINVAL},
		{"- 5m", -EINVAL},
		{" 5", -EINVAL},
		{"5 ", -EINVAL},
		{".5", -EINVAL},
		{"1e9", -EINVAL},
		{"0x10", -EINVAL},
		{"+5", -EINVAL},
		{"inf", -EINVAL},
		{"nan", -EINVAL},
		{"NOW", -EINVAL},
		{"now ", -EINVAL},
		{"99999999999999999999999", -ERANGE},
		{"-99999999999d", -ERANGE},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ns = 0;

		if (when_parse(cases[i].text, NOW, &ns) != cases[i].r || ns != cases[i].ns)
			fail_msg("\"%s\" gave %llu", cases[i].text, (unsigned long long)ns);
	}
}

static void test_spans(void **state)
{
	static const struct when_case cases[] = {
		{"10s", 0, 10 * S},	   {"10", 0, 10 * S},	 {"0.5s", 0, S / 2},
		{"5m", 0, 300 * S},	   {"1d", 0, 86400 * S}, {"", -EINVAL},
		{"-5m", -EINVAL},	   {"s", -EINVAL},	 {"5x", -EINVAL},
		{"200000000000", -ERANGE},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ns = 0;

		if (when_parse_span(cases[i].text, &ns) != cases[i].r || ns != cases[i].ns)
			fail_msg("\"%s\" gave %llu", cases[i].text, (unsigned long long)ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
