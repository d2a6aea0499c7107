/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is known of a UDP socket, under its cookie, which no other socket ever has again.
 *
 * What never changes (cgroup, network namespace, whether the port was named to bind()) is read once
 * and kept, so that a datagram costs no look at the socket. Its process is whoever sent last, or
 * bound it, or held it when the agent started: what arrives comes in nobody's time.
 *
 * Limit: the sockets used last; one that fell out is read again, and is nobody's until it sends.
 */
#pragma once

#include "adopt.h"

struct udp_socket {
	u64 cgroup;
	u64 process_start_ns;
	u32 netns, netns_cookie;
	u32 tgid;  /* 0: not known */
	u8 known;  /* the socket was read; before, only the process is there */
	u8 counts; /* a UDP socket of the observed cgroup, and not a raw one */
	u8 bound;
	u8 received_first;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* the agent says how many */
	__type(key, u64);       /* socket cookie */
	__type(value, struct udp_socket);
} mr_udp_sockets SEC(".maps");

const volatile __u16 mr_ephemeral_low; /* the first port that is given by chance */

#define SOCKET(field) BPF_CORE_READ((const struct sock *)address, field)

static __always_inline u64 udp_cgroup_of(u64 address)
{
	struct cgroup *cgroup = SOCKET(sk_cgrp_data.cgroup);

	return cgroup ? BPF_CORE_READ(cgroup, kn, id) : 0;
}

/* The same as cgroup_is_observed(), of a socket that is only an address. */
static __always_inline int udp_is_observed(u64 address)
{
	struct cgroup *cgroup = SOCKET(sk_cgrp_data.cgroup);
	struct cgroup_subsys_state *css;

	if (!mr_root_cgroup)
		return 1;
	for (int depth = 0; cgroup && depth < CGROUP_DEPTH_MAX; depth++) {
		if (BPF_CORE_READ(cgroup, kn, id) == mr_root_cgroup)
			return 1;
		css = BPF_CORE_READ(cgroup, self.parent);
		cgroup = css ? BPF_CORE_READ(css, cgroup) : NULL;
	}
	return 0;
}

static __always_inline void udp_socket_read(struct udp_socket *s, u64 address, u8 received)
{
	const struct net *net = SOCKET(__sk_common.skc_net.net);

	s->counts = SOCKET(sk_protocol) == IPPROTO_UDP && SOCKET(sk_type) == SOCK_DGRAM &&
		    udp_is_observed(address);
	s->cgroup = udp_cgroup_of(address);
	s->netns = BPF_CORE_READ(net, ns.inum);
	s->netns_cookie = (u16)BPF_CORE_READ(net, net_cookie);
	s->bound = (BPF_CORE_READ_BITFIELD_PROBED((const struct sock *)address, sk_userlocks) &
		    SOCK_BINDPORT_LOCK) != 0;
	s->received_first = received;
}

/* Reads a socket for the first time, or for the first time since it was bound. Not static, so that
 * the verifier looks at it once. */
__noinline int udp_socket_learn(u64 cookie, u64 address, u8 received)
{
	struct udp_socket fresh = {}, *s = bpf_map_lookup_elem(&mr_udp_sockets, &cookie);

	if (s)
		fresh = *s;
	udp_socket_read(&fresh, address, received);
	fresh.known = 1;
	bpf_map_update_elem(&mr_udp_sockets, &cookie, &fresh, BPF_ANY);
	return 0;
}

/* NULL: not one that counts. */
static __always_inline struct udp_socket *udp_socket_of(u64 cookie, u64 address, u8 received)
{
	struct udp_socket *s = bpf_map_lookup_elem(&mr_udp_sockets, &cookie);

	if (!s || !s->known) {
		udp_socket_learn(cookie, address, received);
		s = bpf_map_lookup_elem(&mr_udp_sockets, &cookie);
	}
	return s && s->counts ? s : NULL;
}

/* The sender's process, when somebody sends in its own time. */
static __always_inline void udp_socket_sends(struct udp_socket *s)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (task->tgid == s->tgid || task->flags & PF_KTHREAD)
		return;
	s->tgid = process_current(&s->process_start_ns, s->comm);
	process_has_socket(s->tgid, s->process_start_ns, s->comm, s->cgroup, 0);
}

/*
 * A socket that serves, among the listeners: they name it, since what arrives has no process. Those
 * that bound a port below the ephemeral range are there from then on, others when they first serve.
 */
static __always_inline void udp_listener_put(const struct udp_socket *s, u64 address)
{
	struct mr_listener l = {.transport = MR_TRANSPORT_UDP}, *known;

	known = bpf_map_lookup_elem(&mr_listeners, &address);
	if (known && known->transport == MR_TRANSPORT_UDP && (known->tgid || !s->tgid))
		return;
	l.cgroup = s->cgroup;
	l.netns = s->netns;
	l.tgid = s->tgid;
	l.process_start_ns = s->process_start_ns;
	__builtin_memcpy(l.comm, s->comm, sizeof(l.comm));
	l.port = SOCKET(__sk_common.skc_num);
	if (SOCKET(__sk_common.skc_family) == AF_INET)
		address_map_v4(l.address, SOCKET(__sk_common.skc_rcv_saddr));
	else
		bpf_core_read(l.address, sizeof(l.address),
			      &((const struct sock *)address)->__sk_common.skc_v6_rcv_saddr);
	listener_put(address, &l);
}

/* bind(), in the process that calls it: the port's owner, before anybody has spoken. */
static __always_inline void udp_socket_bound(u64 cookie, u64 address, u16 port)
{
	struct udp_socket s = {};

	udp_socket_read(&s, address, 0);
	s.tgid = process_current(&s.process_start_ns, s.comm);
	bpf_map_update_elem(&mr_udp_sockets, &cookie, &s, BPF_ANY);
	if (!s.counts)
		return;
	process_has_socket(s.tgid, s.process_start_ns, s.comm, s.cgroup,
			   port < mr_ephemeral_low ? MR_PROCESS_LISTENS : 0);
	if (port < mr_ephemeral_low)
		udp_listener_put(&s, address);
}

/* A socket that was there before the agent; who held it is noted. It may have said something. */
static __always_inline void udp_socket_adopt(u64 cookie, u64 address)
{
	struct udp_socket s = {.known = 1};
	struct holder *h = bpf_map_lookup_elem(&mr_holders, &address);

	udp_socket_read(&s, address, 0);
	if (h) {
		s.tgid = h->tgid;
		s.process_start_ns = h->process_start_ns;
		__builtin_memcpy(s.comm, h->comm, sizeof(s.comm));
	}
	bpf_map_update_elem(&mr_udp_sockets, &cookie, &s, BPF_NOEXIST);
	if (!s.counts || !s.bound || SOCKET(__sk_common.skc_dport))
		return;
	process_has_socket(s.tgid, s.process_start_ns, s.comm, s.cgroup,
			   MR_PROCESS_ADOPTED | MR_PROCESS_LISTENS);
	udp_listener_put(&s, address);
}
