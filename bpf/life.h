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
#include "process.h"
#include "slot.h"

/* A slot's contents for a new owner, all but the process. */
static __always_inline void slot_start(struct slot *s, const struct tcp_sock *tp, u8 role,
				       u64 connect)
{
	s->connect = connect;
	s->process_start_ns = 0;
	__builtin_memset(s->comm, 0, sizeof(s->comm));
	s->tgid = 0;
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
		f->connect_us = connect_us(s->connect);
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

/* Of connections that closed while the sweep had their slots. One at a time is enough but for the
 * instants in which a close on yet another CPU finds that it has come too late. */
#define HANDOVERS 16 /* a power of two */

static struct {
	u32 taken;
	u32 pad;
	struct ending ending;
} mr_handovers[HANDOVERS];

static __always_inline void ending_read(struct ending *e, const struct slot *s,
					const struct tcp_sock *tp, u8 state)
{
	struct mr_tcp t = {};

	tcp_read(&t, tp, state);
	t.phase = e->phase = slot_phase(s);
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
	struct report *r;

	if (!s || !e)
		return 0;
	r = s->swept ? report_at(number) : NULL;
	if (r) /* a connection stays in the flow in which it was first seen */
		e->key.ephemeral = r->key.ephemeral;
	if (r)
		for (int i = 0; i < WORD_MAX; i++)
			e->f.delta[i] = word_since(r->word[i], e->f.delta[i], i);
	fold_phase(&e->f, s, s->reported_phase, e->phase);
	e->f.slot = number;
	flow_fold(&e->key, &e->f);
	slot_release(s, number);
	return 0;
}

/* One that was free, or HANDOVERS. */
static __always_inline u32 handover_take(void)
{
	u32 i;

	for (i = 0; i < HANDOVERS; i++)
		if (!__sync_val_compare_and_swap(&mr_handovers[i].taken, 0, 1))
			break;
	return i;
}

static __always_inline void handover_free(u32 i)
{
	__sync_lock_test_and_set(&mr_handovers[i & (HANDOVERS - 1)].taken, 0);
}

/* 1: the sweep, which has the slot, will fold it. */
static __always_inline int close_hand_over(struct slot *s, u64 address, const struct ending *e)
{
	u32 i = handover_take();

	if (i >= HANDOVERS) /* never seen; the sweep finds the slot dead and counts it as unseen */
		return 1;
	mr_handovers[i].ending = *e;
	s->handover = i;
	if (slot_move(s, address, SLOT_SWEPT, SLOT_HANDED)) {
		__sync_fetch_and_add(&mr_totals.handovers, 1);
		return 1;
	}
	handover_free(i);
	return 0;
}

/* The sweep's half: s is HANDED. */
static __always_inline void handover_fold(struct slot *s, u32 number)
{
	u32 i = s->handover & (HANDOVERS - 1);

	ending_fold(number, &mr_handovers[i].ending);
	handover_free(i);
}

static __always_inline void close_slot(struct slot *s, u32 number, const struct tcp_sock *tp,
				       u8 state)
{
	struct ending e = {.f = FOLD_NOTHING};
	u64 address = address_of(tp);

	ending_read(&e, s, tp, state);
	if (owner_of(s) != (address | SLOT_BUSY) && /* ours already */
	    !slot_move(s, address, SLOT_LIVE, SLOT_BUSY)) {
		if (close_hand_over(s, address, &e))
			return;
		if (!slot_move(s, address, SLOT_LIVE, SLOT_BUSY)) /* just given back */
			return;
	}
	ending_fold(number, &e);
}

/* Ends a slot whose connection is gone without our having seen the close: what it carried last is
 * lost, that it is over is not. It is in the caller's hands then. 0: it is in other hands. */
static __always_inline int slot_abandon(struct slot *s, u32 number, u64 address)
{
	struct mr_flow_key key = {.role = s->role, .coarse = 1};
	struct report *r = s->swept ? report_at(number) : NULL;
	struct fold f = FOLD_NOTHING;

	if (!slot_move(s, address, SLOT_LIVE, SLOT_BUSY))
		return 0;
	if (r)
		key = r->key;
	fold_phase(&f, s, s->reported_phase, slot_phase(s));
	f.connect_us = 0;
	f.closed = slot_phase(s) == MR_PHASE_OPENED;
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
static __always_inline struct slot *slot_take(u64 address, u32 *ret_number)
{
	struct slot *s = slot_home_move(0, address | SLOT_BUSY, ret_number);
	u32 stale;

	if (s && !s->displaced)
		return s;
	if (s) /* a stale one may be elsewhere: begin again, slowly */
		owner_swap(s, address | SLOT_BUSY, 0);
	stale = slot_seek(address);
	*ret_number = stale == SLOT_NONE ? slot_claim(address) : stale;
	s = slot_at(*ret_number);
	if (s && (stale == SLOT_NONE || slot_abandon(s, stale, address)))
		return s;
	__sync_fetch_and_add(&mr_totals.slots_full, 1);
	__sync_fetch_and_add(&mr_totals.stateless, 1);
	return NULL;
}

/* connect() has chosen addresses and ports and is about to send the SYN. */
static __always_inline void life_connect(const struct tcp_sock *tp)
{
	u64 address = address_of(tp);
	struct slot *s;
	u32 number;

	s = slot_take(address, &number);
	if (!s)
		return;
	slot_start(s, tp, MR_ROLE_CLIENT, bpf_ktime_get_ns());
	s->tgid = process_current(&s->process_start_ns, s->comm);
	process_has_socket(s->tgid, s->process_start_ns, s->comm,
			   sock_cgroup_id((const struct sock *)tp), 0);
	slot_publish(s, number, address);
}

/* SYN-ACK received, or our SYN crossed the peer's and was acknowledged. */
static __always_inline void life_established(struct slot *s)
{
	u64 us = s->connect ? (bpf_ktime_get_ns() - s->connect) / 1000 : 0;

	if (s->connect && !us)
		us = 1;
	s->connect = connect_opened(us);
}

/* 1: it was known as attempted, or was counted without a slot when it was. */
static __always_inline int life_opened_attempt(const struct tcp_sock *tp, u8 role)
{
	struct slot *s;
	u32 number;

	if (role_of((const struct sock *)tp) == MR_ROLE_SERVER)
		return 0;
	s = slot_find(tp, &number);
	if (!s)
		return role == MR_ROLE_CLIENT && mr_totals.stateless > 0;
	if (s->role != MR_ROLE_CLIENT || slot_phase(s) != MR_PHASE_ATTEMPTED)
		return 0;
	life_established(s);
	return 1;
}

/* role: whether the kernel says active or passive, which of crossed SYNs it does not say right. */
static __always_inline void life_opened(const struct tcp_sock *tp, u8 role)
{
	u64 address = address_of(tp);
	struct slot *s;
	u32 number;

	if (life_opened_attempt(tp, role))
		return;
	s = slot_take(address, &number);
	if (!s)
		return;
	slot_start(s, tp, role, connect_opened(0));
	slot_publish(s, number, address);
}

static __always_inline void life_closed(const struct tcp_sock *tp, u8 state)
{
	u64 address = address_of(tp);
	struct slot *s;
	u32 number;

	s = slot_home_move(address | SLOT_LIVE, address | SLOT_BUSY, &number);
	if (!s)
		s = slot_find(tp, &number);
	if (s)
		close_slot(s, number, tp, state);
	else if (mr_totals.stateless > 0 && state != MR_TCP_SYN_RECV)
		close_stateless(tp, state);
}
