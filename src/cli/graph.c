/* SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "human.h"

const char *const graph_failure_names[GRAPH_FAILURE_COUNT] = {
	[GRAPH_REFUSED] = "refused",         [GRAPH_TIMED_OUT] = "timed_out",
	[GRAPH_UNREACHABLE] = "unreachable", [GRAPH_RESET] = "reset",
	[GRAPH_ABORTED] = "aborted",         [GRAPH_OTHER] = "other",
};

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct graph_node *)a)->id, ((const struct graph_node *)b)->id);
}

static const struct graph_node *find_node(const struct graph *g, const char *id)
{
	struct graph_node key = {.id = id};

	return bsearch(&key, g->nodes, g->node_count, sizeof(key), compare_ids);
}

static int compare_names(const void *a, const void *b)
{
	const struct graph_node *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int mark_ambiguous(struct graph *g)
{
	struct graph_node **by_name = calloc(g->node_count + 1, sizeof(struct graph_node *));

	if (!by_name)
		return -ENOMEM;
	for (size_t i = 0; i < g->node_count; i++)
		by_name[i] = &g->nodes[i];
	qsort(by_name, g->node_count, sizeof(struct graph_node *), compare_names);
	for (size_t i = 1; i < g->node_count; i++)
		if (!strcmp(by_name[i - 1]->name, by_name[i]->name))
			by_name[i - 1]->ambiguous = by_name[i]->ambiguous = true;
	free(by_name);
	return 0;
}

static int parse_nodes(struct graph *g, const json_t *nodes)
{
	size_t i;
	json_t *n;

	g->nodes = calloc(json_array_size(nodes) + 1, sizeof(*g->nodes));
	if (!g->nodes)
		return -ENOMEM;
	json_array_foreach (nodes, i, n) {
		const char *name = field_text(n, "name"), *id = field_text(n, "id");

		if (!*id)
			continue;
		g->nodes[g->node_count++] = (struct graph_node){
			.id = id,
			.name = *name ? name : id,
			.kind = field_text(n, "kind"),
			.health = field_text(n, "health"),
			.json = n,
		};
	}
	qsort(g->nodes, g->node_count, sizeof(*g->nodes), compare_ids);
	return mark_ambiguous(g);
}

static void parse_connections(struct graph_edge *e, const json_t *c)
{
	e->attempted = field_number(c, "attempted");
	e->opened = field_number(c, "opened");
	e->adopted = field_number(c, "adopted");
	e->closed = field_number(c, "closed");
	e->active = field_number(c, "active");
	e->pending = field_number(c, "pending");
	e->reset_by_client = field_number(c, "reset_by_client");
	e->reset_by_server = field_number(c, "reset_by_server");
	e->broken = field_number(c, "broken");
	for (int i = 0; i < GRAPH_FAILURE_COUNT; i++) {
		const json_t *failed = field_get(c, "failed");

		e->failed[i] = field_number(failed, graph_failure_names[i]);
		e->failed_total += e->failed[i];
	}
}

static void parse_edge(struct graph_edge *e, const json_t *json)
{
	const json_t *connections = field_get(json, "connections");

	*e = (struct graph_edge){
		.port = field_port(json, "port"),
		.udp = *graph_port_suffix(json) != 0,
		.datagrams_to_server = field_number(json, "datagrams_to_server"),
		.datagrams_to_client = field_number(json, "datagrams_to_client"),
		.dropped = field_number(json, "datagrams_dropped_to_server") +
			   field_number(json, "datagrams_dropped_to_client"),
		.health = field_text(json, "health"),
		.provisional = json_is_true(field_get(json, "provisional")),
		.carrier = field_text(json, "carrier"),
		.client_zone = field_text(json, "client_zone"),
		.server_zone = field_text(json, "server_zone"),
		.bytes_to_server = field_number(json, "bytes_to_server"),
		.bytes_to_client = field_number(json, "bytes_to_client"),
		.adopted_bytes_to_server = field_number(json, "adopted_bytes_to_server"),
		.adopted_bytes_to_client = field_number(json, "adopted_bytes_to_client"),
		.segments = field_number(json, "segments_to_server") +
			    field_number(json, "segments_to_client"),
		.retransmits = field_number(json, "retransmits_to_server") +
			       field_number(json, "retransmits_to_client"),
		.synack_retransmits = field_number(json, "connections.synack_retransmits"),
		.rtt_count = field_number(json, "rtt_us.count"),
		.rtt_p50 = field_number(json, "rtt_us.p50"),
		.rtt_p95 = field_number(json, "rtt_us.p95"),
		.rtt_max = field_number(json, "rtt_us.max"),
		.first_seen = field_number(json, "first_seen"),
		.last_seen = field_number(json, "last_seen"),
		.json = json,
	};
	parse_connections(e, connections);
}

static int compare_edges(const void *a, const void *b)
{
	const struct graph_edge *x = a, *y = b;
	int r = strcmp(x->client->name, y->client->name);

	r = r ? r : strcmp(x->client->id, y->client->id);
	r = r ? r : strcmp(x->server->name, y->server->name);
	r = r ? r : strcmp(x->server->id, y->server->id);
	r = r ? r : x->port - y->port;
	r = r ? r : x->udp - y->udp;
	r = r ? r : strcmp(x->client_zone, y->client_zone);
	return r ? r : strcmp(x->server_zone, y->server_zone);
}

static bool is_twin(const struct graph_edge *a, const struct graph_edge *b)
{
	return a->client == b->client && a->server == b->server && a->port == b->port &&
	       a->udp == b->udp;
}

/* Zones are told where they say something. Edges are in order. */
static void mark_zones(struct graph *g)
{
	for (size_t i = 0; i < g->edge_count; i++) {
		struct graph_edge *e = &g->edges[i];
		bool known = *e->client_zone && *e->server_zone;

		e->zones_told = known && strcmp(e->client_zone, e->server_zone) != 0;
		if (i && is_twin(e, e - 1) && !strcmp(e->carrier, e[-1].carrier))
			e->zones_told = e[-1].zones_told = true;
	}
}

