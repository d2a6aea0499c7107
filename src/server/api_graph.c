/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/graph: nodes and the edges between them. */
#include "server/api.h"
#include "server/api_params.h"

const struct param_spec api_graph_params[] = {
	API_PARAM_FROM, API_PARAM_TO, API_PARAM_GROUP, API_PARAM_FILTER, API_PARAM_BUCKETS, {0},
};

static void emit_names(struct emit *e, const char *key, const char **names, size_t count)
{
	size_t i;

	emit_array_begin(e, key);
	for (i = 0; i < count; i++)
		emit_string(e, NULL, names[i]);
	emit_array_end(e);
}

static void emit_listeners(struct emit *e, const struct query_node *node)
{
	size_t i;

	emit_array_begin(e, "listeners");
	for (i = 0; i < node->listener_count; i++) {
		const struct query_port *port = &node->listeners[i];

		emit_object_begin(e, NULL);
		emit_string(e, "transport", port->transport);
		emit_string(e, "address", port->address);
		emit_integer(e, "port", port->port);
		emit_integer(e, "netns", port->netns);
		emit_integer(e, "drops", port->drops);
		emit_integer(e, "queue", port->queue);
		emit_integer(e, "queue_max", port->queue_max);
		emit_object_end(e);
	}
	emit_array_end(e);
}

static void emit_node(struct emit *e, const struct query_node *node)
{
	emit_object_begin(e, NULL);
	emit_string(e, "id", node->id);
	emit_string(e, "kind", node->kind);
	emit_string(e, "name", node->name);
	emit_string(e, "namespace", node->namespace_name);
	emit_string(e, "cluster", node->cluster);
	emit_names(e, "zones", node->zones, node->zone_count);
	emit_names(e, "nodes", node->nodes, node->node_count);
	emit_names(e, "addresses", node->addresses, node->address_count);
	emit_names(e, "images", NULL, 0);
	emit_object_begin(e, "labels");
	emit_object_end(e);
	emit_listeners(e, node);
	api_emit_happenings(e, &node->happenings);
	emit_string(e, "health", node->health);
	emit_seconds(e, "first_seen", node->first_seen_ns);
	emit_object_begin(e, "position");
	emit_number(e, "x", node->x);
	emit_number(e, "y", node->y);
	emit_object_end(e);
	emit_object_end(e);
}

static void emit_edge(struct emit *e, const struct query_edge *edge, bool buckets)
{
	bool connections = api_has_connections(edge->transport);

	emit_object_begin(e, NULL);
	emit_string(e, "id", edge->id);
	emit_string(e, "client", edge->client->id);
	emit_string(e, "server", edge->server->id);
	emit_string(e, "transport", edge->transport);
	emit_integer(e, "port", edge->port);
	emit_string(e, "via", edge->via);
	emit_string(e, "client_zone", edge->client_zone);
	emit_string(e, "server_zone", edge->server_zone);
	emit_string(e, "client_region", edge->client_region);
	emit_string(e, "server_region", edge->server_region);
	emit_string(e, "class", edge->class_name);
	emit_string(e, "carrier", edge->carrier);
	emit_boolean(e, "provisional", edge->provisional);
	emit_seconds(e, "first_seen", edge->first_seen_ns);
	emit_seconds(e, "last_seen", edge->last_seen_ns);
	emit_string(e, "health", edge->health);
	emit_names(e, "findings", NULL, 0);
	api_emit_measures(e, &edge->measures, connections, buckets);
	api_emit_view(e, edge->server_view, connections, buckets);
	emit_object_end(e);
}

void api_emit_graph(struct emit *e, const struct api *a, const struct query_graph_request *request,
		    const struct query_graph *graph, bool buckets)
{
	char group[160];
	size_t i;

	emit_object_begin(e, NULL);
	emit_seconds(e, "from", request->range.from_ns);
	emit_seconds(e, "to", request->range.to_ns);
	emit_string(e, "group", query_group_name(&request->group, group, sizeof(group)));
	emit_array_begin(e, "nodes");
	for (i = 0; i < graph->node_count; i++)
		emit_node(e, &graph->nodes[i]);
	emit_array_end(e);
	emit_array_begin(e, "edges");
	for (i = 0; i < graph->edge_count; i++)
		emit_edge(e, &graph->edges[i], buckets);
	emit_array_end(e);
	api_emit_completeness(e, a, &graph->completeness);
	emit_object_end(e);
}

static void answer(struct api *a, struct http_request *r, const struct api_subject *subject)
{
	const struct params *p = http_request_params(r);
	struct query_graph_request request = {0};
	struct query_graph graph;
	struct api_query q;
	struct error error;
	int result;

	if (api_query_begin_ranged(&q, r, subject) < 0)
		return;
	if (query_group_parse(&request.group, params_text(p, "group"), &error) < 0) {
		api_query_refuse(&q, error.text);
		return;
	}
	request.range = q.range;
	request.filter = q.filter;
	request.now_ns = q.now_ns;
	result = query_graph(subject->core, &request, q.arena, &graph);
	if (!result)
		api_emit_graph(&q.json, a, &request, &graph, params_number(p, "buckets"));
	api_query_end(&q, result);
}

void api_graph(void *userdata, struct http_request *r)
{
	api_ask(userdata, r, PAST_SUMS, answer);
}
