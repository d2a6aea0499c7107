/* SPDX-License-Identifier: Apache-2.0 */
/* `millrace why`: asks for the graph of workloads, and where a name is none, for that of processes.
 */
#include <errno.h>
#include <stdlib.h>

#include "client.h"
#include "output.h"
#include "why.h"

static int ask(const struct arguments *a, const char *group, struct client_answer *ret,
	       struct error *ret_error)
{
	struct client_parameter query[] = {{"group", group}, CLIENT_RANGE(a), {.name = NULL}};

	return client_get(a->server, "/api/v1/graph", query, ret, ret_error);
}

/* -ENOENT: a name is not in this graph. */
static int explain(const struct arguments *a, const struct why_pair *pair, const char *group,
		   struct error *ret_error)
{
	struct client_answer answer;
	struct graph g;
	int r = ask(a, group, &answer, ret_error);

	if (r < 0)
		return r;
	r = graph_parse(&g, answer.json);
	if (!r) {
		r = why_write(&g, pair, stdout, ret_error);
		graph_done(&g);
	}
	client_answer_done(&answer);
	return r == -ENOENT ? r : output_result(r, a->server, ret_error);
}

/* The edges of the pair as the API has them, for programs. */
static int print_json(const struct arguments *a, const struct why_pair *pair,
		      struct error *ret_error)
{
	struct client_answer answer;
	struct graph g;
	int r = ask(a, "workload", &answer, ret_error);

	if (r < 0)
		return r;
	r = graph_parse(&g, answer.json);
	if (!r) {
		r = why_write_json(&g, pair, stdout);
		graph_done(&g);
	}
	client_answer_done(&answer);
	return output_result(r, a->server, ret_error);
}

int why_run(const struct arguments *a, struct error *ret_error)
{
	struct why_pair pair = {.client = a->positional[0]};
	char *server = NULL;
	struct error first = {0};
	int r = why_split_server(a->positional[1], &server, &pair.port);

	if (r < 0) {
		error_set(ret_error, r,
			  "cannot explain \"%s\": the port is not one; give SERVER or SERVER:PORT",
			  a->positional[1]);
		return EXIT_WRONG_USE;
	}
	pair.server = server;
	if (a->json) {
		r = print_json(a, &pair, ret_error);
	} else {
		r = explain(a, &pair, "workload", &first);
		if (r == -ENOENT && !explain(a, &pair, "process", ret_error))
			r = 0;
		else if (r < 0)
			*ret_error = first;
	}
	free(server);
	return client_exit_code(r);
}
