/* SPDX-License-Identifier: Apache-2.0 */
/* See gather.h. */
#include "server/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "base/vector.h"
#include "server/owner.h"

/* An attempt younger than this is not waiting yet. */
#define LATELY_NS UINT64_C(1000000000)

/* Folds the windows whose end lies in (from, to] into what was reset. */
static int fold_range(struct core *c, struct fold *into, uint64_t from_ns, uint64_t to_ns)
{
	int r = 0;

	for (size_t i = 0; !r && i < history_count(&c->history); i++) {
		const struct window *w = history_at(&c->history, i);

		if (w->end_ns > from_ns && w->end_ns <= to_ns)
			r = fold_window(into, w);
	}
	return r;
}

static int fold_asked(struct core *c, const struct query_range *range)
{
	uint64_t since_ns = range->to_ns > LATELY_NS ? range->to_ns - LATELY_NS : 0;

	fold_reset(&c->range);
	c->range.lately_ns = since_ns > range->from_ns ? since_ns : range->from_ns;
	return fold_range(c, &c->range, range->from_ns, range->to_ns);
}

/* A gauge below 0 is what an agent got wrong; nobody has fewer than no connections. */
static int64_t at_least_0(int64_t v)
{
	return v > 0 ? v : 0;
}

static int set_gauges(struct core *c, uint32_t flow, uint64_t to_ns)
{
	const struct flow *f = flow_at(&c->flows, flow);
	const struct folded *later = c->step.by_flow[flow];
	bool client = flow_id(&c->flows, f)->role == MR_ROLE_CLIENT;
	int64_t active = f->active - (later ? sums_active(&later->sums) : 0);
	int64_t pending = f->pending - (later ? sums_pending(&later->sums, client) : 0);
	struct folded *item = c->range.by_flow[flow];
	bool provisional = false;
	enum fold_part part;

	if (active <= 0 && pending <= 0)
		return 0;
	part = owner_gauges(c, flow, to_ns, &provisional);
	if (part == FOLD_NOWHERE)
		return 0;
	item = fold_touch(&c->range, flow);
	if (!item)
		return -ENOMEM;
	item->provisional |= provisional;
	item->gauges = part;
	item->active = at_least_0(active);
	item->pending = at_least_0(pending);
	return 0;
}

/* One agent tells everything there is, as it came. */
static void set_parts(struct core *c, bool apart)
{
	fold_part_fn part = apart ? owner_part : NULL;

	c->range.part = c->step.part = part;
	c->range.userdata = c->step.userdata = c;
}

/* What came after the range, whatever it counts as. */
static int fold_later(struct core *c, uint64_t to_ns)
{
	fold_reset(&c->step);
	c->step.part = NULL;
	c->step.counters_only = true;
	return fold_range(c, &c->step, to_ns, UINT64_MAX);
}

static int gather_parts(struct core *c, const struct query_range *range, uint64_t now_ns,
			bool apart)
{
	int r = owners_begin(c, now_ns);

	set_parts(c, apart);
	if (!r)
		r = fold_asked(c, range);
	if (!r)
		r = fold_later(c, range->to_ns);
	for (uint32_t i = 0; !r && i < flow_table_used(&c->flows); i++)
		if (flow_at(&c->flows, i))
			r = set_gauges(c, i, range->to_ns);
	set_parts(c, apart);
	return r;
}

int gather(struct core *c, const struct query_range *range, uint64_t now_ns)
{
	return gather_parts(c, range, now_ns, c->reporter_count > 1 || c->took_merged);
}

int gather_raw(struct core *c, const struct query_range *range, uint64_t now_ns)
{
	return gather_parts(c, range, now_ns, false);
}

int gather_losses(const uint64_t *loss, unsigned int first, unsigned int end, bool all,
		  struct arena *arena, struct query_loss **ret, size_t *ret_count)
{
	struct query_loss *losses = arena_alloc(arena, (end - first + 1) * sizeof(*losses));
	size_t count = 0;

	if (!losses)
		return -ENOMEM;
	for (unsigned int i = first; i < end; i++)
		if (all || (loss[i] && loss_counts(i)))
			losses[count++] = (struct query_loss){loss_name(i), loss_help(i), loss[i]};
	*ret = losses;
	*ret_count = count;
	return 0;
}

/* Beginnings and ends of connections, and datagrams: what a loss of a folding is measured against.
 */
static uint64_t events(const struct sums *s)
{
	if (!s)
		return 0;
	return s->counter[MR_ATTEMPTED] + s->counter[MR_OPENED] + s->counter[MR_ADOPTED] +
	       s->counter[MR_CLOSED] + sums_failed(s) + s->counter[MR_DATAGRAMS_TO_SERVER] +
	       s->counter[MR_DATAGRAMS_TO_CLIENT];
}

