/* SPDX-License-Identifier: Apache-2.0 */
/*
 * millrace as a user has it: a process that is started and stopped, and an API that is asked.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../bpf/counters.h"
#include "live.h"
#include "load.h"

struct millrace {
	struct live *live;
	pid_t pid;
	uint16_t port;
	double started; /* wall clock before it started */
	char log[160];
	const char *ca;    /* the certificate that it is known by: it speaks TLS; NULL: it does not */
	const char *token; /* that a reader shows; NULL: none */
	const char *token_file;
};

/* Runs `millrace up` with further arguments (NULL-terminated; may be NULL) and waits for its
 * /healthz. It observes the test's cgroup unless --whole-machine. False: says why; a failed check.
 */
bool millrace_start(struct millrace *m, struct live *l, const char *const *arguments);
/* The same on a port of the caller's choice. */
bool millrace_start_at(struct millrace *m, struct live *l, uint16_t port,
		       const char *const *arguments);
/* Ends it; its exit status. */
int millrace_stop(struct millrace *m, int sig);
void millrace_stop_all(void); /* whatever a test has left running */
bool millrace_alive(struct millrace *m);

/* Runs another subcommand against it ("verify", …); its status. */
int millrace_command(struct millrace *m, const char *const *arguments, char *out, size_t size);

/* Counts a process among those that millrace_stop_all() ends; false: no room. */
bool millrace_watch(pid_t pid);
void millrace_forget(pid_t pid);

/* GET; the HTTP status, or -1. ret_json may be NULL; it is NULL when the body is no JSON. */
int api_get(const struct millrace *m, const char *path, const char *host, json_t **ret_json);

uint16_t port_free(void); /* a TCP port on 127.0.0.1 that nobody has now */

/* A counter of an edge or row by its place in the record; -1: not there. */
long long api_counter(const json_t *row, enum mr_counter counter);
/* "a.b.c" */
const json_t *api_at(const json_t *object, const char *path);
const char *api_string(const json_t *object, const char *path); /* "" if not there */

/* All rows of one end: what this process did on this server port. */
struct ends {
	uint64_t counter[MR_COUNTER_COUNT];
	unsigned int rows;
};

/* Sums rows of /api/v1/flows?view=ends since it started; process NULL and port 0: any. */
json_t *api_ends(const struct millrace *m);
void ends_sum(const json_t *answer, int role, const char *process, uint16_t port, struct ends *ret);

/* Edges of /api/v1/graph; borrowed from *ret_graph, which the caller releases. The client's and
 * the server's node by name; NULL: any. */
const json_t *api_edge(const struct millrace *m, const char *client, const char *server,
		       uint16_t port, json_t **ret_graph);
/* Sum of all losses in completeness; the text names those that are not 0. Named but not
 * summed: windows that came late, which cost resolution in time, and tracepoints that the kernel
 * skipped, which may cost a connection its reason: the tests compare every reason themselves. */
uint64_t api_losses(const struct millrace *m, char *text, size_t size);
