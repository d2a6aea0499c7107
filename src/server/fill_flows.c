/* SPDX-License-Identifier: Apache-2.0 */
/* See fill.h: what rows name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/fill_internal.h"

static int other_actor(struct filler *f, uint32_t reporter, uint32_t *ret)
{
	return actor_table_add_other(&f->core->actors, reporter, ret);
}

static int add_actor(struct filler *f, const struct store_actor *s, uint32_t reporter,
		     uint32_t *ret)
{
	const struct wire_actor wire = {.pid = s->pid,
					.process = s->process,
					.unit = s->unit,
					.container = s->container,
					.pod = s->pod,
					.cgroup = s->cgroup};
	bool changed;
	int e = actor_table_add(&f->core->actors, reporter, &wire, ret, &changed);

	return e == -ENOSPC ? other_actor(f, reporter, ret) : e;
}

/* Holds a reference for as long as the filler does. */
int fill_find_actor(struct filler *f, uint64_t id, uint32_t reporter, uint32_t *ret)
{
	struct store_actor s;
	int e;

	if (idmap_get(&f->actors, id, ret))
		return 0;
	e = reader_actor(f->reader, id, f->arena, &s);
	if (!e)
		e = add_actor(f, &s, reporter, ret);
	else if (e == -ENOENT)
		e = other_actor(f, reporter, ret);
	if (e < 0)
		return e;
	f->core->actors.actors[*ret].permanent = id;
	return idmap_put(&f->actors, id, *ret);
}

static struct flow_id flow_id_from(const struct store_flow *s, uint32_t reporter, uint32_t actor,
				   bool coarse)
{
	struct flow_id id = {.machine = s->machine,
			     .reporter = reporter,
			     .actor = actor,
			     .transport = s->transport,
			     .role = s->role,
			     .coarse = coarse};

	if (coarse)
		return id;
	id.netns = s->netns;
	id.port = s->port;
	id.unresolved = s->unresolved;
	id.via_port = s->via_port;
	memcpy(id.local, s->local, 16);
	memcpy(id.remote, s->remote, 16);
	memcpy(id.via, s->via, 16);
	return id;
}

static int add_flow(struct filler *f, const struct store_flow *s, uint32_t reporter, uint32_t *ret)
{
	struct flow_table *t = &f->core->flows;
	struct flow_id id;
	struct flow *flow;
	uint32_t actor;
	int e = fill_find_actor(f, s->actor, reporter, &actor);

	if (e < 0)
		return e;
	id = flow_id_from(s, reporter, actor, s->coarse);
	e = flow_acquire(t, &id, s->first_ns, ret);
	if (e == -ENOSPC && !s->coarse) {
		f->core->loss[LOSS_FLOWS_FULL]++;
		id = flow_id_from(s, reporter, actor, true);
		e = flow_acquire(t, &id, s->first_ns, ret);
	}
	if (e < 0)
		return e;
	flow = flow_at(t, *ret);
	flow->permanent = s->id;
	if (s->first_ns < flow->first_seen_ns)
		flow->first_seen_ns = s->first_ns;
	if (f->request->continues && flow->last_seen_ns < s->last_ns)
		flow->last_seen_ns = s->last_ns;
	return idmap_put(&f->flows, s->id, *ret);
}

/* Of a flow that the dictionary does not know the figures still count. */
static struct store_flow unknown_flow(const struct filler *f, uint64_t id, uint32_t reporter)
{
	return (struct store_flow){.id = id,
				   .machine = f->core->reporters[reporter].machine,
				   .transport = WIRE_TRANSPORT_TCP,
				   .role = id & 1 ? MR_ROLE_CLIENT : MR_ROLE_SERVER,
				   .coarse = true,
				   .first_ns = f->request->range.to_ns};
}

int fill_find_flow(struct filler *f, uint64_t id, uint32_t reporter, uint32_t *ret)
{
	struct store_flow s;
	int e;

	if (idmap_get(&f->flows, id, ret))
		return 0;
	e = reader_flow(f->reader, id, &s);
	if (e == -ENOENT) {
		s = unknown_flow(f, id, reporter);
		e = 0;
	}
	return e ? e : add_flow(f, &s, reporter, ret);
}