static int parse_edges(struct graph *g, const json_t *edges)
{
	size_t i;
	json_t *e;

	g->edges = calloc(json_array_size(edges) + 1, sizeof(*g->edges));
	if (!g->edges)
		return -ENOMEM;
	json_array_foreach (edges, i, e) {
		struct graph_edge *edge = &g->edges[g->edge_count];

		parse_edge(edge, e);
		edge->client = find_node(g, field_text(e, "client"));
		edge->server = find_node(g, field_text(e, "server"));
		if (edge->client && edge->server)
			g->edge_count++;
	}
	qsort(g->edges, g->edge_count, sizeof(*g->edges), compare_edges);
	mark_zones(g);
	return 0;
}

int graph_parse(struct graph *ret, const json_t *json)
{
	const json_t *nodes = field_array(json, "nodes"), *edges = field_array(json, "edges");
	struct graph g = {
		.from = field_number(json, "from"),
		.to = field_number(json, "to"),
		.agents_expected = (int)field_number(json, "completeness.agents.expected"),
		.agents_reporting = (int)field_number(json, "completeness.agents.reporting"),
		.covered_from = field_number(json, "completeness.covered.from"),
		.covered_to = field_number(json, "completeness.covered.to"),
	};
	int r;

	if (!nodes || !edges)
		return -EPROTO;
	r = parse_nodes(&g, nodes);
	if (!r)
		r = parse_edges(&g, edges);
	if (r < 0) {
		graph_done(&g);
		return r;
	}
	*ret = g;
	return 0;
}

void graph_done(struct graph *g)
{
	free(g->nodes);
	free(g->edges);
	*g = (struct graph){0};
}

double graph_begin(const struct graph *g)
{
	return g->covered_from > g->from && g->covered_from < g->to ? g->covered_from : g->from;
}

char *graph_label(const struct graph_node *node, int port)
{
	const char *name = node->ambiguous && *node->id ? node->id : node->name;
	bool bracket = strchr(name, ':') && port >= 0;
	char tail[16] = "", *label;

	if (port >= 0)
		snprintf(tail, sizeof(tail), ":%d", port);
	if (asprintf(&label, "%s%s%s%s", bracket ? "[" : "", name, bracket ? "]" : "", tail) < 0)
		return NULL;
	return label;
}

const char *graph_port_suffix(const json_t *object)
{
	return strcmp(field_text(object, "transport"), "udp") ? "" : "/udp";
}

char *graph_server_label(const struct graph_edge *e)
{
	char *label = graph_label(e->server, e->port), *told = NULL;

	if (!label || (!e->udp && !e->zones_told))
		return label;
	if (!e->zones_told) {
		if (asprintf(&told, "%s/udp", label) < 0)
			told = NULL;
	} else if (asprintf(&told, "%s%s (%s > %s)", label, e->udp ? "/udp" : "",
			    *e->client_zone ? e->client_zone : "?",
			    *e->server_zone ? e->server_zone : "?") < 0) {
		told = NULL;
	}
	free(label);
	return told;
}

const char *graph_remark(const struct graph_edge *e)
{
	if (!strcmp(e->carrier, "sidecar"))
		return ", sidecar";
	if (!strcmp(e->carrier, "tunnel"))
		return ", tunnel";
	return e->provisional ? ", provisional" : "";
}

static void say(char *words, size_t size, double count, const char *what)
{
	char number[HUMAN_NUMBER_SIZE];

	snprintf(words, size, "%s %s", human_count(number, count), what);
}

/* The reason that most attempts failed for; giving up by oneself is not held against a server. */
static int worst_failure(const struct graph_edge *e)
{
	int worst = 0;

	for (int i = 1; i < GRAPH_FAILURE_COUNT; i++)
		if (i != GRAPH_ABORTED && e->failed[i] > e->failed[worst])
			worst = i;
	return worst;
}

int graph_judge(const struct graph_edge *e, char *words, size_t size)
{
	static const char *const failures[GRAPH_FAILURE_COUNT] = {
		"refused", "timed out", "unreachable", "reset at start", "given up", "failed",
	};
	int level = !strcmp(e->health, "failing") ? 2 : !strcmp(e->health, "degraded") ? 1 : 0;
	double failed = e->failed_total - e->failed[GRAPH_ABORTED];

	if (failed > 0) {
		int worst = worst_failure(e);

		say(words, size, e->failed[worst], failures[worst]);
		return level > 0 ? level : 1;
	}
	if (e->pending > 0) {
		say(words, size, e->pending, "pending");
		return level;
	}
	if (level == 0)
		snprintf(words, size, "ok");
	else if (e->dropped > 0)
		say(words, size, e->dropped, "dropped");
	else if (e->reset_by_server > 0)
		say(words, size, e->reset_by_server, "reset by server");
	else if (e->broken > 0)
		say(words, size, e->broken, "broken off");
	else if (e->reset_by_client > 0)
		say(words, size, e->reset_by_client, "reset by client");
	else if (e->retransmits > 0)
		say(words, size, e->retransmits, "sent again");
	else
		snprintf(words, size, level > 1 ? "failing" : "degraded");
	return level;
}
