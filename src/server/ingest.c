/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches come in here.
 *
 *     life.c: which agent, which life ─► learn.c: actors, flows, listeners
 *         ─► updates into one window of history and into the running gauges ─► retire
 *
 * Sans I/O: the clock is given. Whatever a batch says, the tables stay whole: a row that makes no
 * sense is refused and counted, the others are kept.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/core.h"
#include "server/learn.h"
#include "server/life.h"
#include "server/watch.h"

/* A flow that comes back after so long is told to the store again. */
#define TOLD_NS UINT64_C(3600000000000)

/* Beyond it is no number of bytes or connections: JSON holds whole numbers up to here. */
#define VALUE_MAX (INT64_C(1) << 53)

/* NULL: nothing was measured. */
static bool histogram_is_sane(const struct histogram *h)
{
	uint64_t count = 0;

	if (!h)
		return true;
	if (!h->count)
		return !h->sum;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i += 4)
		count += (uint64_t)h->bucket[i] + h->bucket[i + 1] + h->bucket[i + 2] +
			 h->bucket[i + 3];
	return count == h->count;
}

static bool dns_is_sane(const struct wire_dns *dns)
{
	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		if (dns->counter[i] >= VALUE_MAX)
			return false;
	return histogram_is_sane(&dns->latency_us);
}

static bool drops_are_sane(const struct wire_update *u)
{
	if (u->drop_count > WIRE_DROPS_MAX)
		return false;
	for (uint32_t i = 0; i < u->drop_count; i++)
		if (u->drops[i].count >= VALUE_MAX)
			return false;
	return true;
}

static bool update_is_sane(const struct wire_update *u)
{
	bool beyond = false;

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		beyond |= u->counter[i] + (VALUE_MAX - 1) > 2 * (uint64_t)(VALUE_MAX - 1);
	return !beyond && histogram_is_sane(u->rtt_us) && histogram_is_sane(u->connect_us) &&
	       (!u->dns || dns_is_sane(u->dns)) && drops_are_sane(u);
}

/* What does not lie in the batch as a row wants it. */
struct reading {
	struct row_source source;
	struct histogram rtt_us, connect_us;
	struct wire_dns dns;
	struct drops drops;
};

/* Two that raced may leave the smaller one as the maximum. */
static struct histogram *order_bounds(struct histogram *h, struct histogram *room)
{
	uint32_t min;

	if (!h || h->min <= h->max)
		return h;
	*room = *h;
	min = room->min;
	room->min = room->max;
	room->max = min;
	return room;
}

static struct wire_dns *read_dns(const struct wire_dns *dns, struct wire_dns *room)
{
	struct histogram latency_us;

	if (!dns)
		return NULL;
	*room = *dns;
	if (order_bounds(&room->latency_us, &latency_us) == &latency_us)
		room->latency_us = latency_us;
	return room;
}

static struct drops *read_drops(struct core *c, const struct wire_update *u, struct drops *room)
{
	if (!u->drop_count)
		return NULL;
	*room = (struct drops){0};
	for (uint32_t i = 0; i < u->drop_count; i++)
		drops_add(room, reason_names_put(&c->reason_names, u->drops[i].reason),
			  u->drops[i].count);
	return room;
}

static void read_update(struct core *c, const struct wire_update *u, struct reading *in)
{
	in->source = (struct row_source){
		.counter = u->counter,
		.rtt_us = order_bounds(u->rtt_us, &in->rtt_us),
		.connect_us = order_bounds(u->connect_us, &in->connect_us),
		.dns = read_dns(u->dns, &in->dns),
		.drops = read_drops(c, u, &in->drops),
	};
}

