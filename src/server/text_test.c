/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: names come out as UTF-8 without control characters, good ones untouched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/text.h"

#define BAD "\xef\xbf\xbd"

static void check(const char *in, size_t size, const char *out, bool changed)
{
	char buffer[64];

	memset(buffer, 'x', sizeof(buffer));
	assert_int_equal(text_clean(buffer, size, in), changed);
	assert_string_equal(buffer, out);
}

static void test_text(void **state)
{
	check("nginx", 64, "nginx", false);
	check("", 64, "", false);
	check(NULL, 64, "", false);
	check("caf\xc3\xa9 \xf0\x9f\x90\xa7", 64, "caf\xc3\xa9 \xf0\x9f\x90\xa7", false);
	check("a\x1b[31mb", 64, "a" BAD "[31mb", true);
	check("a\nb\x7f", 64, "a" BAD "b" BAD, true);
	check("\xc2\x9b"
	      "31m",
	      64, BAD "31m", true);
	check("\xff\xc3", 64, BAD BAD, true);
}

static void test_cut(void **state)
{
	check("abc", 4, "abc", false);
	check("abcd", 4, "abc", true);
	check("ab\xc3\xa9", 4, "ab", true); /* between characters */
	check("ab\xff", 4, "ab", true);
	check("x", 1, "", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
