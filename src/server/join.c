/* SPDX-License-Identifier: Apache-2.0 */
/* The sums of plan.h: a fold into buckets, by a plan. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "server/plan.h"

/* What only the sending end knows, or only the server, and so comes from the second view. */
static const enum mr_counter of_the_server[] = {
	MR_SYNACK_RETRANSMITS,       MR_DROPPED_TO_SERVER,
	MR_RETRANSMITS_TO_CLIENT,    MR_RETRANSMITTED_BYTES_TO_CLIENT,
	MR_UNACKED_TO_CLIENT,        MR_BUSY_TO_CLIENT,
	MR_RECEIVE_WINDOW_TO_CLIENT, MR_SEND_BUFFER_TO_CLIENT,
};

static void dns_add(struct wire_dns *into, const struct wire_dns *from)
{
	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		into->counter[i] += from->counter[i];
	histogram_merge(&into->latency_us, &from->latency_us);
}

void measures_add(struct query_measures *into, const struct sums *sums, unsigned int header)
{
	const uint64_t *from = sums->counter;

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		into->counter[i] += from[i];
	if (sums->rtt_us)
		histogram_merge(&into->rtt_us, sums->rtt_us);
	if (sums->connect_us)
		histogram_merge(&into->connect_us, sums->connect_us);
	if (sums->dns)
		dns_add(&into->dns, sums->dns);
	if (sums->drops)
		drops_merge(&into->drops, sums->drops);
	into->wire_bytes_to_server +=
		from[MR_BYTES_TO_SERVER] + from[MR_RETRANSMITTED_BYTES_TO_SERVER] +
		(from[MR_SEGMENTS_TO_SERVER] + from[MR_DATAGRAMS_TO_SERVER]) * header;
	into->wire_bytes_to_client +=
		from[MR_BYTES_TO_CLIENT] + from[MR_RETRANSMITTED_BYTES_TO_CLIENT] +
		(from[MR_SEGMENTS_TO_CLIENT] + from[MR_DATAGRAMS_TO_CLIENT]) * header;
}

static void note_times(const struct core *c, struct joined *j, const struct folded *item)
{
	const struct flow *f = flow_at(&c->flows, item->flow);
	uint64_t first = f->first_seen_ns, end_ns;

	if (!j->first_seen_ns || first < j->first_seen_ns)
		j->first_seen_ns = first;
	if (item->end_ns && (!j->end_ns || item->start_ns < j->start_ns))
		j->start_ns = item->start_ns;
	/* windows that were added up end later than what moved in them */
	end_ns = item->end_ns < f->last_seen_ns ? item->end_ns : f->last_seen_ns;
	if (end_ns > j->end_ns)
		j->end_ns = end_ns;
}

static int64_t share_of(int64_t value, double share)
{
	return share == 1 ? value : llround((double)value * share);
}

/* What remains of a flow of which others tell the rest: of nobody knows whose the histograms are.
 */
static void keep_share(const struct plan_kept *kept, const struct sums *sums, struct sums *ret)
{
	*ret = (struct sums){0};
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		ret->counter[i] = (uint64_t)share_of((int64_t)sums->counter[i], kept->counter[i]);
}

static void add_primary(const struct core *c, struct joined *j, const struct sums *sums,
			unsigned int part, unsigned int header)
{
	measures_add(&j->primary, sums, header);
	j->primary.reason_names = &c->reason_names;
	for (size_t i = 0; part & FOLD_MERGED && i < MR_COUNTER_COUNT; i++)
		j->merged[i] += sums->counter[i];
}

static int begin_view(const struct core *c, struct joined *j, struct arena *arena)
{
	if (!j->view)
		j->view = arena_alloc(arena, sizeof(*j->view));
	if (!j->view)
		return -ENOMEM;
	j->has_view = true;
	j->view->reason_names = &c->reason_names;
	j->primary.reason_names = &c->reason_names;
	return 0;
}

