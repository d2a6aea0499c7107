/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The life of a TCP connection: open, establish, close.
 *
 * Opening takes a slot and writes down who it is; nothing is folded yet. What moved is folded by
 * the sweep once a window and by the close, which reads the final counters. A connection that opens
 * and closes between two sweeps costs one look-up in the flow map.
 */
#pragma once

#include "account.h"
#include "fold.h"
#include "identity.h"
#include "slot.h"

/* A slot's contents for a new owner, all but the process. */
static __always_inline void slot_start(struct slot *s, const struct tcp_sock *tp, u8 role,
				       u32 phase)
{
	s->phase = phase;
	s->connect_ns = 0;
	s->process_start_ns = 0;
	__builtin_memset(s->comm, 0, sizeof(s->comm));
	s->tgid = 0;
	s->connect_us = 0;
	s->due = 0;
	s->remote_port = bpf_ntohs(((const struct sock *)tp)->__sk_common.skc_dport);
	s->error = 0;
	s->role = role;
	s->reported_phase = MR_PHASE_NONE;
	s->swept = 0;
	s->idle = 0;
	s->strikes = 0;
	s->adopted = 0;
}

/* Everything is written: from now on the sweep may see it. */
static __always_inline void slot_publish(struct slot *s)
{
	__sync_lock_test_and_set(&s->state, SLOT_LIVE);
}

/* Which end: a socket that was accepted has its listener's backlog. */
static __always_inline u8 role_of(const struct sock *sk)
{
	return sk->sk_max_ack_backlog ? MR_ROLE_SERVER : MR_ROLE_CLIENT;
}

static __always_inline void tcp_read(struct mr_tcp *t, const struct tcp_sock *tp, u8 state)
{
	const struct sock *sk = (const struct sock *)tp;

	t->err = sk->sk_err ? sk->sk_err : sk->sk_err_soft; /* first: it may be taken away */
	t->owned = sk->sk_lock.owned != 0;
	t->bytes_acked = tp->bytes_acked;
	t->bytes_received = tp->bytes_received;
	t->snd_nxt = tp->snd_nxt;
	t->snd_una = tp->snd_una;
	t->write_seq = tp->write_seq;
	t->total_retrans = tp->total_retrans;
	t->segs_in = tp->segs_in;
	t->state = state;
	t->done = sk->__sk_common.skc_flags >> SOCK_DONE_BIT & 1;
}

/* Time in a chronograph of tcp_sock (1 busy, 2 receive window, 3 send buffer), jiffies. The kernel
 * counts each instant under one of them; busy is the sum of all, as in tcp_info. */
static __always_inline u32 chrono_of(const struct tcp_sock *tp, u32 which, u32 now)
{
	u32 type = BPF_CORE_READ_BITFIELD(tp, chrono_type);

	return tp->chrono_stat[which - 1] + (type == which ? now - tp->chrono_start : 0);
}

/* The final value of each word. The connection is over: nothing moves any more. */
static __always_inline void final_words(u64 now[WORD_MAX], const struct mr_tcp *t,
					const struct tcp_sock *tp)
{
	u32 jiffies = bpf_jiffies64();

	now[WORD_SENT] = mr_tcp_sent(t);
	now[WORD_RECEIVED] = mr_tcp_received(t);
	now[WORD_RETRANSMITTED_BYTES] = tp->bytes_retrans;
	now[WORD_SEGMENTS_SENT] = tp->segs_out;
	now[WORD_SEGMENTS_RECEIVED] = t->segs_in;
	now[WORD_RETRANSMITS] = t->total_retrans;
	now[WORD_RECEIVE_WINDOW] = chrono_of(tp, 2, jiffies);
	now[WORD_SEND_BUFFER] = chrono_of(tp, 3, jiffies);
	now[WORD_BUSY] =
		chrono_of(tp, 1, jiffies) + now[WORD_RECEIVE_WINDOW] + now[WORD_SEND_BUFFER];
}

static __always_inline void fold_phase(struct fold *f, const struct slot *s, u32 from, u32 to)
{
	f->attempted =
		s->role == MR_ROLE_CLIENT && from < MR_PHASE_ATTEMPTED && to >= MR_PHASE_ATTEMPTED;
	f->opened = from < MR_PHASE_OPENED && to >= MR_PHASE_OPENED;
	if (f->opened)
		f->connect_us = s->connect_us;
}

static __always_inline void fold_ending(struct fold *f, const struct mr_tcp *t,
					const struct tcp_sock *tp, u8 role)
{
	f->closed = t->phase == MR_PHASE_OPENED;
	f->outcome = mr_tcp_outcome(t, role == MR_ROLE_SERVER);
	f->unacked = mr_tcp_unacked(t);
	if (f->closed)
		f->rtt_us = tp->srtt_us >> 3;
}

/* The end of a connection that has a slot; delta[] holds final values, not differences yet. */
struct ending {
	struct mr_flow_key key;
	struct fold f;
	u32 phase;
	u32 pad;
};

static struct ending mr_handover; /* of the connection that closed while the sweep had its slot */

static __always_inline void ending_read(struct ending *e, const struct slot *s,
					const struct tcp_sock *tp, u8 state)
{
	struct mr_tcp t = {};

	tcp_read(&t, tp, state);
	t.phase = e->phase = s->phase;
	t.connected = s->role == MR_ROLE_CLIENT;
	if (!t.err)
		t.err = t.phase == MR_PHASE_ATTEMPTED ? s->error : 0;
	final_words(e->f.delta, &t, tp);
	fold_ending(&e->f, &t, tp, s->role);
	key_of(&e->key, tp, s->role);
	e->key.tgid = s->tgid;
}

