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

/* "|zone-a>zone-b", "|sidecar". NULL: no memory. */
static const char *id_suffix(const struct edges *e, const struct edges_edge *edge)
{
	bool zones = *edge->client_zone || *edge->server_zone;
	const char *carrier = carrier_name(edge->carrier);
	size_t size = strlen(edge->client_zone) + strlen(edge->server_zone) + strlen(carrier) +
		      sizeof("|>|");
	char *suffix;

	if (!zones && !*carrier)
		return "";
	suffix = arena_alloc(e->arena, size);
	if (suffix)
		snprintf(suffix, size, "%s%s%s%s%s%s", zones ? "|" : "", edge->client_zone,
			 zones ? ">" : "", edge->server_zone, *carrier ? "|" : "", carrier);
	return suffix;
}

const char *edges_id(const struct edges *e, const struct edges_edge *edge)
{
	const char *client = edges_node_at(e, edge->client)->id;
	const char *server = edges_node_at(e, edge->server)->id;
	const char *suffix = id_suffix(e, edge);
	size_t size;
	char *id;

	if (!suffix)
		return NULL;
	size = strlen(client) + strlen(server) + strlen(suffix) + sizeof("||tcp/65535");
	id = arena_alloc(e->arena, size);
	if (id)
		snprintf(id, size, "%s|%s|%s/%u%s", client, server,
			 wire_transport_name(edge->transport), edge->port, suffix);
	return id;
}

static bool same_edge(const struct edges_edge *a, const struct edges_edge *b)
{
	return a->client == b->client && a->server == b->server && a->port == b->port &&
	       a->transport == b->transport && a->carrier == b->carrier &&
	       !strcmp(a->client_zone, b->client_zone) && !strcmp(a->server_zone, b->server_zone);
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

static struct edges_edge describe(const struct core *c, const struct ends *ends)
{
	return (struct edges_edge){
		.port = ends->port,
		.transport = ends->transport,
		.carrier = ends->carrier,
		.class = locate_class(c, ends),
		.client_zone = locate_zone(c, &ends->client),
		.server_zone = locate_zone(c, &ends->server),
		.client_region = locate_region(c, &ends->client),
		.server_region = locate_region(c, &ends->server),
	};
}

static uint32_t edge_hash(const struct edges *e, const struct edges_edge *edge)
{
	uint64_t seed = e->core->actors.seed;
	const uint32_t key[5] = {
		edge->client, edge->server,
		(uint32_t)edge->transport << 24 | (uint32_t)edge->carrier << 16 | edge->port,
		hashindex_hash(seed, edge->client_zone, strlen(edge->client_zone)),
		hashindex_hash(seed, edge->server_zone, strlen(edge->server_zone))};

	return hashindex_hash(seed, key, sizeof(key));
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
	struct hashindex_cursor at = hashindex_begin(edge_hash(e, edge));

	while (hashindex_next(&e->edge_keys, &at, ret)) {
		struct edges_edge *known = edges_edge_at(e, *ret);

		if (!same_edge(known, edge))
			continue;
		known->class = locate_class_merge(known->class, edge->class);
		return 0;
	}
	return add_edge(e, edge, at.hash, ret);
}

int edges_bucket(void *userdata, uint32_t flow, const struct ends *ends, uint32_t *ret)
{
	struct edges *e = userdata;
	struct edges_edge edge = describe(e->core, ends);
	int r = edges_node(e, &ends->client, &edge.client);

	if (!r)
		r = edges_node(e, &ends->server, &edge.server);
	if (!r)
		r = find_edge(e, &edge, ret);
	if (!r)
		note_via(e, *ret, ends);
	return r;
}
