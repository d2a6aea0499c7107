/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the hooks cost: all runs are counted, one in 64 is timed. Per CPU, so nothing is shared.
 */
#pragma once

#include "flow.h"
#include "kernel.h"

#define COST_SAMPLE_EVERY 64

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct mr_cost);
} mr_costs SEC(".maps");

struct cost_sample {
	struct mr_cost *cost;
	u64 begin_ns; /* 0: not timed */
};

static __always_inline void cost_begin(struct cost_sample *sample)
{
	u32 zero = 0;

	sample->begin_ns = 0;
	sample->cost = bpf_map_lookup_elem(&mr_costs, &zero);
	if (sample->cost && ++sample->cost->events % COST_SAMPLE_EVERY == 0)
		sample->begin_ns = bpf_ktime_get_ns();
}

static __always_inline void cost_end(struct cost_sample *sample)
{
	if (!sample->begin_ns || !sample->cost)
		return;
	sample->cost->sampled_ns += bpf_ktime_get_ns() - sample->begin_ns;
	sample->cost->sampled_events++;
}
