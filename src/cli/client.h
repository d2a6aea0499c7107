/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a millrace server: one GET, one JSON answer.
 *
 * Limits: an answer is at most 256 MiB, a question takes at most 30 s; no redirects, http and https
 * only, no proxy for loopback. The token is shown to nobody but that server.
 */
#pragma once

#include <jansson.h>

#include "command.h"

/* name=value of the query; a row without value is left out; a list ends with a row without name. */
struct client_parameter {
	const char *name, *value;
};

struct client_answer {
	char *text;   /* as it came; owned */
	json_t *json; /* owned */
};

/* 0; -EINVAL: the server refused the question (its words in the error); else what failed. */
int client_get(const struct server_access *server, const char *path, const struct client_parameter *query,
	       struct client_answer *ret, struct error *ret_error);
void client_answer_done(struct client_answer *a);

/* The exit code for what client_get() returned. */
static inline int client_exit_code(int r)
{
	return r == 0 ? EXIT_DONE : r == -22 /* EINVAL */ ? EXIT_WRONG_USE : EXIT_FAILED;
}

/* The range and filter that the user gave, as the first rows of a query. */
#define CLIENT_RANGE(a)                                                                            \
	{"from", (a)->from}, {"to", (a)->to},                                                      \
	{                                                                                          \
		"filter", (a)->filter                                                              \
	}

/* For people on a terminal: indented and plain ASCII; else the answer as it came. */
void client_print_json(const struct client_answer *a);
