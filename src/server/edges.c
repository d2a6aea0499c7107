/* SPDX-License-Identifier: Apache-2.0 */
/* See edges.h. */
#include "server/edges.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/group.h"

int edges_init(struct edges *e, struct core *c, const struct query_group *group,
	       struct arena *arena)
{
	*e = (struct edges){.core = c, .group = *group, .arena = arena};
	e->nodes = vector_init(arena, sizeof(struct edges_node), 0);
	e->edges = vector_init(arena, sizeof(struct edges_edge), 0);
	e->node_of_actor = arena_alloc(arena, c->actors.used_max * sizeof(*e->node_of_actor));
	return e->node_of_actor ? 0 : -ENOMEM;
}

void edges_done(struct edges *e)
{
	hashindex_done(&e->node_ids);
	hashindex_done(&e->edge_keys);
}

static int add_node(struct edges *e, const struct group_name *name, uint32_t hash, uint32_t *ret)
{
	struct edges_node *n = vector_push(&e->nodes);

	if (!n)
		return -ENOMEM;
	n->id = arena_strdup(e->arena, name->id);
	n->name = arena_strdup(e->arena, name->name);
	n->kind = name->kind;
	if (!n->id || !n->name)
		return -ENOMEM;
	*ret = (uint32_t)e->nodes.count - 1;
	return hashindex_insert(&e->node_ids, hash, *ret);
}

static int find_node(struct edges *e, const struct end *end, uint32_t *ret)
{
	struct hashindex_cursor at;
	struct group_name name;
	uint32_t hash;

	group_name(e->core, &e->group, end, &name);
	hash = hashindex_hash(e->core->actors.seed, name.id, strlen(name.id));
	at = hashindex_begin(hash);
	while (hashindex_next(&e->node_ids, &at, ret))
		if (!strcmp(edges_node_at(e, *ret)->id, name.id))
			return 0;
	return add_node(e, &name, hash, ret);
}

/* One name may be many addresses, which people look for, too. */
static int note_address(struct edges *e, uint32_t node, const struct end *end)
{
	struct edges_node *n = edges_node_at(e, node);

	if (end->actor || end->other || n->address_count == EDGES_ADDRESSES_MAX)
		return 0;
	for (size_t i = 0; i < n->address_count; i++)
		if (!memcmp(n->addresses[i], end->address, 16))
			return 0;
	if (!n->addresses)
		n->addresses = arena_alloc(e->arena, EDGES_ADDRESSES_MAX * sizeof(*n->addresses));
	if (!n->addresses)
		return -ENOMEM;
	memcpy(n->addresses[n->address_count++], end->address, 16);
	return 0;
}

int edges_node(struct edges *e, const struct end *end, uint32_t *ret)
{
	uint32_t *known = end->actor ? &e->node_of_actor[end->actor_index] : NULL;
	int r;

	if (known && *known) {
		*ret = *known - 1;
		return 0;
	}
	r = find_node(e, end, ret);
	if (!r && known)
		*known = *ret + 1;
	return r ? r : note_address(e, *ret, end);
}

const char *edges_id(const struct edges *e, const struct edges_edge *edge)
{
	const char *client = edges_node_at(e, edge->client)->id;
	const char *server = edges_node_at(e, edge->server)->id;
	size_t size = strlen(client) + strlen(server) + sizeof("||tcp/65535");
	char *id = arena_alloc(e->arena, size);

	if (id)
		snprintf(id, size, "%s|%s|%s/%u", client, server,
			 wire_transport_name(edge->transport), edge->port);
	return id;
}

static bool same_edge(const struct edges_edge *a, const struct edges_edge *b)
{
	return a->client == b->client && a->server == b->server && a->port == b->port &&
	       a->transport == b->transport;
}

static int add_edge(struct edges *e, const struct edges_edge *edge, uint32_t hash, uint32_t *ret)
{
	struct edges_edge *new;
	const char *id;

	if (e->only) {
		id = edges_id(e, edge);
		if (!id)
			return -ENOMEM;
		if (strcmp(id, e->only) != 0) {
			*ret = PLAN_NONE;
			return 0;
		}
	}
	new = vector_push(&e->edges);
	if (!new)
		return -ENOMEM;
	*new = *edge;
	*ret = (uint32_t)e->edges.count - 1;
	return hashindex_insert(&e->edge_keys, hash, *ret);
}

static bool is_of_a_machine(const struct end *e)
{
	return e->actor || e->local;
}

static struct edges_edge describe(const struct ends *ends)
{
	const struct end *client = &ends->client, *server = &ends->server;
	bool known = is_of_a_machine(client) && is_of_a_machine(server);

	return (struct edges_edge){
		.port = ends->port,
		.transport = ends->transport,
		.other = client->other || server->other,
		.external = !known,
		.same_machine = known && client->machine == server->machine,
	};
}

/* One of them, always the same whatever comes first. */
static void note_via(struct edges *e, uint32_t edge, const struct ends *ends)
{
	struct edges_edge *to = edge == PLAN_NONE ? NULL : edges_edge_at(e, edge);
	int order = to ? memcmp(ends->via, to->via, sizeof(to->via)) : 0;

	if (!to || !ends->via_port)
		return;
	if (to->via_port && (order > 0 || (!order && ends->via_port >= to->via_port)))
		return;
	to->via_port = ends->via_port;
	memcpy(to->via, ends->via, sizeof(to->via));
}

static int find_edge(struct edges *e, const struct edges_edge *edge, uint32_t *ret)
{
	const uint32_t key[3] = {edge->client, edge->server,
				 (uint32_t)edge->transport << 16 | edge->port};
	struct hashindex_cursor at =
		hashindex_begin(hashindex_hash(e->core->actors.seed, key, sizeof(key)));

	while (hashindex_next(&e->edge_keys, &at, ret))
		if (same_edge(edges_edge_at(e, *ret), edge))
			return 0;
	return add_edge(e, edge, at.hash, ret);
}

int edges_bucket(void *userdata, uint32_t flow, const struct ends *ends, uint32_t *ret)
{
	struct edges_edge edge = describe(ends);
	struct edges *e = userdata;
	int r = edges_node(e, &ends->client, &edge.client);

	if (!r)
		r = edges_node(e, &ends->server, &edge.server);
	if (!r)
		r = find_edge(e, &edge, ret);
	if (!r)
		note_via(e, *ret, ends);
	return r;
}
