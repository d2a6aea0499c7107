/* SPDX-License-Identifier: Apache-2.0 */
/* See reporter.h. */
#include "server/reporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/text.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define SILENCE_NS    (5 * NS_PER_SECOND)

void reporter_done(struct reporter *r)
{
	free(r->netns);
	free(r->homes);
	coverage_done(&r->coverage);
	hashindex_done(&r->actors);
	hashindex_done(&r->flows);
}

bool reporter_describe(struct reporter *r, const struct wire_batch *b)
{
	bool changed = text_clean(r->boot_id, sizeof(r->boot_id), b->boot_id);

	changed |= text_clean(r->node, sizeof(r->node), b->node);
	changed |= text_clean(r->version, sizeof(r->version), b->version);
	changed |= text_clean(r->kernel, sizeof(r->kernel), b->kernel);
	changed |= text_clean(r->zone, sizeof(r->zone), b->zone);
	changed |= text_clean(r->region, sizeof(r->region), b->region);
	changed |= text_clean(r->cgroup, sizeof(r->cgroup), b->cgroup);
	changed |= text_clean(r->hooks, sizeof(r->hooks), b->status.hooks);
	return changed;
}

static const struct cost_sample *newest_sample(const struct reporter *r)
{
	return &r->samples[(r->sample_next + REPORTER_SAMPLES - 1) % REPORTER_SAMPLES];
}

/* At most one a second, so that the ring spans a minute whatever the window. */
static void take_sample(struct reporter *r, const struct wire_batch *b)
{
	if (r->sample_count && b->sent_ns - newest_sample(r)->at_ns < NS_PER_SECOND)
		return;
	r->samples[r->sample_next] =
		(struct cost_sample){b->sent_ns, b->status.agent_cpu_ns, b->status.kernel_cpu_ns};
	r->sample_next = (r->sample_next + 1) % REPORTER_SAMPLES;
	if (r->sample_count < REPORTER_SAMPLES)
		r->sample_count++;
}

static int take_netns(struct reporter *r, const struct wire_batch *b)
{
	size_t count = b->netns_count < REPORTER_NETNS_MAX ? b->netns_count : REPORTER_NETNS_MAX;
	struct wire_netns *netns;

	if (count > r->netns_count) {
		netns = realloc(r->netns, count * sizeof(*netns));
		if (!netns)
			return -ENOMEM;
		r->netns = netns;
	}
	if (count)
		memcpy(r->netns, b->netns, count * sizeof(*r->netns));
	r->netns_count = count;
	return 0;
}

int reporter_take_status(struct reporter *r, const struct wire_batch *b,
			 uint64_t ret_loss[WIRE_LOSS_COUNT])
{
	for (unsigned int i = 0; i < WIRE_LOSS_COUNT; i++) {
		ret_loss[i] =
			b->loss[i] > r->loss[i] && !r->loss_unknown ? b->loss[i] - r->loss[i] : 0;
		r->loss[i] = b->loss[i];
	}
	r->loss_unknown = false;
	r->status = b->status;
	r->status.hooks = NULL;
	r->window_ns = b->window_end_ns - b->window_start_ns;
	take_sample(r, b);
	return take_netns(r, b);
}

void reporter_cpu(const struct reporter *r, double *ret_agent, double *ret_kernel)
{
	const struct cost_sample *newest = newest_sample(r), *oldest;
	double span;

	*ret_agent = *ret_kernel = 0;
	if (r->sample_count < 2)
		return;
	oldest = &r->samples[(r->sample_next + REPORTER_SAMPLES - r->sample_count) %
			     REPORTER_SAMPLES];
	span = (double)(newest->at_ns - oldest->at_ns);
	if (newest->agent_cpu_ns >= oldest->agent_cpu_ns)
		*ret_agent = (double)(newest->agent_cpu_ns - oldest->agent_cpu_ns) / span;
	if (newest->kernel_cpu_ns >= oldest->kernel_cpu_ns)
		*ret_kernel = (double)(newest->kernel_cpu_ns - oldest->kernel_cpu_ns) / span;
}

/* What it asked for, and not how long the last one was: that may be an hour made of many. */
static uint64_t patience(const struct reporter *r)
{
	uint64_t window = r->status.window_ns ? r->status.window_ns : r->window_ns;

	return 3 * window > SILENCE_NS ? 3 * window : SILENCE_NS;
}

enum coverage_tail reporter_tail(const struct reporter *r, uint64_t now_ns)
{
	uint64_t silent_ns = r->last_seen_wall_ns + patience(r);

	if (now_ns < silent_ns)
		return COVERAGE_REPORTING;
	return now_ns < silent_ns + REPORTER_GONE_NS ? COVERAGE_SILENT : COVERAGE_GONE;
}

bool reporter_is_reporting(const struct reporter *r, uint64_t now_ns)
{
	return reporter_tail(r, now_ns) == COVERAGE_REPORTING;
}

uint32_t reporter_find(const struct hashindex *handles, uint32_t handle)
{
	uint32_t place;

	return hashindex_get(handles, hashindex_hash_u32(handle), &place) ? place : UINT32_MAX;
}
