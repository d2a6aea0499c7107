/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which flow a socket belongs to: its addresses, cgroup, network namespace and process.
 */
#pragma once

#include "flow.h"
#include "kernel.h"
#include "virtual.h"

static __always_inline u64 sock_cgroup_id(const struct sock *sk)
{
	struct cgroup *cgroup = sk->sk_cgrp_data.cgroup;

	return cgroup ? cgroup->kn->id : 0;
}

/* An IPv4-mapped socket keeps both forms in step, so the family decides. */
static __always_inline void key_addresses(struct mr_flow_key *key, const struct sock_common *c)
{
	if (c->skc_family == AF_INET) {
		address_map_v4(key->local, c->skc_rcv_saddr);
		address_map_v4(key->remote, c->skc_daddr);
		return;
	}
	for (int i = 0; i < 4; i++) {
		((__be32 *)key->local)[i] = c->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
		((__be32 *)key->remote)[i] = c->skc_v6_daddr.in6_u.u6_addr32[i];
	}
}

static __always_inline void key_netns(struct mr_flow_key *key, const struct sock *sk)
{
	const struct net *net = sk->__sk_common.skc_net.net;

	key->netns = net->ns.inum;
	key->netns_cookie = (u16)net->net_cookie;
}

/* key is all zero. The port of a server is its own, that of a client's flow the peer's; a socket's
 * own port is read where it survives the close (skc_num does not). */
static __always_inline void key_of(struct mr_flow_key *key, const struct tcp_sock *tp, u8 role)
{
	const struct sock *sk = (const struct sock *)tp;

	key->cgroup = sock_cgroup_id(sk);
	key_netns(key, sk);
	key->role = role;
	key->port = bpf_ntohs(role == MR_ROLE_SERVER ? ((const struct inet_sock *)tp)->inet_sport
						     : sk->__sk_common.skc_dport);
	key_addresses(key, &sk->__sk_common);
	key_keep_port(key, MR_TRANSPORT_TCP,
		      bpf_ntohs(role == MR_ROLE_SERVER
					? sk->__sk_common.skc_dport
					: ((const struct inet_sock *)tp)->inet_sport));
}

/* The calling process; a kernel thread (MPTCP's worker, say) is nobody. */
static __always_inline u32 process_current(u64 *ret_start_ns, char comm[16])
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *leader = task->group_leader;

	if (task->flags & PF_KTHREAD)
		return 0;
	*ret_start_ns = leader->start_boottime;
	bpf_probe_read_kernel(comm, 16, leader->comm);
	return task->tgid;
}
