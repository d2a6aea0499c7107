/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What this host's own firewall and stack threw away, by flow and by the kernel's reason.
 *
 * The kernel frees what it dropped through kfree_skb, with a reason; what was used up goes another
 * way. So nothing runs for a packet that arrives. Not every reason means a drop, and which number
 * a reason has differs by kernel: the agent reads the names from BTF and says by mr_drops_ignored
 * which numbers are none (src/agent/drop_reason.c has the list and why). The commonest,
 * NOT_SPECIFIED, is left after two loads.
 *
 * A packet is not trusted: its headers count only where they lie inside what the buffer holds and
 * agree with each other. It may have no socket (what arrives), or one that belongs to whoever sent
 * it. Ports: that of the client is folded away where it is known which end that is, by a SYN or by
 * the socket's slot; else the agent finds out.
 *
 * Two maps like UDP's, and swapped with them (udp_fold.h).
 */
#pragma once

#include "adopt.h"
#include "udp_fold.h"

#define DROPS_MAX      1024
#define TCP_SYN        0x02
#define TCP_ACK        0x10
#define NETNS_INUM_MIN 0xf0000000U /* PROC_DYNAMIC_FIRST: smaller is no namespace */

struct drop_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DROPS_MAX);
	__type(key, struct mr_drop_key);
	__type(value, struct mr_drop);
};

struct drop_map mr_drops_a SEC(".maps");
struct drop_map mr_drops_b SEC(".maps");

/* Not 0: that reason is no drop. */
const volatile __u8 mr_drops_ignored[MR_DROP_REASONS];

static __always_inline int drop_is_ignored(u32 reason)
{
	/* Those above are of subsystems (Wi-Fi, Open vSwitch), with names of their own. */
	if (reason >= MR_DROP_REASONS)
		return 1;
	asm volatile("" : "+r"(reason)); /* keep the mask, which the verifier wants to see */
	reason &= MR_DROP_REASONS - 1;
	return mr_drops_ignored[reason];
}

/* --- out of the packet ------------------------------------------------------------------------ */

struct drop_v4 {
	u8 version_length, tos;
	__be16 length, id, fragment;
	u8 ttl, protocol;
	__be16 checksum;
	__be32 source, destination;
};

struct drop_v6 {
	u8 version, rest[3];
	__be16 length;
	u8 next_header, hops;
	u8 source[16], destination[16];
};

/* What TCP and UDP have at the same place, and TCP's flags. */
struct drop_ports {
	__be16 source, destination;
	u8 pad[9], flags;
};

static __always_inline int drop_transport(struct mr_drop_key *key, u8 protocol)
{
	key->transport = protocol == IPPROTO_UDP ? MR_TRANSPORT_UDP : MR_TRANSPORT_TCP;
	return protocol == IPPROTO_UDP || protocol == IPPROTO_TCP;
}

/* How long IP's header is; 0: not one that we can read. */
static __always_inline u32 drop_read_v4(struct mr_drop_key *key, const u8 *at)
{
	struct drop_v4 ip;

	if (bpf_probe_read_kernel(&ip, sizeof(ip), at))
		return 0;
	if (ip.version_length >> 4 != 4 || (ip.version_length & 15) < 5 ||
	    ip.fragment & bpf_htons(0x1fff) || !drop_transport(key, ip.protocol))
		return 0;
	address_map_v4(key->source, ip.source);
	address_map_v4(key->destination, ip.destination);
	return (ip.version_length & 15) * 4;
}

static __always_inline u32 drop_read_v6(struct mr_drop_key *key, const u8 *at)
{
	struct drop_v6 ip;

	if (bpf_probe_read_kernel(&ip, sizeof(ip), at))
		return 0;
	if (ip.version >> 4 != 6 || !drop_transport(key, ip.next_header))
		return 0;
	__builtin_memcpy(key->source, ip.source, sizeof(key->source));
	__builtin_memcpy(key->destination, ip.destination, sizeof(key->destination));
	return sizeof(ip);
}

static __always_inline void drop_fold_client(struct mr_drop_key *key, u8 server)
{
	key->server = server;
	if (server == MR_DROP_SERVER_SENT)
		key->destination_port = 0;
	else
		key->source_port = 0;
}

