/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's door: finds the subcommand in the table, reads its options and prints its error.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong use. Only here are errors printed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "commands.h"
#include "human.h"
#include "options.h"

static const struct command *find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static void print_help(FILE *out)
{
	fputs("usage: millrace COMMAND [OPTION...]\n\n"
	      "Shows which services of a machine, or of many, talk to which over TCP and UDP, whether\n"
	      "that works and what it costs, with no change to any of them.\n\ncommands:\n",
	      out);
	for (const struct command *c = commands; c->name; c++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", c->name, c->operands);
		fprintf(out, "  %-20s %s\n", left, c->summary);
	}
	fputs("\nmillrace COMMAND --help tells the options, millrace --version the version. Begin "
	      "with:\n"
	      "millrace up (as root), then millrace map.\n",
	      out);
}

static int complain(const struct error *error, int code)
{
	char *clean = error->text[0] ? human_clean(error->text) : NULL;

	if (clean)
		fprintf(stderr, "millrace: %s\n", clean);
	free(clean);
	return code;
}

/* A result that could not be written is a failure, too. */
static int finish(struct error *error, int code)
{
	if ((fflush(stdout) || ferror(stdout)) && code == EXIT_DONE) {
		error_set(error, -EIO,
			  "cannot write the result: %s; make room where the output goes",
			  strerror(errno));
		code = EXIT_FAILED;
	}
	return complain(error, code);
}

/* What is not set, or empty, is not given. */
static const char *of_environment(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct arguments arguments = {
		.server = {.url = of_environment("MILLRACE_SERVER", "http://127.0.0.1:7070"),
			   .token_file = of_environment("MILLRACE_TOKEN_FILE", NULL),
			   .ca = of_environment("MILLRACE_CA", NULL)},
		.node = of_environment("MILLRACE_NODE", NULL),
		.zone = of_environment("MILLRACE_ZONE", NULL),
		.region = of_environment("MILLRACE_REGION", NULL),
		.listen = "127.0.0.1:7070",
	};
	struct error error = {0};
	int code;

	if (options_parse(command, argc, argv, &arguments, &error) < 0)
		return complain(&error, EXIT_WRONG_USE);
	if (arguments.help) {
		options_help(command, stdout);
		return finish(&error, EXIT_DONE);
	}
	code = command->run(&arguments, &error);
	return finish(&error, code);
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct error error = {0};

	human_init();
	if (argc < 2) {
		print_help(stderr);
		return EXIT_WRONG_USE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return finish(&error, EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("millrace " MILLRACE_VERSION);
		return finish(&error, EXIT_DONE);
	}
	command = find(argv[1]);
	if (!command) {
		error_set(&error, -EINVAL,
			  "cannot run \"%s\": no such command; see millrace --help", argv[1]);
		return complain(&error, EXIT_WRONG_USE);
	}
	return run(command, argc - 1, argv + 1);
}
