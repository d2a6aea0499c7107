/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query_series: the range in steps of equal length, for all together or for each edge. The plan is
 * made once for the whole range, so an edge is the same in every step.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/edges.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define STEPS_WANTED  300
#define STEPS_MAX     10000
#define LINES_DEFAULT 100
#define VALUES_MAX    (32u << 20) /* bytes: whoever may ask must not fill the memory */

struct plotter {
	struct core *core;
	const struct query_series_request *request;
	struct arena *arena;
	struct edges edges;
	struct plan plan;
	struct joined *joined;
	uint32_t *bucket_of_line;
	struct query_series *out;
};

static int the_total(void *userdata, uint32_t flow, const struct ends *ends, uint32_t *ret)
{
	struct plotter *p = userdata;
	uint32_t edge = 0;
	int r = p->request->edge ? edges_bucket(&p->edges, flow, ends, &edge) : 0;

	/* what is only carried counts by itself; one that is asked for is not a sum */
	if (ends->carrier && !p->request->edge)
		edge = PLAN_NONE;
	*ret = edge == PLAN_NONE ? PLAN_NONE : 0;
	return r;
}

static int set_steps(struct plotter *p)
{
	const struct query_range *range = &p->request->range;
	uint64_t span = range->to_ns > range->from_ns ? range->to_ns - range->from_ns : 0;
	uint64_t step = p->request->step_ns;

	if (!step) { /* whole seconds */
		step = span / STEPS_WANTED / NS_PER_SECOND * NS_PER_SECOND;
		step = step ? step : NS_PER_SECOND;
	}
	if (span / step >= STEPS_MAX)
		return -EINVAL;
	p->out->from_ns = range->from_ns;
	p->out->step_ns = step;
	p->out->step_count = (span + step - 1) / step;
	p->out->covered = arena_alloc(p->arena, p->out->step_count + 1);
	p->out->merged = arena_alloc(p->arena, p->out->step_count + 1);
	return p->out->covered && p->out->merged ? 0 : -ENOMEM;
}

static int set_counters(struct plotter *p)
{
	const uint64_t usual = UINT64_C(1) << MR_BYTES_TO_SERVER |
			       UINT64_C(1) << MR_BYTES_TO_CLIENT | UINT64_C(1) << MR_OPENED |
			       UINT64_C(1) << MR_RETRANSMITS_TO_SERVER |
			       UINT64_C(1) << MR_RETRANSMITS_TO_CLIENT;
	uint64_t wanted = p->request->counters ? p->request->counters : usual;

	p->out->counters = arena_alloc(p->arena, MR_COUNTER_COUNT * sizeof(*p->out->counters));
	if (!p->out->counters)
		return -ENOMEM;
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		if (wanted >> i & 1)
			p->out->counters[p->out->counter_count++] = (enum mr_counter)i;
	return 0;
}

/* The lines that are kept: the heaviest over the whole range. The others are not planned. */
static int choose_lines(struct plotter *p)
{
	size_t limit = p->request->limit ? p->request->limit : LINES_DEFAULT;
	uint32_t count = p->plan.bucket_count;
	struct heavy *list = arena_alloc(p->arena, ((size_t)count + 1) * sizeof(*list));

	p->bucket_of_line = arena_alloc(p->arena, ((size_t)count + 1) * sizeof(uint32_t));
	if (!list || !p->bucket_of_line)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		list[i] = heavy_of(p->joined, i);
	heavy_sort(list, count);
	p->out->total = count;
	p->out->line_count = count < limit ? count : limit;
	for (size_t i = 0; i < p->out->line_count; i++)
		p->bucket_of_line[i] = list[i].bucket;
	plan_clear(&p->plan, &p->core->range, p->joined);
	return 0;
}

static int init_line(struct plotter *p, size_t i)
{
	struct query_series_line *line = &p->out->lines[i];
	size_t steps = p->out->step_count;

	*line = (struct query_series_line){.edge = "", .client = "", .server = ""};
	line->values =
		arena_alloc(p->arena, (steps * p->out->counter_count + 1) * sizeof(uint64_t));
	if (p->request->rtt)
		line->rtt_us = arena_alloc(p->arena, (steps + 1) * sizeof(*line->rtt_us));
	if (!line->values || (p->request->rtt && !line->rtt_us))
		return -ENOMEM;
	if (p->request->by_edge) {
		const struct edges_edge *e = edges_edge_at(&p->edges, p->bucket_of_line[i]);

		line->edge = edges_id(&p->edges, e);
		line->client = edges_node_at(&p->edges, e->client)->id;
		line->server = edges_node_at(&p->edges, e->server)->id;
		line->port = e->port;
	}
	return line->edge ? 0 : -ENOMEM;
}

static size_t values_size(const struct plotter *p)
{
	size_t cell = p->out->counter_count * sizeof(uint64_t);

	if (p->request->rtt)
		cell += sizeof(struct histogram);
	return p->out->line_count * p->out->step_count * cell;
}

