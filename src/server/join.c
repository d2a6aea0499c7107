/* SPDX-License-Identifier: Apache-2.0 */
/* The sums of plan.h: a fold into buckets, by a plan. */
#include <errno.h>
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

void measures_add(struct query_measures *into, const struct folded *item, unsigned int header)
{
	const uint64_t *from = item->sums.counter;

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		into->counter[i] += from[i];
	histogram_merge(&into->rtt_us, &item->sums.rtt_us);
	histogram_merge(&into->connect_us, &item->sums.connect_us);
	dns_add(&into->dns, &item->sums.dns);
	drops_merge(&into->drops, &item->sums.drops);
	into->active += item->active;
	into->pending += item->pending;
	into->wire_bytes_to_server +=
		from[MR_BYTES_TO_SERVER] + from[MR_RETRANSMITTED_BYTES_TO_SERVER] +
		(from[MR_SEGMENTS_TO_SERVER] + from[MR_DATAGRAMS_TO_SERVER]) * header;
	into->wire_bytes_to_client +=
		from[MR_BYTES_TO_CLIENT] + from[MR_RETRANSMITTED_BYTES_TO_CLIENT] +
		(from[MR_SEGMENTS_TO_CLIENT] + from[MR_DATAGRAMS_TO_CLIENT]) * header;
}

static void note_times(const struct core *c, struct joined *j, const struct folded *item)
{
	uint64_t first = flow_at(&c->flows, item->flow)->first_seen_ns;

	if (!j->first_seen_ns || first < j->first_seen_ns)
		j->first_seen_ns = first;
	if (item->end_ns && (!j->end_ns || item->start_ns < j->start_ns))
		j->start_ns = item->start_ns;
	if (item->end_ns > j->end_ns)
		j->end_ns = item->end_ns;
}

static int add_view(const struct core *c, struct joined *j, const struct folded *item,
		    unsigned int header, struct arena *arena)
{
	const size_t count = sizeof(of_the_server) / sizeof(*of_the_server);

	if (!j->view)
		j->view = arena_alloc(arena, sizeof(*j->view));
	if (!j->view)
		return -ENOMEM;
	j->has_view = true;
	measures_add(j->view, item, header);
	j->view->reason_names = &c->reason_names;
	drops_merge(&j->primary.drops, &item->sums.drops); /* a packet is dropped once */
	j->primary.reason_names = &c->reason_names;
	for (size_t i = 0; i < count; i++)
		j->primary.counter[of_the_server[i]] += item->sums.counter[of_the_server[i]];
	j->primary.wire_bytes_to_client += item->sums.counter[MR_RETRANSMITTED_BYTES_TO_CLIENT];
	return 0;
}

int plan_apply(const struct core *c, const struct plan *plan, const struct fold *fold,
	       struct joined *joined, struct arena *arena)
{
	int r = 0;

	for (size_t i = 0; !r && i < fold->count; i++) {
		const struct folded *item = fold->list[i];
		const struct plan_item *where = &plan->items[item->flow];
		struct joined *j;

		if (where->part == PLAN_NOWHERE)
			continue;
		j = &joined[where->bucket];
		note_times(c, j, item);
		if (where->part == PLAN_PRIMARY) {
			measures_add(&j->primary, item, where->header);
			j->primary.reason_names = &c->reason_names;
			j->attempted_lately += item->attempted_lately;
		} else if (!plan->split[where->bucket]) {
			r = add_view(c, j, item, where->header, arena);
		}
	}
	return r;
}

void plan_clear(const struct plan *plan, const struct fold *fold, struct joined *joined)
{
	for (size_t i = 0; i < fold->count; i++) {
		const struct plan_item *where = &plan->items[fold->list[i]->flow];
		struct query_measures *view;

		if (where->part == PLAN_NOWHERE)
			continue;
		view = joined[where->bucket].view;
		if (joined[where->bucket].has_view)
			*view = (struct query_measures){0};
		joined[where->bucket] = (struct joined){.view = view};
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
