/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a tcp_sock's counters mean: payload sent and received, and how a connection ended.
 *
 * Sent is payload that this kernel handed to the network once; received is payload that this kernel
 * took in order. The kernel's own counters also count the SYN and the FIN, each as one byte of
 * sequence space, so both are taken out again.
 *
 * Pure: a plain struct in, numbers out. The same cases run natively and in the kernel.
 */
#pragma once

#include "counters.h"

enum mr_tcp_state { /* include/net/tcp_states.h */
		    MR_TCP_ESTABLISHED = 1,
		    MR_TCP_SYN_SENT,
		    MR_TCP_SYN_RECV,
		    MR_TCP_FIN_WAIT1,
		    MR_TCP_FIN_WAIT2,
		    MR_TCP_TIME_WAIT,
		    MR_TCP_CLOSE,
		    MR_TCP_CLOSE_WAIT,
		    MR_TCP_LAST_ACK,
		    MR_TCP_LISTEN,
		    MR_TCP_CLOSING,
		    MR_TCP_NEW_SYN_RECV,
};

/* How far a connection got; only ever grows. */
enum mr_phase {
	MR_PHASE_NONE = 0,
	MR_PHASE_ATTEMPTED = 1,
	MR_PHASE_OPENED = 2,
};

/* The fields of tcp_sock that decide, under their names there. */
struct mr_tcp {
	__u64 bytes_acked, bytes_received;
	__u32 snd_nxt, snd_una, write_seq, total_retrans, segs_in;
	__u8 state;     /* the last one before CLOSE */
	__u8 connected; /* by connect(): the SYN is in bytes_acked */
	__u8 phase;     /* enum mr_phase */
	__u8 done;      /* SOCK_DONE: the peer's FIN is in bytes_received */
	__u8 owned;     /* a process is in a system call on it: it is the program that ends it */
	__u16 err;      /* sk_err, else what was reported before */
};

static inline __attribute__((always_inline)) int mr_tcp_fin_state(__u8 state)
{
	return state == MR_TCP_FIN_WAIT1 || state == MR_TCP_FIN_WAIT2 || state == MR_TCP_CLOSING ||
	       state == MR_TCP_LAST_ACK;
}

static inline __attribute__((always_inline)) int mr_tcp_fin_sent(const struct mr_tcp *t)
{
	return mr_tcp_fin_state(t->state) && t->snd_nxt == t->write_seq;
}

/* Payload sent, of a connection that is over. A FIN that the local stack refused was never sent. */
static inline __attribute__((always_inline)) __u64 mr_tcp_sent(const struct mr_tcp *t)
{
	if (t->phase != MR_PHASE_OPENED)
		return 0;
	return t->bytes_acked + (__u32)(t->snd_nxt - t->snd_una) - !!t->connected -
	       !!mr_tcp_fin_sent(t);
}

/* Of that, what the peer never acknowledged. The FIN is the last byte to be acknowledged. */
static inline __attribute__((always_inline)) __u32 mr_tcp_unacked(const struct mr_tcp *t)
{
	__u32 outstanding = t->snd_nxt - t->snd_una;

	if (t->phase != MR_PHASE_OPENED || !outstanding)
		return 0;
	return outstanding - !!mr_tcp_fin_sent(t);
}

static inline __attribute__((always_inline)) __u64 mr_tcp_received(const struct mr_tcp *t)
{
	return t->phase == MR_PHASE_OPENED ? t->bytes_received - !!t->done : 0;
}

/*
 * Payload acknowledged so far, of a connection that lives. Read bytes_acked before the state: then
 * a state without FIN says that no FIN is in it. With one sent it may be in it or not; taking it
 * out makes this at most one byte low, which the close puts right.
 */
static inline __attribute__((always_inline)) __u64 mr_tcp_acked(const struct mr_tcp *t)
{
	__u64 control = !!t->connected + !!mr_tcp_fin_state(t->state);

	return t->phase == MR_PHASE_OPENED && t->bytes_acked > control ? t->bytes_acked - control
								       : 0;
}

/*
 * The counter that tells how it ended, besides MR_CLOSED; MR_COUNTER_COUNT: as connections end.
 * Numbers are errno values. `server`: this end was accepted.
 */
static inline __attribute__((always_inline)) __u32 mr_tcp_outcome(const struct mr_tcp *t,
								  int server)
{
	if (t->phase == MR_PHASE_ATTEMPTED) {
		switch (t->err) {
		case 111: /* ECONNREFUSED */
			return MR_FAILED_REFUSED;
		case 110: /* ETIMEDOUT */
			return MR_FAILED_TIMED_OUT;
		case 13:  /* EACCES: ICMPv6, prohibited */
		case 100: /* ENETDOWN */
		case 101: /* ENETUNREACH */
		case 112: /* EHOSTDOWN */
		case 113: /* EHOSTUNREACH */
			return MR_FAILED_UNREACHABLE;
		case 104: /* ECONNRESET */
			return MR_FAILED_RESET;
		case 0:
			/* A program that polls on another CPU may take the error away before we can
			 * look. An answer that opened nothing was an RST; an end that neither the
			 * program nor a timer made was ICMP's. In SYN_RECV the answer was the SYN
			 * that crossed ours. */
			if (t->state == MR_TCP_SYN_RECV)
				return t->owned ? MR_FAILED_ABORTED : MR_FAILED_RESET;
			if (t->segs_in)
				return MR_FAILED_REFUSED;
			if (t->total_retrans) /* the program gave up, or the kernel: in vain */
				return MR_FAILED_TIMED_OUT;
			return t->owned ? MR_FAILED_ABORTED : MR_FAILED_UNREACHABLE;
		default:
			return MR_FAILED_OTHER;
		}
	}
	switch (t->err) {
	case 104: /* ECONNRESET */
	case 32:  /* EPIPE: reset after the peer's FIN */
		return server ? MR_RESET_BY_CLIENT : MR_RESET_BY_SERVER;
	case 0: /* straight from an open state: by our RST */
		if (t->state == MR_TCP_ESTABLISHED || t->state == MR_TCP_CLOSE_WAIT ||
		    t->state == MR_TCP_SYN_RECV)
			return server ? MR_RESET_BY_SERVER : MR_RESET_BY_CLIENT;
		return MR_COUNTER_COUNT;
	default:
		return MR_BROKEN;
	}
}
