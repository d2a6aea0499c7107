/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Folding into flows: the only place that writes the flow maps.
 *
 * There are two maps; the one behind mr_active is written. The agent puts the other there, waits
 * for RCU, and drains the first: no program writes what is being drained. This needs every program
 * that folds to run inside one RCU read section, so none of them is sleepable.
 *
 * When mr_flows_max records are in the map, a new flow goes into a coarse one (cgroup and role);
 * when those are full too, into one record a role that the agent puts in before each window. So
 * bytes count, detail goes, and what went is counted.
 */
#pragma once

#include "flow.h"
#include "kernel.h"
#include "slot.h"

struct flow_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* the agent says how many */
	__type(key, struct mr_flow_key);
	__type(value, struct mr_flow_value);
};

struct flow_map mr_flows_a SEC(".maps");
struct flow_map mr_flows_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct flow_map);
} mr_active SEC(".maps") = {.values = {&mr_flows_a}};

const volatile __u32 mr_flows_max;
struct mr_totals mr_totals;

/* Where a new record begins. Read-only memory: too large for the stack. */
const struct mr_flow_value mr_flow_zero = {};

/* What one visit adds to a flow. */
struct fold {
	u64 delta[WORD_MAX]; /* of the slot's words; jiffies where they are times */
	u32 unacked;
	u32 rtt_us;     /* 0: no sample */
	u32 connect_us; /* 0: no sample */
	u8 attempted, opened, closed, adopted;
	u32 outcome; /* enum mr_counter; MR_COUNTER_COUNT: none */
	u32 synack_retransmits;
	u32 slot; /* whose process names a new record; SLOT_NONE: not known */
};

/* Rows of translated connections are one each until the agent has read them: it does so before
 * they fill the map. Only the one who fills half of it wakes the agent; what it says means nothing,
 * and is nothing on the stack, of which Linux 6.1 has no more to give. */
#define PRESSURE_RING_BYTES 4096

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PRESSURE_RING_BYTES);
} mr_pressure SEC(".maps");

static __always_inline void flow_came(const struct mr_flow_key *key)
{
	if (key->ephemeral && __sync_fetch_and_add(&mr_totals.translated_in, 1) == mr_flows_max / 2)
		bpf_ringbuf_output(&mr_pressure, (void *)&mr_flows_max, sizeof(mr_flows_max),
				   BPF_RB_FORCE_WAKEUP);
}

static __always_inline struct mr_flow_value *flow_insert(void *flows, struct mr_flow_key *key)
{
	struct mr_flow_value *v;

	if (!bpf_map_update_elem(flows, key, &mr_flow_zero, BPF_NOEXIST)) {
		__sync_fetch_and_add(&mr_totals.flows_in, 1);
		flow_came(key);
	}
	v = bpf_map_lookup_elem(flows, key); /* ours, or another CPU's that came first */
	return v;
}

/* The record of a flow, or of the finest coarse one that has room. Changes key to what it found. */
static __always_inline struct mr_flow_value *flow_get(struct mr_flow_key *key)
{
	u32 zero = 0;
	void *flows = bpf_map_lookup_elem(&mr_active, &zero);
	struct mr_flow_value *v;

	if (!flows)
		return NULL;
	v = bpf_map_lookup_elem(flows, key);
	if (v)
		return v;
	if (mr_totals.flows_in < mr_flows_max) {
		v = flow_insert(flows, key);
		if (v)
			return v;
	}
	__sync_fetch_and_add(&mr_totals.flows_full, 1);
	__builtin_memset(key->local, 0, sizeof(key->local));
	__builtin_memset(key->remote, 0, sizeof(key->remote));
	key->netns = key->netns_cookie = key->ephemeral = 0;
	key->tgid = 0;
	key->port = 0;
	key->coarse = 1;
	v = bpf_map_lookup_elem(flows, key);
	if (v)
		return v;
	v = flow_insert(flows, key);
	if (v)
		return v;
	__sync_fetch_and_add(&mr_totals.coarse_full, 1);
	key->cgroup = 0;
	return bpf_map_lookup_elem(flows, key);
}

