/* SPDX-License-Identifier: Apache-2.0 */
/* query_graph: gather, plan flows into edges, sum, dress for people, sort, give places. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/address.h"
#include "server/dress.h"
#include "server/edges.h"
#include "server/events_query.h"
#include "server/graph_layout.h"
#include "server/health.h"

#define MACHINES_MAX 256 /* that are told of one node of the graph, and zones */

struct builder {
	struct core *core;
	const struct query_graph_request *request;
	struct arena *arena;
	struct edges edges;
	struct plan plan;
	struct joined *joined;
	enum health *health;      /* by node */
	struct query_node *nodes; /* by place; sorted at the end */
	uint32_t *rank;           /* place -> place when sorted */
	struct query_graph *out;
};

static int sum_edges(struct builder *b)
{
	const struct plan_request plan = {.range = b->request->range,
					  .filter = b->request->filter,
					  .bucket = edges_bucket,
					  .userdata = &b->edges,
					  .arena = b->arena};
	int r = gather(b->core, &b->request->range, b->request->now_ns);

	if (!r)
		r = plan_make(b->core, &plan, &b->plan);
	if (r < 0)
		return r;
	b->joined = arena_alloc(b->arena, (b->plan.bucket_count + 1) * sizeof(*b->joined));
	if (!b->joined)
		return -ENOMEM;
	return plan_apply(b->core, &b->plan, &b->core->range, b->joined, b->arena);
}

/* --- nodes ---------------------------------------------------------------------------------- */

static struct end end_of_listener(const struct core *c, const struct listener *l)
{
	return (struct end){.actor = &c->actors.actors[l->actor],
			    .actor_index = l->actor,
			    .machine = l->machine,
			    .reporter = l->reporter};
}

/* Who listens is shown though nobody calls, unless only some were asked for. */
static int add_listening_nodes(struct builder *b)
{
	uint32_t node;
	int r = 0;

	for (uint32_t i = 0; !r && !b->request->filter && i < b->core->listeners.count; i++) {
		struct end end = end_of_listener(b->core, &b->core->listeners.listeners[i]);

		r = edges_node(&b->edges, &end, &node);
	}
	return r;
}

static int fill_nodes(struct builder *b)
{
	size_t count = b->edges.nodes.count;

	b->nodes = arena_alloc(b->arena, (count + 1) * sizeof(*b->nodes));
	b->health = arena_alloc(b->arena, (count + 1) * sizeof(*b->health));
	b->rank = arena_alloc(b->arena, (count + 1) * sizeof(*b->rank));
	if (!b->nodes || !b->health || !b->rank)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct edges_node *n = edges_node_at(&b->edges, i);

		b->nodes[i] = (struct query_node){.id = n->id,
						  .kind = n->kind,
						  .name = n->name,
						  .namespace_name = "",
						  .cluster = "",
						  .health = ""};
	}
	return 0;
}

/* Adds a name to a list of at most MACHINES_MAX, once. Not told: nothing. */
static int add_name(struct builder *b, const char ***list, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++)
		if (!strcmp((*list)[i], name))
			return 0;
	if (!*name || *count == MACHINES_MAX)
		return 0;
	if (!*list)
		*list = arena_alloc(b->arena, MACHINES_MAX * sizeof(**list));
	if (!*list)
		return -ENOMEM;
	(*list)[*count] = arena_strdup(b->arena, name);
	return (*list)[(*count)++] ? 0 : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_names(const char **list, size_t count)
{
	if (count)
		qsort(list, count, sizeof(*list), by_name);
}

/* Where the actors of each node run, and in which zones. */
static int add_machines(struct builder *b)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < b->core->actors.used_max; i++) {
		const struct reporter *at = &b->core->reporters[b->core->actors.actors[i].reporter];
		uint32_t node = b->edges.node_of_actor[i];
		struct query_node *n = node ? &b->nodes[node - 1] : NULL;

		if (!n)
			continue;
		r = add_name(b, &n->nodes, &n->node_count, at->node);
		if (!r)
			r = add_name(b, &n->zones, &n->zone_count, at->zone);
	}
	for (size_t i = 0; !r && i < b->edges.nodes.count; i++) {
		sort_names(b->nodes[i].nodes, b->nodes[i].node_count);
		sort_names(b->nodes[i].zones, b->nodes[i].zone_count);
	}
	return r;
}

