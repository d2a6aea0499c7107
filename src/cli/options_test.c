/* SPDX-License-Identifier: Apache-2.0 */
/* Every command's option table: values arrive, wrong use is one line that names what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static const struct option_row rows[] = {
	OPTION("listen", "ADDR:PORT", OPTION_TEXT, listen, "where"),
	OPTION("cpu-budget", "PCT", OPTION_PERCENT, cpu_budget_percent, "how much"),
	OPTION("window", "DURATION", OPTION_WINDOW, window_ns, "how often"),
	OPTION("slots", "N", OPTION_COUNT, slots, "how many"),
	OPTION_JSON,
	OPTION_HELP,
	OPTION_END,
};

static const struct command plain = {"up", "", "summary", "details", rows, 0, NULL};
static const struct command pair = {"why", "CLIENT SERVER", "summary", "details", rows, 2, NULL};

#define PARSE(command, arguments, error, ...)                                                      \
	options_parse(command, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *),                   \
		      (char *[]){__VA_ARGS__, NULL}, arguments, error)

static void takes_values(void **state)
{
	struct arguments a = {0};
	struct error e = {0};

	assert_int_equal(PARSE(&plain, &a, &e, "up", "--listen", "[::1]:80", "--cpu-budget=0.5",
			       "--window", "50ms", "--slots", "16", "--json"),
			 0);
	assert_string_equal(a.listen, "[::1]:80");
	assert_true(a.cpu_budget_percent == 0.5);
	assert_int_equal(a.window_ns, 50000000);
	assert_int_equal(a.slots, 16);
	assert_true(a.json);
	assert_false(a.help);
}

static void takes_operands_anywhere(void **state)
{
	struct arguments a = {0};
	struct error e = {0};

	assert_int_equal(PARSE(&pair, &a, &e, "why", "web", "--json", "db:5432"), 0);
	assert_string_equal(a.positional[0], "web");
	assert_string_equal(a.positional[1], "db:5432");
	assert_true(a.json);
}

static void help_needs_no_operands(void **state)
{
	struct arguments a = {0};
	struct error e = {0};

	assert_int_equal(PARSE(&pair, &a, &e, "why", "--help"), 0);
	assert_true(a.help);
}

static void assert_refused(const struct error *e, int r, const char *part)
{
	assert_true(r < 0);
	assert_non_null(strstr(e->text, "cannot run "));
	if (!strstr(e->text, part))
		fail_msg("\"%s\" does not say \"%s\"", e->text, part);
}

static void refuses_wrong_use(void **state)
{
	struct arguments a = {0};
	struct error e = {0};

	assert_refused(&e, PARSE(&plain, &a, &e, "up", "--nonsense"), "unknown option --nonsense");
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "-x"), "unknown option -x");
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "--window"), "--window needs a value");
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "--window", "1"), "a duration from 10ms on");
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "--window", "9.9ms"), "from 10ms on");
	assert_int_equal(a.window_ns, 0);
	assert_int_equal(PARSE(&plain, &a, &e, "up", "--window", "10ms"), 0);
	assert_int_equal(a.window_ns, 10000000);
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "--slots", "0"), "a whole number");
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "--cpu-budget", "0"), "a percentage");
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "--listen", ""), "not empty");
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "extra"), "no operands");
	assert_refused(&e, PARSE(&plain, &a, &e, "up", "--json=1"), "unknown option --json=1");
	assert_refused(&e, PARSE(&pair, &a, &e, "why", "web"), "CLIENT SERVER");
}

static void help_lists_every_row(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	options_help(&plain, out);
	fclose(out);
	for (const struct option_row *row = rows; row->name; row++) {
		char option[64];

		snprintf(option, sizeof(option), "  --%s", row->name);
		assert_non_null(strstr(text, option));
		assert_non_null(strstr(text, row->help));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_values),           cmocka_unit_test(takes_operands_anywhere),
		cmocka_unit_test(help_needs_no_operands), cmocka_unit_test(refuses_wrong_use),
		cmocka_unit_test(help_lists_every_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