static __always_inline void counter_add(struct mr_flow_value *v, u32 counter, u64 n)
{
	if (n && counter < MR_COUNTER_COUNT)
		__sync_fetch_and_add(&v->counter[counter], n);
}

static __always_inline void raise_to(u32 *cell, u32 value)
{
	for (int tries = 0; tries < 4; tries++) {
		u32 old = *(volatile u32 *)cell;

		if (old >= value || __sync_val_compare_and_swap(cell, old, value) == old)
			return;
	}
}

static __always_inline void histogram_fold(struct mr_histogram *h, u32 value)
{
	u32 bucket = mr_histogram_bucket(value);

	__sync_fetch_and_add(&h->sum, value);
	raise_to(&h->max, value);
	raise_to(&h->min_inverted, ~value);
	if (bucket < MR_HISTOGRAM_BUCKETS)
		__sync_fetch_and_add(&h->bucket[bucket], 1);
}

#define FOLD_NOTHING                                                                               \
	{                                                                                          \
		.outcome = MR_COUNTER_COUNT, .slot = SLOT_NONE                                     \
	}

/* Adds to a flow's record, or to a coarse one. Of a pair of counters the first is to the server:
 * what a client sends. Always 0. Not static, so that the verifier looks at it once. */
__noinline int flow_fold(const struct mr_flow_key *of, const struct fold *f)
{
	struct mr_flow_key key; /* Linux 6.1 takes keys only from a program's own stack */
	struct mr_flow_value *v;
	struct slot *s;
	u32 tx, rx;

	if (!of || !f)
		return 0;
	key = *of;
	tx = key.role == MR_ROLE_SERVER;
	rx = !tx;
	v = flow_get(&key);
	if (!v) {
		__sync_fetch_and_add(&mr_totals.dropped, 1);
		return 0;
	}
	s = slot_at(f->slot);
	if (s && !v->process_start_ns) {
		__builtin_memcpy(v->comm, s->comm, sizeof(v->comm));
		v->process_start_ns = s->process_start_ns;
	}
	counter_add(v, MR_ATTEMPTED, f->attempted);
	counter_add(v, MR_OPENED, f->opened);
	counter_add(v, MR_ADOPTED, f->adopted);
	counter_add(v, MR_CLOSED, f->closed);
	counter_add(v, MR_SYNACK_RETRANSMITS, f->synack_retransmits);
	counter_add(v, f->outcome, 1);
	if (f->adopted) {
		counter_add(v, MR_ADOPTED_BYTES_TO_SERVER + tx, f->delta[WORD_SENT]);
		counter_add(v, MR_ADOPTED_BYTES_TO_SERVER + rx, f->delta[WORD_RECEIVED]);
	} else {
		counter_add(v, MR_BYTES_TO_SERVER + tx, f->delta[WORD_SENT]);
		counter_add(v, MR_BYTES_TO_SERVER + rx, f->delta[WORD_RECEIVED]);
	}
	counter_add(v, MR_SEGMENTS_TO_SERVER + tx, f->delta[WORD_SEGMENTS_SENT]);
	counter_add(v, MR_SEGMENTS_TO_SERVER + rx, f->delta[WORD_SEGMENTS_RECEIVED]);
	counter_add(v, MR_RETRANSMITS_TO_SERVER + tx, f->delta[WORD_RETRANSMITS]);
	counter_add(v, MR_RETRANSMITTED_BYTES_TO_SERVER + tx, f->delta[WORD_RETRANSMITTED_BYTES]);
	counter_add(v, MR_UNACKED_TO_SERVER + tx, f->unacked);
	counter_add(v, MR_BUSY_TO_SERVER + tx, f->delta[WORD_BUSY]);
	counter_add(v, MR_RECEIVE_WINDOW_TO_SERVER + tx, f->delta[WORD_RECEIVE_WINDOW]);
	counter_add(v, MR_SEND_BUFFER_TO_SERVER + tx, f->delta[WORD_SEND_BUFFER]);
	if (f->rtt_us)
		histogram_fold(&v->rtt_us, f->rtt_us);
	if (f->connect_us)
		histogram_fold(&v->connect_us, f->connect_us);
	return 0;
}
