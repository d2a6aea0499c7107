/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The connection tracking's news on their way to the agent's netlink socket, as its filter.
 *
 * The kernel tells of a new entry while the connection's first packet is still on its way out. So
 * what this finds translated is virtual before anybody can answer, and the very first connection
 * to an address keeps its port; the agent reads the news when it likes. What is not translated does
 * not reach it.
 *
 *     nlmsghdr · nfgenmsg · CTA_TUPLE_ORIG · CTA_TUPLE_REPLY · …       as the kernel writes them
 *     a tuple: CTA_TUPLE_IP {source, destination} · CTA_TUPLE_PROTO {number, source, destination}
 *
 * What is written in another order is passed on: the agent reads it properly.
 */
#pragma once

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include "virtual.h"

#define NEWS_TUPLES   20 /* nlmsghdr and nfgenmsg are before */
#define NEWS_TYPE     4  /* of nlmsghdr, its low byte says what happened */
#define NEWS_OVER     2  /* IPCT_NL_MSG_CT_DELETE */
#define NEWS_PASS     0xffffffff
#define NEWS_FLAGS    0xc000 /* of an attribute's type: nested, byte order */
#define NEWS_ALIGN(n) (((n) + 3) & ~3)

/* Ports in network order; every byte set. */
struct news_tuple {
	u8 source[16], destination[16];
	__be16 source_port, destination_port;
	u8 protocol;
	u8 pad[3];
} __attribute__((aligned(8)));

struct news_attribute {
	u16 size, type;
};

static __always_inline int news_is(struct news_attribute a, u16 type)
{
	return (a.type & ~NEWS_FLAGS) == type;
}

/* 0: read; offset is that of what the tuple's attribute holds. */
static __always_inline int news_addresses(struct news_tuple *t, const struct __sk_buff *news,
					  u32 offset, u32 *ret_size)
{
	struct news_attribute head[2]; /* CTA_TUPLE_IP, and its first address */
	__be32 v4[2];

	if (bpf_skb_load_bytes(news, offset, head, sizeof(head)) || !news_is(head[0], CTA_TUPLE_IP))
		return -1;
	*ret_size = 4 + 2 * head[1].size;
	if (news_is(head[1], CTA_IP_V6_SRC) && head[1].size == 20)
		return bpf_skb_load_bytes(news, offset + 8, t->source, 16) ||
		       bpf_skb_load_bytes(news, offset + 28, t->destination, 16);
	if (!news_is(head[1], CTA_IP_V4_SRC) || head[1].size != 8 ||
	    bpf_skb_load_bytes(news, offset + 8, &v4[0], 4) ||
	    bpf_skb_load_bytes(news, offset + 16, &v4[1], 4))
		return -1;
	address_map_v4(t->source, v4[0]);
	address_map_v4(t->destination, v4[1]);
	return 0;
}

static __always_inline int news_ports(struct news_tuple *t, const struct __sk_buff *news,
				      u32 offset)
{
	struct {
		struct news_attribute nest, number_is;
		u8 number, pad[3];
		struct news_attribute source_is;
		__be16 source, pad2;
		struct news_attribute destination_is;
		__be16 destination, pad3;
	} proto;

	if (bpf_skb_load_bytes(news, offset, &proto, sizeof(proto)) ||
	    !news_is(proto.nest, CTA_TUPLE_PROTO) || !news_is(proto.number_is, CTA_PROTO_NUM) ||
	    !news_is(proto.source_is, CTA_PROTO_SRC_PORT) ||
	    !news_is(proto.destination_is, CTA_PROTO_DST_PORT))
		return -1;
	t->protocol = proto.number;
	t->source_port = proto.source;
	t->destination_port = proto.destination;
	return 0;
}

/* 0: read, *offset is behind it. */
static __always_inline int news_tuple_read(struct news_tuple *t, const struct __sk_buff *news,
					   u32 *offset, u16 type)
{
	struct news_attribute nest;
	u32 size;

	if (bpf_skb_load_bytes(news, *offset, &nest, sizeof(nest)) || !news_is(nest, type) ||
	    news_addresses(t, news, *offset + 4, &size) || news_ports(t, news, *offset + 4 + size))
		return -1;
	*offset += NEWS_ALIGN(nest.size);
	return 0;
}

static __always_inline int news_same(const u8 a[16], __be16 a_port, const u8 b[16], __be16 b_port)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && a_port == b_port;
}

static __always_inline void news_virtual(const u8 address[16], __be16 port, u8 role, u8 protocol)
{
	struct mr_virtual v = {.port = bpf_ntohs(port), .role = role};

	v.transport = protocol == IPPROTO_UDP ? MR_TRANSPORT_UDP : MR_TRANSPORT_TCP;
	__builtin_memcpy(v.address, address, sizeof(v.address));
	virtual_put(&v);
}

/* How many bytes of the message the agent gets. */
static __always_inline u32 news_filter(const struct __sk_buff *news)
{
	struct news_tuple original = {}, reply = {};
	u32 offset = NEWS_TUPLES;
	int serves_another, asks_another;
	u8 what;

	if (bpf_skb_load_bytes(news, NEWS_TYPE, &what, 1) ||
	    news_tuple_read(&original, news, &offset, CTA_TUPLE_ORIG) ||
	    news_tuple_read(&reply, news, &offset, CTA_TUPLE_REPLY))
		return NEWS_PASS;
	if (original.protocol != IPPROTO_TCP && original.protocol != IPPROTO_UDP)
		return 0;
	serves_another = !news_same(original.destination, original.destination_port, reply.source,
				    reply.source_port);
	asks_another = !news_same(original.source, original.source_port, reply.destination,
				  reply.destination_port);
	if (serves_another && what != NEWS_OVER)
		news_virtual(original.destination, original.destination_port, MR_ROLE_CLIENT,
			     original.protocol);
	if (asks_another && what != NEWS_OVER) /* the server's own port */
		news_virtual(reply.destination, reply.source_port, MR_ROLE_SERVER, reply.protocol);
	return serves_another || asks_another ? NEWS_PASS : 0;
}
