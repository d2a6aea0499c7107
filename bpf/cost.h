/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the hooks cost: one run in 64 is timed, and stands for the others. Which one is left to a
 * number that the kernel has made at random anyway, so that the other 63 count nothing: even a
 * per-CPU counter would be a fifteenth of what they do.
 */
#pragma once

#include "flow.h"
#include "kernel.h"

/* Per CPU, so nothing is shared. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct mr_cost);
} mr_costs SEC(".maps");

/* 0: this run is not timed. */
static __always_inline u64 cost_begin(u32 random)
{
	return random % MR_COST_SAMPLE_EVERY ? 0 : bpf_ktime_get_ns();
}

static __always_inline void cost_end(u64 begin_ns)
{
	struct mr_cost *cost;
	u32 zero = 0;

	if (!begin_ns)
		return;
	cost = bpf_map_lookup_elem(&mr_costs, &zero);
	if (!cost)
		return;
	cost->sampled_ns += bpf_ktime_get_ns() - begin_ns;
	cost->sampled_events++;
}
