/* SPDX-License-Identifier: Apache-2.0 */
/* See plan.h: which flow counts where. join.c does the sums. */
#include "server/plan.h"

#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "base/vector.h"
#include "server/address.h"

#define HEADER_V4  20
#define HEADER_V6  40
#define HEADER_TCP 32 /* with timestamps */
#define HEADER_UDP 8

struct planner {
	struct core *core;
	const struct plan_request *request;
	struct resolver resolver;
	struct plan *plan;
	bool *machine_has_coarse_clients; /* by machine and transport */
	bool *actor_has_local_clients;    /* by actor and transport */
};

static size_t of_transport(uint32_t place, const struct flow_id *id)
{
	return 2 * (size_t)place + (id->transport == WIRE_TRANSPORT_UDP);
}

static const struct flow_id *id_of(const struct planner *p, uint32_t flow)
{
	return flow_id(&p->core->flows, flow_at(&p->core->flows, flow));
}

/* Finds the bucket of a flow once. */
static int place(struct planner *p, uint32_t flow, const struct ends *ends)
{
	struct plan_item *item = &p->plan->items[flow];
	int r = 0;

	item->placed = true;
	item->bucket = PLAN_NONE;
	if (resolve_matches(p->core, p->request->filter, ends))
		r = p->request->bucket(p->request->userdata, flow, ends, &item->bucket);
	if (!r && item->bucket != PLAN_NONE && item->bucket >= p->plan->bucket_count)
		p->plan->bucket_count = item->bucket + 1;
	return r;
}

static void resolve(const struct planner *p, uint32_t flow, struct ends *ret)
{
	resolve_flow(&p->resolver, flow_at(&p->core->flows, flow), id_of(p, flow), ret);
}

static int place_client(struct planner *p, uint32_t flow)
{
	struct ends ends;

	if (p->plan->items[flow].placed)
		return 0;
	resolve(p, flow, &ends);
	return place(p, flow, &ends);
}

uint8_t plan_header(const struct flow_id *id)
{
	uint8_t ip = id->coarse || address_is_v4(id->remote) ? HEADER_V4 : HEADER_V6;

	return ip + (id->transport == WIRE_TRANSPORT_UDP ? HEADER_UDP : HEADER_TCP);
}

static void set_part(struct planner *p, uint32_t flow, uint32_t bucket, enum plan_part part)
{
	struct plan_item *item = &p->plan->items[flow];

	plan_item_set(item, bucket, part);
	item->header = plan_header(id_of(p, flow));
}

static int plan_client(struct planner *p, uint32_t flow)
{
	const struct flow_id *id = id_of(p, flow);
	struct ends ends;
	int r;

	resolve(p, flow, &ends);
	if (id->coarse)
		p->machine_has_coarse_clients[of_transport(id->machine, id)] = true;
	if (ends.server.actor)
		p->actor_has_local_clients[of_transport(ends.server.actor_index, id)] = true;
	r = place(p, flow, &ends);
	set_part(p, flow, p->plan->items[flow].bucket, PLAN_PRIMARY);
	return r;
}

/* The client-role flows that mirror a server-role one. */
struct mirrors {
	uint32_t bucket; /* of the first */
	uint32_t count;
	bool several; /* they are of several buckets */
};

static int find_mirrors(struct planner *p, uint32_t flow, bool moved, struct mirrors *ret)
{
	const struct flow *f = flow_at(&p->core->flows, flow);
	struct flow_mirrors at = flow_mirrors_begin(f);
	uint32_t client;
	int r = 0;

	*ret = (struct mirrors){.bucket = PLAN_NONE};
	while (!r && flow_mirrors_next(&p->core->flows, &at, &client)) {
		if (moved && !p->core->range.by_flow[client])
			continue;
		r = place_client(p, client);
		if (!ret->count++)
			ret->bucket = p->plan->items[client].bucket;
		else if (ret->bucket != p->plan->items[client].bucket)
			ret->several = true;
	}
	return r;
}

