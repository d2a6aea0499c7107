/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the connection tracking: what counts, what is passed over, what makes no sense. */
#include "agent/conntrack_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(8) char buffer[4096];

struct seen {
	struct conntrack_entry last;
	unsigned int count;
};

static void on_entry(void *userdata, const struct conntrack_entry *entry)
{
	struct seen *s = userdata;

	s->last = *entry;
	s->count++;
}

static struct nlmsghdr *begin(void *at, uint16_t kind)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | kind);
	g->nfgen_family = AF_INET;
	return h;
}

static void put_tuple(struct nlmsghdr *h, uint16_t type, const char *from, const char *to,
		      uint16_t from_port, uint16_t to_port, uint8_t protocol)
{
	struct nlattr *tuple = mnl_attr_nest_start(h, type), *nest;
	bool v6 = strchr(from, ':') != NULL;
	uint8_t address[16];

	nest = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	inet_pton(v6 ? AF_INET6 : AF_INET, from, address);
	mnl_attr_put(h, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, v6 ? 16 : 4, address);
	inet_pton(v6 ? AF_INET6 : AF_INET, to, address);
	mnl_attr_put(h, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, v6 ? 16 : 4, address);
	mnl_attr_nest_end(h, nest);
	nest = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, protocol);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons(from_port));
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons(to_port));
	mnl_attr_nest_end(h, nest);
	mnl_attr_nest_end(h, tuple);
}

static struct nlmsghdr *put_translated(void *at, uint16_t kind, uint8_t protocol)
{
	struct nlmsghdr *h = begin(at, kind);

	put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.96.0.1", 4711, 80, protocol);
	put_tuple(h, CTA_TUPLE_REPLY, "10.1.2.3", "10.0.0.1", 8080, 4711, protocol);
	return h;
}

static int parse(size_t size, struct seen *ret)
{
	*ret = (struct seen){0};
	return conntrack_message_parse(buffer, size, on_entry, ret);
}

static void reads_a_translation(void **state)
{
	static const uint8_t asked[16] = {[10] = 0xff, 0xff, 10, 96, 0, 1};
	static const uint8_t serves[16] = {[10] = 0xff, 0xff, 10, 1, 2, 3};
	struct nlmsghdr *h = put_translated(buffer, IPCTNL_MSG_CT_NEW, IPPROTO_TCP);
	struct seen seen;

	mnl_attr_put_u16(h, CTA_ZONE, htons(5));
	assert_int_equal(parse(h->nlmsg_len, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_memory_equal(seen.last.original.destination, asked, 16);
	assert_memory_equal(seen.last.reply.source, serves, 16);
	assert_int_equal(seen.last.original.source_port, 4711);
	assert_int_equal(seen.last.original.destination_port, 80);
	assert_int_equal(seen.last.reply.source_port, 8080);
	assert_int_equal(seen.last.zone, 5);
	assert_int_equal(seen.last.transport, MR_TRANSPORT_TCP);
	assert_false(seen.last.over);
}

static void reads_an_end_in_v6(void **state)
{
	struct nlmsghdr *h = begin(buffer, IPCTNL_MSG_CT_DELETE);
	uint8_t expected[16];
	struct seen seen;

	put_tuple(h, CTA_TUPLE_ORIG, "fd00::1", "fd00::99", 1, 2, IPPROTO_UDP);
	put_tuple(h, CTA_TUPLE_REPLY, "fd00::2", "fd00::1", 2, 1, IPPROTO_UDP);
	assert_int_equal(parse(h->nlmsg_len, &seen), 0);
	assert_true(seen.last.over);
	assert_int_equal(seen.last.transport, MR_TRANSPORT_UDP);
	inet_pton(AF_INET6, "fd00::2", expected);
	assert_memory_equal(seen.last.reply.source, expected, 16);
}

static void passes_over_what_is_not_translated(void **state)
{
	struct nlmsghdr *h = begin(buffer, IPCTNL_MSG_CT_NEW);
	struct seen seen;

	put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", 4711, 80, IPPROTO_TCP);
	put_tuple(h, CTA_TUPLE_REPLY, "10.0.0.2", "10.0.0.1", 80, 4711, IPPROTO_TCP);
	assert_int_equal(parse(h->nlmsg_len, &seen), 0);
	assert_int_equal(seen.count, 0);
	h = put_translated(buffer, IPCTNL_MSG_CT_NEW, IPPROTO_SCTP);
	assert_int_equal(parse(h->nlmsg_len, &seen), 0);
	assert_int_equal(seen.count, 0);
}

static void reads_all_messages_of_a_dump(void **state)
{
	struct nlmsghdr *h = put_translated(buffer, IPCTNL_MSG_CT_NEW, IPPROTO_TCP);
	size_t size = MNL_ALIGN(h->nlmsg_len);
	struct seen seen;

	h = put_translated(buffer + size, IPCTNL_MSG_CT_NEW, IPPROTO_TCP);
	size += MNL_ALIGN(h->nlmsg_len);
	assert_int_equal(parse(size, &seen), 0);
	assert_int_equal(seen.count, 2);
	h = mnl_nlmsg_put_header(buffer + size);
	h->nlmsg_type = NLMSG_DONE;
	assert_int_equal(parse(size + h->nlmsg_len, &seen), 1);
}

static void tells_what_the_kernel_answers(void **state)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
	struct nlmsgerr *error = mnl_nlmsg_put_extra_header(h, sizeof(*error));
	struct seen seen;

	h->nlmsg_type = NLMSG_ERROR;
	error->error = -EPERM;
	assert_int_equal(parse(h->nlmsg_len, &seen), -EPERM);
	error->error = 7;
	assert_int_equal(parse(h->nlmsg_len, &seen), -EBADMSG);
	h->nlmsg_len = NLMSG_HDRLEN;
	assert_int_equal(parse(h->nlmsg_len, &seen), -EBADMSG);
}

/* Each cut and each changed byte: nothing is read beyond the end (ASan), nothing hangs. */
static void survives_any_damage(void **state)
{
	size_t size = put_translated(buffer, IPCTNL_MSG_CT_NEW, IPPROTO_TCP)->nlmsg_len;
	struct seen seen = {0};

	for (size_t cut = 0; cut <= size; cut++) {
		char *copy = malloc(cut ? cut : 1);

		memcpy(copy, buffer, cut);
		conntrack_message_parse(copy, cut, on_entry, &seen);
		free(copy);
	}
	assert_int_equal(seen.count, 1); /* the whole one */
	for (size_t at = 0; at < size; at++) {
		char *copy = malloc(size);

		memcpy(copy, buffer, size);
		copy[at] = (char)~copy[at];
		conntrack_message_parse(copy, size, on_entry, &seen);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_translation),
		cmocka_unit_test(reads_an_end_in_v6),
		cmocka_unit_test(passes_over_what_is_not_translated),
		cmocka_unit_test(reads_all_messages_of_a_dump),
		cmocka_unit_test(tells_what_the_kernel_answers),
		cmocka_unit_test(survives_any_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
