/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sweep: once a window it visits live sockets and folds what moved since the last visit.
 *
 * It has only the sockets' addresses and takes no lock, so every field is read with
 * bpf_probe_read_kernel: memory that was freed meanwhile reads as something else, never faults.
 * What it read counts only if no close came while it had the slot (slot.h). A slot whose socket
 * turns out to be another one, several visits in a row, is abandoned.
 *
 * Cost: a region where nobody is due costs eight bytes. A socket without traffic costs two cache
 * lines, and is due less and less often while it has none.
 */
#pragma once

#include "life.h"

#define STRIKES_MAX 3
#define DUE_NEVER   (1U << 30) /* windows */

struct mr_sweep mr_sweep;

#define SK(...)     BPF_CORE_READ((const struct sock *)address, __VA_ARGS__)
#define INET(field) BPF_CORE_READ((const struct inet_sock *)address, field)
#define TCP(field)  BPF_CORE_READ((const struct tcp_sock *)address, field)

static __always_inline u64 live_sent(u64 address, const struct slot *s)
{
	struct mr_tcp t = {.phase = MR_PHASE_OPENED, .connected = s->role == MR_ROLE_CLIENT};

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
static __always_inline void live_chronos(u64 address, u64 now[WORD_MAX])
{
	u32 stat[3];

	bpf_core_read(stat, sizeof(stat), &((const struct tcp_sock *)address)->chrono_stat);
	now[WORD_BUSY] = (u32)(stat[0] + stat[1] + stat[2]);
	now[WORD_RECEIVE_WINDOW] = stat[1];
	now[WORD_SEND_BUFFER] = stat[2];
}

/* How much a word has grown; it is reported with that. One that reads as less (a FIN not yet taken
 * out, a socket that is another one by now) waits for a later visit. */
static __always_inline u64 advance(struct report *r, int word, u64 now)
{
	u64 delta = word_since(r->word[word], now, word);

	if ((s64)delta < 0 || (word >= WORD_SEGMENTS_SENT && (s32)delta < 0))
		return 0;
	r->word[word] = now;
	return delta;
}

static __always_inline void visit_read(struct slot *s, struct report *r, u64 address,
				       struct fold *f)
{
	u32 phase = slot_phase(s);
	u64 now[WORD_MAX];

	fold_phase(f, s, s->reported_phase, phase);
	s->reported_phase = phase;
	f->delta[WORD_SEGMENTS_SENT] = advance(r, WORD_SEGMENTS_SENT, TCP(segs_out));
	f->delta[WORD_SEGMENTS_RECEIVED] = advance(r, WORD_SEGMENTS_RECEIVED, TCP(segs_in));
	f->delta[WORD_RETRANSMITS] = advance(r, WORD_RETRANSMITS, TCP(total_retrans));
	if (phase != MR_PHASE_OPENED)
		return;
	live_chronos(address, now);
	f->delta[WORD_SENT] = advance(r, WORD_SENT, live_sent(address, s));
	f->delta[WORD_RECEIVED] = advance(r, WORD_RECEIVED, live_received(address));
	f->delta[WORD_RETRANSMITTED_BYTES] =
		advance(r, WORD_RETRANSMITTED_BYTES, TCP(bytes_retrans));
	f->delta[WORD_BUSY] = advance(r, WORD_BUSY, now[WORD_BUSY]);
	f->delta[WORD_RECEIVE_WINDOW] = advance(r, WORD_RECEIVE_WINDOW, now[WORD_RECEIVE_WINDOW]);
	f->delta[WORD_SEND_BUFFER] = advance(r, WORD_SEND_BUFFER, now[WORD_SEND_BUFFER]);
	f->rtt_us = TCP(srtt_us) >> 3;
}

/* What key_of() makes, of a socket that is known by its address only. */
static __always_inline void key_probe(struct mr_flow_key *key, u64 address, const struct slot *s)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->cgroup = SK(sk_cgrp_data.cgroup, kn, id);
	key->netns = SK(__sk_common.skc_net.net, ns.inum);
	key->netns_cookie = (u16)SK(__sk_common.skc_net.net, net_cookie);
	key->role = s->role;
	key->tgid = s->tgid;
	key->port =
		bpf_ntohs(s->role == MR_ROLE_SERVER ? INET(inet_sport) : SK(__sk_common.skc_dport));
	if (SK(__sk_common.skc_family) == AF_INET) {
		address_map_v4(key->local, SK(__sk_common.skc_rcv_saddr));
		address_map_v4(key->remote, SK(__sk_common.skc_daddr));
	} else {
		bpf_core_read(key->local, 16,
			      &((struct sock *)address)->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(key->remote, 16, &((struct sock *)address)->__sk_common.skc_v6_daddr);
	}
	key_keep_port(key, MR_TRANSPORT_TCP,
		      bpf_ntohs(s->role == MR_ROLE_SERVER ? SK(__sk_common.skc_dport)
							  : INET(inet_sport)));
}

static __always_inline int socket_is_slots(u64 address, const struct slot *s)
{
	u8 state = SK(__sk_common.skc_state);

	return state != MR_TCP_CLOSE && state != MR_TCP_LISTEN && state < 13 &&
	       SK(__sk_common.skc_dport) == bpf_htons(s->remote_port) &&
	       SK(sk_protocol) == IPPROTO_TCP;
}

/* What a visit changes; kept to undo it when a close came meanwhile. */
struct before {
	u64 word[WORD_MAX];
	u8 phase, swept;
};

static __always_inline void before_keep(struct before *b, const struct slot *s,
					const struct report *r)
{
	__builtin_memcpy(b->word, r->word, sizeof(b->word));
	b->phase = s->reported_phase;
	b->swept = s->swept;
}

static __always_inline void before_restore(const struct before *b, struct slot *s, struct report *r)
{
	__builtin_memcpy(r->word, b->word, sizeof(r->word));
	s->reported_phase = b->phase;
	s->swept = b->swept;
}

/* The slot is in our hands. */
static __always_inline void visit_swept(struct slot *s, struct report *r, u32 number, u64 address)
{
	struct fold f = FOLD_NOTHING;
	struct before before = {};
	struct mr_flow_key key;

	before_keep(&before, s, r);
	if (!s->swept) {
		__builtin_memset(r->word, 0, sizeof(r->word));
		key_probe(&r->key, address, s);
		s->swept = 1;
	}
	visit_read(s, r, address, &f);
	key = r->key;
	f.slot = number;
	if (slot_move(s, address, SLOT_SWEPT, SLOT_LIVE)) {
		flow_fold(&key, &f);
		return;
	}
	before_restore(&before, s, r); /* HANDED: nobody else touches it */
	handover_fold(s, number);
}

/* Something else is at this address: seen once it may be a close on another CPU, half done. */
static __always_inline void visit_stranger(struct slot *s, u32 number, u64 address)
{
	if (++s->strikes >= STRIKES_MAX && slot_abandon(s, number, address))
		slot_release(s, number);
}

static __always_inline u32 due_later(struct slot *s)
{
	u32 wait = s->idle < 16 ? 1U << s->idle : 1U << 16;

	if (wait > mr_sweep.backoff_max)
		wait = mr_sweep.backoff_max;
	else
		s->idle++;
	s->due = mr_sweep.window + wait;
	return wait;
}

/* An ICMP error that came while connect() still ran lies here until the program asks for it, and is
 * gone before the program closes. */
static __always_inline void keep_soft_error(struct slot *s, u64 address)
{
	u16 error = SK(sk_err_soft);

	if (error)
		s->error = error;
}

static __always_inline int moved(const struct slot *s, const struct report *r, u64 address)
{
	u32 segments = TCP(segs_in) + TCP(segs_out);

	return !s->swept || slot_phase(s) != s->reported_phase ||
	       segments != (u32)r->word[WORD_SEGMENTS_SENT] + (u32)r->word[WORD_SEGMENTS_RECEIVED];
}

/* Returns in how many windows the slot wants the next visit. */
__noinline u32 visit(u32 number, u64 owner)
{
	struct slot *s = slot_at(number);
	struct report *r = report_at(number);
	u64 address = owner_address(owner);

	if (!s || !r || (owner & SLOT_HANDS_MASK) != SLOT_LIVE)
		return 1;
	if (!mr_sweep.everything && (s32)(s->due - mr_sweep.window) > 0)
		return s->due - mr_sweep.window;
	mr_sweep.visited++;
	if (!socket_is_slots(address, s)) {
		visit_stranger(s, number, address);
		return 1;
	}
	s->strikes = 0;
	if (slot_phase(s) == MR_PHASE_ATTEMPTED)
		keep_soft_error(s, address);
	if (!moved(s, r, address))
		return due_later(s);
	if (!slot_move(s, address, SLOT_LIVE, SLOT_SWEPT))
		return 1;
	s->idle = 0;
	s->due = mr_sweep.window + 1;
	visit_swept(s, r, number, address);
	return 1;
}

struct region_visit {
	u32 first; /* slot */
	u32 next;  /* in so many windows one of them is due */
	u32 live;
	u32 pad;
};

/* bpf_loop() and not a loop: Linux 6.1 would follow each of 16 slots' fates apart. */
static long region_slot(u32 i, struct region_visit *v)
{
	struct slot *s = slot_at(v->first + i);
	u64 owner = s ? owner_of(s) : 0;
	u32 wait;

	if (!owner)
		return 0;
	v->live++;
	wait = visit(v->first + i, owner);
	if (wait < v->next)
		v->next = wait;
	return 0;
}

/*
 * Who comes or goes writes its owner, then sets due to 0 if it is not. We set due first, then look
 * at the owners, and write the next due only if ours still stands: so either we see the newcomer,
 * or it makes us come again.
 */
static long region_sweep(u32 i, void *unused)
{
	u32 number = mr_sweep.first_region + i, ours = mr_sweep.window + DUE_NEVER, due;
	struct region_visit v = {.first = number << REGION_SHIFT, .next = DUE_NEVER};
	struct region *r = region_at(number);

	if (!r || mr_sweep.visited >= mr_sweep.sockets_max)
		return 1;
	mr_sweep.next_region = number + 1;
	due = *(volatile u32 *)&r->due;
	if (!due || mr_sweep.everything || (s32)(due - mr_sweep.window) <= 0) {
		__sync_lock_test_and_set(&r->due, ours);
		bpf_loop(REGION_SLOTS, region_slot, &v, 0);
		r->live = v.live;
		__sync_val_compare_and_swap(&r->due, ours, mr_sweep.window + v.next);
	}
	mr_sweep.live += r->live;
	return 0;
}