/* Marks every bucket that a flow is shared between. */
static int mark_split(struct planner *p, uint32_t flow, struct vector *split)
{
	const struct flow *f = flow_at(&p->core->flows, flow);
	struct flow_mirrors at = flow_mirrors_begin(f);
	uint32_t client, *bucket;

	while (flow_mirrors_next(&p->core->flows, &at, &client)) {
		if (!p->plan->items[client].placed || p->plan->items[client].bucket == PLAN_NONE)
			continue;
		bucket = vector_push(split);
		if (!bucket)
			return -ENOMEM;
		*bucket = p->plan->items[client].bucket;
	}
	return 0;
}

static int plan_alone(struct planner *p, uint32_t flow, enum plan_part part)
{
	struct ends ends;
	int r;

	resolve(p, flow, &ends);
	r = place(p, flow, &ends);
	set_part(p, flow, p->plan->items[flow].bucket, part);
	return r;
}

static int plan_coarse_server(struct planner *p, uint32_t flow)
{
	const struct flow_id *id = id_of(p, flow);
	bool counted = p->machine_has_coarse_clients[of_transport(id->machine, id)] ||
		       p->actor_has_local_clients[of_transport(id->actor, id)];

	return plan_alone(p, flow, counted ? PLAN_VIEW : PLAN_PRIMARY);
}

/* Several clients it may be, and none of their agents tells: an address it is. */
static int plan_stand_in(struct planner *p, uint32_t flow)
{
	const struct folded *item = p->core->range.by_flow[flow];
	const uint8_t alone = 1 << FOLD_ALONE | 1 << (FOLD_ALONE | FOLD_MERGED);
	int r = 0;

	if (item->parts & alone || item->gauges & FOLD_ALONE)
		r = plan_alone(p, flow, PLAN_PRIMARY);
	p->plan->items[flow].part = PLAN_NOWHERE;
	return r;
}

static int plan_server(struct planner *p, uint32_t flow, struct vector *split)
{
	struct mirrors m;
	int r;

	if (id_of(p, flow)->coarse)
		return plan_coarse_server(p, flow);
	r = find_mirrors(p, flow, true, &m);
	if (!r && !m.count)
		r = find_mirrors(p, flow, false, &m);
	if (r < 0)
		return r;
	if (!m.count)
		return plan_alone(p, flow, PLAN_PRIMARY);
	if (m.several) {
		r = mark_split(p, flow, split);
		return r ? r : plan_stand_in(p, flow);
	}
	set_part(p, flow, m.bucket, PLAN_VIEW);
	return 0;
}

/* All client-role flows first: what the others become depends on them. */
static int plan_all(struct planner *p, struct vector *split)
{
	const struct fold *f = &p->core->range;
	int r = 0;

	for (size_t i = 0; !r && i < f->count; i++)
		if (id_of(p, f->list[i]->flow)->role == MR_ROLE_CLIENT)
			r = plan_client(p, f->list[i]->flow);
	for (size_t i = 0; !r && i < f->count; i++)
		if (id_of(p, f->list[i]->flow)->role == MR_ROLE_SERVER)
			r = plan_server(p, f->list[i]->flow, split);
	return r;
}

static int init(struct planner *p, struct arena *arena)
{
	size_t flows = flow_table_used(&p->core->flows);

	p->plan->items = arena_alloc(arena, flows * sizeof(*p->plan->items));
	p->machine_has_coarse_clients = arena_alloc(arena, 2 * p->core->machine_count + 2);
	p->actor_has_local_clients = arena_alloc(arena, 2 * p->core->actors.used_max);
	if (!p->plan->items || !p->machine_has_coarse_clients || !p->actor_has_local_clients)
		return -ENOMEM;
	return 0;
}

int plan_make(struct core *c, const struct plan_request *request, struct plan *ret)
{
	struct vector split = vector_init(request->arena, sizeof(uint32_t), 0);
	struct planner p = {.core = c, .request = request, .plan = ret};
	int r;

	*ret = (struct plan){0};
	p.resolver = (struct resolver){c, request->range.from_ns, request->range.to_ns};
	r = init(&p, request->arena);
	if (!r)
		r = plan_all(&p, &split);
	if (r < 0)
		return r;
	ret->split = arena_alloc(request->arena, (size_t)ret->bucket_count + 1);
	if (!ret->split)
		return -ENOMEM;
	for (size_t i = 0; i < split.count; i++)
		ret->split[*(uint32_t *)vector_at(&split, i)] = true;
	return 0;
}
