/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * State per live connection: a fixed array of slots, a cache line each.
 *
 *     socket address / 2 KiB ─► home slot; if that was taken the next ones, then some by hash
 *
 * Sockets lie side by side in the kernel's slabs, 2 KiB and a bit each, and so do their slots: few
 * pages and few regions are in use, whatever the size of the table.
 *
 * A slot's owner is one word: the socket's address, and in its low bits in whose hands the slot is.
 * It moves by compare-and-swap; there is no lock, no allocation, and nobody waits:
 *
 *     0 ─ opener claims ─► BUSY ─ has written all ─► LIVE ─ close takes it ─► BUSY ─ folds ─► 0
 *                                                    │  ▲
 *                                     sweep takes it ▼  │ sweep gives it back
 *                                                   SWEPT ─ close leaves its final counters ─►
 * HANDED ─ the sweep finds them and folds ─► 0
 *
 * So each byte is reported once, by whoever held the slot. What the sweep has read while the close
 * came is thrown away: the socket may be another one by then.
 *
 * A connection shorter than a window touches one cache line: what was reported of each counter lies
 * in another array, which only the sweep writes.
 *
 * The sweep looks at a region of 16 slots when one of them is due. Who comes or goes makes its
 * region due, by a write only if it is not: most find it so.
 *
 * Limit: a connection that finds no free slot in SLOT_PROBES has none; it is folded whole when it
 * closes.
 */
#pragma once

#include "account.h"
#include "address.h"
#include "flow.h"
#include "kernel.h"

#define SLOT_NONE    (~0U)
#define HOME_SHIFT   11
#define HOME_PROBES  4
#define SLOT_PROBES  36
#define REGION_SHIFT 4
#define REGION_SLOTS (1U << REGION_SHIFT)

enum slot_hands { /* of an owner; socket addresses are multiples of 8 */
		  SLOT_BUSY = 1,
		  SLOT_LIVE,
		  SLOT_SWEPT,
		  SLOT_HANDED,
		  SLOT_HANDS_MASK = 7,
};

/* Once it is open, connect is: this, 31 bits of µs that took (0: not known), 32 bits of jiffies
 * when.
 */
#define CONNECT_OPENED (1ULL << 63)
#define CONNECT_US_MAX 0x7fffffffU

struct slot {
	u64 owner;
	u64 connect; /* CLOCK_MONOTONIC when connect() was called, 0: not seen; see CONNECT_OPENED
		      */
	u64 process_start_ns;
	char comm[16];
	u32 tgid;
	u32 displaced; /* sockets at home here that found it taken */
	u32 due;       /* window of the next visit */
	u16 remote_port;
	u16 error; /* reported while connecting, before the program took it away */
	u8 role;
	u8 adopted;
	u8 swept; /* there is a report: the sweep's, or the base line of adoption */
	u8 reported_phase;
	u8 idle;     /* visits without traffic, in a row */
	u8 strikes;  /* visits that found something else at the socket's address */
	u8 handover; /* when HANDED: where its final counters lie */
	u8 pad;
};

enum report_word {
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

/* What was reported of a connection, and of which flow. Means something once the slot is swept. */
struct report {
	u64 word[WORD_MAX];
	struct mr_flow_key key;
};

struct region {
	u32 due;  /* window of the first visit that one of its slots needs; 0: now */
	u32 live; /* slots with an owner, when the sweep last looked */
};

const volatile __u32 mr_slots_mask; /* number of slots - 1, a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* aligns slots to cache lines */
	__uint(max_entries, REGION_SLOTS);
	__type(key, u32);
	__type(value, struct slot);
} mr_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, REGION_SLOTS);
	__type(key, u32);
	__type(value, struct report);
} mr_reports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct region);
} mr_regions SEC(".maps");

/* Where a socket's slot is looked for: at home first. */
static __always_inline u32 slot_probe(u64 address, u32 probe)
{
	u32 from = address >> HOME_SHIFT;

	if (probe >= HOME_PROBES)
		from = (address >> 6) * 0x9e3779b97f4a7c15ULL >> 32;
	return (from + probe) & mr_slots_mask;
}

static __always_inline struct slot *slot_at(u32 number)
{
	return bpf_map_lookup_elem(&mr_slots, &number);
}

static __always_inline struct report *report_at(u32 number)
{
	return bpf_map_lookup_elem(&mr_reports, &number);
}

static __always_inline struct region *region_at(u32 number)
{
	return bpf_map_lookup_elem(&mr_regions, &number);
}

