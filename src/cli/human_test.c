/* SPDX-License-Identifier: Apache-2.0 */
/* What people type is read exactly or refused; what a terminal is shown cannot harm it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "human.h"

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{"1s", 1000000000}, {"50ms", 50000000},   {"1.5s", 1500000000},
		{"200us", 200000},  {"2m", 120000000000}, {"24h", 86400000000000},
	};
	static const char *const bad[] = {"",     "1",    "s",   "-1s",         "1 s", "0s",
					  "1e3s", "0x1s", "1sx", "+1s",         " 1s", "nan",
					  "inf",  "25h",  "1d",  "99999999999h"};
	uint64_t ns;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(human_parse_duration(good[i].text, &ns), 0);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (human_parse_duration(bad[i], &ns) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void counts(void **state)
{
	static const char *const bad[] = {"", "0", "-1", "+1", "1.5", "1k", "4294967296", "0x10"};
	uint32_t count;

	assert_int_equal(human_parse_count("4294967295", &count), 0);
	assert_int_equal(count, UINT32_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (human_parse_count(bad[i], &count) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void percents(void **state)
{
	static const char *const bad[] = {"", "0", "-1", "101", "1%%", "nan", "1e1", ".", "a"};
	double percent;

	assert_int_equal(human_parse_percent("0.1", &percent), 0);
	assert_true(percent == 0.1);
	assert_int_equal(human_parse_percent("5%", &percent), 0);
	assert_true(percent == 5);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (human_parse_percent(bad[i], &percent) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void assert_cleaned(const char *hostile, const char *expected)
{
	char *clean = human_clean(hostile);

	assert_non_null(clean);
	assert_string_equal(clean, expected);
	free(clean);
}

static void marks_do_not_pile_up(void **state)
{
	char *clean = human_clean("a\u0301\u0301\u0301\u0301\u0301b\u0301");

	assert_string_equal(clean, "a\u0301\u0301\u0301b\u0301");
	free(clean);
}

static void hostile_text(void **state)
{
	human_set_unicode(true);
	assert_cleaned("nginx", "nginx");
	assert_cleaned("", "");
	assert_cleaned("\033[31mred", "\uFFFD[31mred");
	assert_cleaned("a\nb\tc\rd\x7f", "a\uFFFDb\uFFFDc\uFFFDd\uFFFD");
	assert_cleaned("\xc2\x9b"
		       "1m",
		       "\uFFFD1m");                       /* C1: CSI in one character */
	assert_cleaned("a\xff\xc3", "a\uFFFD\uFFFD");     /* not UTF-8, and cut */
	assert_cleaned("\u202egnp.exe", "\uFFFDgnp.exe"); /* right-to-left override */
	assert_cleaned("ad\u200bmin\u2066", "ad\uFFFDmin\uFFFD");
	assert_cleaned("日本 café", "日本 café");
	human_set_unicode(false);
	assert_cleaned("日本é", "???");
	human_set_unicode(true);
}

static void widths(void **state)
{
	int width;

	assert_int_equal(human_width("abc"), 3);
	assert_int_equal(human_width("日本"), 4);
	assert_int_equal(human_width("e\u0301"), 1); /* a combining accent */
	assert_int_equal(human_fit("日本語", 5, &width), 6);
	assert_int_equal(width, 4);
	assert_int_equal(human_fit("abc", 10, &width), 3);
	assert_int_equal(human_fit("abc", 0, &width), 0);
}

static void numbers(void **state)
{
	char b[HUMAN_NUMBER_SIZE];

	assert_string_equal(human_bytes(b, 0), "0 B");
	assert_string_equal(human_bytes(b, 999), "999 B");
	assert_string_equal(human_bytes(b, 1000), "1.0 KB");
	assert_string_equal(human_bytes(b, 3200), "3.2 KB");
	assert_string_equal(human_bytes(b, 136e6), "136 MB");
	assert_string_equal(human_bytes(b, 999960), "1.0 MB");
	assert_string_equal(human_bytes(b, -5000), "-5.0 KB");
	assert_string_equal(human_bytes(b, 1e30), "1000000000000000 PB");
	assert_string_equal(human_rate(b, 3400), "3.4 KB/s");
	assert_string_equal(human_count(b, 12345), "12k");
	assert_string_equal(human_count(b, 980), "980");
	assert_string_equal(human_microseconds(b, 85), "85 us");
	assert_string_equal(human_microseconds(b, 1234), "1.2 ms");
	assert_string_equal(human_microseconds(b, 3e6), "3.0 s");
	assert_string_equal(human_span(b, 12), "12 s");
	assert_string_equal(human_span(b, 300), "5 min");
	assert_string_equal(human_span(b, 7200), "2 h");
	assert_string_equal(human_span(b, 1e6), "12 days");
}

static void percentages_never_round_a_loss_away(void **state)
{
	char b[HUMAN_NUMBER_SIZE];

	assert_string_equal(human_percent(b, 1, 1), "100 %");
	assert_string_equal(human_percent(b, 9999999, 1e7), "99.999 %");
	assert_string_equal(human_percent(b, 1, 3), "33 %");
	assert_string_equal(human_percent(b, 3, 1000), "0.3 %");
	assert_string_equal(human_percent(b, 0, 1000), "0 %");
	assert_string_equal(human_percent(b, 1, 0), "0 %");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_do_not_pile_up),
		cmocka_unit_test(durations),
		cmocka_unit_test(counts),
		cmocka_unit_test(percents),
		cmocka_unit_test(hostile_text),
		cmocka_unit_test(widths),
		cmocka_unit_test(numbers),
		cmocka_unit_test(percentages_never_round_a_loss_away),
	};

	human_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
