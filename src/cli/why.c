/* SPDX-License-Identifier: Apache-2.0 */
#include "why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "why_address.h"
#include "why_internal.h"
#include "why_match.h"

#define SIMILAR_MAX 5

static const char *const transports[] = {"tcp", "udp"};

/* "53", "53/udp" */
static int parse_port(const char *text, struct why_pair *ret)
{
	const char *slash = strchrnul(text, '/');
	char digits[8];
	uint32_t port;

	ret->transport = NULL;
	for (size_t i = 0; *slash && i < sizeof(transports) / sizeof(*transports); i++)
		if (!strcmp(slash + 1, transports[i]))
			ret->transport = transports[i];
	if ((*slash && !ret->transport) || slash - text >= (ptrdiff_t)sizeof(digits))
		return -EINVAL;
	snprintf(digits, sizeof(digits), "%.*s", (int)(slash - text), text);
	if (human_parse_count(digits, &port) < 0 || port > 65535)
		return -EINVAL;
	ret->port = (int)port;
	return 0;
}

int why_split_server(const char *typed, char **ret_server, struct why_pair *ret)
{
	const char *colon = strrchr(typed, ':');
	bool bracket;
	char *server;

	ret->port = -1;
	ret->transport = NULL;
	/* an IPv6 address without brackets has no port */
	if (!colon || colon == typed || (strchr(typed, ':') != colon && colon[-1] != ']')) {
		colon = typed + strlen(typed);
	} else if (parse_port(colon + 1, ret) < 0) {
		return -EINVAL;
	}
	bracket = colon > typed && *typed == '[' && colon[-1] == ']';
	server = bracket ? strndup(typed + 1, colon - typed - 2) : strndup(typed, colon - typed);
	if (!server)
		return -ENOMEM;
	ret->server = *ret_server = server;
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

bool why_is_client(const struct why_matcher *m, const struct graph_node *node)
{
	return why_match_node(node, m->pair->client) == m->client;
}

bool why_is_server(const struct why_matcher *m, const struct graph_node *node)
{
	if (m->address)
		return why_address_of_node(m->pair, node);
	return why_match_node(node, m->pair->server) == m->server;
}

bool why_is_edge(const struct why_matcher *m, const struct graph_edge *e)
{
	if (!why_is_client(m, e->client))
		return false;
	if (m->address)
		return why_address_of_edge(m->pair, e);
	return why_is_server(m, e->server) && why_port_is(m->pair, e->port, e->udp);
}

/* An address is known if somebody has it, or was asked for by it, at whatever port. */
static enum why_match match_address(const struct graph *g, const struct why_pair *pair)
{
	const struct why_pair any_port = why_any_port(pair);

	for (size_t i = 0; i < g->node_count; i++)
		if (why_address_of_node(&any_port, &g->nodes[i]))
			return WHY_EXACT;
	for (size_t i = 0; i < g->edge_count; i++)
		if (why_address_of_edge(&any_port, &g->edges[i]))
			return WHY_EXACT;
	return WHY_NONE;
}

static int match(struct why_matcher *ret, const struct graph *g, const struct why_pair *pair,
		 struct error *ret_error)
{
	*ret = (struct why_matcher){.g = g, .pair = pair, .address = why_address_is(pair->server)};
	ret->client = why_match_best(g, pair->client);
	ret->server = ret->address ? match_address(g, pair) : why_match_best(g, pair->server);
	if (!ret->client)
		return tell_unknown(g, pair->client, "client", ret_error);
	if (!ret->server)
		return tell_unknown(g, pair->server, "server", ret_error);
	return 0;
}

int why_write(const struct graph *g, const struct why_pair *pair, FILE *out,
	      struct error *ret_error)
{
	struct why_advice advice = {0};
	struct why_matcher m;
	size_t found = 0;
	int r = match(&m, g, pair, ret_error);

	for (size_t i = 0; i < g->edge_count && !r; i++) {
		if (!why_is_edge(&m, &g->edges[i]))
			continue;
		found++;
		r = why_edge_write(g, &g->edges[i], out, &advice);
	}
	if (r < 0)
		return r;
	if (!found)
		return why_write_none(&m, out);
	why_write_happenings(&m, out);
	fprintf(out, "what to do next: %s\n", advice.text);
	return 0;
}

static json_t *matching_nodes(const struct why_matcher *m,
			      bool (*is_meant)(const struct why_matcher *m,
					       const struct graph_node *node))
{
	json_t *nodes = json_array();

	for (size_t i = 0; i < m->g->node_count; i++)
		if (is_meant(m, &m->g->nodes[i]))
			json_array_append(nodes, (json_t *)m->g->nodes[i].json);
	return nodes;
}

static json_t *matching_edges(const struct why_matcher *m)
{
	json_t *edges = json_array();

	for (size_t i = 0; i < m->g->edge_count; i++)
		if (why_is_edge(m, &m->g->edges[i]))
			json_array_append(edges, (json_t *)m->g->edges[i].json);
	return edges;
}

int why_write_json(const struct graph *g, const struct why_pair *pair, FILE *out,
		   struct error *ret_error)
{
	struct why_matcher m;
	json_t *all;
	int r = match(&m, g, pair, ret_error);

	if (r < 0)
		return r;
	all = json_pack("{s:f, s:f, s:o, s:o, s:o}", "from", g->from, "to", g->to, "client",
			matching_nodes(&m, why_is_client), "server",
			matching_nodes(&m, why_is_server), "edges", matching_edges(&m));
	r = all && !json_dumpf(all, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) ? 0 : -ENOMEM;
	fputc('\n', out);
	json_decref(all);
	return r;
}