static int add_addresses(struct builder *b)
{
	char text[ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < b->edges.nodes.count; i++) {
		const struct edges_node *from = edges_node_at(&b->edges, i);
		struct query_node *n = &b->nodes[i];

		if (!from->address_count)
			continue;
		n->addresses = arena_alloc(b->arena, from->address_count * sizeof(*n->addresses));
		if (!n->addresses)
			return -ENOMEM;
		for (size_t k = 0; k < from->address_count; k++) {
			address_format(from->addresses[k], text);
			n->addresses[k] = arena_strdup(b->arena, text);
			if (!n->addresses[k])
				return -ENOMEM;
			n->address_count++;
		}
	}
	return 0;
}

static int fill_listener(struct builder *b, const struct listener *l, struct query_port *ret)
{
	char text[ADDRESS_TEXT_MAX];

	*ret = (struct query_port){.transport = wire_transport_name(l->transport),
				   .address =
					   arena_strdup(b->arena, address_format(l->address, text)),
				   .port = l->port,
				   .netns = l->netns,
				   .drops = l->drops,
				   .queue = l->queue,
				   .queue_max = l->queue_max};
	return ret->address ? 0 : -ENOMEM;
}

static int by_port(const void *a, const void *b)
{
	const struct query_port *x = a, *y = b;
	int order = (x->port > y->port) - (x->port < y->port);

	if (!order)
		order = strcmp(x->transport, y->transport);
	return order ? order : strcmp(x->address, y->address);
}

static int add_listeners(struct builder *b)
{
	const struct listener_table *t = &b->core->listeners;
	int r = 0;

	for (uint32_t i = 0; i < t->count; i++)
		if (b->edges.node_of_actor[t->listeners[i].actor])
			b->nodes[b->edges.node_of_actor[t->listeners[i].actor] - 1]
				.listener_count++;
	for (size_t i = 0; i < b->edges.nodes.count; i++) {
		struct query_node *n = &b->nodes[i];

		n->listeners =
			arena_alloc(b->arena, (n->listener_count + 1) * sizeof(*n->listeners));
		if (!n->listeners)
			return -ENOMEM;
		n->listener_count = 0;
	}
	for (uint32_t i = 0; !r && i < t->count; i++) {
		uint32_t node = b->edges.node_of_actor[t->listeners[i].actor];
		struct query_node *n = node ? &b->nodes[node - 1] : NULL;

		if (n)
			r = fill_listener(b, &t->listeners[i], &n->listeners[n->listener_count++]);
	}
	for (size_t i = 0; i < b->edges.nodes.count; i++)
		qsort(b->nodes[i].listeners, b->nodes[i].listener_count, sizeof(struct query_port),
		      by_port);
	return r;
}

static int add_events(struct builder *b)
{
	const struct query_range *range = &b->request->range;
	const struct events *events = &b->core->events;
	int r = 0;

	for (size_t i = 0; !r && i < events_count(events); i++) {
		const struct event *e = events_at(events, i);
		uint32_t node = e->actor == ACTOR_NONE ? 0 : b->edges.node_of_actor[e->actor];

		if (node && e->last_ns > range->from_ns && e->last_ns <= range->to_ns)
			r = events_tell(b->core, e, b->arena, &b->nodes[node - 1].happenings);
	}
	return r;
}

/* --- edges ---------------------------------------------------------------------------------- */

static void note_first_seen(struct query_node *n, uint64_t first_ns)
{
	if (!n->first_seen_ns || first_ns < n->first_seen_ns)
		n->first_seen_ns = first_ns;
}