/* Folds what was not reported yet and gives the slot away, which is in the caller's hands. Always
 * 0. Not static, so that the verifier looks at it once. */
__noinline int ending_fold(u32 number, struct ending *e)
{
	struct slot *s = slot_at(number);

	if (!s || !e)
		return 0;
	if (s->swept)
		for (int i = 0; i < WORD_MAX; i++)
			e->f.delta[i] = word_since(s->reported[i], e->f.delta[i], i);
	fold_phase(&e->f, s, s->reported_phase, e->phase);
	e->f.slot = number;
	flow_fold(&e->key, &e->f);
	slot_release(number);
	return 0;
}

static __always_inline void close_slot(struct slot *s, u32 number, const struct tcp_sock *tp,
				       u8 state)
{
	struct ending e = {.f = FOLD_NOTHING};

	ending_read(&e, s, tp, state);
	if (slot_move(s, SLOT_LIVE, SLOT_FREE)) {
		ending_fold(number, &e);
		return;
	}
	mr_handover = e;
	if (__sync_lock_test_and_set(&s->state, SLOT_HANDED) == SLOT_SWEPT)
		return;
	slot_move(s, SLOT_HANDED, SLOT_FREE); /* the sweep has just given it back */
	ending_fold(number, &e);
}

/* Ends a slot whose connection is gone without our having seen the close: what it carried last is
 * lost, that it is over is not. The owner's cell stays. 0: it is in other hands. */
static __always_inline int slot_abandon(struct slot *s)
{
	struct mr_flow_key key = {.role = s->role, .coarse = 1};
	struct fold f = FOLD_NOTHING;

	if (!slot_move(s, SLOT_LIVE, SLOT_FREE))
		return 0;
	if (s->swept)
		key = s->key;
	fold_phase(&f, s, s->reported_phase, s->phase);
	f.connect_us = 0;
	f.closed = s->phase == MR_PHASE_OPENED;
	if (!f.closed)
		f.outcome = MR_FAILED_OTHER;
	flow_fold(&key, &f);
	__sync_fetch_and_add(&mr_totals.close_unseen, 1);
	return 1;
}

/* A connection that never had a slot: its whole life at once. */
static __always_inline void close_stateless(const struct tcp_sock *tp, u8 state)
{
	struct mr_flow_key key = {};
	struct fold f = FOLD_NOTHING;
	struct mr_tcp t = {};
	u8 role = role_of((const struct sock *)tp);

	__sync_fetch_and_add(&mr_totals.stateless, -1);
	tcp_read(&t, tp, state);
	t.phase = state == MR_TCP_SYN_SENT ? MR_PHASE_ATTEMPTED : MR_PHASE_OPENED;
	t.connected = role == MR_ROLE_CLIENT;
	final_words(f.delta, &t, tp);
	f.attempted = role == MR_ROLE_CLIENT;
	f.opened = t.phase == MR_PHASE_OPENED;
	fold_ending(&f, &t, tp, role);
	key_of(&key, tp, role);
	flow_fold(&key, &f);
}

/* A slot for a connection that begins: a free one, or the one still under its socket's address,
 * whose close was never shown to us. NULL: there is none, it will be folded when it closes. */
static __always_inline struct slot *slot_take(const struct tcp_sock *tp, u32 stale)
{
	u32 number = stale == SLOT_NONE ? slot_claim(address_of(tp)) : stale;
	struct slot *s = number == SLOT_NONE ? NULL : slot_at(number);

	if (s && (stale == SLOT_NONE || slot_abandon(s)))
		return s;
	__sync_fetch_and_add(&mr_totals.slots_full, 1);
	__sync_fetch_and_add(&mr_totals.stateless, 1);
	return NULL;
}

/* connect() has chosen addresses and ports and is about to send the SYN. */
static __always_inline void life_connect(const struct tcp_sock *tp)
{
	struct slot *s = slot_take(tp, slot_seek(address_of(tp)));

	if (!s)
		return;
	slot_start(s, tp, MR_ROLE_CLIENT, MR_PHASE_ATTEMPTED);
	s->tgid = process_current(&s->process_start_ns, s->comm);
	s->connect_ns = bpf_ktime_get_ns();
	slot_publish(s);
}

/* SYN-ACK received, or our SYN crossed the peer's and was acknowledged. */
static __always_inline void life_established(struct slot *s)
{
	u64 us;

	if (s->connect_ns) {
		us = (bpf_ktime_get_ns() - s->connect_ns) / 1000;
		s->connect_us = us > ~0U ? ~0U : us ? us : 1;
	}
	__sync_lock_test_and_set(&s->phase, MR_PHASE_OPENED);
}

static __always_inline void life_opened(const struct tcp_sock *tp, u8 role)
{
	u32 number = slot_seek(address_of(tp));
	struct slot *s = number == SLOT_NONE ? NULL : slot_at(number);

	if (s && slot_is_held(s) && s->phase == MR_PHASE_ATTEMPTED &&
	    role_of((const struct sock *)tp) == s->role) {
		life_established(s);
		return;
	}
	if (!s && role == MR_ROLE_CLIENT && mr_totals.stateless > 0)
		return; /* already counted when it had no slot to connect with */
	s = slot_take(tp, number);
	if (!s)
		return;
	slot_start(s, tp, role, MR_PHASE_OPENED);
	slot_publish(s);
}

static __always_inline void life_closed(const struct tcp_sock *tp, u8 state)
{
	struct slot *s;
	u32 number;

	s = slot_find(tp, &number);
	if (s)
		close_slot(s, number, tp, state);
	else if (mr_totals.stateless > 0 && state != MR_TCP_SYN_RECV)
		close_stateless(tp, state);
}
