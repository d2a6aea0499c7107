/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `millrace why`: asks for the graph of workloads, and where a name is none, for that of processes.
 * Where SERVER is an address it asks for the flows that know it, too: only they tell through which
 * address a local server was reached.
 */
#include <errno.h>
#include <stdlib.h>

#include "client.h"
#include "field.h"
#include "output.h"
#include "why.h"
#include "why_address.h"

#define FLOWS_MAX "10000"

typedef int write_fn(const struct graph *g, const struct why_pair *pair, FILE *out,
		     struct error *ret_error);

/* -ENOENT: a name is not in this graph. */
static int explain(const struct arguments *a, const struct why_pair *pair, const char *group,
		   struct error *ret_error)
{
	struct client_parameter query[] = {{"group", group}, CLIENT_RANGE(a), {.name = NULL}};
	write_fn *write = a->json ? why_write_json : why_write;
	struct client_answer answer;
	struct graph g;
	int r = client_get(&a->server, "/api/v1/graph", query, &answer, ret_error);

	if (r < 0)
		return r;
	r = graph_parse(&g, answer.json);
	if (!r) {
		r = write(&g, pair, stdout, ret_error);
		graph_done(&g);
	}
	client_answer_done(&answer);
	return r == -ENOENT ? r : output_result(r, a->server.url, ret_error);
}

static int explain_any(const struct arguments *a, const struct why_pair *pair,
		       struct error *ret_error)
{
	struct error second;
	int r = explain(a, pair, "workload", ret_error);

	return r == -ENOENT && !explain(a, pair, "process", &second) ? 0 : r;
}

static int explain_address(const struct arguments *a, struct why_pair *pair,
			   struct error *ret_error)
{
	char filter[128];
	struct client_parameter query[] = {{"from", a->from},
					   {"to", a->to},
					   {"filter", filter},
					   {"limit", FLOWS_MAX},
					   {.name = NULL}};
	struct client_answer answer;
	int r;

	snprintf(filter, sizeof(filter), "address:%s", pair->server);
	r = client_get(&a->server, "/api/v1/flows", query, &answer, ret_error);
	if (r < 0)
		return r;
	pair->flows = field_array(answer.json, "flows");
	r = explain_any(a, pair, ret_error);
	client_answer_done(&answer);
	return r;
}

int why_run(const struct arguments *a, struct error *ret_error)
{
	struct why_pair pair = {.client = a->positional[0]};
	char *server = NULL;
	int r = why_split_server(a->positional[1], &server, &pair);

	if (r < 0) {
		error_set(ret_error, r,
			  "cannot explain \"%s\": the port is not one; give SERVER, SERVER:PORT "
			  "or SERVER:PORT/udp",
			  a->positional[1]);
		return EXIT_WRONG_USE;
	}
	r = why_address_is(server) ? explain_address(a, &pair, ret_error)
				   : explain_any(a, &pair, ret_error);
	free(server);
	return client_exit_code(r);
}
