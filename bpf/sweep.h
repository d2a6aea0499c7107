/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sweep: once a window it visits live sockets and folds what moved since the last visit.
 *
 * It has only the sockets' addresses and takes no lock, so every field is read with
 * bpf_probe_read_kernel: memory that was freed meanwhile reads as something else, never faults.
 * What it read counts only if the slot's word could be moved (slot.h), which fails once the close
 * was there. A slot whose socket turns out to be another one, several visits in a row, is
 * abandoned.
 *
 * Cost: two cache lines for a socket without traffic; due less and less often while it has none.
 */
#pragma once

#include "life.h"

#define STRIKES_MAX 3

struct mr_sweep mr_sweep;

#define SK(field)  BPF_CORE_READ((const struct sock *)address, field)
#define TCP(field) BPF_CORE_READ((const struct tcp_sock *)address, field)

/* Moves one word up to `now` and returns how far. */
static __always_inline u64 word_advance(u64 *word, u64 seen, u64 now)
{
	u64 reported = seen & WORD_COUNT_MASK;

	if (now <= reported || now > WORD_COUNT_MASK)
		return 0;
	if (__sync_val_compare_and_swap(word, seen, (seen & ~WORD_COUNT_MASK) | now) != seen)
		return 0;
	return now - reported;
}

/* The word must be read before the counter: then the counter is never behind it. */
static __always_inline int word_seen(const u64 *word, u16 generation, u64 *ret)
{
	*ret = *(volatile const u64 *)word;
	barrier();
	return (u16)(*ret >> WORD_COUNT_BITS) == generation;
}

#define ADVANCE(slot_word, read)                                                                   \
	do {                                                                                       \
		if (word_seen(&s->word[slot_word], generation, &seen)) {                           \
			now = (read);                                                              \
			now = word_extend(seen & WORD_COUNT_MASK, now, slot_word);                 \
			f->delta[slot_word] = word_advance(&s->word[slot_word], seen, now);        \
		}                                                                                  \
	} while (0)

static __always_inline u64 live_sent(u64 address, const struct slot *s)
{
	struct mr_tcp t = {.phase = MR_PHASE_OPENED, .connected = s->key.role == MR_ROLE_CLIENT};

	t.bytes_acked = TCP(bytes_acked);
	barrier();
	t.state = SK(__sk_common.skc_state);
	return mr_tcp_acked(&t);
}

/* Between a FIN's arrival and its mark this may be one byte high; the close takes it back. */
static __always_inline u64 live_received(u64 address)
{
	u64 received = TCP(bytes_received);

	return received - (SK(__sk_common.skc_flags) >> SOCK_DONE_BIT & 1);
}

/* Only what chronographs have put away: the running one cannot be read without its lock. A socket
 * that has been busy all the time shows it when that changes, or at its close. */
static __always_inline u64 live_chrono(u64 address, u32 which)
{
	u32 stat[3];

	bpf_core_read(stat, sizeof(stat), &((const struct tcp_sock *)address)->chrono_stat);
	return which == 1 ? (u32)(stat[0] + stat[1] + stat[2]) : stat[which - 1];
}

static __always_inline void visit_fold(struct slot *s, u64 address, struct fold *f, u32 generation)
{
	u64 seen, now;

	if (word_seen(&s->word[WORD_PHASE], generation, &seen)) {
		u32 from = seen & WORD_COUNT_MASK, to = *(volatile u32 *)&s->phase;

		if (word_advance(&s->word[WORD_PHASE], seen, to))
			fold_phase(f, s, from, to);
	}
	ADVANCE(WORD_SEGMENTS_SENT, TCP(segs_out));
	ADVANCE(WORD_SEGMENTS_RECEIVED, TCP(segs_in));
	ADVANCE(WORD_RETRANSMITS, TCP(total_retrans));
	if (s->phase != MR_PHASE_OPENED)
		return;
	ADVANCE(WORD_SENT, live_sent(address, s));
	ADVANCE(WORD_RECEIVED, live_received(address));
	ADVANCE(WORD_RETRANSMITTED_BYTES, TCP(bytes_retrans));
	ADVANCE(WORD_BUSY, live_chrono(address, 1));
	ADVANCE(WORD_RECEIVE_WINDOW, live_chrono(address, 2));
	ADVANCE(WORD_SEND_BUFFER, live_chrono(address, 3));
	f->rtt_us = TCP(srtt_us) >> 3;
}

/* Something else is at this address: seen once it may be a close on another CPU, half done. */
static __always_inline int visit_stranger(struct slot *s, u32 number)
{
	if (++s->strikes < STRIKES_MAX)
		return 0;
	slot_abandon(s);
	slot_release(number);
	return 0;
}

static __always_inline int socket_is_slots(u64 address, const struct slot *s)
{
	u8 state = SK(__sk_common.skc_state);

	return state != MR_TCP_CLOSE && state != MR_TCP_LISTEN && state < 13 &&
	       SK(__sk_common.skc_dport) == bpf_htons(s->remote_port) &&
	       SK(sk_protocol) == IPPROTO_TCP;
}

static __always_inline void visit_due_later(struct slot *s)
{
	u32 wait = s->idle < 16 ? 1U << s->idle : 1U << 16;

	if (wait > mr_sweep.backoff_max)
		wait = mr_sweep.backoff_max;
	else
		s->idle++;
	s->due = mr_sweep.window + wait;
}

/* An ICMP error that came while connect() still ran lies here until the program asks for it, and is
 * gone before the program closes. */
static __always_inline void keep_soft_error(struct slot *s, u64 address)
{
	u16 error = SK(sk_err_soft);

	if (error)
		s->error = error;
}

__noinline int visit(u32 number, u64 address)
{
	struct slot *s = slot_at(number);
	struct mr_flow_key key;
	struct fold f = FOLD_NOTHING;
	u64 phase_word;
	u32 generation, segments;

	if (!s)
		return 0;
	mr_sweep.live++;
	phase_word = __sync_fetch_and_add(&s->word[WORD_PHASE], 0); /* a full barrier */
	generation = phase_word >> WORD_COUNT_BITS;
	if (!generation) /* being opened or closed right now */
		return 0;
	if (!mr_sweep.everything && (s32)(s->due - mr_sweep.window) > 0)
		return 0;
	mr_sweep.visited++;
	if (!socket_is_slots(address, s))
		return visit_stranger(s, number);
	s->strikes = 0;
	if (s->phase == MR_PHASE_ATTEMPTED)
		keep_soft_error(s, address);
	segments = TCP(segs_in) + TCP(segs_out);
	if (segments == s->segments && (u32)phase_word == s->phase) {
		visit_due_later(s);
		return 0;
	}
	key = s->key;
	f.slot = number;
	s->segments = segments;
	s->idle = 0;
	s->due = mr_sweep.window + 1;
	visit_fold(s, address, &f, generation);
	flow_fold(&key, &f);
	return 0;
}

static long visit_bucket(u32 i, void *unused)
{
	u32 number = (mr_sweep.first_bucket + i) & mr_buckets_mask;
	struct slot_bucket *b = bpf_map_lookup_elem(&mr_buckets, &number);

	if (!b || mr_sweep.visited >= mr_sweep.sockets_max)
		return 1;
	for (u32 k = 0; k < BUCKET_SLOTS; k++) {
		u64 owner = *(volatile u64 *)&b->owner[k];

		if (owner)
			visit(number * BUCKET_SLOTS + k, owner);
	}
	mr_sweep.next_bucket = number + 1;
	return 0;
}
