/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <signal.h>

#include "run.h"

static bool pair_closed(void *userdata)
{
	struct pair *p = userdata;
	json_t *answer = api_ends(p->millrace);

	ends_sum(answer, LOAD_CLIENT, p->client, p->port, &p->c);
	ends_sum(answer, LOAD_SERVER, p->server, p->port, &p->s);
	json_decref(answer);
	return p->c.counter[MR_CLOSED] >= p->closed && p->s.counter[MR_CLOSED] >= p->closed;
}

void pair_check(struct live *l, struct pair *p)
{
	json_t *graph;
	const json_t *edge;

	wait_until(pair_closed, p, patience(l, 8000));
	check_equal(l, "connections opened, client end", p->closed, p->c.counter[MR_OPENED]);
	check_equal(l, "connections opened, server end", p->closed, p->s.counter[MR_OPENED]);
	check_equal(l, "connections closed, client end", p->closed, p->c.counter[MR_CLOSED]);
	check_equal(l, "connections closed, server end", p->closed, p->s.counter[MR_CLOSED]);
	edge = api_edge(p->millrace, p->client, p->server, p->port, &graph);
	check(l, edge != NULL, "the graph has the edge %s -> %s:%u", p->client, p->server, p->port);
	check_equal(l, "connections opened, edge", p->closed,
		    edge ? (uint64_t)api_counter(edge, MR_OPENED) : 0);
	check_equal(l, "bytes to server, edge", p->c.counter[MR_BYTES_TO_SERVER],
		    edge ? (uint64_t)api_counter(edge, MR_BYTES_TO_SERVER) : 0);
	json_decref(graph);
}

void pair_bytes(struct live *l, const struct pair *p, uint64_t up, uint64_t down)
{
	check_equal(l, "bytes to server, client end", up, p->c.counter[MR_BYTES_TO_SERVER]);
	check_equal(l, "bytes to server, server end", up, p->s.counter[MR_BYTES_TO_SERVER]);
	check_equal(l, "bytes to client, client end", down, p->c.counter[MR_BYTES_TO_CLIENT]);
	check_equal(l, "bytes to client, server end", down, p->s.counter[MR_BYTES_TO_CLIENT]);
}

static void verify_check(struct live *l, struct millrace *m)
{
	char out[8192];
	int r = millrace_command(m, (const char *const[]){"verify", NULL}, out, sizeof(out));

	check(l, r == 0, "millrace verify: status %d%s%s", r, r ? ": " : "", r ? out : "");
}

bool whole_start(struct live *l, struct millrace *m)
{
	bool whole = l->whole_machine, started;

	l->whole_machine = true;
	started = millrace_start(m, l, NULL);
	l->whole_machine = whole;
	return started;
}

void whole_finish(struct live *l, struct millrace *m)
{
	verify_check(l, m);
	check_equal(l, "exit status after SIGTERM", 0, (uint64_t)millrace_stop(m, SIGTERM));
}
