/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Datagrams: sent when the socket hands one to IP, received when one is about to be queued at its
 * socket. In between the two ends nothing is looked at, so fragments, GSO and GRO need no care: a
 * buffer is as many datagrams as its segments.
 *
 * Two kinds of hook see the same: fentry on the kernel's functions, or cgroup_skb, which also sees
 * each TCP packet and lets it pass in a few instructions. Whichever serves, the addresses are those
 * the socket sees (untranslate.h).
 */
#pragma once

#include "dns.h"
#include "udp_fold.h"
#include "udp_role.h"
#include "untranslate.h"

/* What a hook read of a buffer; ports in host order. */
struct udp_seen {
	struct udp_ends ends;
	u32 bytes; /* payload */
	u32 datagrams;
	u8 received;
	u8 role; /* enum mr_role, once it is counted; 0: not one that counts */
	u8 pad[6];
};

/* The datagram that was received last on this CPU: if its socket's queue is full, it is this one.
 * Between the two the kernel does not leave the CPU's softirq. */
struct udp_last {
	struct udp_count count;
	u64 address; /* of its socket; 0: none */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct udp_last);
} mr_udp_last SEC(".maps");

/* Not static, so that its stack is only its own while it runs. */
__noinline int udp_keep_port(struct mr_flow_key *key, u32 ephemeral)
{
	if (key)
		key_keep_port(key, MR_TRANSPORT_UDP, ephemeral);
	return 0;
}

static __always_inline void udp_key(struct mr_flow_key *key, const struct udp_ends *e, u8 role,
				    const struct udp_socket *s)
{
	key->cgroup = s->cgroup;
	__builtin_memcpy(key->local, e->local, sizeof(key->local));
	__builtin_memcpy(key->remote, e->remote, sizeof(key->remote));
	key->netns = s->netns;
	key->netns_cookie = s->netns_cookie;
	key->tgid = role == MR_ROLE_CLIENT ? s->tgid : 0;
	key->port = role == MR_ROLE_SERVER ? e->local_port : e->remote_port;
	key->role = role;
	key->transport = MR_TRANSPORT_UDP;
	udp_keep_port(key, role == MR_ROLE_SERVER ? e->remote_port : e->local_port);
}

static __always_inline void udp_remember(const struct udp_count *c, u64 address)
{
	u32 zero = 0;
	struct udp_last *last = bpf_map_lookup_elem(&mr_udp_last, &zero);

	if (!last)
		return;
	last->count = *c;
	last->address = address;
}

/* Counts what was seen, for its socket. Not static, so that the verifier looks at it once. */
__noinline int udp_count(struct udp_seen *seen, u64 cookie, u64 address)
{
	struct udp_count c = {};
	struct udp_socket *s;
	u8 role;

	if (!seen)
		return 0;
	s = udp_socket_of(cookie, address, seen->received);
	if (!s)
		return 0;
	if (!seen->received)
		udp_socket_sends(s);
	seen->ends.ephemeral_low = mr_ephemeral_low;
	seen->ends.bound = s->bound;
	seen->ends.received_first = s->received_first;
	role = udp_role(&seen->ends);
	seen->role = role;
	udp_key(&c.key, &seen->ends, role, s);
	c.bytes = seen->bytes;
	c.datagrams = seen->datagrams ? seen->datagrams : 1;
	c.to_client = (role == MR_ROLE_SERVER) != seen->received;
	if (seen->received)
		udp_remember(&c, address);
	return udp_fold(&c, cookie, address);
}

/* After udp_count(): whether the agent wants to read it. */
static __always_inline int udp_is_dns(const struct udp_seen *seen)
{
	return seen->role && dns_is_message(&seen->ends, seen->role);
}

/* Whose message it is; held bytes of it are copied. A socket that has just fallen out of the map is
 * nobody's. */
static __always_inline void udp_describe_dns(struct mr_dns_head *h, const struct udp_seen *seen,
					     u64 cookie, u32 held)
{
	struct udp_socket *s = bpf_map_lookup_elem(&mr_udp_sockets, &cookie);

	__builtin_memset(h, 0, sizeof(*h));
	if (s) {
		udp_key(&h->key, &seen->ends, seen->role, s);
		h->process_start_ns = s->process_start_ns;
		__builtin_memcpy(h->comm, s->comm, sizeof(h->comm));
	}
	dns_describe(h, &seen->ends, seen->received, seen->bytes, held);
}

