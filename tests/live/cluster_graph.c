/* SPDX-License-Identifier: Apache-2.0 */
/* What the graph of a cluster says, beside what the traffic did. */
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "run.h"

static json_t *graph_ask(const struct cluster *c, const char *path)
{
	json_t *graph = NULL;

	if (api_get(&c->server, path, NULL, &graph) == 200)
		return graph;
	json_decref(graph);
	return NULL;
}

json_t *cluster_graph(const struct cluster *c, const char *group)
{
	char path[160];

	snprintf(path, sizeof(path), "/api/v1/graph?from=%.0f&to=now&group=%s",
		 c->server.started - 60, group);
	return graph_ask(c, path);
}

json_t *cluster_graph_of(const struct cluster *c, const char *group, double from, double to)
{
	char path[160];

	snprintf(path, sizeof(path), "/api/v1/graph?from=%.3f&to=%.3f&group=%s", from, to, group);
	return graph_ask(c, path);
}

static const char *name_of(const json_t *graph, const char *id)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(graph, "nodes"), i, node)
		if (strcmp(api_string(node, "id"), id) == 0)
			return api_string(node, "name");
	return "";
}

static bool is_of(const json_t *graph, const json_t *edge, const struct traffic *t)
{
	const char *transport = t->way.kind == TRAFFIC_UDP ? "udp" : "tcp";

	return json_integer_value(json_object_get(edge, "port")) == t->way.port &&
	       strcmp(api_string(edge, "transport"), transport) == 0 &&
	       strcmp(name_of(graph, api_string(edge, "client")), t->way.client) == 0 &&
	       strcmp(name_of(graph, api_string(edge, "server")), t->way.server) == 0;
}

const json_t *cluster_edge(const json_t *graph, const struct traffic *t, unsigned int *ret_count)
{
	const json_t *found = NULL;
	json_t *edge;
	size_t i;

	*ret_count = 0;
	json_array_foreach (json_object_get(graph, "edges"), i, edge)
		if (is_of(graph, edge, t)) {
			found = found ? found : edge;
			++*ret_count;
		}
	return found;
}

/* Edges of the ports of traffic that are nobody's: a ghost, or the same once more. */
static unsigned int strangers(const json_t *graph, struct traffic *const *traffic,
			      unsigned int count, char *text, size_t size)
{
	unsigned int n = 0;
	json_t *edge;
	size_t i;

	text[0] = '\0';
	json_array_foreach (json_object_get(graph, "edges"), i, edge) {
		bool of_its_port = false, known = false;

		for (unsigned int t = 0; t < count; t++) {
			json_int_t port = json_integer_value(json_object_get(edge, "port"));

			of_its_port |= port == traffic[t]->way.port ||
				       (port && port == traffic[t]->way.asked_port);
			known |= is_of(graph, edge, traffic[t]);
		}
		if (!of_its_port || known)
			continue;
		n++;
		snprintf(text, size, "%s to %s, port %lld, %lld bytes to the server",
			 name_of(graph, api_string(edge, "client")),
			 name_of(graph, api_string(edge, "server")),
			 (long long)json_integer_value(json_object_get(edge, "port")),
			 api_counter(edge, MR_BYTES_TO_SERVER));
	}
	return n;
}

struct comparison {
	const struct cluster *cluster;
	struct traffic *const *traffic;
	unsigned int count;
	json_t *graph;
};

static bool all_exact(void *userdata)
{
	struct comparison *w = userdata;
	char text[512];
	unsigned int edges;

	json_decref(w->graph);
	w->graph = cluster_graph(w->cluster, "workload");
	for (unsigned int i = 0; w->graph && i < w->count; i++) {
		const json_t *edge = cluster_edge(w->graph, w->traffic[i], &edges);

		traffic_differs(w->traffic[i], edge, text, sizeof(text));
		if (text[0] || edges != 1)
			return false;
	}
	return w->graph && strangers(w->graph, w->traffic, w->count, text, sizeof(text)) == 0;
}

static bool edge_check(struct live *l, const json_t *graph, const struct traffic *t)
{
	unsigned int edges;
	const json_t *edge = cluster_edge(graph, t, &edges);
	char text[512];

	traffic_differs(t, edge, text, sizeof(text));
	return check(l, !text[0] && edges == 1,
		     "%s to %s, port %u: %llu exchanges, %llu and %llu bytes: %u edge, %s",
		     t->way.client, t->way.server, t->way.port,
		     (unsigned long long)t->told->exchanges, (unsigned long long)t->told->up,
		     (unsigned long long)t->told->down, edges, text[0] ? text : "exact");
}

bool cluster_exact(struct cluster *c, struct traffic *const *traffic, unsigned int count,
		   unsigned int ms, json_t **ret_graph)
{
	struct comparison w = {.cluster = c, .traffic = traffic, .count = count};
	uint64_t start = clock_ns();
	bool good = wait_until(all_exact, &w, patience(c->live, ms));
	char text[512];

	for (unsigned int i = 0; i < count; i++)
		good &= edge_check(c->live, w.graph, traffic[i]);
	good &= check(c->live, strangers(w.graph, traffic, count, text, sizeof(text)) == 0,
		      "no other edge on these ports %s", text);
	good &= check(c->live, api_losses(&c->server, text, sizeof(text)) == 0,
		      "nothing is counted as lost %s", text);
	say("all there %.1f s after the last byte", (double)(clock_ns() - start) / 1e9);
	if (!good)
		cluster_say_logs(c);
	if (ret_graph)
		*ret_graph = w.graph;
	else
		json_decref(w.graph);
	return good;
}
