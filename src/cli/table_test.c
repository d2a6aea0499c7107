/* SPDX-License-Identifier: Apache-2.0 */
/* Columns stay aligned whatever is in them, and shrink only where they may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "human.h"
#include "table.h"

static const struct table_column columns[] = {
	{.title = "name", .shrink_min = 5},
	{.title = "bytes", .right = true},
	{.title = "health"},
};

static char *print(struct table *t, const struct table_style *style)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(table_print(t, style, out), 0);
	fclose(out);
	table_free(t);
	return text;
}

static struct table *fill(const char *name)
{
	struct table *t = table_new(columns, 3);

	table_line(t, TABLE_BOLD, "a line that is longer than all of the columns together");
	table_cell(t, name);
	table_cell(t, "12");
	table_cell_coloured(t, TABLE_RED, "bad");
	table_cell(t, "b");
	table_cell(t, "345678");
	table_cell(t, "ok");
	return t;
}

static void assert_printed(const char *name, struct table_style style, const char *expected)
{
	char *text = print(fill(name), &style);

	assert_string_equal(text, expected);
	free(text);
}

#define LINE "a line that is longer than all of the columns together\n"

static void aligns(void **state)
{
	assert_printed("web", (struct table_style){0},
		       "name   bytes  health\n" LINE "web       12  bad\nb     345678  ok\n");
}

static void aligns_wide_characters(void **state)
{
	assert_printed("日本", (struct table_style){0},
		       "name   bytes  health\n" LINE "日本      12  bad\nb     345678  ok\n");
}

static void shrinks_what_may(void **state)
{
	assert_printed("abcdefghij", (struct table_style){.width = 22},
		       "name     bytes  health\n" LINE "abcde…      12  bad\nb       345678  ok\n");
	assert_printed("日本語日本語", (struct table_style){.width = 10},
		       "name    bytes  health\n" LINE "日本…      12  bad\nb      345678  ok\n");
}

/* Of three columns the second goes before the third, and only if shrinking is not enough. */
static void leaves_out_what_may(void **state)
{
	static const struct table_column some[] = {
		{.title = "name", .shrink_min = 4},
		{.title = "first", .leave_out = 1},
		{.title = "second", .leave_out = 2},
		{.title = "last"},
	};
	static const struct {
		int width;
		const char *expected;
	} cases[] = {
		{27, "name    first  second  last\nabcdef  1      2       3\n"},
		{25, "name  first  second  last\nabc…  1      2       3\n"},
		{24, "name    second  last\nabcdef  2       3\n"},
		{17, "name    last\nabcdef  3\n"},
		{5, "name  last\nabc…  3\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct table *t = table_new(some, 4);
		char *text;

		table_cell(t, "abcdef");
		table_cell(t, "1");
		table_cell(t, "2");
		table_cell(t, "3");
		text = print(t, &(struct table_style){.width = cases[i].width});
		assert_string_equal(text, cases[i].expected);
		free(text);
	}
}

/* An address may be guessed from its beginning, a port may not. */
static void ports_are_kept(void **state)
{
	static const struct table_column one[] = {{.title = "at", .shrink_min = 14, .port = true},
						  {.title = "n"}};
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"127.0.0.1:80", "127.0.0.1:80    1"},
		{"192.168.100.200:59544", "192.168…:59544  1"},
		{"[2001:db8::17]:5432", "[2001:db…:5432  1"},
		{"192.168.100.200:65535/udp", "192…:65535/udp  1"},
		{"a-name-without-a-port", "a-name-withou…  1"},
		{"host:a-tail-that-leaves-no-room", "host:a-tail-t…  1"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct table *t = table_new(one, 2);
		char *text;

		table_cell(t, cases[i].text);
		table_cell(t, "1");
		table_cell(t, "a text that makes the column wide");
		table_cell(t, "2");
		text = print(t, &(struct table_style){.width = 17});
		if (!strstr(text, cases[i].expected))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].expected, text);
		free(text);
	}
}

static void colours(void **state)
{
	char *text = print(fill("w"), &(struct table_style){.colour = true});

	assert_non_null(strstr(text, "  \033[31mbad\033[0m\n"));
	assert_non_null(strstr(text, "b     345678  ok\n"));
	free(text);
}

static void escapes_are_taken_away(void **state)
{
	char *text = print(fill("\033[2J\n"), &(struct table_style){0});

	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "\uFFFD[2J\uFFFD"));
	free(text);
}

static void tables_that_follow_keep_their_columns(void **state)
{
	int kept[TABLE_COLUMNS_MAX] = {0};
	const struct table_style style = {.kept = kept};
	char *first = print(fill("abcdefgh"), &style), *second = print(fill("w"), &style);

	assert_non_null(strstr(first, "name       bytes  health\n"));
	assert_string_equal(second, LINE "w             12  bad\nb         345678  ok\n");
	free(first);
	free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligns),
		cmocka_unit_test(aligns_wide_characters),
		cmocka_unit_test(shrinks_what_may),
		cmocka_unit_test(leaves_out_what_may),
		cmocka_unit_test(ports_are_kept),
		cmocka_unit_test(colours),
		cmocka_unit_test(tables_that_follow_keep_their_columns),
		cmocka_unit_test(escapes_are_taken_away),
	};

	human_init();
	human_set_unicode(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