/* The queue of this socket had no room for what was just received. Not every socket is observed. */
static __always_inline void udp_dropped(u64 address)
{
	u32 zero = 0;
	struct udp_last *last = bpf_map_lookup_elem(&mr_udp_last, &zero);
	struct udp_count c;

	if (!last || last->address != address)
		return;
	c = last->count;
	last->address = 0;
	udp_unfold(&c);
}

/* --- out of a buffer, by its kernel struct (fentry) ------------------------------------------ */

static __always_inline int udp_is_datagram(const struct sock *sk)
{
	return sk && sk->sk_protocol == IPPROTO_UDP && sk->sk_type == SOCK_DGRAM;
}

static __always_inline void udp_swap(struct udp_ends *e)
{
	u8 address[16];
	u16 port = e->local_port;

	__builtin_memcpy(address, e->local, 16);
	__builtin_memcpy(e->local, e->remote, 16);
	__builtin_memcpy(e->remote, address, 16);
	e->local_port = e->remote_port;
	e->remote_port = port;
}

/* Source is local, destination remote: as it leaves. */
static __always_inline void udp_read_headers(struct udp_ends *e, const struct sk_buff *skb, int v6)
{
	const unsigned char *head = skb->head;
	const void *network = head + skb->network_header;
	struct {
		__be32 saddr, daddr;
	} v4;
	struct {
		u8 saddr[16], daddr[16];
	} ip6;
	__be16 ports[2];

	bpf_probe_read_kernel(ports, sizeof(ports), head + skb->transport_header);
	e->local_port = bpf_ntohs(ports[0]);
	e->remote_port = bpf_ntohs(ports[1]);
	if (v6) {
		bpf_probe_read_kernel(&ip6, sizeof(ip6), network + 8);
		__builtin_memcpy(e->local, ip6.saddr, 16);
		__builtin_memcpy(e->remote, ip6.daddr, 16);
		return;
	}
	bpf_probe_read_kernel(&v4, sizeof(v4), network + 12);
	address_map_v4(e->local, v4.saddr);
	address_map_v4(e->remote, v4.daddr);
}

static __always_inline u32 udp_segments(const struct sk_buff *skb)
{
	const struct skb_shared_info *info = (const void *)(skb->head + skb->end);

	return BPF_CORE_READ(info, gso_segs);
}

/* The message begins behind UDP's header; what lies outside of the linear part is cut. Two sizes of
 * record, since most messages are short. */
static __always_inline void udp_dns_buffer(const struct udp_seen *seen, u64 cookie,
					   const struct sk_buff *skb)
{
	const void *message = skb->head + skb->transport_header + 8;
	u32 held = seen->bytes - skb->data_len;

	if (!udp_is_dns(seen) || seen->bytes <= skb->data_len)
		return;
	if (held <= MR_DNS_SMALL) {
		struct mr_dns_small *m = bpf_ringbuf_reserve(&mr_dns, sizeof(*m), 0);

		if (!m)
			return dns_lost();
		held = dns_bounded(held, MR_DNS_SMALL);
		bpf_probe_read_kernel(m->data, held, message);
		udp_describe_dns(&m->head, seen, cookie, held);
		dns_submit(m);
	} else {
		struct mr_dns_large *m = bpf_ringbuf_reserve(&mr_dns, sizeof(*m), 0);

		if (!m)
			return dns_lost();
		held = dns_bounded(held, MR_DNS_LARGE);
		bpf_probe_read_kernel(m->data, held, message);
		udp_describe_dns(&m->head, seen, cookie, held);
		dns_submit(m);
	}
}

/* IP's header is at data. */
static __always_inline void udp_sent(const struct sk_buff *skb, int v6)
{
	const struct sock *sk = skb->sk;
	struct udp_seen seen = {};
	u64 cookie;

	if (!udp_is_datagram(sk))
		return;
	udp_read_headers(&seen.ends, skb, v6);
	seen.bytes = skb->len - (u16)(skb->transport_header - skb->network_header) - 8;
	seen.datagrams = udp_segments(skb);
	cookie = bpf_get_socket_cookie((void *)sk);
	udp_count(&seen, cookie, address_of(sk));
	udp_dns_buffer(&seen, cookie, skb);
}

/* The payload is at data. */
static __always_inline void udp_received(struct sock *sk, const struct sk_buff *skb)
{
	struct udp_seen seen = {.received = 1};
	u64 cookie;
	u8 version;

	if (bpf_probe_read_kernel(&version, 1, skb->head + skb->network_header))
		return;
	udp_read_headers(&seen.ends, skb, version >> 4 == 6);
	udp_swap(&seen.ends);
	seen.bytes = skb->len;
	seen.datagrams = udp_segments(skb);
	cookie = bpf_get_socket_cookie(sk);
	udp_count(&seen, cookie, address_of(sk));
	udp_dns_buffer(&seen, cookie, skb);
}