/* How far it got. */
static __always_inline u32 slot_phase(const struct slot *s)
{
	return *(volatile const u64 *)&s->connect & CONNECT_OPENED ? MR_PHASE_OPENED
								   : MR_PHASE_ATTEMPTED;
}

static __always_inline u64 connect_opened(u64 us)
{
	return CONNECT_OPENED | (us < CONNECT_US_MAX ? us : CONNECT_US_MAX) << 32 |
	       (u32)bpf_jiffies64();
}

static __always_inline u32 connect_us(u64 connect)
{
	return connect >> 32 & CONNECT_US_MAX;
}

static __always_inline u64 owner_of(const struct slot *s)
{
	return *(volatile const u64 *)&s->owner;
}

static __always_inline u64 owner_address(u64 owner)
{
	return owner & ~(u64)SLOT_HANDS_MASK;
}

static __always_inline int owner_swap(struct slot *s, u64 from, u64 to)
{
	return __sync_val_compare_and_swap(&s->owner, from, to) == from;
}

/* Moves an owned slot into other hands; 0: it was not in these. */
static __always_inline int slot_move(struct slot *s, u64 address, u64 from, u64 to)
{
	return owner_swap(s, address | from, address | to);
}

/* The sweep shall look: somebody came or went. After the owner was written, see region_sweep(). */
static __always_inline void region_touch(u32 slot_number)
{
	struct region *r = region_at(slot_number >> REGION_SHIFT);

	if (r && *(volatile u32 *)&r->due)
		r->due = 0;
}

/* A free slot for a socket that has none, BUSY; its number, or SLOT_NONE. Not static, like the
 * next, so that the verifier looks at it once and not at each call. */
__noinline u32 slot_claim(u64 address)
{
	struct slot *at_home = slot_at(slot_probe(address, 0)), *s;

	for (u32 probe = 0; probe < SLOT_PROBES && at_home; probe++) {
		u32 number = slot_probe(address, probe);

		s = slot_at(number);
		if (!s || s->owner || !owner_swap(s, 0, address | SLOT_BUSY))
			continue;
		if (probe)
			__sync_fetch_and_add(&at_home->displaced, 1);
		return number;
	}
	return SLOT_NONE;
}

/* The number of the slot that a socket has, in whosever hands, or SLOT_NONE. */
__noinline u32 slot_seek(u64 address)
{
	u32 displaced = 0;

	for (u32 probe = 0; probe < SLOT_PROBES; probe++) {
		u32 number = slot_probe(address, probe);
		struct slot *s = slot_at(number);

		if (!s)
			break;
		if (owner_address(s->owner) == address)
			return number;
		if (!probe)
			displaced = s->displaced;
		if (!displaced)
			break;
	}
	return SLOT_NONE;
}

/*
 * A socket's home slot from one pair of hands to another (0: nobody's) at one go, without a look
 * first: who opens or ends a connection mostly finds the cache line on another CPU, and so fetches
 * it once and not twice. NULL: it is not there in these hands, or others of this home are
 * displaced.
 */
static __always_inline struct slot *slot_home_move(u64 from, u64 to, u32 *ret_number)
{
	u32 number = slot_probe(owner_address(from | to), 0);
	struct slot *s = slot_at(number);

	*ret_number = number;
	return s && owner_swap(s, from, to) ? s : NULL;
}

/* One that somebody else opens, ends or was handed is not the socket's to use. */
static __always_inline int slot_is_held(const struct slot *s)
{
	u64 hands = owner_of(s) & SLOT_HANDS_MASK;

	return hands == SLOT_LIVE || hands == SLOT_SWEPT;
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

/* Everything is written: from now on the sweep may see it. */
static __always_inline void slot_publish(struct slot *s, u32 number, u64 address)
{
	__sync_lock_test_and_set(&s->owner, address | SLOT_LIVE);
	region_touch(number);
}

/* The slot is in the caller's hands alone. */
static __always_inline void slot_release(struct slot *s, u32 number)
{
	u64 address = owner_address(__sync_lock_test_and_set(&s->owner, 0));
	u32 home = slot_probe(address, 0);
	struct slot *at_home = home == number ? NULL : slot_at(home);

	if (at_home)
		__sync_fetch_and_add(&at_home->displaced, -1);
	region_touch(number);
}

/* How far `now` is ahead of what was reported, of a counter that may wrap at 32 bit or not. */
static __always_inline u64 word_since(u64 reported, u64 now, int word)
{
	return word >= WORD_SEGMENTS_SENT ? (u32)((u32)now - (u32)reported) : now - reported;
}
