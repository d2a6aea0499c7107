/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The addresses of a packet as its socket means them, where cgroup_skb sees it: on its way out,
 * behind this namespace's translation. The connection tracking's entry is still at the packet, and
 * its tuple of the packet's direction is what the socket said.
 *
 * A kernel whose connection tracking is not there when the programs are loaded shows the translated
 * addresses. Cost: one word of a packet that nobody tracks, two of one that nobody translates.
 */
#pragma once

#include "kernel.h"
#include "udp_role.h"
#include "virtual.h"

#define NFCT_INFO       7UL  /* of _nfct: what is not the entry's address */
#define NFCT_INFO_REPLY 3    /* IP_CT_IS_REPLY */
#define CONNTRACK_NAT   0x30 /* IPS_NAT_MASK */

/* The kernel's struct nf_conntrack_tuple, which is the same in all that we load on. */
struct conntrack_raw {
	u8 source[16];
	__be16 source_port;
	u16 family;
	u8 destination[16];
	__be16 destination_port;
	u8 protocol, direction;
};

static __always_inline void conntrack_address(u8 to[16], const u8 from[16], u16 family)
{
	if (family == AF_INET)
		address_map_v4(to, *(const __be32 *)from);
	else
		__builtin_memcpy(to, from, 16);
}

static __always_inline int conntrack_read(struct conntrack_raw *t, u64 nfct)
{
	const struct nf_conn *ct = (const void *)(nfct & ~NFCT_INFO);

	if (!bpf_core_field_exists(ct->status) || !(BPF_CORE_READ(ct, status) & CONNTRACK_NAT))
		return -1;
	if ((nfct & NFCT_INFO) >= NFCT_INFO_REPLY)
		return bpf_core_read(t, sizeof(*t), &ct->tuplehash[1].tuple);
	return bpf_core_read(t, sizeof(*t), &ct->tuplehash[0].tuple);
}

/* e: source is local, destination remote. Not static, so that its stack is only its own while it
 * runs. */
__noinline int udp_untranslate(struct __sk_buff *packet, struct udp_ends *e)
{
	const struct sk_buff *skb = (const struct sk_buff *)address_of(packet);
	struct conntrack_raw t;
	u64 nfct;

	if (!e || !bpf_core_field_exists(skb->_nfct))
		return 0;
	nfct = BPF_CORE_READ(skb, _nfct);
	if (!(nfct & ~NFCT_INFO) || conntrack_read(&t, nfct) || t.protocol != IPPROTO_UDP)
		return 0;
	conntrack_address(e->local, t.source, t.family);
	conntrack_address(e->remote, t.destination, t.family);
	e->local_port = bpf_ntohs(t.source_port);
	e->remote_port = bpf_ntohs(t.destination_port);
	return 0;
}
