/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables: a row says name, kind, where the value goes and what help prints about it.
 *
 * A table ends with a row without name. Strings point into argv.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "command.h"

enum option_kind {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_DURATION,
	OPTION_SPAN,   /* a duration with days: 90d */
	OPTION_SIZE,   /* bytes: 8G */
	OPTION_WINDOW, /* a duration that an agent can keep: from 10 ms on */
	OPTION_COUNT,
	OPTION_PERCENT
};

struct option_row {
	const char *name;     /* without the dashes */
	const char *argument; /* its name in help; NULL for a flag */
	enum option_kind kind;
	size_t offset; /* in struct arguments */
	const char *help;
};

#define OPTION(long_name, argument_name, kind_name, field, text)                                   \
	{                                                                                          \
		.name = long_name, .argument = argument_name, .kind = kind_name,                   \
		.offset = offsetof(struct arguments, field), .help = text                          \
	}

/* What every command that asks a server, or reports to one, knows. */
#define OPTION_CREDENTIALS                                                                         \
	OPTION("token-file", "FILE", OPTION_TEXT, server.token_file,                               \
	       "a file with the token that the server asks for"),                                  \
		OPTION("ca", "FILE", OPTION_TEXT, server.ca,                                       \
		       "CA that signed the server's certificate, PEM (the system's)"),             \
		OPTION("cert", "FILE", OPTION_TEXT, server.certificate,                            \
		       "certificate to show the server, PEM"),                                     \
		OPTION("key", "FILE", OPTION_TEXT, server.key, "its key, PEM")
#define OPTION_SERVER                                                                              \
	OPTION("server", "URL", OPTION_TEXT, server.url,                                           \
	       "server to ask (http://127.0.0.1:7070)"),                                           \
		OPTION_CREDENTIALS
#define OPTION_JSON OPTION("json", NULL, OPTION_FLAG, json, "print JSON, for programs")
#define OPTION_RANGE                                                                               \
	OPTION("from", "TIME", OPTION_TEXT, from,                                                  \
	       "begin: -15m, -7d, 2024-05-01T12:00, unix seconds (-5m)"),                          \
		OPTION("to", "TIME", OPTION_TEXT, to,                                              \
		       "end: now, -1m, 2024-05-01, unix seconds (now)")
#define OPTION_FILTER                                                                              \
	OPTION("filter", "EXPR", OPTION_TEXT, filter,                                              \
	       "only what matches: client:web server:db port:443 !process:curl; a bare word: "     \
	       "either end")
#define OPTION_FILTER_PROCESSES                                                                    \
	OPTION("filter", "EXPR", OPTION_TEXT, filter,                                              \
	       "only what matches: nginx,redis process:redis-server !container:3f2a")
/* What is kept on a disk. */
#define OPTION_DATA(fallback)                                                                      \
	OPTION("data", "DIR", OPTION_TEXT, data, "folder in which the past is kept" fallback),     \
		OPTION("data-max", "SIZE", OPTION_SIZE, data_max,                                  \
		       "room it may take there: 500M, 8G; the finest of the oldest goes first "    \
		       "(8G)"),                                                                    \
		OPTION("retain", "DURATION", OPTION_SPAN, retain_ns,                               \
		       "keep nothing longer, such as 30d (days of two years, hours of 90 days)")
#define OPTION_HELP OPTION("help", NULL, OPTION_FLAG, help, "print this help")
#define OPTION_END                                                                                 \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Reads argv[1…] of a command, whose name is argv[0], over the values that are in arguments.
 * 0, or -EINVAL with one line. */
int options_parse(const struct command *command, int argc, char **argv, struct arguments *arguments,
		  struct error *ret_error);

void options_help(const struct command *command, FILE *out);
