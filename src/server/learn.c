/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See learn.h. Handles are the agent's, places are the server's: one place may have several
 * handles, and each handle holds one reference.
 */
#include "server/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"

#define HANDLES_MAX 262144 /* four times what an agent gives out */

/* Handles of one agent at the most: more than places, since several may share one. */
static uint32_t handles_max(uint32_t places)
{
	return places < HANDLES_MAX / 2 ? 2 * places + 1024 : HANDLES_MAX;
}

/* --- actors --------------------------------------------------------------------------------- */

static int find_actor_place(struct learn *in, const struct wire_actor *a, uint32_t *ret)
{
	struct actor_table *t = &in->core->actors;
	bool changed = false;
	int r = actor_table_add(t, in->reporter->index, a, ret, &changed);

	in->loss[LOSS_REPAIRED_NAMES] += changed;
	if (r == -ENOSPC) {
		in->loss[LOSS_ACTORS_FULL]++;
		r = actor_table_add_other(t, in->reporter->index, ret);
	}
	return r;
}

/* Gives a handle a new meaning; *ret_old is the one before, UINT32_MAX: none. */
static int set_handle(struct hashindex *handles, uint32_t handle, uint32_t place, uint32_t *ret_old)
{
	uint32_t hash = hashindex_hash_u32(handle);

	*ret_old = reporter_find(handles, handle);
	if (*ret_old != UINT32_MAX)
		hashindex_remove(handles, hash, *ret_old);
	return hashindex_insert(handles, hash, place);
}

static int learn_actor(struct learn *in, const struct wire_actor *a)
{
	struct core *c = in->core;
	struct hashindex *handles = &in->reporter->actors;
	uint32_t place, old;
	int r;

	if (handles->count >= handles_max(c->config.actors_max) &&
	    reporter_find(handles, a->handle) == UINT32_MAX)
		return -ENOSPC;
	r = find_actor_place(in, a, &place);
	if (r < 0)
		return r;
	r = set_handle(handles, a->handle, place, &old);
	actor_release(&c->actors, old);
	if (r < 0)
		actor_release(&c->actors, place);
	return r;
}

void learn_actors(struct learn *in, const struct wire_actor *actors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (learn_actor(in, &actors[i]) < 0)
			in->loss[LOSS_REFUSED_ACTORS]++;
}

/* --- flows ---------------------------------------------------------------------------------- */

static bool is_transport(uint8_t transport)
{
	return transport == WIRE_TRANSPORT_TCP || transport == WIRE_TRANSPORT_UDP;
}

static bool flow_is_sane(const struct wire_flow *f)
{
	return is_transport(f->transport) &&
	       (f->role == MR_ROLE_CLIENT || f->role == MR_ROLE_SERVER) && (f->coarse || f->port);
}

static struct flow_id flow_id_of(const struct learn *in, const struct wire_flow *f, uint32_t actor,
				 bool coarse)
{
	struct flow_id id = {.machine = in->reporter->machine,
			     .reporter = in->reporter->index,
			     .actor = actor,
			     .transport = f->transport,
			     .role = f->role,
			     .coarse = coarse};

	if (coarse)
		return id;
	id.netns = f->netns;
	id.port = f->port;
	memcpy(id.local, f->local, 16);
	memcpy(id.remote, f->remote, 16);
	id.unresolved = f->unresolved;
	id.via_port = f->via_port;
	if (f->via_port)
		memcpy(id.via, f->via, 16);
	return id;
}

static void make_room(struct learn *in)
{
	if (in->forgot)
		return;
	in->forgot = true;
	flow_table_forget(&in->core->flows, history_oldest_ns(&in->core->history));
}

/* A flow that finds no place becomes its actor's coarse one: its bytes still count. */
static int find_flow_place(struct learn *in, const struct wire_flow *f, uint32_t actor,
			   uint32_t *ret)
{
	struct flow_table *t = &in->core->flows;
	struct flow_id id = flow_id_of(in, f, actor, f->coarse);
	int r = flow_acquire(t, &id, in->end_ns, ret);

	if (r == -ENOSPC) {
		make_room(in);
		r = flow_acquire(t, &id, in->end_ns, ret);
	}
	if (r == -ENOSPC && !f->coarse) {
		in->loss[LOSS_FLOWS_FULL]++;
		id = flow_id_of(in, f, actor, true);
		r = flow_acquire(t, &id, in->end_ns, ret);
	}
	return r;
}

static int learn_flow(struct learn *in, const struct wire_flow *f)
{
	struct core *c = in->core;
	struct hashindex *handles = &in->reporter->flows;
	uint32_t actor = reporter_find(&in->reporter->actors, f->actor), place, old;
	int r;

	if (actor == ACTOR_NONE || !flow_is_sane(f))
		return -EINVAL;
	if (handles->count >= handles_max(c->config.flows_max) &&
	    reporter_find(handles, f->handle) == FLOW_NONE)
		return -ENOSPC;
	r = find_flow_place(in, f, actor, &place);
	if (r < 0)
		return r;
	r = set_handle(handles, f->handle, place, &old);
	if (old != FLOW_NONE)
		flow_release(&c->flows, old);
	if (r < 0)
		flow_release(&c->flows, place);
	return r;
}

uint32_t learn_find_flow(const struct learn *in, uint32_t handle)
{
	return reporter_find(&in->reporter->flows, handle);
}

