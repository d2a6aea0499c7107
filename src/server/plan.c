/* SPDX-License-Identifier: Apache-2.0 */
/* See plan.h: which flow counts where. join.c does the sums. */
#include "server/plan.h"

#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "base/vector.h"
#include "server/address.h"
#include "server/masquerade.h"
#include "server/peers.h"

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
	struct masquerade masquerade;
	struct peers peers;
	struct vector unknown; /* struct unmasked: servers' flows from nobody's addresses */
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
	if (!r && p->core->machine_count > 1)
		r = masquerade_client(&p->masquerade, flow, &ends, p->plan->items[flow].bucket);
	return r;
}

/* The client-role flows that mirror a server-role one. */
struct mirrors {
	uint32_t bucket, machine; /* of the first */
	uint32_t masked;          /* bucket of those behind its address; PLAN_NONE: none */
	uint32_t count;
	bool several; /* they are of several buckets */
};

static int find_mirrors(struct planner *p, uint32_t flow, bool moved, struct mirrors *ret)
{
	const struct flow *f = flow_at(&p->core->flows, flow);
	struct flow_mirrors at = flow_mirrors_begin(f);
	uint32_t client;
	int r = 0;

	*ret = (struct mirrors){.bucket = PLAN_NONE, .masked = PLAN_NONE};
	while (!r && flow_mirrors_next(&p->core->flows, &at, &client)) {
		if (moved && !p->core->range.by_flow[client])
			continue;
		r = place_client(p, client);
		if (!ret->count++)
			*ret = (struct mirrors){.bucket = p->plan->items[client].bucket,
						.masked = PLAN_NONE,
						.machine = id_of(p, client)->machine,
						.count = 1};
		else if (ret->bucket != p->plan->items[client].bucket)
			ret->several = true;
	}
	return r;
}

static int push_bucket(struct vector *split, uint32_t bucket)
{
	uint32_t *pushed = bucket == PLAN_NONE ? &bucket : vector_push(split);

	if (!pushed)
		return -ENOMEM;
	*pushed = bucket;
	return 0;
}

