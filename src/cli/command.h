/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a subcommand is: a row of the table in main.c. Its options are a table too, and parsing,
 * help and the man page's list follow from it.
 *
 * A command prints its result on stdout and returns an exit code. When it fails it writes one line
 * into ret_error; main prints it, nobody else prints errors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2 };

#define ARGUMENTS_POSITIONAL_MAX 2

/* A server to ask or to report to, and what to show it. Paths; NULL: not given. */
struct server_access {
	const char *url;
	const char *token_file;   /* its first token is shown */
	const char *ca;           /* instead of the system's */
	const char *certificate, *key;
};

/* The options of all commands; those a command does not know keep their defaults. */
struct arguments {
	struct server_access server;
	const char *from, *to, *filter; /* asking a server */
	const char *ask_node;           /* connections: only this node's agent */
	bool json, dot, follow;
	const char *sort, *group; /* top */
	uint64_t span_ns;
	bool once;
	uint32_t limit;
	const char *listen, *cgroup; /* up; listen: server, too; cgroup and the next: agent, too */
	const char *node, *zone, *region, *metadata;
	const char *data; /* up, server: the folder for what is kept */
	uint64_t data_max, retain_ns;
	double cpu_budget_percent;
	uint64_t window_ns;
	uint32_t slots, flows;
	const char *hosts, *agent_tokens, *reader_tokens, *agent_ca, *reader_ca; /* server */
	bool plain_http;
	const char *udp_hook;
	bool no_udp;
	bool help;
	const char *positional[ARGUMENTS_POSITIONAL_MAX];
	int positional_count;
};

struct option_row;

struct command {
	const char *name;
	const char *operands; /* "CLIENT SERVER"; "": none */
	const char *summary;  /* one line */
	const char *details;  /* what a reader of --help should know beyond it */
	const struct option_row *options;
	int positional_count;
	int (*run)(const struct arguments *arguments, struct error *ret_error);
};

int up_run(const struct arguments *arguments, struct error *ret_error);
int agent_run(const struct arguments *arguments, struct error *ret_error);
int server_run(const struct arguments *arguments, struct error *ret_error);
int map_run(const struct arguments *arguments, struct error *ret_error);
int flows_run(const struct arguments *arguments, struct error *ret_error);
int connections_run(const struct arguments *arguments, struct error *ret_error);
int why_run(const struct arguments *arguments, struct error *ret_error);
int events_run(const struct arguments *arguments, struct error *ret_error);
int agents_run(const struct arguments *arguments, struct error *ret_error);
int check_run(const struct arguments *arguments, struct error *ret_error);
int top_run(const struct arguments *arguments, struct error *ret_error);
int verify_run(const struct arguments *arguments, struct error *ret_error);
