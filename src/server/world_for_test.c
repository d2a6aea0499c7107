/* SPDX-License-Identifier: Apache-2.0 */
/* See world_for_test.h. */
#include "server/world_for_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/address.h"

static void new_batch(struct world *w)
{
	w->batch = wire_batch_new();
	assert_non_null(w->batch);
	w->cover_max = w->name_max = w->actor_max = w->flow_max = w->update_max = w->retired_max =
		w->listener_max = w->event_max = 0;
}

void world_init(struct world *w, const struct core_config *config)
{
	*w = (struct world){.now_ns = 1000 * WORLD_SECOND,
			    .started_ns = 999 * WORLD_SECOND,
			    .window_ns = WORLD_SECOND,
			    .boot_id = "boot-1",
			    .node = "host-1"};
	assert_int_equal(core_new(&w->core, config), 0);
	w->arena = arena_new();
	new_batch(w);
}

void world_join(struct world *w, struct world *first, const char *node)
{
	*w = (struct world){.core = first->core,
			    .now_ns = first->now_ns,
			    .started_ns = first->started_ns,
			    .window_ns = WORLD_SECOND,
			    .boot_id = node,
			    .node = node,
			    .joined = true,
			    .arena = first->arena};
	new_batch(w);
}

void world_done(struct world *w)
{
	wire_batch_free(w->batch);
	if (w->joined)
		return;
	arena_free(w->arena);
	core_free(w->core);
}

uint64_t world_wall(const struct world *w)
{
	return WORLD_EPOCH + w->now_ns - w->ahead_ns;
}

/* One more zeroed item at the end of an array in the batch's arena. */
static void *push(struct world *w, void *array, size_t *count, size_t *max, size_t size)
{
	void **items = array;

	if (*count == *max) {
		size_t new_max = *max ? *max * 2 : 16;
		void *moved = arena_alloc(w->batch->arena, new_max * size);

		assert_non_null(moved);
		if (*count)
			memcpy(moved, *items, *count * size);
		*items = moved;
		*max = new_max;
	}
	return (char *)*items + (*count)++ * size;
}

#define PUSH(w, array, count, max)                                                                 \
	push(w, &(w)->batch->array, &(w)->batch->count, &(w)->max, sizeof(*(w)->batch->array))

struct wire_actor *world_actor(struct world *w, uint32_t handle, const char *process,
			       const char *unit)
{
	struct wire_actor *a = PUSH(w, actors, actor_count, actor_max);
	char cgroup[256] = "/system.slice/";

	*a = (struct wire_actor){.handle = handle,
				 .pid = 1000 + handle,
				 .process = arena_strdup(w->batch->arena, process),
				 .unit = arena_strdup(w->batch->arena, unit),
				 .container = "",
				 .pod = "",
				 .cgroup = arena_strdup(w->batch->arena, strcat(cgroup, unit))};
	return a;
}

static void parse(uint8_t ret[16], const char *text)
{
	struct address_prefix p;

	assert_int_equal(address_prefix_parse(&p, text), 0);
	memcpy(ret, p.address, 16);
}

static struct wire_flow *add_flow(struct world *w, uint32_t handle, uint32_t actor, uint8_t role,
				  uint32_t netns, const char *local, const char *remote,
				  uint16_t port)
{
	struct wire_flow *f = PUSH(w, flows, flow_count, flow_max);

	*f = (struct wire_flow){.handle = handle,
				.actor = actor,
				.transport = WIRE_TRANSPORT_TCP,
				.role = role,
				.port = port,
				.netns = netns};
	parse(f->local, local);
	parse(f->remote, remote);
	return f;
}

struct wire_flow *world_client(struct world *w, uint32_t handle, uint32_t actor, uint32_t netns,
			       const char *local, const char *remote, uint16_t port)
{
	return add_flow(w, handle, actor, MR_ROLE_CLIENT, netns, local, remote, port);
}

struct wire_flow *world_server(struct world *w, uint32_t handle, uint32_t actor, uint32_t netns,
			       const char *local, const char *remote, uint16_t port)
{
	return add_flow(w, handle, actor, MR_ROLE_SERVER, netns, local, remote, port);
}

struct wire_flow *world_coarse(struct world *w, uint32_t handle, uint32_t actor, uint8_t role)
{
	struct wire_flow *f = PUSH(w, flows, flow_count, flow_max);

	*f = (struct wire_flow){.handle = handle,
				.actor = actor,
				.transport = WIRE_TRANSPORT_TCP,
				.role = role,
				.coarse = true};
	return f;
}

struct wire_update *world_update(struct world *w, uint32_t flow)
{
	struct wire_update *u = PUSH(w, updates, update_count, update_max);

	u->flow = flow;
	return u;
}

void world_retire(struct world *w, uint32_t flow)
{
	uint32_t *handle = PUSH(w, retired, retired_count, retired_max);

	*handle = flow;
}

struct wire_listener *world_listener(struct world *w, uint32_t actor, uint32_t netns,
				     const char *address, uint16_t port)
{
	struct wire_listener *l = PUSH(w, listeners, listener_count, listener_max);

	*l = (struct wire_listener){
		.actor = actor, .netns = netns, .port = port, .transport = WIRE_TRANSPORT_TCP};
	parse(l->address, address);
	w->batch->listeners_changed = true;
	return l;
}

