/* SPDX-License-Identifier: Apache-2.0 */
#include "why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "why_edge.h"
#include "why_internal.h"
#include "why_match.h"

#define SIMILAR_MAX    5
#define NEIGHBOURS_MAX 8

int why_split_server(const char *typed, char **ret_server, int *ret_port)
{
	const char *colon = strrchr(typed, ':');
	uint32_t port = 0;
	char *server;

	/* an IPv6 address without brackets has no port */
	if (!colon || colon == typed || (strchr(typed, ':') != colon && colon[-1] != ']')) {
		*ret_server = strdup(typed);
		*ret_port = -1;
		return *ret_server ? 0 : -ENOMEM;
	}
	if (human_parse_count(colon + 1, &port) < 0 || port > 65535)
		return -EINVAL;
	server = *typed == '[' && colon[-1] == ']' ? strndup(typed + 1, colon - typed - 2)
						   : strndup(typed, colon - typed);
	if (!server)
		return -ENOMEM;
	*ret_server = server;
	*ret_port = (int)port;
	return 0;
}

static int tell_unknown(const struct graph *g, const char *name, const char *role,
			struct error *ret_error)
{
	const char *similar[SIMILAR_MAX];
	size_t count = why_similar(g, name, similar, SIMILAR_MAX);
	char list[256] = "";

	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(list);

		snprintf(list + used, sizeof(list) - used, "%s%.60s", used ? ", " : "", similar[i]);
	}
	if (*list)
		return error_set(
			ret_error, -ENOENT,
			"cannot explain: no %s named \"%.80s\" was seen; similar names: %s", role,
			name, list);
	return error_set(ret_error, -ENOENT,
			 "cannot explain: no %s named \"%.80s\" was seen; millrace map lists the "
			 "names, --from -1h looks further back",
			 role, name);
}

struct matcher {
	const struct why_pair *pair;
	enum why_match client, server;
};

static bool is_client(const struct matcher *m, const struct graph_node *node)
{
	return why_match_node(node, m->pair->client) == m->client;
}

static bool is_server(const struct matcher *m, const struct graph_node *node)
{
	return why_match_node(node, m->pair->server) == m->server;
}

static bool is_edge(const struct matcher *m, const struct graph_edge *e)
{
	return is_client(m, e->client) && is_server(m, e->server) &&
	       (m->pair->port < 0 || m->pair->port == e->port);
}

/* "  web talks to: db:5432, cache:6379": the edges on one side of a node, in short. */
static int write_neighbours(const struct graph *g, const struct matcher *m, bool of_client,
			    FILE *out)
{
	char *name = human_clean(of_client ? m->pair->client : m->pair->server);
	size_t shown = 0;

	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < g->edge_count && shown < NEIGHBOURS_MAX; i++) {
		const struct graph_edge *e = &g->edges[i];
		char *label, *clean;

		if (of_client ? !is_client(m, e->client) : !is_server(m, e->server))
			continue;
		label = of_client ? graph_server_label(e) : graph_label(e->client, -1);
		clean = label ? human_clean(label) : NULL;
		if (!shown++)
			fprintf(out, "  %s %s ", name, of_client ? "talks to" : "is used by");
		fprintf(out, "%s%s", shown > 1 ? ", " : "", clean ? clean : "?");
		if (!of_client)
			fprintf(out, " (port %d%s)", e->port, e->udp ? "/udp" : "");
		free(clean);
		free(label);
	}
	if (shown)
		fputc('\n', out);
	else
		fprintf(out, "  %s %s\n", name,
			of_client ? "opened no connection at all" : "was asked by nobody");
	free(name);
	return 0;
}

static int write_no_edge(const struct graph *g, const struct matcher *m, FILE *out)
{
	char *client = human_clean(m->pair->client), *server = human_clean(m->pair->server);
	char span[HUMAN_NUMBER_SIZE];
	int r = client && server ? 0 : -ENOMEM;

	if (!r) {
		fprintf(out, "%s did not try to reach %s", client, server);
		if (m->pair->port >= 0)
			fprintf(out, " on port %d", m->pair->port);
		fprintf(out, " in the last %s: no SYN and no datagram left for it.\n",
			human_span(span, g->to - g->from));
		r = write_neighbours(g, m, true, out);
	}
	if (!r)
		r = write_neighbours(g, m, false, out);
	if (!r)
		fprintf(out,
			"what to do next: look into %s's configuration and name resolution, since "
			"nothing was sent; or go back further with --from -1h\n",
			client);
	free(client);
	free(server);
	return r;
}

int why_write(const struct graph *g, const struct why_pair *pair, FILE *out,
	      struct error *ret_error)
{
	struct why_advice advice = {0};
	struct matcher m = {
		.pair = pair,
		.client = why_match_best(g, pair->client),
		.server = why_match_best(g, pair->server),
	};
	size_t found = 0;
	int r = 0;

	if (!m.client)
		return tell_unknown(g, pair->client, "client", ret_error);
	if (!m.server)
		return tell_unknown(g, pair->server, "server", ret_error);
	for (size_t i = 0; i < g->edge_count && !r; i++) {
		if (!is_edge(&m, &g->edges[i]))
			continue;
		found++;
		r = why_edge_write(g, &g->edges[i], out, &advice);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < g->node_count; i++)
		if (is_server(&m, &g->nodes[i]) || is_client(&m, &g->nodes[i]))
			why_write_events(g, &g->nodes[i], out);
	if (!found)
		return write_no_edge(g, &m, out);
	fprintf(out, "what to do next: %s\n", advice.text);
	return 0;
}

static json_t *matching_nodes(const struct graph *g, const char *name, enum why_match best)
{
	json_t *nodes = json_array();

	for (size_t i = 0; i < g->node_count && best; i++)
		if (why_match_node(&g->nodes[i], name) == best)
			json_array_append(nodes, (json_t *)g->nodes[i].json);
	return nodes;
}

int why_write_json(const struct graph *g, const struct why_pair *pair, FILE *out)
{
	struct matcher m = {
		.pair = pair,
		.client = why_match_best(g, pair->client),
		.server = why_match_best(g, pair->server),
	};
	json_t *edges = json_array(), *all;
	int r;

	for (size_t i = 0; i < g->edge_count && m.client && m.server; i++)
		if (is_edge(&m, &g->edges[i]))
			json_array_append(edges, (json_t *)g->edges[i].json);
	all = json_pack("{s:f, s:f, s:o, s:o, s:o}", "from", g->from, "to", g->to, "client",
			matching_nodes(g, pair->client, m.client), "server",
			matching_nodes(g, pair->server, m.server), "edges", edges);
	r = all && !json_dumpf(all, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) ? 0 : -ENOMEM;
	fputc('\n', out);
	json_decref(all);
	return r;
}