static bool is_sorted(const uint64_t *order, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (order[i - 1] > order[i])
			return false;
	return true;
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The good updates as flow << 32 | position, by flow: rows are smaller so. */
static int order_updates(struct learn *in, size_t *ret_count)
{
	const struct wire_batch *b = in->batch;
	struct core *c = in->core;
	size_t count = 0;

	if (b->update_count > c->order_capacity) {
		uint64_t *order = realloc(c->order, b->update_count * sizeof(*order));

		if (!order)
			return -ENOMEM;
		c->order = order;
		c->order_capacity = b->update_count;
	}
	for (size_t i = 0; i < b->update_count; i++) {
		uint32_t flow = learn_find_flow(in, b->updates[i].flow);

		if (flow == FLOW_NONE || !update_is_sane(&b->updates[i])) {
			in->loss[LOSS_REFUSED_UPDATES]++;
			continue;
		}
		c->order[count++] = (uint64_t)flow << 32 | i;
	}
	if (count && !is_sorted(c->order, count))
		qsort(c->order, count, sizeof(*c->order), compare_u64);
	*ret_count = count;
	return 0;
}

static void run_gauges(struct core *c, uint32_t flow, const struct wire_update *u, uint64_t end_ns)
{
	struct flow *f = flow_at(&c->flows, flow);

	f->active += counters_active(u->counter);
	f->pending += counters_pending(u->counter, flow_id(&c->flows, f)->role == MR_ROLE_CLIENT);
	if (f->first_seen_ns > end_ns)
		f->first_seen_ns = end_ns; /* it came late */
	if (f->last_seen_ns && f->last_seen_ns + TOLD_NS < end_ns)
		fresh_add(&c->flows.fresh, flow); /* the store may have forgotten it */
	if (f->last_seen_ns < end_ns)
		f->last_seen_ns = end_ns;
	endpoint_seen(&c->endpoints, f->bound, end_ns);
}

static int write_rows(struct learn *in, struct row_writer *w, size_t count)
{
	struct core *c = in->core;
	struct reading reading;
	int r = fold_write_losses(w, in->loss);

	for (size_t i = 0; !r && i < count; i++) {
		read_update(c, &in->batch->updates[(uint32_t)c->order[i]], &reading);
		r = row_write(w, (uint32_t)(c->order[i] >> 32), &reading.source);
	}
	return r;
}

#define MERGED_WINDOWS 4 /* that long must a window be to be taken for a merged one */

static bool is_merged(const struct learn *in)
{
	uint64_t usual_ns = in->batch->status.window_ns;

	return in->batch->windows > 1 ||
	       (usual_ns && in->end_ns - in->start_ns > MERGED_WINDOWS * usual_ns);
}

/* One window of all that is good. All or nothing: history and gauges never differ. */
static int take_updates(struct learn *in)
{
	struct core *c = in->core;
	struct row_writer writer = {0};
	struct window w = {.start_ns = in->start_ns,
			   .end_ns = in->end_ns,
			   .reporter = in->reporter->index,
			   .merged = is_merged(in)};
	size_t count = 0;
	int r = order_updates(in, &count);

	if (!r)
		r = write_rows(in, &writer, count);
	if (!r) {
		w.rows = (uint32_t)count;
		w.size = writer.size;
		w.data = row_shrink(&writer);
		r = history_append(&c->history, &w);
		c->took_merged |= w.merged;
	}
	if (!r)
		news_window(c, &w);
	if (r < 0) {
		free(writer.data);
		in->loss[LOSS_NO_MEMORY] += in->batch->update_count;
		return r;
	}
	for (size_t i = 0; i < count; i++)
		run_gauges(c, (uint32_t)(c->order[i] >> 32),
			   &in->batch->updates[(uint32_t)c->order[i]], in->end_ns);
	return 0;
}

static void forget_flows(struct core *c, uint64_t now_ns)
{
	if (now_ns - c->forgotten_ns < c->config.coarse_window_ns)
		return;
	c->forgotten_ns = now_ns;
	flow_table_forget(&c->flows, history_oldest_ns(&c->history));
}

/* Who ended may be nobody's any more: rows keep their actors. */
static void take_events(struct learn *in)
{
	for (size_t i = 0; i < in->batch->event_count; i++) {
		const struct wire_event *w = &in->batch->events[i];
		struct event event = {.first_ns = life_wall(in, w->first_ns),
				      .last_ns = life_wall(in, w->last_ns),
				      .actor = reporter_find(&in->reporter->actors, w->actor),
				      .pid = w->pid,
				      .count = w->count,
				      .kind = w->kind,
				      .scope = w->scope,
				      .code = w->code,
				      .oom = w->oom,
				      .child = w->child};

		if (event.actor == ACTOR_NONE || !events_is_sane(w))
			in->loss[LOSS_REFUSED_EVENTS]++;
		else {
			events_add(&in->core->events, &event);
			news_event(in->core, &event);
		}
	}
}

static void forget_events(struct core *c, uint64_t now_ns)
{
	uint64_t retain_ns = c->config.retain_ns;

	events_forget(&c->events, now_ns > retain_ns ? now_ns - retain_ns : 0);
	c->loss[LOSS_EVENTS_CUT] = c->events.cut;
}

static void finish(struct learn *in)
{
	struct core *c = in->core;

	learn_end(in);
	for (unsigned int i = LOSS_OF_AGENTS + 1; i < LOSS_COUNT; i++)
		c->loss[i] += in->loss[i];
	if (in->end_ns > c->latest_ns && !in->batch->definitions)
		c->latest_ns = in->end_ns;
	history_advance(&c->history, in->now_ns);
	c->loss[LOSS_HISTORY_CUT] = c->history.cut_rows;
	forget_flows(c, in->now_ns);
	forget_events(c, in->now_ns);
	c->news.reporter = in->reporter->index;
	c->version++;
}

/* The agent tells all of its window; what was lost before is a gap. */
static void cover(struct learn *in, uint64_t before)
{
	struct reporter *r = in->reporter;
	bool lost = in->batch->sequence != before + 1;

	if (coverage_add(&r->coverage, !r->covered || lost, in->start_ns, in->end_ns) < 0)
		in->loss[LOSS_NO_MEMORY]++;
	r->covered = true;
}

static int take(struct learn *in)
{
	struct reporter *r = in->reporter;
	const struct wire_batch *b = in->batch;
	uint64_t before = r->sequence;
	int e;

	in->loss[LOSS_GAPS] += b->sequence - before - 1;
	r->sequence = b->sequence;
	r->batches++;
	r->last_seen_wall_ns = in->now_ns;
	r->last_window_wall_ns = in->end_ns;
	in->loss[LOSS_REPAIRED_NAMES] += reporter_describe(r, b);
	reporter_take_status(r, b, in->loss); /* without memory the netns sums stay as they were */
	learn_definitions(in);
	e = take_updates(in);
	if (!e) {
		cover(in, before);
		take_events(in);
	} else {
		r->sequence = before;
	}
	finish(in);
	return e;
}

/* No window: only what handles mean, for the batch of that sequence to come. */
static int define(struct learn *in)
{
	struct reporter *r = in->reporter;
	bool first = !r->sequence; /* in this life */

	learn_forget_handles(in);
	if (first) { /* those before went elsewhere */
		r->sequence = in->batch->sequence - 1;
		r->loss_unknown = r->sequence > 0;
	}
	r->last_seen_wall_ns = in->now_ns;
	in->loss[LOSS_REPAIRED_NAMES] += reporter_describe(r, in->batch);
	learn_definitions(in);
	finish(in);
	return 0;
}

int core_ingest(struct core *c, const struct wire_batch *batch, uint64_t now_ns)
{
	struct learn in = {.core = c, .batch = batch, .now_ns = now_ns};
	int r;

	if (!batch->sequence || batch->window_end_ns < batch->window_start_ns)
		return life_refuse(c, LOSS_REFUSED_BATCHES, -EINVAL);
	in.reporter = life_find_reporter(c, batch->node);
	if (!in.reporter)
		return life_refuse(c, LOSS_REFUSED_AGENTS, -ENOSPC);
	in.start_ns = batch->definitions ? now_ns : life_wall(&in, batch->window_start_ns);
	in.end_ns = batch->definitions ? now_ns : life_wall(&in, batch->window_end_ns);
	r = life_check(&in);
	if (r < 0)
		return r;
	watch_heard(c, in.reporter, false, now_ns);
	return batch->definitions ? define(&in) : take(&in);
}
