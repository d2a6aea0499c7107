/* SPDX-License-Identifier: Apache-2.0 */
/* query_agents: how the agents and the server itself are, what they cost and what they lost. */
#include <errno.h>
#include <string.h>

#include "server/gather.h"

#define RECENT_NS (UINT64_C(60) * 1000000000)

static void fill_cost(const struct reporter *r, struct query_agent *a)
{
	const struct wire_status *s = &r->status;

	reporter_cpu(r, &a->cpu_cores, &a->kernel_cpu_cores);
	a->cpus = s->cpus;
	a->cpu_share = (a->cpu_cores + a->kernel_cpu_cores) / (s->cpus ? s->cpus : 1);
	a->cpu_budget_percent = s->cpu_budget_percent;
	a->agent_cpu_ns = s->agent_cpu_ns;
	a->kernel_cpu_ns = s->kernel_cpu_ns;
	a->sweep_ns = s->sweep_ns;
	a->sweep_sockets = s->sweep_sockets;
}

static int fill_texts(const struct reporter *r, struct arena *arena, struct query_agent *a)
{
	a->node = arena_strdup(arena, r->node);
	a->boot_id = arena_strdup(arena, r->boot_id);
	a->version = arena_strdup(arena, r->version);
	a->kernel = arena_strdup(arena, r->kernel);
	a->hooks = arena_strdup(arena, r->hooks);
	a->zone = arena_strdup(arena, r->zone);
	a->region = arena_strdup(arena, r->region);
	a->coverage = arena_strdup(arena, r->cgroup);
	if (!a->zone || !a->region || !a->coverage)
		return -ENOMEM;
	return a->node && a->boot_id && a->version && a->kernel && a->hooks ? 0 : -ENOMEM;
}

static int fill_agent(const struct reporter *r, uint64_t now_ns, struct arena *arena,
		      struct query_agent *a)
{
	static const char *const status[] = {[COVERAGE_REPORTING] = "reporting",
					     [COVERAGE_SILENT] = "silent",
					     [COVERAGE_GONE] = "gone"};
	enum coverage_tail tail = reporter_tail(r, now_ns);
	int e;

	*a = (struct query_agent){
		.reporting = tail == COVERAGE_REPORTING,
		.status = status[tail],
		.silent_since_ns = tail == COVERAGE_REPORTING ? 0 : r->last_seen_wall_ns,
		.newest_ns = r->last_window_wall_ns,
		.started_ns = r->started_wall_ns,
		.last_seen_ns = r->last_seen_wall_ns,
		.batches = r->batches,
		.sequence = r->sequence,
		.window_s = (double)r->window_ns / 1e9,
		.window_wanted_s = (double)r->status.window_wanted_ns / 1e9,
		.sockets = r->status.sockets,
		.slots = r->status.slots,
		.flows_max = r->status.flows_max,
		.listeners = r->status.listeners,
		.process_records = r->status.process_records,
		.foreign_drops = r->status.foreign_drops,
		.netns_count = r->netns_count,
	};
	fill_cost(r, a);
	e = fill_texts(r, arena, a);
	if (!e)
		e = gather_losses(r->loss, 0, WIRE_LOSS_COUNT, true, arena, &a->losses,
				  &a->loss_count);
	if (e < 0)
		return e;
	a->netns = arena_alloc(arena, (r->netns_count + 1) * sizeof(*a->netns));
	if (!a->netns)
		return -ENOMEM;
	if (r->netns_count)
		memcpy(a->netns, r->netns, r->netns_count * sizeof(*a->netns));
	return 0;
}

static void fill_server(const struct core *c, struct query_agents *out)
{
	uint64_t oldest = history_oldest_ns(&c->history);

	out->flows = flow_table_count(&c->flows);
	out->flows_max = c->config.flows_max;
	out->actors = c->actors.count;
	out->actors_max = c->config.actors_max;
	out->windows = (uint32_t)history_count(&c->history);
	out->history_bytes = c->history.bytes;
	out->history_bytes_max = c->config.history_bytes_max;
	out->history_from_ns = oldest == UINT64_MAX ? 0 : oldest;
}

int query_agents(struct core *c, uint64_t now_ns, struct arena *arena, struct query_agents *ret)
{
	const struct query_range recent = {now_ns > RECENT_NS ? now_ns - RECENT_NS : 0, now_ns};
	struct query_agents out = {0};
	int r = gather(c, &recent, now_ns);

	if (!r)
		r = gather_completeness(c, &recent, now_ns, arena, &out.completeness);
	if (!r)
		r = gather_losses(c->loss, LOSS_OF_AGENTS + 1, LOSS_COUNT, true, arena,
				  &out.server_losses, &out.server_loss_count);
	if (r < 0)
		return r;
	out.agents = arena_alloc(arena, (c->reporter_count + 1) * sizeof(*out.agents));
	if (!out.agents)
		return -ENOMEM;
	for (uint32_t i = 0; !r && i < c->reporter_count; i++)
		if (!c->reporters[i].vacant)
			r = fill_agent(&c->reporters[i], now_ns, arena,
				       &out.agents[out.agent_count++]);
	fill_server(c, &out);
	if (!r)
		*ret = out;
	return r;
}