static __always_inline int drop_read_ports(struct mr_drop_key *key, const struct sk_buff *skb,
					   u32 offset)
{
	struct drop_ports ports = {};
	u32 size = key->transport == MR_TRANSPORT_TCP ? sizeof(ports) : 4;

	if (offset + size > skb->tail ||
	    bpf_probe_read_kernel(&ports, key->transport == MR_TRANSPORT_TCP ? sizeof(ports) : 4,
				  skb->head + offset))
		return 0;
	key->source_port = bpf_ntohs(ports.source);
	key->destination_port = bpf_ntohs(ports.destination);
	if (ports.flags & TCP_SYN)
		drop_fold_client(key,
				 ports.flags & TCP_ACK ? MR_DROP_SERVER_SENT : MR_DROP_CLIENT_SENT);
	return 1;
}

static __always_inline int drop_read_packet(struct mr_drop_key *key, const struct sk_buff *skb)
{
	const u8 *at = skb->head + skb->network_header;
	u32 length = 0;

	if (skb->protocol == bpf_htons(ETH_P_IP))
		length = drop_read_v4(key, at);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		length = drop_read_v6(key, at);
	return length && drop_read_ports(key, skb, skb->network_header + length);
}

/* --- whose ------------------------------------------------------------------------------------ */

static __always_inline void drop_read_netns(struct mr_drop_key *key, const struct net *net)
{
	u32 inum = net ? net->ns.inum : 0;

	if (inum >= NETNS_INUM_MIN)
		key->netns = inum;
}

/* Time-waits and requests are sockets in little: a request's namespace is all that is asked of it.
 */
static __always_inline int drop_is_full(const struct sock *sk)
{
	u8 state = sk->__sk_common.skc_state;

	return state != MR_TCP_TIME_WAIT && state != MR_TCP_NEW_SYN_RECV;
}

static __always_inline void drop_read_slot(struct mr_drop_key *key, struct mr_drop *drop,
					   const struct sock *sk)
{
	struct slot *s;
	u32 number;

	s = slot_find(sk, &number);
	if (!s)
		return;
	key->role = s->role;
	if (s->role == MR_ROLE_CLIENT) {
		key->tgid = s->tgid;
		drop->process_start_ns = s->process_start_ns;
		__builtin_memcpy(drop->comm, s->comm, sizeof(drop->comm));
	}
	if (!key->server) {
		__be16 port = BPF_CORE_READ((const struct inet_sock *)sk, inet_sport);
		int sent = key->source_port == bpf_ntohs(port);

		drop_fold_client(key, sent == (s->role == MR_ROLE_SERVER) ? MR_DROP_SERVER_SENT
									  : MR_DROP_CLIENT_SENT);
	}
}

/* 0: it belongs to a socket that is not observed. */
static __always_inline int drop_read_socket(struct mr_drop_key *key, struct mr_drop *drop,
					    const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	if (!sk) {
		if (skb->dev)
			drop_read_netns(key, skb->dev->nd_net.net);
		return 1;
	}
	drop_read_netns(key, sk->__sk_common.skc_net.net);
	if (!drop_is_full(sk))
		return 1;
	if (!cgroup_is_observed(sk))
		return 0;
	key->cgroup = sock_cgroup_id(sk);
	if (key->transport == MR_TRANSPORT_TCP)
		drop_read_slot(key, drop, sk);
	return 1;
}

/* --- counting --------------------------------------------------------------------------------- */

static __always_inline void drop_count(const struct mr_drop_key *key, struct mr_drop *drop)
{
	void *drops = mr_udp_active ? (void *)&mr_drops_b : (void *)&mr_drops_a;
	struct mr_drop *d = bpf_map_lookup_elem(drops, key);

	if (!d) {
		bpf_map_update_elem(drops, key, drop, BPF_NOEXIST);
		d = bpf_map_lookup_elem(drops, key); /* ours, or another CPU's that came first */
	}
	if (d)
		__sync_fetch_and_add(&d->count, 1);
	else
		__sync_fetch_and_add(&mr_totals.drops_full, 1);
}

/* A reason that is not ignored. */
static __always_inline int drop_seen(const struct sk_buff *skb, u32 reason)
{
	struct mr_drop_key key = {.reason = reason};
	struct mr_drop drop = {};

	if (!skb || !drop_read_packet(&key, skb) || !drop_read_socket(&key, &drop, skb))
		return 0;
	drop_count(&key, &drop);
	return 0;
}