void world_cover(struct world *w, uint32_t netns, const char *address)
{
	struct wire_cover *c = PUSH(w, covers, cover_count, cover_max);

	*c = (struct wire_cover){.netns = netns};
	parse(c->address, address);
	w->batch->covers_changed = true;
}

struct wire_name *world_name(struct world *w, uint32_t netns, const char *address, const char *name)
{
	struct wire_name *n = PUSH(w, names, name_count, name_max);

	*n = (struct wire_name){.netns = netns, .name = name};
	parse(n->address, address);
	return n;
}

struct wire_event *world_event(struct world *w, uint32_t actor)
{
	struct wire_event *e = PUSH(w, events, event_count, event_max);
	uint64_t end_ns = w->now_ns + w->window_ns;

	*e = (struct wire_event){.actor = actor, .count = 1, .first_ns = end_ns, .last_ns = end_ns};
	return e;
}

struct wire_update *world_traffic(struct world *w, uint32_t flow, uint64_t to_server,
				  uint64_t to_client, bool closed)
{
	struct wire_update *u = world_update(w, flow);

	u->counter[MR_OPENED] = 1;
	u->counter[MR_CLOSED] = closed;
	u->counter[MR_BYTES_TO_SERVER] = to_server;
	u->counter[MR_BYTES_TO_CLIENT] = to_client;
	return u;
}

struct wire_batch *world_freeze(struct world *w)
{
	struct wire_batch *b = w->batch;

	w->now_ns += w->window_ns;
	b->zone = w->zone;
	b->region = w->region;
	b->cgroup = w->cgroup;
	b->node = w->node;
	b->boot_id = w->boot_id;
	b->version = "0.1";
	b->kernel = "6.18";
	b->status.hooks = "tcp: test";
	b->started_ns = w->started_ns;
	b->sequence = ++w->sequence;
	b->window_start_ns = w->now_ns - w->window_ns;
	b->window_end_ns = w->now_ns;
	new_batch(w);
	return b;
}

int world_deliver(struct world *w, struct wire_batch *batch)
{
	batch->sent_ns = w->now_ns;
	return core_ingest(w->core, batch, world_wall(w));
}

void world_pass(struct world *w, double seconds)
{
	w->now_ns += (uint64_t)(seconds * 1e9);
}

int world_try_send(struct world *w)
{
	struct wire_batch *b = world_freeze(w);
	int r = world_deliver(w, b);

	wire_batch_free(b);
	return r;
}

void world_send(struct world *w)
{
	assert_int_equal(world_try_send(w), 0);
}

void world_restart(struct world *w)
{
	w->now_ns += WORLD_SECOND;
	w->started_ns = w->now_ns;
	w->sequence = 0;
}

static struct query_range last(const struct world *w, double seconds)
{
	uint64_t span = (uint64_t)(seconds * 1e9);

	return (struct query_range){seconds ? world_wall(w) - span : 0, world_wall(w)};
}

struct query_graph world_graph(struct world *w, double seconds, const char *group,
			       const char *filter)
{
	struct query_graph_request request = {.range = last(w, seconds), .now_ns = world_wall(w)};
	struct filter *f = NULL;
	struct query_graph g;

	assert_int_equal(query_group_parse(&request.group, group, NULL), 0);
	if (filter)
		assert_int_equal(filter_parse(&f, filter, NULL), 0);
	request.filter = f;
	assert_int_equal(query_graph(w->core, &request, w->arena, &g), 0);
	filter_free(f);
	return g;
}

struct query_flows world_flows(struct world *w, enum query_view view, bool per_window)
{
	struct query_flows_request request = {.range = last(w, 0),
					      .view = view,
					      .per_window = per_window,
					      .now_ns = world_wall(w)};
	struct query_flows flows;

	assert_int_equal(query_flows(w->core, &request, w->arena, &flows), 0);
	return flows;
}

const struct query_edge *world_edge(const struct query_graph *g, const char *client,
				    const char *server, uint16_t port)
{
	for (size_t i = 0; i < g->edge_count; i++)
		if (!strcmp(g->edges[i].client->id, client) &&
		    !strcmp(g->edges[i].server->id, server) && g->edges[i].port == port)
			return &g->edges[i];
	return NULL;
}

const struct query_node *world_node(const struct query_graph *g, const char *id)
{
	for (size_t i = 0; i < g->node_count; i++)
		if (!strcmp(g->nodes[i].id, id))
			return &g->nodes[i];
	return NULL;
}

static uint64_t lost(const struct query_loss *losses, size_t count, const char *cause)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(losses[i].cause, cause))
			return losses[i].count;
	return 0;
}

uint64_t world_lost(const struct query_completeness *c, const char *cause)
{
	return lost(c->losses, c->loss_count, cause);
}

uint64_t world_server_lost(struct world *w, const char *cause)
{
	struct query_agents agents;

	assert_int_equal(query_agents(w->core, world_wall(w), w->arena, &agents), 0);
	return lost(agents.server_losses, agents.server_loss_count, cause);
}
