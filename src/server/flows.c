/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query_flows: a row per flow, over the range or per window. Joined, a client-role flow is a bucket
 * and the server's flow its second view; by ends, every flow is its own row.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "base/vector.h"
#include "server/dress.h"
#include "server/plan.h"

#define ROWS_DEFAULT 10000

/* What a bucket is: the flow, with its ends. */
struct row {
	uint32_t flow;
	struct ends ends;
};

struct lister {
	struct core *core;
	const struct query_flows_request *request;
	struct arena *arena;
	struct vector rows; /* by bucket */
	struct plan plan;
	struct joined *joined;
	struct heavy *order;
	size_t limit;
	struct query_flows *out;
};

static int row_of_flow(void *userdata, uint32_t flow, const struct ends *ends, uint32_t *ret)
{
	struct lister *l = userdata;
	struct row *row = vector_push(&l->rows);

	if (!row)
		return -ENOMEM;
	*row = (struct row){flow, *ends};
	*ret = (uint32_t)l->rows.count - 1;
	return 0;
}

/* By ends, a server's flow gets the name of its client if only one can be it. */
static void name_client(struct lister *l, uint32_t flow, struct ends *ends)
{
	const struct flow *f = flow_at(&l->core->flows, flow);
	struct flow_mirrors at = flow_mirrors_begin(f);
	const struct flow_id *id = flow_id(&l->core->flows, f), *other;
	uint32_t client, found = ACTOR_NONE;

	if (id->role != MR_ROLE_SERVER || id->coarse)
		return;
	while (flow_mirrors_next(&l->core->flows, &at, &client)) {
		other = flow_id(&l->core->flows, flow_at(&l->core->flows, client));
		if (found != ACTOR_NONE && found != other->actor)
			return;
		found = other->actor;
	}
	if (found == ACTOR_NONE)
		return;
	ends->client.actor = &l->core->actors.actors[found];
	ends->client.actor_index = found;
	ends->client.reporter = ends->client.actor->reporter;
	ends->client.machine = l->core->reporters[ends->client.reporter].machine;
}

/* Every flow is a bucket of its own. */
static int plan_ends(struct lister *l)
{
	const struct resolver resolver = {l->core, l->request->range.from_ns,
					  l->request->range.to_ns};
	int r = 0;

	l->plan.items =
		arena_alloc(l->arena, flow_table_used(&l->core->flows) * sizeof(*l->plan.items));
	l->plan.split = arena_alloc(l->arena, l->core->range.count + 1);
	if (!l->plan.items || !l->plan.split)
		return -ENOMEM;
	for (size_t i = 0; !r && i < l->core->range.count; i++) {
		uint32_t flow = l->core->range.list[i]->flow;
		const struct flow_id *id = flow_id(&l->core->flows, flow_at(&l->core->flows, flow));
		struct plan_item *item = &l->plan.items[flow];
		uint32_t bucket = PLAN_NONE;
		struct ends ends;

		resolve_flow(&resolver, flow_at(&l->core->flows, flow), id, &ends);
		name_client(l, flow, &ends);
		if (!resolve_matches(l->core, l->request->filter, &ends))
			continue;
		item->header = plan_header(id);
		r = row_of_flow(l, flow, &ends, &bucket);
		plan_item_set(item, bucket, PLAN_PRIMARY);
	}
	l->plan.bucket_count = (uint32_t)l->rows.count;
	return r;
}

static int plan_joined(struct lister *l)
{
	const struct plan_request plan = {.range = l->request->range,
					  .filter = l->request->filter,
					  .bucket = row_of_flow,
					  .userdata = l,
					  .arena = l->arena};

	return plan_make(l->core, &plan, &l->plan);
}

static int fill(struct lister *l, uint32_t bucket, uint64_t time_ns, struct query_flow *ret)
{
	const struct row *row = vector_at(&l->rows, bucket);
	const struct joined *j = &l->joined[bucket];
	const struct flow *f = flow_at(&l->core->flows, row->flow);
	const struct flow_id *id = flow_id(&l->core->flows, f);
	int r;

	*ret = (struct query_flow){
		.time_ns = j->end_ns ? j->end_ns : time_ns,
		.window_s = (double)(j->end_ns - j->start_ns) / 1e9,
		.transport = wire_transport_name(id->transport),
		.seen_by = id->role == MR_ROLE_CLIENT ? "client" : "server",
		.coarse = id->coarse,
		.unresolved = id->unresolved,
		.via = dress_via(id->via, id->via_port, l->arena),
		.netns = id->netns,
		.first_seen_ns = f->first_seen_ns,
		.measures = j->primary,
	};
	if (!ret->via)
		return -ENOMEM;
	if (j->has_view) {
		ret->server_view = arena_copy(l->arena, j->view, sizeof(*j->view));
		if (!ret->server_view)
			return -ENOMEM;
	}
	r = dress_end(l->core, &row->ends.client, 0, l->arena, &ret->client);
	if (!r)
		r = dress_end(l->core, &row->ends.server, row->ends.port, l->arena, &ret->server);
	return r;
}