static int fill_edge(struct builder *b, uint32_t i, struct query_edge *ret)
{
	const struct edges_edge *e = edges_edge_at(&b->edges, i);
	const struct joined *j = &b->joined[i];
	enum health health = health_of(j);

	*ret = (struct query_edge){
		.id = edges_id(&b->edges, e),
		.client = &b->nodes[b->rank[e->client]],
		.server = &b->nodes[b->rank[e->server]],
		.transport = wire_transport_name(e->transport),
		.port = e->port,
		.via = dress_via(e->via, e->via_port, b->arena),
		.client_zone = arena_strdup(b->arena, e->client_zone),
		.server_zone = arena_strdup(b->arena, e->server_zone),
		.client_region = arena_strdup(b->arena, e->client_region),
		.server_region = arena_strdup(b->arena, e->server_region),
		.class_name = locate_class_name(e->class),
		.carrier = carrier_name(e->carrier),
		.provisional = j->provisional,
		.first_seen_ns = j->first_seen_ns,
		.last_seen_ns = j->end_ns,
		.health = health_name(health),
		.measures = j->primary,
		.server_view = j->has_view ? j->view : NULL,
	};
	if (!e->carrier && health > b->health[e->server])
		b->health[e->server] = health;
	note_first_seen(&b->nodes[b->rank[e->client]], j->first_seen_ns);
	note_first_seen(&b->nodes[b->rank[e->server]], j->first_seen_ns);
	if (!ret->client_zone || !ret->server_zone || !ret->client_region || !ret->server_region)
		return -ENOMEM;
	return ret->id && ret->via ? 0 : -ENOMEM;
}

static int by_ends(const void *a, const void *b)
{
	const struct query_edge *x = a, *y = b;
	int order;

	if (x->client != y->client)
		return x->client > y->client ? 1 : -1;
	if (x->server != y->server)
		return x->server > y->server ? 1 : -1;
	if (x->port != y->port)
		return x->port > y->port ? 1 : -1;
	order = strcmp(x->transport, y->transport);
	return order ? order : strcmp(x->id, y->id);
}

static int fill_edges(struct builder *b)
{
	size_t count = b->edges.edges.count;
	int r = 0;

	b->out->edges = arena_alloc(b->arena, (count + 1) * sizeof(*b->out->edges));
	if (!b->out->edges)
		return -ENOMEM;
	for (uint32_t i = 0; !r && i < count; i++)
		r = fill_edge(b, i, &b->out->edges[i]);
	b->out->edge_count = count;
	qsort(b->out->edges, count, sizeof(*b->out->edges),
	      by_ends); /* nodes are sorted: places do */
	return r;
}

/* --- order ---------------------------------------------------------------------------------- */

struct ranked {
	struct query_node node;
	uint32_t place;
};

static int by_id(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return strcmp(x->node.id, y->node.id);
}

static int sort_nodes(struct builder *b)
{
	size_t count = b->edges.nodes.count;
	struct ranked *order = arena_alloc(b->arena, (count + 1) * sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		order[i] = (struct ranked){b->nodes[i], i};
	qsort(order, count, sizeof(*order), by_id);
	for (uint32_t i = 0; i < count; i++) {
		b->nodes[i] = order[i].node;
		b->rank[order[i].place] = i;
	}
	b->out->nodes = b->nodes;
	b->out->node_count = count;
	return 0;
}

static void set_health(struct builder *b)
{
	for (size_t i = 0; i < b->edges.nodes.count; i++)
		b->nodes[b->rank[i]].health = health_name(b->health[i]);
}

static int build(struct builder *b)
{
	int r = sum_edges(b);

	if (!r)
		r = add_listening_nodes(b);
	if (!r)
		r = fill_nodes(b);
	if (!r)
		r = add_machines(b);
	if (!r)
		r = add_addresses(b);
	if (!r)
		r = add_listeners(b);
	if (!r)
		r = add_events(b);
	if (!r)
		r = sort_nodes(b);
	if (!r)
		r = fill_edges(b);
	if (r < 0)
		return r;
	set_health(b);
	return gather_completeness(b->core, &b->request->range, b->request->now_ns, b->arena,
				   &b->out->completeness);
}

int query_graph(struct core *c, const struct query_graph_request *request, struct arena *arena,
		struct query_graph *ret)
{
	struct query_graph out = {0};
	struct builder b = {.core = c, .request = request, .arena = arena, .out = &out};
	int r = edges_init(&b.edges, c, &request->group, arena);

	if (!r)
		r = build(&b);
	edges_done(&b.edges);
	if (!r)
		r = graph_layout(c, request, &out, arena);
	if (!r)
		*ret = out;
	return r;
}
