/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query_connections: live sockets that an agent answered, with names at both ends. The socket's own
 * end is told by the agent; the other is resolved as for flows, at this moment.
 */
#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/dress.h"
#include "server/learn.h"

static const char *state_name(uint8_t state)
{
	/* as in the kernel's tcp_states.h */
	static const char *const names[] = {
		"unknown",    "established", "syn_sent",        "syn_received", "fin_wait_1",
		"fin_wait_2", "time_wait",   "close",           "close_wait",   "last_ack",
		"listen",     "closing",     "new_syn_received"};

	return names[state < sizeof(names) / sizeof(*names) ? state : 0];
}

struct namer {
	struct core *core;
	struct reporter *reporter; /* who answered */
	const struct filter *filter;
	struct arena *arena;
};

static struct flow_id id_of(const struct namer *n, const struct wire_connection *w)
{
	bool client = w->role == MR_ROLE_CLIENT;
	struct flow_id id = {.machine = n->reporter->machine,
			     .reporter = n->reporter->index,
			     .actor = reporter_find(&n->reporter->actors, w->actor),
			     .netns = w->netns,
			     .port = client ? w->remote_port : w->local_port,
			     .transport = WIRE_TRANSPORT_TCP,
			     .role = w->role};

	memcpy(id.local, w->local, 16);
	memcpy(id.remote, w->remote, 16);
	return id;
}

static void resolve(const struct namer *n, const struct flow_id *id, struct ends *ret)
{
	const struct resolver now = {n->core, n->core->latest_ns, UINT64_MAX};
	struct end nobody = {.actor_index = ACTOR_NONE, .reporter = RESOLVE_NO_REPORTER};
	struct flow_id known = *id;

	if (id->actor != ACTOR_NONE) {
		resolve_flow(&now, NULL, id, ret);
		return;
	}
	known.actor = 0; /* an own end without a name is an address */
	resolve_flow(&now, NULL, &known, ret);
	memcpy(nobody.address, id->local, 16);
	*(id->role == MR_ROLE_CLIENT ? &ret->client : &ret->server) = nobody;
}

static int dress(const struct namer *n, const struct ends *ends, const struct wire_connection *w,
		 struct query_connection *ret)
{
	bool client = w->role == MR_ROLE_CLIENT;
	int r;

	*ret = (struct query_connection){.transport = "tcp",
					 .seen_by = client ? "client" : "server",
					 .state = state_name(w->state),
					 .wire = w};
	r = dress_end(n->core, &ends->client, client ? w->local_port : w->remote_port, n->arena,
		      &ret->client);
	if (!r)
		r = dress_end(n->core, &ends->server, ends->port, n->arena, &ret->server);
	if (w->pid)
		(client ? &ret->client : &ret->server)->pid = w->pid;
	return r;
}

static void learn_answer(struct namer *n, const struct wire_answer *answer)
{
	struct learn in = {.core = n->core, .reporter = n->reporter};

	learn_actors(&in, answer->actors, answer->actor_count);
	for (unsigned int i = 0; i < LOSS_COUNT; i++)
		n->core->loss[i] += in.loss[i];
}

uint32_t query_agent_count(const struct core *c)
{
	return c->reporter_count;
}

bool query_agent_reports(const struct core *c, uint32_t agent, uint64_t now_ns)
{
	return reporter_is_reporting(&c->reporters[agent], now_ns);
}

const char *query_agent_node(const struct core *c, uint32_t agent)
{
	return c->reporters[agent].node;
}

uint64_t query_agent_window_ns(const struct core *c, uint32_t agent)
{
	return c->reporters[agent].window_ns;
}

uint64_t query_told_ns(const struct core *c, uint64_t now_ns, uint64_t lag_max_ns)
{
	uint64_t told_ns = c->latest_ns;
	uint64_t least_ns = told_ns > lag_max_ns ? told_ns - lag_max_ns : 0;

	for (uint32_t i = 0; i < c->reporter_count; i++) {
		const struct reporter *r = &c->reporters[i];

		if (r->last_window_wall_ns < told_ns && r->last_window_wall_ns >= least_ns &&
		    reporter_is_reporting(r, now_ns))
			told_ns = r->last_window_wall_ns;
	}
	return told_ns;
}

static bool is_sane(const struct wire_connection *w)
{
	return w->role == MR_ROLE_CLIENT || w->role == MR_ROLE_SERVER;
}

int query_connections(struct core *c, uint32_t agent, const struct wire_answer *answer,
		      const struct filter *filter, struct arena *arena,
		      struct query_connections *ret)
{
	struct namer n = {c, agent < c->reporter_count ? &c->reporters[agent] : NULL, filter,
			  arena};
	struct query_connections out = {.total = answer->total};
	int r = 0;

	if (!n.reporter) { /* it has not reported yet */
		*ret = (struct query_connections){0};
		return 0;
	}
	learn_answer(&n, answer);
	out.connections =
		arena_alloc(arena, (answer->connection_count + 1) * sizeof(*out.connections));
	if (!out.connections)
		return -ENOMEM;
	for (size_t i = 0; !r && i < answer->connection_count; i++) {
		const struct wire_connection *w = &answer->connections[i];
		struct flow_id id = id_of(&n, w);
		struct ends ends;

		if (!is_sane(w))
			continue;
		resolve(&n, &id, &ends);
		if (resolve_matches(n.core, filter, &ends))
			r = dress(&n, &ends, w, &out.connections[out.connection_count++]);
	}
	if (!r)
		*ret = out;
	return r;
}
