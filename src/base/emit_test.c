/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: whatever goes in, a JSON parser reads back what was meant; bounds hold. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/emit.h"

static json_t *parse(struct emit *e)
{
	char *text = NULL;
	size_t size = 0;
	json_error_t error;
	json_t *root;

	assert_int_equal(emit_take(e, &text, &size), 0);
	root = json_loadb(text, size, JSON_ALLOW_NUL, &error);
	if (!root)
		print_error("%s in %.*s\n", error.text, (int)size, text);
	free(text);
	assert_non_null(root);
	return root;
}

static void test_shapes(void **state)
{
	struct emit e;
	json_t *root, *list;

	emit_init(&e, 1 << 20);
	emit_object_begin(&e, NULL);
	emit_integer(&e, "smallest", INT64_MIN);
	emit_counter(&e, "minus_one", UINT64_MAX);
	emit_number(&e, "half", 0.5);
	emit_number(&e, "nan", NAN);
	emit_seconds(&e, "seconds", UINT64_C(1700000000123456789));
	emit_boolean(&e, "yes", true);
	emit_array_begin(&e, "list");
	emit_object_begin(&e, NULL);
	emit_object_end(&e);
	emit_string(&e, NULL, NULL);
	emit_array_begin(&e, NULL);
	emit_array_end(&e);
	emit_array_end(&e);
	emit_string(&e, "last", "x");
	emit_object_end(&e);

	root = parse(&e);
	list = json_object_get(root, "list");
	assert_int_equal(json_object_size(root), 8);
	assert_true(json_integer_value(json_object_get(root, "smallest")) == INT64_MIN);
	assert_int_equal(json_integer_value(json_object_get(root, "minus_one")), -1);
	assert_true(json_real_value(json_object_get(root, "half")) == 0.5);
	assert_true(json_is_null(json_object_get(root, "nan")));
	assert_true(fabs(json_real_value(json_object_get(root, "seconds")) - 1700000000.123456) <
		    1e-6);
	assert_true(json_is_true(json_object_get(root, "yes")));
	assert_int_equal(json_array_size(list), 3);
	assert_true(json_is_null(json_array_get(list, 1)));
	json_decref(root);
}

struct text_case {
	const char *in, *out; /* as a JSON parser reads it */
};

#define BAD "\xef\xbf\xbd"

static void test_hostile_text(void **state)
{
	static const struct text_case cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"q\"b\\s/", "q\"b\\s/"},
		{"\x01\n\t\x1f\x7f", "\x01\n\t\x1f\x7f"},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7",
		 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7"},
		{"\xc2\x9b[31m", "\xc2\x9b[31m"},
		{"\x80", BAD},
		{"\xff\xfe!", BAD BAD "!"},
		{"\xc3", BAD},
		{"\xc3(", BAD "("},
		{"\xc0\xaf", BAD BAD},		       /* overlong */
		{"\xe0\x80\xaf", BAD BAD BAD},	       /* overlong */
		{"\xed\xa0\x80", BAD BAD BAD},	       /* surrogate */
		{"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* above U+10FFFF */
		{"\xf0\x9f\x90", BAD BAD BAD},	       /* cut */
		{"\xef\xbf\xbf", "\xef\xbf\xbf"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct emit e;
		json_t *root;

		emit_init(&e, 4096);
		emit_object_begin(&e, NULL);
		emit_string(&e, cases[i].in, cases[i].in);
		emit_object_end(&e);
		root = parse(&e);
		assert_string_equal(json_string_value(json_object_get(root, cases[i].out)),
				    cases[i].out);
		json_decref(root);
	}
}

/* No control character stands in the output as it is: terminals and logs stay safe. */
static void test_no_raw_control_characters(void **state)
{
	struct emit e;
	char *text, in[3] = {0};
	size_t size, i;
	int c;

	emit_init(&e, 1 << 20);
	emit_array_begin(&e, NULL);
	for (c = 1; c < 0x20; c++) {
		in[0] = (char)c;
		emit_string(&e, NULL, in);
	}
	for (c = 0x7f; c < 0xa0; c++) {
		in[0] = c == 0x7f ? 0x7f : (char)0xc2;
		in[1] = c == 0x7f ? 0 : (char)c;
		emit_string(&e, NULL, in);
	}
	emit_array_end(&e);
	assert_int_equal(emit_take(&e, &text, &size), 0);
	for (i = 0; i < size; i++)
		assert_true(text[i] >= 0x20 && text[i] < 0x7f);
	free(text);
}

static void test_bounds(void **state)
{
	struct emit e;
	char *text = NULL;
	size_t size = 0;
	int i;

	emit_init(&e, 100);
	emit_array_begin(&e, NULL);
	for (i = 0; i < 100; i++)
		emit_string(&e, NULL, "0123456789");
	emit_array_end(&e);
	assert_true(e.size <= 100);
	assert_int_equal(emit_take(&e, &text, &size), -E2BIG);
	assert_null(text);

	emit_init(&e, 4096);
	for (i = 0; i < 40; i++)
		emit_array_begin(&e, NULL);
	assert_int_equal(emit_take(&e, &text, &size), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_no_raw_control_characters),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