static double share_of(const struct fold *f)
{
	static const unsigned int missing[] = {WIRE_LOSS_DROPPED, WIRE_LOSS_CLOSE_UNSEEN,
					       WIRE_LOSS_RECURSION, LOSS_REFUSED_UPDATES,
					       LOSS_NO_MEMORY};
	uint64_t seen = 0, lost = 0;

	for (size_t i = 0; i < f->count; i++)
		for (unsigned int part = 0; part < FOLD_PARTS; part++)
			seen += events(fold_sums(f->list[i], part));
	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++)
		lost += f->loss[missing[i]];
	return lost ? (double)seen / ((double)seen + (double)lost) : 1;
}

static uint64_t unresolved_bytes(const struct core *c)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < c->range.count; i++) {
		const struct folded *item = c->range.list[i];
		const struct flow_id *id = flow_id(&c->flows, flow_at(&c->flows, item->flow));

		for (unsigned int part = 0; part < FOLD_PARTS; part++) {
			const struct sums *s = fold_sums(item, part);

			if (s && (id->coarse || id->unresolved))
				bytes += s->counter[MR_BYTES_TO_SERVER] +
					 s->counter[MR_BYTES_TO_CLIENT];
		}
	}
	return bytes;
}

/* What an agent has not told: between two of its lives, and since it fell silent. */
static size_t gaps_of(const struct reporter *r, const struct query_range *range, uint64_t now_ns,
		      struct coverage_life ret[COVERAGE_LIVES_MAX])
{
	uint64_t end_ns = coverage_end(&r->coverage);
	uint64_t to_ns = now_ns < range->to_ns ? now_ns : range->to_ns;
	struct coverage_life gap;
	size_t count = 0;

	for (uint32_t n = 0; coverage_gap(&r->coverage, n, &gap); n++)
		if (gap.to_ns > range->from_ns && gap.from_ns < range->to_ns)
			ret[count++] = gap;
	if (end_ns && end_ns < to_ns && reporter_tail(r, now_ns) == COVERAGE_SILENT)
		ret[count++] = (struct coverage_life){end_ns, to_ns};
	return count;
}

static int newest_first(const void *a, const void *b)
{
	const struct query_gap *x = a, *y = b;

	if (x->to_ns != y->to_ns)
		return x->to_ns < y->to_ns ? 1 : -1;
	return strcmp(x->node, y->node);
}

static int gather_gaps(const struct core *c, const struct query_range *range, uint64_t now_ns,
		       struct arena *arena, struct query_completeness *ret)
{
	struct coverage_life gaps[COVERAGE_LIVES_MAX];
	struct vector all = vector_init(arena, sizeof(struct query_gap), 0);

	for (uint32_t i = 0; i < c->reporter_count; i++) {
		const struct reporter *r = &c->reporters[i];
		size_t count = gaps_of(r, range, now_ns, gaps);
		const char *node = count ? arena_strdup(arena, r->node) : "";

		for (size_t k = 0; k < count; k++) {
			struct query_gap *gap = vector_push(&all);

			if (!gap || !node)
				return -ENOMEM;
			*gap = (struct query_gap){node, gaps[k].from_ns, gaps[k].to_ns};
		}
	}
	if (all.count)
		qsort(vector_at(&all, 0), all.count, sizeof(struct query_gap), newest_first);
	ret->gaps = all.count ? vector_at(&all, 0) : NULL;
	ret->gap_count = all.count < QUERY_GAPS_MAX ? all.count : QUERY_GAPS_MAX;
	return 0;
}

int gather_completeness(struct core *c, const struct query_range *range, uint64_t now_ns,
			struct arena *arena, struct query_completeness *ret)
{
	const struct fold *f = &c->range;

	*ret = (struct query_completeness){.share = share_of(f),
					   .unresolved_bytes = unresolved_bytes(c)};
	for (uint32_t i = 0; i < c->reporter_count; i++) {
		enum coverage_tail tail = reporter_tail(&c->reporters[i], now_ns);

		ret->agents_expected += tail != COVERAGE_GONE;
		ret->agents_reporting += tail == COVERAGE_REPORTING;
	}
	if (gather_gaps(c, range, now_ns, arena, ret) < 0)
		return -ENOMEM;
	ret->covered_from_ns = f->oldest_start_ns;
	ret->covered_to_ns = f->newest_end_ns;
	ret->window_s = (double)(f->newest_end_ns - f->newest_start_ns) / 1e9;
	ret->resolution_s = (double)c->resolution_ns / 1e9;
	if (range->from_ns < c->history.cut_until_ns)
		c->range.loss[LOSS_HISTORY_CUT] = c->history.cut_rows;
	if (range->from_ns < c->events.cut_until_ns)
		c->range.loss[LOSS_EVENTS_CUT] = c->events.cut;
	return gather_losses(f->loss, 0, LOSS_COUNT, false, arena, &ret->losses, &ret->loss_count);
}
