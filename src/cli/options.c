/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/when.h"
#include "human.h"

#define OPTIONS_MAX   31
#define SIZE_MIN      (16u << 20)
#define WINDOW_MIN_NS 10000000 /* swapping and draining the maps take milliseconds */

static size_t fill(const struct option_row *rows, struct option *options)
{
	size_t count = 0;

	for (; rows[count].name && count < OPTIONS_MAX; count++)
		options[count] = (struct option){
			.name = rows[count].name,
			.has_arg =
				rows[count].kind == OPTION_FLAG ? no_argument : required_argument,
		};
	options[count] = (struct option){0};
	return count;
}

static const char *expected(enum option_kind kind)
{
	switch (kind) {
	case OPTION_DURATION:
		return HUMAN_DURATION_EXPECTED;
	case OPTION_SPAN:
		return WHEN_SPAN_EXPECTED;
	case OPTION_SIZE:
		return "a size from 16M on, such as 500M or 8G";
	case OPTION_WINDOW:
		return "a duration from 10ms on, such as 50ms or 1s";
	case OPTION_COUNT:
		return "a whole number from 1 on";
	case OPTION_PERCENT:
		return "a percentage such as 0.1, more than 0 and at most 100";
	default:
		return "a text that is not empty";
	}
}

static int parse_window(const char *value, uint64_t *ret_ns)
{
	uint64_t ns;
	int r = human_parse_duration(value, &ns);

	if (r < 0)
		return r;
	if (ns < WINDOW_MIN_NS)
		return -ERANGE;
	*ret_ns = ns;
	return 0;
}

static int parse_span(const char *value, uint64_t *ret_ns)
{
	uint64_t ns;
	int r = when_parse_span(value, &ns);

	if (r < 0 || !ns)
		return r < 0 ? r : -EINVAL;
	*ret_ns = ns;
	return 0;
}

/* A whole number and its unit, of 1024. */
static int parse_size(const char *value, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t bytes = 0, factor = 1;

	if (*value < '0' || *value > '9')
		return -EINVAL;
	for (; *value >= '0' && *value <= '9'; value++) {
		bytes = bytes * 10 + (uint64_t)(*value - '0');
		if (bytes > UINT64_C(1) << 50)
			return -ERANGE;
	}
	unit = *value ? strchr(units, *value) : units - 1;
	if (!unit || (*value && value[1]))
		return -EINVAL;
	for (; unit >= units; unit--)
		factor *= 1024;
	if (bytes > (UINT64_C(1) << 60) / factor || bytes * factor < SIZE_MIN)
		return -ERANGE;
	*ret = bytes * factor;
	return 0;
}

static int store(const struct option_row *row, const char *value, struct arguments *arguments)
{
	void *at = (char *)arguments + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)at = value;
		return *value ? 0 : -EINVAL;
	case OPTION_DURATION:
		return human_parse_duration(value, at);
	case OPTION_SPAN:
		return parse_span(value, at);
	case OPTION_SIZE:
		return parse_size(value, at);
	case OPTION_WINDOW:
		return parse_window(value, at);
	case OPTION_COUNT:
		return human_parse_count(value, at);
	case OPTION_PERCENT:
		return human_parse_percent(value, at);
	}
	return -EINVAL;
}

static int take_positional(const struct command *command, int argc, char **argv,
			   struct arguments *arguments, struct error *ret_error)
{
	arguments->positional_count = argc;
	if (arguments->help)
		return 0;
	if (argc != command->positional_count)
		return error_set(ret_error, -EINVAL,
				 "cannot run %s: it takes %s%s; see millrace %s --help",
				 command->name, command->positional_count ? "the operands " : "",
				 command->positional_count ? command->operands : "no operands",
				 command->name);
	for (int i = 0; i < argc; i++)
		arguments->positional[i] = argv[i];
	return 0;
}

int options_parse(const struct command *command, int argc, char **argv, struct arguments *arguments,
		  struct error *ret_error)
{
	struct option options[OPTIONS_MAX + 1];
	int index = -1, c;

	fill(command->options, options);
	optind = 0;
	while ((c = getopt_long(argc, argv, ":", options, &index)) != -1) {
		const struct option_row *row = index >= 0 ? &command->options[index] : NULL;

		if (c == ':')
			return error_set(ret_error, -EINVAL,
					 "cannot run %s: %s needs a value; see millrace %s --help",
					 command->name, argv[optind - 1], command->name);
		if (c == '?' || !row)
			return error_set(ret_error, -EINVAL,
					 "cannot run %s: unknown option %s; see millrace %s --help",
					 command->name, argv[optind - 1], command->name);
		if (store(row, optarg, arguments) < 0)
			return error_set(ret_error, -EINVAL,
					 "cannot run %s: --%s \"%s\" is not valid; give %s",
					 command->name, row->name, optarg, expected(row->kind));
		index = -1;
	}
	return take_positional(command, argc - optind, argv + optind, arguments, ret_error);
}

void options_help(const struct command *command, FILE *out)
{
	fprintf(out, "usage: millrace %s%s%s [OPTION...]\n\n%s\n", command->name,
		*command->operands ? " " : "", command->operands, command->details);
	fputs("\noptions:\n", out);
	for (const struct option_row *row = command->options; row->name; row++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", row->name, row->argument ? " " : "",
			 row->argument ? row->argument : "");
		fprintf(out, "  %-20s %s\n", left, row->help);
	}
}
