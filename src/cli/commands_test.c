/* SPDX-License-Identifier: Apache-2.0 */
/* The man page has every command and every option that the tables have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commands.h"
#include "options.h"

static char page[64 * 1024];

/* Those that need the agent and the server; nobody runs them here. */
int up_run(const struct arguments *a, struct error *ret_error)
{
	return EXIT_FAILED;
}

int agent_run(const struct arguments *a, struct error *ret_error)
{
	return EXIT_FAILED;
}

int server_run(const struct arguments *a, struct error *ret_error)
{
	return EXIT_FAILED;
}

int check_run(const struct arguments *a, struct error *ret_error)
{
	return EXIT_FAILED;
}

static int read_page(void **state)
{
	FILE *in = fopen(MAN_PAGE, "re");
	size_t size = in ? fread(page, 1, sizeof(page) - 1, in) : 0;

	if (in)
		fclose(in);
	return size > 0 && size < sizeof(page) - 1 ? 0 : -1;
}

/* From a heading of the page up to the next. */
static char *section(const char *heading)
{
	char *begin = strstr(page, heading), *end;

	assert_non_null(begin);
	begin += strlen(heading);
	end = strstr(begin, "\n.SH ");
	return end ? strndup(begin, (size_t)(end - begin)) : strdup(begin);
}

/* As a word of its own: "why" is not in "why_so". */
static bool has_word(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += size)
		if (strchr(" \n\"", at[size]) && (at == text || strchr(" \n", at[-1])))
			return true;
	return false;
}

static void man_has_every_command(void **state)
{
	char *synopsis = section(".SH SYNOPSIS"), *texts = section(".SH COMMANDS");

	for (const struct command *c = commands; c->name; c++)
		if (!has_word(synopsis, c->name) || !has_word(texts, c->name))
			fail_msg("%s is not in the man page", c->name);
	free(synopsis);
	free(texts);
}

/* "cpu-budget" as troff has it: \-\-cpu\-budget */
static void troff_option(char *into, const char *name)
{
	into = stpcpy(into, "\\-\\-");
	for (; *name; name++)
		into = *name == '-' ? stpcpy(into, "\\-") : (*into = *name, into + 1);
	*into = '\0';
}

static void man_has_every_option(void **state)
{
	for (const struct command *c = commands; c->name; c++)
		for (const struct option_row *row = c->options; row->name; row++) {
			char name[64];

			troff_option(name, row->name);
			if (!has_word(page, name))
				fail_msg("%s --%s is not in the man page", c->name, row->name);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(man_has_every_command),
		cmocka_unit_test(man_has_every_option),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