static void retire_flow(struct learn *in, uint32_t handle)
{
	struct hashindex *handles = &in->reporter->flows;
	uint32_t place = reporter_find(handles, handle);

	if (place == FLOW_NONE)
		return;
	hashindex_remove(handles, hashindex_hash_u32(handle), place);
	flow_release(&in->core->flows, place);
}

static void retire_actor(struct learn *in, uint32_t handle)
{
	struct hashindex *handles = &in->reporter->actors;
	uint32_t place = reporter_find(handles, handle);

	if (place == ACTOR_NONE)
		return;
	hashindex_remove(handles, hashindex_hash_u32(handle), place);
	actor_release(&in->core->actors, place);
}

/* --- listeners ------------------------------------------------------------------------------ */

static int learn_listener(struct learn *in, const struct wire_listener *w)
{
	struct listener l = {.reporter = in->reporter->index,
			     .machine = in->reporter->machine,
			     .netns = w->netns,
			     .actor = reporter_find(&in->reporter->actors, w->actor),
			     .drops = w->drops,
			     .queue = w->queue,
			     .queue_max = w->queue_max,
			     .port = w->port,
			     .transport = w->transport};

	if (l.actor == ACTOR_NONE || !l.port || !is_transport(l.transport))
		return -EINVAL;
	memcpy(l.address, w->address, 16);
	return listener_table_add(&in->core->listeners, &l, in->end_ns);
}

static void learn_listeners(struct learn *in)
{
	listener_table_clear(&in->core->listeners, in->reporter->index);
	in->reporter->listeners_untold = true;
	for (size_t i = 0; i < in->batch->listener_count; i++) {
		int r = learn_listener(in, &in->batch->listeners[i]);

		if (r == -ENOSPC)
			in->loss[LOSS_LISTENERS_FULL]++;
		else if (r < 0)
			in->loss[LOSS_REFUSED_LISTENERS]++;
	}
}

/* --- addresses of its machine ------------------------------------------------------------------
 */

void learn_forget_covers(struct learn *in)
{
	struct reporter *r = in->reporter;

	for (size_t i = 0; i < r->home_count; i++)
		endpoint_release(&in->core->endpoints, r->homes[i]);
	r->home_count = 0;
}

static int learn_cover(struct learn *in, const struct wire_cover *w)
{
	struct endpoint_key key = {
		.machine = in->reporter->machine, .netns = w->netns, .actor = ACTOR_NONE};

	memcpy(key.address, w->address, 16);
	return endpoint_acquire(&in->core->endpoints, &key, in->reporter->index, in->end_ns,
				&in->reporter->homes[in->reporter->home_count]);
}

static void learn_covers(struct learn *in)
{
	const struct wire_batch *b = in->batch;
	size_t count = b->cover_count < REPORTER_COVERS_MAX ? b->cover_count : REPORTER_COVERS_MAX;
	uint32_t *homes;

	learn_forget_covers(in);
	in->reporter->covers_untold = true;
	in->loss[LOSS_COVERS_FULL] += b->cover_count - count;
	homes = realloc(in->reporter->homes, (count + 1) * sizeof(*homes));
	if (!homes)
		return;
	in->reporter->homes = homes;
	for (size_t i = 0; i < count; i++)
		if (!learn_cover(in, &b->covers[i]))
			in->reporter->home_count++;
		else
			in->loss[LOSS_COVERS_FULL]++;
}

/* --- names of addresses ---------------------------------------------------------------------- */

static void learn_names(struct learn *in)
{
	for (size_t i = 0; i < in->batch->name_count; i++) {
		const struct wire_name *w = &in->batch->names[i];

		int r = names_learn(&in->core->names, in->reporter->machine, w->netns, w->address,
				    w->name);

		if (r < 0)
			in->loss[LOSS_REFUSED_DNS_NAMES]++;
		else if (r > 0)
			news_name(in->core, in->reporter->machine, w->netns, w->address, w->name);
	}
}

/* --- all of it ------------------------------------------------------------------------------ */

void learn_definitions(struct learn *in)
{
	const struct wire_batch *b = in->batch;

	learn_actors(in, b->actors, b->actor_count);
	for (size_t i = 0; i < b->flow_count; i++)
		if (learn_flow(in, &b->flows[i]) < 0)
			in->loss[LOSS_REFUSED_FLOWS]++;
	learn_names(in);
	if (b->listeners_changed)
		learn_listeners(in);
	if (b->covers_changed)
		learn_covers(in);
}

static void release_flows(struct learn *in, struct hashindex *handles)
{
	for (uint32_t i = 0; handles->slots && i <= handles->mask; i++)
		if (handles->slots[i].value_plus_one)
			flow_release(&in->core->flows, handles->slots[i].value_plus_one - 1);
	hashindex_clear(handles);
}

void learn_end(struct learn *in)
{
	const struct wire_batch *b = in->batch;

	for (size_t i = 0; i < b->retired_count; i++)
		retire_flow(in, b->retired[i]);
	for (size_t i = 0; i < b->retired_actor_count; i++)
		retire_actor(in, b->retired_actors[i]);
}

void learn_forget_handles(struct learn *in)
{
	struct hashindex *actors = &in->reporter->actors;

	release_flows(in, &in->reporter->flows);
	for (uint32_t i = 0; actors->slots && i <= actors->mask; i++)
		if (actors->slots[i].value_plus_one)
			actor_release(&in->core->actors, actors->slots[i].value_plus_one - 1);
	hashindex_clear(actors);
}