/* Marks every bucket that a flow is shared between. */
static int mark_split(struct planner *p, uint32_t flow, uint32_t masked, struct vector *split)
{
	const struct flow *f = flow_at(&p->core->flows, flow);
	struct flow_mirrors at = flow_mirrors_begin(f);
	int r = push_bucket(split, masked);
	uint32_t client;

	while (!r && flow_mirrors_next(&p->core->flows, &at, &client))
		if (p->plan->items[client].placed)
			r = push_bucket(split, p->plan->items[client].bucket);
	return r;
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

/* Clients on its client's machine that are behind the same address belong to it, too. */
static void add_masked(struct planner *p, uint32_t flow, uint32_t machine, struct mirrors *m)
{
	struct masked *masked = masquerade_of(&p->masquerade, id_of(p, flow), machine);

	if (!masked)
		return;
	masked->explained = true;
	m->several |= masked->several || (m->count && masked->bucket != m->bucket);
	m->bucket = m->masked = masked->bucket;
	m->count++;
}

/* Two that both take themselves for the server: one is, and the other its client. */
static int plan_peer(struct planner *p, uint32_t flow, uint32_t other)
{
	const struct flow_id *peer = id_of(p, other);
	struct ends ends;
	int r;

	if (!peers_serves(id_of(p, flow), peer))
		return 0; /* nowhere: the other tells it */
	resolve(p, flow, &ends);
	ends.client = resolve_actor(p->core, peer->actor, peer->local);
	r = place(p, flow, &ends);
	set_part(p, flow, p->plan->items[flow].bucket, PLAN_PRIMARY);
	return r;
}

/* Nothing mirrors it. */
static int plan_unmirrored(struct planner *p, uint32_t flow, struct mirrors *m)
{
	struct unmasked *unknown;
	uint32_t machine;

	if (p->core->machine_count < 2)
		return 0;
	if (masquerade_home(&p->masquerade, id_of(p, flow), &machine)) {
		add_masked(p, flow, machine, m);
		return 0;
	}
	if (flow_scope(id_of(p, flow)))
		return 0;
	unknown = vector_push(&p->unknown);
	if (!unknown)
		return -ENOMEM;
	*unknown = (struct unmasked){.flow = flow, .bucket = PLAN_NONE};
	return 0;
}

/* All that is known of them by now: what of the flows from nobody's addresses is their own. */
static int plan_unknown(struct planner *p)
{
	int r = masquerade_settle(&p->masquerade, &p->unknown, p->request->arena);

	for (size_t i = 0; !r && i < p->unknown.count; i++) {
		const struct unmasked *u = vector_at(&p->unknown, i);

		if (u->nothing) {
			set_part(p, u->flow, u->bucket, PLAN_VIEW);
			continue;
		}
		r = plan_alone(p, u->flow, PLAN_PRIMARY);
		p->plan->items[u->flow].kept = u->kept;
	}
	return r;
}

static int plan_server(struct planner *p, uint32_t flow, struct vector *split)
{
	size_t unknown = p->unknown.count;
	uint32_t peer = FLOW_NONE;
	struct mirrors m;
	int r;

	if (id_of(p, flow)->coarse)
		return plan_coarse_server(p, flow);
	r = find_mirrors(p, flow, true, &m);
	if (!r && !m.count)
		r = find_mirrors(p, flow, false, &m);
	if (!r && !m.count && peers_may_be(id_of(p, flow)))
		peer = peers_find(&p->peers, flow);
	if (peer != FLOW_NONE)
		return plan_peer(p, flow, peer);
	if (!r && m.count)
		add_masked(p, flow, m.machine, &m);
	else if (!r)
		r = plan_unmirrored(p, flow, &m);
	if (r < 0 || p->unknown.count != unknown)
		return r; /* these come last */
	if (!m.count)
		return plan_alone(p, flow, PLAN_PRIMARY);
	if (m.several) {
		r = mark_split(p, flow, m.masked, split);
		return r ? r : plan_stand_in(p, flow);
	}
	set_part(p, flow, m.bucket, PLAN_VIEW);
	return 0;
}

static int add_peers(struct planner *p)
{
	const struct fold *f = &p->core->range;
	int r = 0;

	for (size_t i = 0; !r && i < f->count; i++)
		if (peers_may_be(id_of(p, f->list[i]->flow)))
			r = peers_add(&p->peers, f->list[i]->flow);
	return r;
}

/* All client-role flows first: what the others become depends on them. */
static int plan_all(struct planner *p, struct vector *split)
{
	const struct fold *f = &p->core->range;
	int r = add_peers(p);

	for (size_t i = 0; !r && i < f->count; i++)
		if (id_of(p, f->list[i]->flow)->role == MR_ROLE_CLIENT)
			r = plan_client(p, f->list[i]->flow);
	for (size_t i = 0; !r && i < f->count; i++)
		if (id_of(p, f->list[i]->flow)->role == MR_ROLE_SERVER)
			r = plan_server(p, f->list[i]->flow, split);
	return r ? r : plan_unknown(p);
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
	p.unknown = vector_init(request->arena, sizeof(struct unmasked), 0);
	peers_begin(&p.peers, c);
	masquerade_begin(&p.masquerade, c, request->arena);
	p.resolver = (struct resolver){c, request->range.from_ns, request->range.to_ns};
	r = init(&p, request->arena);
	if (!r)
		r = plan_all(&p, &split);
	masquerade_done(&p.masquerade);
	peers_done(&p.peers);
	if (r < 0)
		return r;
	ret->split = arena_alloc(request->arena, (size_t)ret->bucket_count + 1);
	if (!ret->split)
		return -ENOMEM;
	for (size_t i = 0; i < split.count; i++)
		ret->split[*(uint32_t *)vector_at(&split, i)] = true;
	return 0;
}