static int add_view(const struct core *c, struct joined *j, const struct sums *sums,
		    unsigned int header, struct arena *arena)
{
	const size_t count = sizeof(of_the_server) / sizeof(*of_the_server);
	int r = begin_view(c, j, arena);

	if (r < 0)
		return r;
	measures_add(j->view, sums, header);
	if (sums->drops)
		drops_merge(&j->primary.drops, sums->drops); /* a packet is dropped once */
	for (size_t i = 0; i < count; i++)
		j->primary.counter[of_the_server[i]] += sums->counter[of_the_server[i]];
	j->primary.wire_bytes_to_client += sums->counter[MR_RETRANSMITTED_BYTES_TO_CLIENT];
	return 0;
}

/* What stands in for the other end is primary, whatever the rest of the flow is. */
static bool is_primary(const struct plan_item *where, unsigned int part)
{
	return where->part == PLAN_PRIMARY || part & FOLD_ALONE;
}

static struct joined *joined_of(const struct plan_item *where, unsigned int part,
				struct joined *joined)
{
	if (part & FOLD_ALONE)
		return where->alone ? &joined[where->alone - 1] : NULL;
	return where->part == PLAN_NOWHERE ? NULL : &joined[where->bucket];
}

static int add_gauges(const struct core *c, const struct plan *plan, const struct folded *item,
		      struct joined *joined, struct arena *arena)
{
	const struct plan_item *where = &plan->items[item->flow];
	struct joined *j = joined_of(where, item->gauges, joined);
	bool primary = is_primary(where, item->gauges);
	struct query_measures *into;
	int r = 0;

	if (!j || (!item->active && !item->pending))
		return 0;
	if (!primary && plan->split[where->bucket])
		return 0;
	if (!primary)
		r = begin_view(c, j, arena);
	if (r < 0)
		return r;
	into = primary ? &j->primary : j->view;
	into->active += share_of(item->active, where->kept ? where->kept->active : 1);
	into->pending += share_of(item->pending, where->kept ? where->kept->pending : 1);
	note_times(c, j, item);
	j->provisional |= item->provisional;
	return 0;
}

static int add_item(const struct core *c, const struct plan *plan, const struct folded *item,
		    struct joined *joined, struct arena *arena)
{
	const struct plan_item *where = &plan->items[item->flow];
	struct sums kept;
	int r = 0;

	for (unsigned int part = 0; !r && part < FOLD_PARTS; part++) {
		const struct sums *sums = fold_sums(item, part);
		struct joined *j = sums ? joined_of(where, part, joined) : NULL;

		if (!j)
			continue;
		note_times(c, j, item);
		j->provisional |= item->provisional;
		if (where->kept) {
			keep_share(where->kept, sums, &kept);
			sums = &kept;
		}
		if (is_primary(where, part))
			add_primary(c, j, sums, part, where->header);
		else if (!plan->split[where->bucket])
			r = add_view(c, j, sums, where->header, arena);
	}
	if (where->part == PLAN_PRIMARY)
		joined[where->bucket].attempted_lately += item->attempted_lately;
	return r ? r : add_gauges(c, plan, item, joined, arena);
}

int plan_apply(const struct core *c, const struct plan *plan, const struct fold *fold,
	       struct joined *joined, struct arena *arena)
{
	int r = 0;

	for (size_t i = 0; !r && i < fold->count; i++)
		r = add_item(c, plan, fold->list[i], joined, arena);
	return r;
}

static void clear(struct joined *joined, uint32_t bucket)
{
	struct query_measures *view = joined[bucket].view;

	if (joined[bucket].has_view)
		*view = (struct query_measures){0};
	joined[bucket] = (struct joined){.view = view};
}

void plan_clear(const struct plan *plan, const struct fold *fold, struct joined *joined)
{
	for (size_t i = 0; i < fold->count; i++) {
		const struct plan_item *where = &plan->items[fold->list[i]->flow];

		if (where->part != PLAN_NOWHERE)
			clear(joined, where->bucket);
		if (where->alone)
			clear(joined, where->alone - 1);
	}
}

struct heavy heavy_of(const struct joined *joined, uint32_t bucket)
{
	const uint64_t *counter = joined[bucket].primary.counter;

	return (struct heavy){counter[MR_BYTES_TO_SERVER] + counter[MR_BYTES_TO_CLIENT], bucket};
}

static int heaviest_first(const void *a, const void *b)
{
	const struct heavy *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

void heavy_sort(struct heavy *list, size_t count)
{
	qsort(list, count, sizeof(*list), heaviest_first);
}
