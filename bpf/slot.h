/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * State per live connection: a fixed array of slots.
 *
 *     socket address ─ hash ─► bucket of 7 owners (one cache line) ─► slot of the same number
 *
 * Who writes a slot's owner from 0 to its socket by compare-and-swap has the slot; the same
 * socket's close gives it back. There is no lock and no allocation. A socket is found in its home
 * bucket, and in the next ones only while the home bucket has displaced somebody.
 *
 * The sweep and a close may meet on one slot from two CPUs. A slot is in one pair of hands at a
 * time, and its state says whose; nobody waits:
 *
 *     FREE ─ opener publishes ─► LIVE ─ close takes it ─► FREE
 *                                │  ▲
 *                 sweep takes it ▼  │ sweep gives it back
 *                               SWEPT ─ close leaves its final counters and goes ─► HANDED
 *                                                        the sweep, done, finds that and folds them
 *
 * So each byte is reported once, by whoever held the slot. What the sweep has read while the close
 * came is thrown away: the socket may be another one by then.
 *
 * Invariants: a FREE slot's contents mean nothing. reported[] and key mean something only after a
 * sweep (swept), so a connection shorter than a window touches one cache line of its slot. There is
 * one sweep at a time, so one place for handing over.
 * Limit: a connection that finds no free slot in BUCKET_PROBES buckets has none; it is folded whole
 * when it closes.
 */
#pragma once

#include "address.h"
#include "flow.h"
#include "kernel.h"

#define SLOT_NONE     (~0U)
#define BUCKET_SLOTS  7
#define BUCKET_PROBES 4

enum slot_state {
	SLOT_FREE,
	SLOT_LIVE,
	SLOT_SWEPT,
	SLOT_HANDED,
};

enum slot_word {
	WORD_SENT,
	WORD_RECEIVED,
	WORD_RETRANSMITTED_BYTES,
	WORD_SEGMENTS_SENT, /* this and the following: u32 in the kernel, may wrap */
	WORD_SEGMENTS_RECEIVED,
	WORD_RETRANSMITS,
	WORD_BUSY,
	WORD_RECEIVE_WINDOW,
	WORD_SEND_BUFFER,
	WORD_MAX,
};

struct slot_bucket {
	u64 owner[BUCKET_SLOTS]; /* address of the socket; 0: free */
	u32 displaced;           /* sockets that belong here and found it full */
	u32 due;                 /* window of the first visit that one of its slots needs */
};

struct slot {
	u32 state;      /* enum slot_state */
	u32 phase;      /* enum mr_phase, as far as it got */
	u64 connect_ns; /* CLOCK_MONOTONIC; 0: not seen */
	u64 process_start_ns;
	char comm[16];
	u32 tgid;
	u32 connect_us; /* 0: not known */
	u32 due;        /* window of the next visit */
	u16 remote_port;
	u16 error; /* reported while connecting, before the program took it away */
	u8 role;
	u8 reported_phase;
	u8 swept;   /* reported[] and key are filled */
	u8 idle;    /* visits without traffic, in a row */
	u8 strikes; /* visits that found something else at the socket's address */
	u8 adopted;
	u8 pad[2];
	u64 reported[WORD_MAX];
	struct mr_flow_key key;
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

static __always_inline u32 bucket_home(u64 owner)
{
	return (owner >> 6) * 0x9e3779b97f4a7c15ULL >> 32 & mr_buckets_mask;
}

static __always_inline struct slot_bucket *bucket_at(u32 number)
{
	return bpf_map_lookup_elem(&mr_buckets, &number);
}

/* A slot's number: so that both parts come out without a division, which the verifier does not
 * follow. */
static __always_inline u32 slot_number(u32 bucket, u32 cell)
{
	return bucket << 3 | cell;
}

static __always_inline struct slot *slot_at(u32 number)
{
	u32 index = (number >> 3) * BUCKET_SLOTS + (number & 7);

	return bpf_map_lookup_elem(&mr_slots, &index);
}

static __always_inline struct slot_bucket *bucket_of(u32 number)
{
	return bucket_at(number >> 3);
}

/* Of bucket_of(number). */
static __always_inline u64 *owner_of(struct slot_bucket *b, u32 number)
{
	return &b->owner[number & 7];
}

/* A free cell for owner; its slot's number, or SLOT_NONE. Not static, like the next, so that the
 * verifier looks at it once and not at each call. */
__noinline u32 slot_claim(u64 owner)
{
	u32 home = bucket_home(owner);

	for (u32 probe = 0; probe < BUCKET_PROBES; probe++) {
		u32 number = (home + probe) & mr_buckets_mask;
		struct slot_bucket *b = bucket_at(number), *at_home;

		if (!b)
			break;
		for (u32 i = 0; i < BUCKET_SLOTS; i++) {
			if (b->owner[i] || __sync_val_compare_and_swap(&b->owner[i], 0, owner))
				continue;
			b->due = 0; /* after the owner: see visit_bucket() */
			if (probe && (at_home = bucket_at(home)))
				__sync_fetch_and_add(&at_home->displaced, 1);
			return slot_number(number, i);
		}
	}
	return SLOT_NONE;
}

/* The number of the slot that owner has, or SLOT_NONE. */
__noinline u32 slot_seek(u64 owner)
{
	u32 home = bucket_home(owner), displaced = 1;

	for (u32 probe = 0; probe < BUCKET_PROBES && displaced; probe++) {
		u32 number = (home + probe) & mr_buckets_mask;
		struct slot_bucket *b = bucket_at(number);

		if (!b)
			break;
		for (u32 i = 0; i < BUCKET_SLOTS; i++)
			if (b->owner[i] == owner)
				return slot_number(number, i);
		if (!probe)
			displaced = b->displaced;
	}
	return SLOT_NONE;
}

/* A slot that was handed over, or is just being opened or given back, is nobody's. */
static __always_inline int slot_is_held(const struct slot *s)
{
	u32 state = *(volatile const u32 *)&s->state;

	return state == SLOT_LIVE || state == SLOT_SWEPT;
}

static __always_inline struct slot *slot_find(const void *sk, u32 *ret_number)
{
	struct slot *s;

	*ret_number = slot_seek(address_of(sk));
	if (*ret_number == SLOT_NONE)
		return NULL;
	s = slot_at(*ret_number);
	return s && slot_is_held(s) ? s : NULL;
}

/* Moves a slot from one pair of hands to another; 0: it was not in these. */
static __always_inline int slot_move(struct slot *s, u32 from, u32 to)
{
	return __sync_val_compare_and_swap(&s->state, from, to) == from;
}

/* The caller has moved it to FREE. */
static __always_inline void slot_release(u32 number)
{
	struct slot_bucket *b = bucket_of(number), *at_home;
	u32 home;

	if (!b)
		return;
	home = bucket_home(__sync_lock_test_and_set(owner_of(b, number), 0));
	if (home != number >> 3 && (at_home = bucket_at(home)))
		__sync_fetch_and_add(&at_home->displaced, -1);
}

/* How far `now` is ahead of what was reported, of a counter that may wrap at 32 bit or not. */
static __always_inline u64 word_since(u64 reported, u64 now, int word)
{
	return word >= WORD_SEGMENTS_SENT ? (u32)((u32)now - (u32)reported) : now - reported;
}