static bool is_there(const struct joined *j, bool per_window)
{
	return j->end_ns || (!per_window && (j->primary.active || j->primary.pending));
}

/* The buckets that a fold filled, the heaviest first. */
static size_t order(struct lister *l)
{
	size_t count = 0;

	for (uint32_t i = 0; i < l->plan.bucket_count; i++)
		if (is_there(&l->joined[i], l->request->per_window))
			l->order[count++] = heavy_of(l->joined, i);
	heavy_sort(l->order, count);
	return count;
}

/* One fold's rows; only as many of them as the limit still takes are dressed. */
static int list_fold(struct lister *l, const struct fold *fold, uint64_t time_ns)
{
	struct query_flows *out = l->out;
	size_t count;
	int r;

	r = plan_apply(l->core, &l->plan, fold, l->joined, l->arena);
	if (r < 0)
		return r;
	count = order(l);
	out->total += count;
	for (size_t i = 0; !r && i < count && out->flow_count < l->limit; i++)
		r = fill(l, l->order[i].bucket, time_ns, &out->flows[out->flow_count++]);
	plan_clear(&l->plan, fold, l->joined);
	return r;
}

static bool in_range(const struct query_range *range, const struct window *w)
{
	return w->end_ns > range->from_ns && w->end_ns <= range->to_ns;
}

static int list_windows(struct lister *l)
{
	const struct history *h = &l->core->history;
	int r = 0;

	for (size_t i = 0; !r && i < history_count(h); i++) {
		const struct window *w = history_at(h, i);

		if (!w->rows || !in_range(&l->request->range, w))
			continue;
		fold_reset(&l->core->step);
		r = fold_window(&l->core->step, w);
		if (!r)
			r = list_fold(l, &l->core->step, w->end_ns);
	}
	return r;
}

/* How many rows there can be, so that the answer's array never moves. */
static size_t rows_max(const struct lister *l)
{
	const struct history *h = &l->core->history;
	size_t rows = 0;

	if (!l->request->per_window)
		return l->plan.bucket_count;
	for (size_t i = 0; i < history_count(h); i++)
		if (in_range(&l->request->range, history_at(h, i)))
			rows += history_at(h, i)->rows;
	return rows;
}

static int list(struct lister *l)
{
	const struct query_range *range = &l->request->range;
	size_t max;
	bool ends = l->request->view == QUERY_VIEW_ENDS;
	int r = ends ? gather_raw(l->core, range, l->request->now_ns)
		     : gather(l->core, range, l->request->now_ns);

	if (!r)
		r = ends ? plan_ends(l) : plan_joined(l);
	if (r < 0)
		return r;
	max = rows_max(l);
	l->out->flows = arena_alloc(l->arena, ((max < l->limit ? max : l->limit) + 1) *
						      sizeof(*l->out->flows));
	l->joined = arena_alloc(l->arena, (l->plan.bucket_count + 1) * sizeof(*l->joined));
	l->order = arena_alloc(l->arena, (l->plan.bucket_count + 1) * sizeof(*l->order));
	if (!l->out->flows || !l->joined || !l->order)
		return -ENOMEM;
	r = l->request->per_window ? list_windows(l) : list_fold(l, &l->core->range, range->to_ns);
	if (r < 0)
		return r;
	return gather_completeness(l->core, range, l->request->now_ns, l->arena,
				   &l->out->completeness);
}

int query_flows(struct core *c, const struct query_flows_request *request, struct arena *arena,
		struct query_flows *ret)
{
	struct query_flows out = {0};
	struct lister l = {.core = c, .request = request, .arena = arena, .out = &out};
	int r;

	l.rows = vector_init(arena, sizeof(struct row), 0);
	l.limit = request->limit ? request->limit : ROWS_DEFAULT;
	r = list(&l);
	if (!r)
		*ret = out;
	return r;
}
