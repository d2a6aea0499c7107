/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Listening sockets: who accepts on which address and port.
 *
 * Kept by socket, so that several processes may share a port (SO_REUSEPORT) and each close removes
 * its own. The agent joins them to accepted connections by address; nothing is looked up per
 * accept.
 * One that closes stays until the agent has seen it: what it accepted in this window needs its
 * name.
 */
#pragma once

#include "address.h"
#include "fold.h"
#include "identity.h"
#include "process.h"

#define CLOSED_NEW   1
#define CLOSED_SHOWN 2

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct mr_listener);
} mr_listeners SEC(".maps");

static __always_inline void listener_fill(struct mr_listener *l, const struct sock *sk)
{
	struct mr_flow_key key = {};

	key_addresses(&key, &sk->__sk_common);
	__builtin_memcpy(l->address, key.local, sizeof(l->address));
	l->cgroup = sock_cgroup_id(sk);
	l->netns = sk->__sk_common.skc_net.net->ns.inum;
	l->port = sk->__sk_common.skc_num;
}

static u64 mr_set_aside; /* how many so far */

/* A listener that closed and was not shown yet makes room for the next socket at its address; its
 * new key is a number smaller than any address. */
static __always_inline void listener_set_aside(u64 key)
{
	struct mr_listener *closed = bpf_map_lookup_elem(&mr_listeners, &key);
	u64 aside;

	if (!closed || closed->closed != CLOSED_NEW)
		return;
	aside = __sync_fetch_and_add(&mr_set_aside, 1) + 1;
	if (bpf_map_update_elem(&mr_listeners, &aside, closed, BPF_ANY))
		__sync_fetch_and_add(&mr_totals.listeners_full, 1);
}

static __always_inline void listener_put(u64 key, const struct mr_listener *l)
{
	listener_set_aside(key);
	if (bpf_map_update_elem(&mr_listeners, &key, l, BPF_ANY))
		__sync_fetch_and_add(&mr_totals.listeners_full, 1);
	__sync_fetch_and_add(&mr_totals.listeners_version, 1);
}

/* In the process that calls listen(). The port may still be 0 (bound by listen() itself), and
 * listen() may still fail: listener_refresh() sees to both. */
static __always_inline void listener_open(const struct tcp_sock *tp)
{
	struct mr_listener l = {};

	listener_fill(&l, (const struct sock *)tp);
	l.tgid = process_current(&l.process_start_ns, l.comm);
	process_has_socket(l.tgid, l.process_start_ns, l.comm, l.cgroup, MR_PROCESS_LISTENS);
	listener_put(address_of(tp), &l);
}

/* Whether what is at this address still listens on that port. A UDP socket that closed has none. */
static __always_inline int listener_listens(const struct mr_listener *l, const struct sock *sk,
					    u16 port)
{
	if (l->port && port != l->port)
		return 0;
	if (l->transport == MR_TRANSPORT_UDP)
		return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_UDP;
	return BPF_CORE_READ(sk, __sk_common.skc_state) == MR_TCP_LISTEN;
}

/* Datagrams that found the receive queue full; since Linux 6.18 they are counted elsewhere. */
static __always_inline u32 listener_udp_drops(const struct sock *sk)
{
	const struct numa_drop_counters *c;

	if (!bpf_core_field_exists(sk->sk_drop_counters))
		return BPF_CORE_READ(sk, sk_drops.counter);
	c = BPF_CORE_READ(sk, sk_drop_counters);
	if (!c)
		return BPF_CORE_READ(sk, sk_drops.counter);
	return BPF_CORE_READ(c, drops0.counter) + BPF_CORE_READ(c, drops1.counter);
}

static __always_inline void listener_close(const void *sk)
{
	u64 key = address_of(sk);
	struct mr_listener *l = bpf_map_lookup_elem(&mr_listeners, &key);

	if (l)
		l->closed = CLOSED_NEW;
	__sync_fetch_and_add(&mr_totals.listeners_version, 1);
}

/* Per listener, when the agent asks: its queue, its drops, and whether it still listens. */
static long listener_refresh(void *map, u64 *key, struct mr_listener *l, void *unused)
{
	const struct sock *sk = (const struct sock *)*key;
	u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);

	if (l->closed == CLOSED_SHOWN) {
		bpf_map_delete_elem(map, key);
		return 0;
	}
	if (l->closed || !listener_listens(l, sk, port)) {
		l->closed = CLOSED_SHOWN;
		return 0;
	}
	l->port = port;
	if (l->transport == MR_TRANSPORT_UDP) {
		l->drops = listener_udp_drops(sk);
		return 0;
	}
	l->drops = BPF_CORE_READ(sk, sk_drops.counter);
	l->queue = BPF_CORE_READ(sk, sk_ack_backlog);
	l->queue_max = BPF_CORE_READ(sk, sk_max_ack_backlog);
	return 0;
}
