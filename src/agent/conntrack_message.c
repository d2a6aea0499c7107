/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/conntrack_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#define ATTRIBUTES_MAX (CTA_SYNPROXY + 1)

struct attributes {
	const struct nlattr *at[ATTRIBUTES_MAX]; /* by type; the last of a type counts */
};

static int keep(const struct nlattr *attr, void *userdata)
{
	struct attributes *a = userdata;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < ATTRIBUTES_MAX)
		a->at[type] = attr;
	return MNL_CB_OK;
}

/* false: there is none. */
static bool open_nest(const struct nlattr *nest, struct attributes *ret)
{
	*ret = (struct attributes){0};
	return nest && mnl_attr_parse_nested(nest, keep, ret) >= MNL_CB_STOP;
}

/* The bytes of an attribute of exactly this size. */
static bool read_bytes(const struct nlattr *attr, void *ret, size_t size)
{
	if (!attr || mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), size);
	return true;
}

static bool read_port(const struct nlattr *attr, uint16_t *ret)
{
	if (!read_bytes(attr, ret, sizeof(*ret)))
		return false;
	*ret = ntohs(*ret);
	return true;
}

static bool read_address(const struct attributes *ip, int v4, int v6, uint8_t ret[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};

	memcpy(ret, mapped, sizeof(mapped));
	return read_bytes(ip->at[v4], ret + sizeof(mapped), 4) || read_bytes(ip->at[v6], ret, 16);
}

static bool read_transport(uint8_t protocol, uint8_t *ret)
{
	*ret = protocol == IPPROTO_UDP ? MR_TRANSPORT_UDP : MR_TRANSPORT_TCP;
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static bool read_tuple(const struct nlattr *nest, struct conntrack_tuple *ret,
		       uint8_t *ret_transport)
{
	struct attributes tuple, ip, proto;
	uint8_t protocol;

	return open_nest(nest, &tuple) && open_nest(tuple.at[CTA_TUPLE_IP], &ip) &&
	       open_nest(tuple.at[CTA_TUPLE_PROTO], &proto) &&
	       read_bytes(proto.at[CTA_PROTO_NUM], &protocol, sizeof(protocol)) &&
	       read_transport(protocol, ret_transport) &&
	       read_address(&ip, CTA_IP_V4_SRC, CTA_IP_V6_SRC, ret->source) &&
	       read_address(&ip, CTA_IP_V4_DST, CTA_IP_V6_DST, ret->destination) &&
	       read_port(proto.at[CTA_PROTO_SRC_PORT], &ret->source_port) &&
	       read_port(proto.at[CTA_PROTO_DST_PORT], &ret->destination_port);
}

static bool is_translated(const struct conntrack_entry *e)
{
	const struct conntrack_tuple *o = &e->original, *r = &e->reply;

	return memcmp(o->source, r->destination, 16) || memcmp(o->destination, r->source, 16) ||
	       o->source_port != r->destination_port || o->destination_port != r->source_port;
}

static bool read_entry(const struct nlmsghdr *message, struct conntrack_entry *ret)
{
	struct attributes a = {0};
	uint8_t transport;

	*ret = (struct conntrack_entry){0};
	if (mnl_attr_parse(message, sizeof(struct nfgenmsg), keep, &a) < MNL_CB_STOP ||
	    !read_tuple(a.at[CTA_TUPLE_ORIG], &ret->original, &ret->transport) ||
	    !read_tuple(a.at[CTA_TUPLE_REPLY], &ret->reply, &transport) ||
	    transport != ret->transport)
		return false;
	read_port(a.at[CTA_ZONE], &ret->zone);
	ret->over = (message->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE;
	return is_translated(ret);
}

static bool is_entry(const struct nlmsghdr *message)
{
	uint16_t kind = message->nlmsg_type & 0xff;

	return message->nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK &&
	       (kind == IPCTNL_MSG_CT_NEW || kind == IPCTNL_MSG_CT_DELETE) &&
	       mnl_nlmsg_get_payload_len(message) >= sizeof(struct nfgenmsg);
}

static int answered_error(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*error) || error->error > 0 ||
	    error->error < -4095)
		return -EBADMSG;
	return error->error;
}

/* libmnl takes a length beyond INT_MAX for a negative one, which fits everywhere. */
static bool is_whole(const struct nlmsghdr *message, int left)
{
	return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (uint32_t)left;
}

int conntrack_message_parse(const void *data, size_t size, conntrack_entry_fn fn, void *userdata)
{
	const struct nlmsghdr *message = data;
	struct conntrack_entry entry;
	int left = (int)size, r;

	while (is_whole(message, left)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR) {
			r = answered_error(message);
			if (r < 0)
				return r;
		} else if (is_entry(message) && read_entry(message, &entry)) {
			fn(userdata, &entry);
		}
		message = mnl_nlmsg_next(message, &left);
	}
	return left > 0 ? -EBADMSG : 0;
}
