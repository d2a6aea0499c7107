/* SPDX-License-Identifier: Apache-2.0 */
/* See drop_join.h. */
#include "agent/drop_join.h"

#include <errno.h>
#include <string.h>

#define SEARCHES_MAX 64

void drop_join_begin(struct drop_join *j, uint64_t now_ns)
{
	j->now_ns = now_ns;
	j->searches = 0;
}

/* The flow of the packet if that end had the role. */
static struct mr_flow_key flow_of(const struct mr_drop_key *key, uint8_t role, bool local_sent)
{
	bool server_sent = local_sent == (role == MR_ROLE_SERVER);
	struct mr_flow_key flow;

	memset(&flow, 0, sizeof(flow));
	flow.cgroup = key->cgroup;
	flow.netns = key->netns;
	flow.role = role;
	flow.transport = key->transport & 15;
	flow.port = server_sent ? key->source_port : key->destination_port;
	memcpy(flow.local, local_sent ? key->source : key->destination, sizeof(flow.local));
	memcpy(flow.remote, local_sent ? key->destination : key->source, sizeof(flow.remote));
	return flow;
}

/* Whether that end can have been the server's, or the client's. */
static bool is_possible(const struct mr_drop_key *key, uint8_t role, bool local_sent)
{
	bool server_sent = local_sent == (role == MR_ROLE_SERVER);

	return key->server == MR_DROP_SERVER_UNKNOWN ||
	       server_sent == (key->server == MR_DROP_SERVER_SENT);
}

static uint32_t actor_of(struct drop_join *j, const struct mr_flow_key *flow,
			 const struct mr_drop_key *key, const struct mr_drop *drop)
{
	const struct actor_source source = {.cgroup = key->cgroup,
					    .tgid = key->tgid,
					    .comm = drop->comm,
					    .process_start_ns = drop->process_start_ns};
	uint32_t actor = 0;

	if (flow->role == MR_ROLE_SERVER)
		actor = listeners_find(j->listeners, flow);
	return actor ? actor : actors_resolve(j->actors, &source, j->now_ns);
}

/* By the slot of its socket. All three: a flow's handle, or 0. */
static uint32_t find_by_socket(struct drop_join *j, const struct mr_drop_key *key,
			       const struct mr_drop *drop)
{
	struct mr_flow_key flow;

	if (!key->role)
		return 0;
	flow = flow_of(key, key->role,
		       (key->role == MR_ROLE_SERVER) == (key->server == MR_DROP_SERVER_SENT));
	return flow_table_get(j->flows, &flow, actor_of(j, &flow, key, drop));
}

static uint32_t find_by_flow(struct drop_join *j, const struct mr_drop_key *key, bool *ret_here)
{
	struct mr_flow_key wanted[4];
	size_t count = 0;

	if (j->searches == SEARCHES_MAX)
		return 0;
	j->searches++;
	for (uint8_t role = MR_ROLE_CLIENT; role <= MR_ROLE_SERVER; role++)
		for (int local_sent = 1; local_sent >= 0; local_sent--)
			if (is_possible(key, role, local_sent))
				wanted[count++] = flow_of(key, role, local_sent);
	return flow_table_search(j->flows, wanted, count, ret_here);
}

static uint32_t find_by_listener(struct drop_join *j, const struct mr_drop_key *key)
{
	for (int local_sent = 0; local_sent <= 1; local_sent++) {
		struct mr_flow_key flow = flow_of(key, MR_ROLE_SERVER, local_sent);
		uint32_t actor = is_possible(key, MR_ROLE_SERVER, local_sent)
					 ? listeners_find(j->listeners, &flow)
					 : 0;

		if (actor)
			return flow_table_get(j->flows, &flow, actor);
	}
	return 0;
}

int drop_join_add(struct drop_join *j, const struct mr_drop_key *key, const struct mr_drop *drop,
		  const char *reason)
{
	uint32_t flow = find_by_socket(j, key, drop), listener = 0;
	bool here = false;

	if (!flow) {
		flow = find_by_flow(j, key, &here);
		if (!here)
			listener = find_by_listener(j, key);
		if (listener)
			flow = listener;
	}
	if (flow)
		return flow_table_drop(j->flows, flow, reason, drop->count, j->now_ns);
	j->foreign += drop->count;
	return 0;
}
