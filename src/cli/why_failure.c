/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "why_internal.h"

static const char *const failure_meaning[GRAPH_FAILURE_COUNT] = {
	[GRAPH_REFUSED] =
		"refused: an answer came at once that nobody listens there, or a firewall "
		"rejects it",
	[GRAPH_TIMED_OUT] = "timed out: no answer to any SYN; it was dropped on the way, or the "
			    "host is down",
	[GRAPH_UNREACHABLE] = "unreachable: no route, or a router or firewall said so by ICMP",
	[GRAPH_RESET] = "reset while opening",
	[GRAPH_ABORTED] =
		"given up by the client itself before an answer came (its own time limit?)",
	[GRAPH_OTHER] = "failed for another reason",
};

static void advise_on_refused(struct why *w)
{
	char *ports = map_listeners(w->e->server);

	if (why_find_listener(w) && w->e->opened > 0)
		why_advise(
			w, 55,
			"look at when %s was started or restarted: it listens on port %d now, but "
			"did not when it refused",
			w->server, w->e->port);
	else if (why_find_listener(w))
		why_advise(
			w, 90,
			"compare the address that %s asks for with the one that %s listens on, and "
			"look for a firewall rule that rejects port %d",
			w->client, w->server, w->e->port);
	else if (ports)
		why_advise(
			w, 90,
			"compare port %d with where %s listens (%s), or start what should listen "
			"there",
			w->e->port, w->server, ports);
	else
		why_advise(w, 90,
			   "start the server on %s port %d, or correct the address that %s is "
			   "configured with",
			   w->server, w->e->port, w->client);
	free(ports);
}

static void advise_on_failure(struct why *w, enum graph_failure failure)
{
	switch (failure) {
	case GRAPH_REFUSED:
		advise_on_refused(w);
		break;
	case GRAPH_TIMED_OUT:
		why_advise(
			w, 100,
			"look for a firewall or security group that drops port %d between %s and "
			"%s, and whether the host is up",
			w->e->port, w->client, w->server);
		break;
	case GRAPH_UNREACHABLE:
		why_advise(w, 95,
			   "look at the routes to %s (ip route get), and for a rule that rejects",
			   w->server);
		break;
	case GRAPH_RESET:
		why_advise(w, 80, "look into %s's log: it, or something before it, resets at once",
			   w->server);
		break;
	case GRAPH_ABORTED:
		why_advise(w, 40,
			   "compare %s's connect time limit with how long %s takes to answer",
			   w->client, w->server);
		break;
	default:
		why_advise(w, 70, "look into %s's log for the error of its connect()", w->client);
	}
}

void why_write_failures(struct why *w)
{
	const struct graph_edge *e = w->e;

	if (e->failed_total > 0)
		fprintf(w->out, "  %.0f of %.0f attempts failed:\n", e->failed_total, e->attempted);
	for (int i = 0; i < GRAPH_FAILURE_COUNT; i++) {
		if (e->failed[i] <= 0)
			continue;
		fprintf(w->out, "    %.0f %s\n", e->failed[i], failure_meaning[i]);
		advise_on_failure(w, (enum graph_failure)i);
	}
	if (e->pending > 0) {
		fprintf(w->out,
			"  %.0f pending: SYN sent, no answer yet; dropped on the way, or the host "
			"is "
			"down\n",
			e->pending);
		if (strcmp(e->health, "ok"))
			advise_on_failure(w, GRAPH_TIMED_OUT);
	}
}
