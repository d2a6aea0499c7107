/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * State per live connection: a fixed array of slots.
 *
 *     socket address ─ hash ─► bucket of 8 owners (one cache line) ─► slot of the same number
 *
 * Who writes a slot's owner from 0 to its socket by compare-and-swap has the slot; the same
 * socket's close gives it back. There is no lock and no allocation.
 *
 * The sweep and a close may meet on one slot from two CPUs. What has been reported of each counter
 * is one word, {generation:16, count:48}:
 *   - the sweep reads the word, then the counter, and moves the word up by compare-and-swap; it may
 *     report the difference only if that succeeds;
 *   - the close exchanges the word for 0 and reports what is missing to the final count.
 * So each byte is reported by whoever moved the word over it, once. The generation changes with
 * every new owner and is never 0, so a sweep that was overtaken by a close and an open fails its
 * swap.
 *
 * Invariants: words of a free slot are 0. An opener writes everything else before the words, and
 * WORD_PHASE last; a reader looks at WORD_PHASE first.
 * Limit: a connection that finds no free slot in BUCKET_PROBES buckets has none; it is folded whole
 * when it closes.
 */
#pragma once

#include "address.h"
#include "flow.h"
#include "kernel.h"

#define SLOT_NONE     (~0U)
#define BUCKET_SLOTS  8
#define BUCKET_PROBES 4

#define WORD_COUNT_BITS 48
#define WORD_COUNT_MASK ((1ULL << WORD_COUNT_BITS) - 1)

enum slot_word {
	WORD_PHASE, /* enum mr_phase: attempted and opened are counted when it moves */
	WORD_SENT,
	WORD_RECEIVED,
	WORD_SEGMENTS_SENT, /* this and the following: u32 in the kernel, may wrap */
	WORD_SEGMENTS_RECEIVED,
	WORD_RETRANSMITS,
	WORD_BUSY,
	WORD_RECEIVE_WINDOW,
	WORD_SEND_BUFFER,
	WORD_RETRANSMITTED_BYTES, /* u64 */
	WORD_MAX,
};

struct slot_bucket {
	u64 owner[BUCKET_SLOTS]; /* address of the socket; 0: free */
};

struct slot {
	u64 word[WORD_MAX];
	struct mr_flow_key key;
	u64 process_start_ns;
	char comm[16];
	u64 connect_ns; /* CLOCK_MONOTONIC; 0: not seen */
	u32 connect_us; /* 0: not known */
	u32 phase;      /* enum mr_phase, as far as it got */
	u32 segments;   /* sent + received when the sweep last saw traffic */
	u32 due;        /* window of the next visit */
	u16 generation; /* only ever grows, over all owners */
	u16 local_port, remote_port;
	u16 error;  /* reported while connecting, before the program took it away */
	u8 idle;    /* visits without traffic, in a row */
	u8 strikes; /* visits that found something else at the socket's address */
	u8 adopted;
	u8 pad[5];
};

const volatile __u32 mr_buckets_mask; /* number of buckets - 1, a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct slot_bucket);
} mr_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUCKET_SLOTS);
	__type(key, u32);
	__type(value, struct slot);
} mr_slots SEC(".maps");

static __always_inline u32 bucket_first(u64 owner)
{
	return (owner >> 6) * 0x9e3779b97f4a7c15ULL >> 32 & mr_buckets_mask;
}

static __always_inline struct slot *slot_at(u32 number)
{
	return bpf_map_lookup_elem(&mr_slots, &number);
}

/* The owner cell that holds `from`, changed to `to` if they differ; its number, or ~0. Not static,
 * so that the verifier looks at it once and not at each call. */
__noinline u32 owner_seek(u64 owner, u64 from, u64 to)
{
	u32 first = bucket_first(owner);

	for (u32 probe = 0; probe < BUCKET_PROBES; probe++) {
		u32 number = (first + probe) & mr_buckets_mask;
		struct slot_bucket *b = bpf_map_lookup_elem(&mr_buckets, &number);

		if (!b)
			break;
		for (u32 i = 0; i < BUCKET_SLOTS; i++) {
			if (b->owner[i] != from)
				continue;
			if (from == to ||
			    __sync_val_compare_and_swap(&b->owner[i], from, to) == from)
				return number * BUCKET_SLOTS + i;
		}
	}
	return SLOT_NONE;
}

static __always_inline struct slot *slot_find(const void *sk, u32 *ret_number)
{
	u64 owner = address_of(sk);

	*ret_number = owner_seek(owner, owner, owner);
	return *ret_number == SLOT_NONE ? NULL : slot_at(*ret_number);
}

static __always_inline struct slot *slot_claim(const void *sk, u32 *ret_number)
{
	u64 owner = address_of(sk);

	*ret_number = owner_seek(owner, 0, owner);
	return *ret_number == SLOT_NONE ? NULL : slot_at(*ret_number);
}

/* The caller has exchanged all words for 0. */
static __always_inline void slot_release(u32 number)
{
	u32 bucket = number / BUCKET_SLOTS;
	struct slot_bucket *b = bpf_map_lookup_elem(&mr_buckets, &bucket);

	if (b)
		__sync_lock_test_and_set(&b->owner[number % BUCKET_SLOTS], 0);
}

static __always_inline u64 word_make(u16 generation, u64 count)
{
	return (u64)generation << WORD_COUNT_BITS | (count & WORD_COUNT_MASK);
}

/* Gives the slot to its new owner: everything else is written, base[] is what counts as reported.
 */
static __always_inline void slot_publish(struct slot *s, const u64 base[WORD_MAX])
{
	u16 generation = s->generation + 1;

	if (!generation)
		generation = 1;
	s->generation = generation;
	for (int i = WORD_MAX - 1; i > WORD_PHASE; i--)
		s->word[i] = word_make(generation, base[i]);
	__sync_lock_test_and_set(&s->word[WORD_PHASE], word_make(generation, base[WORD_PHASE]));
}

/*
 * How much `now` is ahead of what was reported. Counters that wrap at 32 bit are extended to the
 * reported count's neighbourhood first.
 */
static __always_inline u64 word_extend(u64 reported, u64 now, int word)
{
	if (word >= WORD_SEGMENTS_SENT && word <= WORD_SEND_BUFFER)
		return reported + (u32)((u32)now - (u32)reported);
	return now;
}
