/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small world for tests of the core: one agent on a virtual clock, whose batches are put together
 * line by line; more agents may join its server. Every helper fails the test when something goes
 * wrong.
 */
#pragma once

#include "server/query.h"

#define WORLD_SECOND UINT64_C(1000000000)
#define WORLD_EPOCH  (UINT64_C(1700000000) * WORLD_SECOND) /* wall clock when the agent's is 0 */

struct world {
	struct core *core;
	uint64_t now_ns; /* the agent's clock */
	uint64_t started_ns, sequence, window_ns;
	const char *boot_id, *node;
	const char *zone, *region, *cgroup;
	bool joined;       /* the core is another's */
	uint64_t ahead_ns; /* its clock of the wall's */
	struct wire_batch *batch;
	size_t cover_max, actor_max, flow_max, update_max, retired_max, listener_max, name_max,
		event_max;
	struct arena *arena; /* of answers */
};

void world_init(struct world *w, const struct core_config *config);
/* One more agent of the same server, on a machine of its own; done before the first. */
void world_join(struct world *w, struct world *first, const char *node);
void world_done(struct world *w);

/* Handles are the caller's choice. addresses: "10.0.0.1", "::1". */
struct wire_actor *world_actor(struct world *w, uint32_t handle, const char *process,
			       const char *unit);
struct wire_flow *world_client(struct world *w, uint32_t handle, uint32_t actor, uint32_t netns,
			       const char *local, const char *remote, uint16_t port);
struct wire_flow *world_server(struct world *w, uint32_t handle, uint32_t actor, uint32_t netns,
			       const char *local, const char *remote, uint16_t port);
struct wire_flow *world_coarse(struct world *w, uint32_t handle, uint32_t actor, uint8_t role);
struct wire_update *world_update(struct world *w, uint32_t flow); /* all zero */
void world_retire(struct world *w, uint32_t flow);
struct wire_listener *world_listener(struct world *w, uint32_t actor, uint32_t netns,
				     const char *address, uint16_t port);

void world_cover(struct world *w, uint32_t netns, const char *address);

struct wire_name *world_name(struct world *w, uint32_t netns, const char *address,
			     const char *name);

struct wire_event *world_event(struct world *w, uint32_t actor); /* one start, when it is sent */

/* One connection opened that carried so many bytes; closed if asked. */
struct wire_update *world_traffic(struct world *w, uint32_t flow, uint64_t to_server,
				  uint64_t to_client, bool closed);

int world_try_send(struct world *w); /* the batch's window ends now; a second passes before it */
void world_send(struct world *w);    /* … and must be taken */
/* The batch as it would be sent now, to be delivered later; the caller frees it. */
struct wire_batch *world_freeze(struct world *w);
int world_deliver(struct world *w, struct wire_batch *batch);
void world_pass(struct world *w, double seconds); /* time goes by */
void world_restart(struct world *w);              /* the agent: a new life, after a second */

uint64_t world_wall(const struct world *w); /* now */

/* Of the last `seconds`, or of everything for 0. */
struct query_graph world_graph(struct world *w, double seconds, const char *group,
			       const char *filter);
struct query_flows world_flows(struct world *w, enum query_view view, bool per_window);
const struct query_edge *world_edge(const struct query_graph *g, const char *client,
				    const char *server, uint16_t port);           /* NULL: none */
const struct query_node *world_node(const struct query_graph *g, const char *id); /* NULL: none */
uint64_t world_lost(const struct query_completeness *c, const char *cause);
uint64_t world_server_lost(struct world *w, const char *cause);