static int init_lines(struct plotter *p)
{
	int r = 0;

	if (values_size(p) > VALUES_MAX)
		return -E2BIG;
	p->out->lines = arena_alloc(p->arena, (p->out->line_count + 1) * sizeof(*p->out->lines));
	if (!p->out->lines)
		return -ENOMEM;
	for (size_t i = 0; !r && i < p->out->line_count; i++)
		r = init_line(p, i);
	return r;
}

/* The whole range at once: which lines there are. */
static int plan(struct plotter *p)
{
	const struct plan_request request = {
		.range = p->request->range,
		.filter = p->request->filter,
		.bucket = p->request->by_edge ? edges_bucket : the_total,
		.userdata = p->request->by_edge ? (void *)&p->edges : p,
		.arena = p->arena,
	};
	int r = gather(p->core, &p->request->range, p->request->now_ns);

	if (!r)
		r = plan_make(p->core, &request, &p->plan);
	if (r < 0)
		return r;
	if (!p->request->by_edge && !p->plan.bucket_count)
		p->plan.bucket_count = 1; /* a total of nothing is a line of zeros */
	p->joined = arena_alloc(p->arena, (p->plan.bucket_count + 1) * sizeof(*p->joined));
	if (!p->joined)
		return -ENOMEM;
	return plan_apply(p->core, &p->plan, &p->core->range, p->joined, p->arena);
}

static int plot_step(struct plotter *p, size_t step)
{
	size_t counters = p->out->counter_count;
	int r;

	r = plan_apply(p->core, &p->plan, &p->core->step, p->joined, p->arena);
	for (size_t i = 0; i < p->out->line_count; i++) {
		const struct joined *j = &p->joined[p->bucket_of_line[i]];
		struct query_series_line *line = &p->out->lines[i];

		for (size_t k = 0; k < counters; k++)
			line->values[step * counters + k] = j->primary.counter[p->out->counters[k]];
		if (line->rtt_us)
			line->rtt_us[step] = j->primary.rtt_us;
	}
	plan_clear(&p->plan, &p->core->step, p->joined);
	return r;
}

/* Which step a window belongs to; SIZE_MAX: none. Step i is (from + i step, from + (i + 1) step].
 */
static size_t step_of(const struct plotter *p, const struct window *w)
{
	const struct query_range *range = &p->request->range;

	if (w->end_ns <= range->from_ns || w->end_ns > range->to_ns)
		return SIZE_MAX;
	return (w->end_ns - range->from_ns - 1) / p->out->step_ns;
}

struct dated {
	size_t step;
	const struct window *window;
};

static int by_step(const void *a, const void *b)
{
	const struct dated *x = a, *y = b;

	return (x->step > y->step) - (x->step < y->step);
}

static int date_windows(struct plotter *p, struct dated **ret, size_t *ret_count)
{
	const struct history *h = &p->core->history;
	struct dated *list = arena_alloc(p->arena, (history_count(h) + 1) * sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < history_count(h); i++) {
		const struct window *w = history_at(h, i);

		if (step_of(p, w) != SIZE_MAX)
			list[count++] = (struct dated){step_of(p, w), w};
	}
	qsort(list, count, sizeof(*list), by_step);
	*ret = list;
	*ret_count = count;
	return 0;
}

/* An agent made it of many while the server was away: what is in it is not of this step alone. */
static bool is_longer(const struct plotter *p, const struct window *w)
{
	return w->merged && w->end_ns - w->start_ns > p->out->step_ns;
}

static int plot(struct plotter *p)
{
	struct dated *list;
	size_t count, i = 0;
	int r = date_windows(p, &list, &count);

	while (!r && i < count) {
		size_t step = list[i].step;

		fold_reset(&p->core->step);
		for (; !r && i < count && list[i].step == step; i++) {
			r = fold_window(&p->core->step, list[i].window);
			p->out->merged[step] |= is_longer(p, list[i].window);
		}
		if (!r)
			r = plot_step(p, step);
		p->out->covered[step] = true;
	}
	return r;
}

static int draw(struct plotter *p)
{
	int r = set_steps(p);

	if (!r)
		r = set_counters(p);
	if (!r)
		r = plan(p);
	if (!r)
		r = choose_lines(p);
	if (!r)
		r = init_lines(p);
	if (!r)
		r = plot(p);
	if (r < 0)
		return r;
	return gather_completeness(p->core, &p->request->range, p->request->now_ns, p->arena,
				   &p->out->completeness);
}

int query_series(struct core *c, const struct query_series_request *request, struct arena *arena,
		 struct query_series *ret)
{
	struct query_series out = {0};
	struct plotter p = {.core = c, .request = request, .arena = arena, .out = &out};
	int r = edges_init(&p.edges, c, &request->group, arena);

	p.edges.only = request->edge;
	if (!r)
		r = draw(&p);
	edges_done(&p.edges);
	if (!r)
		*ret = out;
	return r;
}