/* --- out of a packet (cgroup_skb) ------------------------------------------------------------ */

/* How far UDP's header is behind IP's, where IPv6 has more headers; 0: not UDP. */
static __always_inline u32 udp_offset_slow(const struct __sk_buff *packet)
{
	const struct sk_buff *skb = (const struct sk_buff *)address_of(packet);

	if (BPF_CORE_READ(skb, sk, sk_protocol) != IPPROTO_UDP)
		return 0;
	return (u16)(BPF_CORE_READ(skb, transport_header) - BPF_CORE_READ(skb, network_header));
}

/* Addresses and where UDP's header is; 0: not UDP. Most of what comes is TCP. */
static __always_inline u32 udp_parse(const struct __sk_buff *packet, struct udp_ends *e)
{
	const u8 *ip = (const u8 *)(long)packet->data, *end = (const u8 *)(long)packet->data_end;

	if (packet->protocol == bpf_htons(ETH_P_IP)) {
		if (ip + 20 > end || ip[9] != IPPROTO_UDP)
			return 0;
		address_map_v4(e->local, *(const __be32 *)(ip + 12));
		address_map_v4(e->remote, *(const __be32 *)(ip + 16));
		return (ip[0] & 15) * 4;
	}
	if (packet->protocol != bpf_htons(ETH_P_IPV6) || ip + 40 > end || ip[6] == IPPROTO_TCP)
		return 0;
	__builtin_memcpy(e->local, ip + 8, 16);
	__builtin_memcpy(e->remote, ip + 24, 16);
	return ip[6] == IPPROTO_UDP ? 40 : udp_offset_slow(packet);
}

/* Not static, so that its stack is only its own while it runs. */
__noinline int udp_dns_packet(struct __sk_buff *packet, const struct udp_seen *seen, u64 cookie,
			      u32 offset)
{
	u32 held;

	if (!seen || !udp_is_dns(seen))
		return 0;
	held = seen->bytes;
	if (held <= MR_DNS_SMALL) {
		struct mr_dns_small *m = bpf_ringbuf_reserve(&mr_dns, sizeof(*m), 0);

		if (!m) {
			dns_lost();
			return 0;
		}
		held = dns_bounded(held, MR_DNS_SMALL);
		if (bpf_skb_load_bytes(packet, offset, m->data, held))
			held = 0;
		udp_describe_dns(&m->head, seen, cookie, held);
		dns_submit(m);
	} else {
		struct mr_dns_large *m = bpf_ringbuf_reserve(&mr_dns, sizeof(*m), 0);

		if (!m) {
			dns_lost();
			return 0;
		}
		held = dns_bounded(held, MR_DNS_LARGE);
		if (bpf_skb_load_bytes(packet, offset, m->data, held))
			held = 0;
		udp_describe_dns(&m->head, seen, cookie, held);
		dns_submit(m);
	}
	return 0;
}

/* What lets TCP pass: all that these programs do for most of what comes, so it comes before
 * anything is set up. */
static __always_inline int udp_is_other(const struct __sk_buff *packet)
{
	const u8 *ip = (const u8 *)(long)packet->data, *end = (const u8 *)(long)packet->data_end;

	if (packet->protocol == bpf_htons(ETH_P_IP))
		return ip + 20 > end || ip[9] != IPPROTO_UDP;
	return packet->protocol != bpf_htons(ETH_P_IPV6) || ip + 40 > end || ip[6] == IPPROTO_TCP;
}

/* Not static, so that its stack is none of TCP's business and the verifier looks at it once. */
__noinline int udp_packet(struct __sk_buff *packet, u32 received)
{
	struct udp_seen seen = {.received = received};
	u32 offset = udp_parse(packet, &seen.ends);
	struct bpf_sock *sk = packet->sk;
	__be16 ports[2];
	u64 cookie;

	if (!offset || !sk || bpf_skb_load_bytes(packet, offset, ports, sizeof(ports)))
		return 0;
	seen.ends.local_port = bpf_ntohs(ports[0]);
	seen.ends.remote_port = bpf_ntohs(ports[1]);
	if (received)
		udp_swap(&seen.ends);
	else
		udp_untranslate(packet, &seen.ends);
	seen.bytes = packet->len - offset - 8;
	seen.datagrams = packet->gso_segs;
	cookie = bpf_get_socket_cookie(packet);
	udp_count(&seen, cookie, address_of(sk));
	udp_dns_packet(packet, &seen, cookie, offset + 8);
	return 0;
}
