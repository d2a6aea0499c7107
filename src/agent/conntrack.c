/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/conntrack.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/netns_scan.h"
#include "base/lru.h"

#define BUFFER_BYTES  65536    /* the kernel's largest message of a dump is half of it */
#define RECEIVE_BYTES 16777216 /* some 16,000 news; memory is taken only while they wait */
#define READS_MAX     65536    /* then others have their turn */
#define NETNS_MAX     1024
#define DUMP_WAIT_S   2

struct conntrack {
	struct mnl_socket *news;
	struct mnl_socket *route; /* while it opens */
	conntrack_fn fn;
	void *userdata;
	struct lru *inodes;  /* number of a namespace ─► inode */
	uint32_t here;       /* inode of our own */
	struct nat_place at; /* whose entries are read now */
	uint64_t overruns;
	_Alignas(8) char buffer[BUFFER_BYTES];
};

static void on_entry(void *userdata, const struct conntrack_entry *entry)
{
	struct conntrack *c = userdata;

	c->fn(c->userdata, entry, &c->at);
}

/* Numbers of namespaces */

/* Of our own there is none; -errno: it has none. */
static int ask_number(struct conntrack *c, uint16_t type, int netns)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(c->buffer);
	const struct nlattr *attr;
	ssize_t size;
	int number = -ENOENT;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | (type == RTM_NEWNSID ? NLM_F_ACK : 0);
	mnl_nlmsg_put_extra_header(h, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(h, NETNSA_FD, (uint32_t)netns);
	if (type == RTM_NEWNSID)
		mnl_attr_put_u32(h, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
	if (mnl_socket_sendto(c->route, h, h->nlmsg_len) < 0)
		return -errno;
	size = mnl_socket_recvfrom(c->route, c->buffer, sizeof(c->buffer));
	h = (struct nlmsghdr *)c->buffer;
	if (size < 0 || !mnl_nlmsg_ok(h, (int)size) || h->nlmsg_type != RTM_NEWNSID)
		return -ENOENT;
	mnl_attr_for_each(attr, h, sizeof(struct rtgenmsg))
	{
		if (mnl_attr_get_type(attr) == NETNSA_NSID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			number = (int)mnl_attr_get_u32(attr);
	}
	return number < 0 ? -ENOENT : number;
}

/* One that has a number keeps it. */
static int number_of(struct conntrack *c, int netns)
{
	int number = ask_number(c, RTM_GETNSID, netns);

	if (number >= 0)
		return number;
	ask_number(c, RTM_NEWNSID, netns);
	return ask_number(c, RTM_GETNSID, netns);
}

/* What there is */

static int read_dump(struct conntrack *c, struct mnl_socket *socket)
{
	ssize_t size;
	int r = 0;

	while (r == 0) {
		size = mnl_socket_recvfrom(socket, c->buffer, sizeof(c->buffer));
		if (size < 0)
			return -errno;
		r = conntrack_message_parse(c->buffer, (size_t)size, on_entry, c);
	}
	return r < 0 ? r : 0;
}

static int dump(struct conntrack *c)
{
	const struct timeval wait = {.tv_sec = DUMP_WAIT_S};
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	struct nlmsghdr *h = mnl_nlmsg_put_header(c->buffer);
	int r = 0;

	if (!socket)
		return -errno;
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(h, sizeof(struct nfgenmsg));
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, h, h->nlmsg_len) < 0)
		r = -errno;
	if (r == 0)
		r = read_dump(c, socket);
	mnl_socket_close(socket);
	return r;
}

struct visit {
	struct conntrack *conntrack;
	int netns;
};

static void *visit_run(void *userdata)
{
	struct visit *v = userdata;

	if (setns(v->netns, CLONE_NEWNET) == 0)
		dump(v->conntrack);
	return NULL;
}

/* A thread of its own goes in and ends there. */
static void on_netns(void *userdata, uint32_t inode, int fd)
{
	struct conntrack *c = userdata;
	struct visit v = {.conntrack = c, .netns = fd};
	bool is_here = inode == c->here;
	int number = is_here || fd < 0 ? -1 : number_of(c, fd);
	uint32_t *known;
	pthread_t thread;

	if (fd < 0 || (!is_here && number < 0))
		return;
	known = is_here ? NULL : lru_put(c->inodes, &number, NULL);
	if (known)
		*known = inode;
	c->at = (struct nat_place){.netns = inode, .origin = (uint32_t)(number + 1)};
	if (pthread_create(&thread, NULL, visit_run, &v) == 0)
		pthread_join(thread, NULL);
}

/* News */

/* Passes what carries the status of a translated connection, and what carries none. The probe has a
 * better one; until then, or where that is refused, this serves. */
static int filter_translated(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_IMM, NLMSG_HDRLEN + sizeof(struct nfgenmsg)),
		BPF_STMT(BPF_LDX | BPF_IMM, CTA_STATUS),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_AD_OFF + SKF_AD_NLATTR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, NLA_HDRLEN),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IPS_NAT_MASK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int listen_all(int fd)
{
	const int on = 1, size = RECEIVE_BYTES,
		  groups[] = {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_DESTROY};

	if (filter_translated(fd) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on)))
		return -errno;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])))
			return -errno;
	return 0;
}

/* The kernel says the number of a namespace, unless it is ours. */
static struct nat_place place_of(struct conntrack *c, struct msghdr *message)
{
	struct nat_place place = {.netns = c->here};
	uint32_t *inode;
	int number;

	for (struct cmsghdr *m = CMSG_FIRSTHDR(message); m; m = CMSG_NXTHDR(message, m)) {
		if (m->cmsg_level != SOL_NETLINK || m->cmsg_type != NETLINK_LISTEN_ALL_NSID)
			continue;
		memcpy(&number, CMSG_DATA(m), sizeof(number));
		inode = lru_get(c->inodes, &number);
		place.netns = inode ? *inode : 0;
		place.origin = (uint32_t)(number + 1);
	}
	return place;
}

/* False: nothing waits. */
static bool read_one(struct conntrack *c)
{
	char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct nl_pktinfo))];
	struct sockaddr_nl from;
	struct iovec data = {.iov_base = c->buffer, .iov_len = sizeof(c->buffer)};
	struct msghdr message = {.msg_name = &from,
				 .msg_namelen = sizeof(from),
				 .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(mnl_socket_get_fd(c->news), &message, MSG_DONTWAIT);

	if (size < 0 && errno == ENOBUFS)
		c->overruns++;
	if (size < 0)
		return errno == ENOBUFS || errno == EINTR;
	if (from.nl_pid) /* not the kernel */
		return true;
	c->at = place_of(c, &message);
	conntrack_message_parse(c->buffer, (size_t)size, on_entry, c);
	return true;
}

int conntrack_read(struct conntrack *c)
{
	int count = 0;

	while (count < READS_MAX && read_one(c))
		count++;
	return count;
}

int conntrack_fd(const struct conntrack *c)
{
	return mnl_socket_get_fd(c->news);
}

uint64_t conntrack_overruns(const struct conntrack *c)
{
	return c->overruns;
}

/* News first, then what there is: so nothing falls in between. */
static int open_all(struct conntrack *c, const char *proc)
{
	char path[64];
	struct stat st;
	int r;

	snprintf(path, sizeof(path), "%s/self/ns/net", proc);
	c->here = stat(path, &st) == 0 ? (uint32_t)st.st_ino : 0;
	c->news = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	c->route = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	c->inodes = lru_new(NETNS_MAX, sizeof(int), sizeof(uint32_t));
	if (!c->news || !c->route || mnl_socket_bind(c->news, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_bind(c->route, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	if (!c->inodes)
		return -ENOMEM;
	r = listen_all(mnl_socket_get_fd(c->news));
	return r < 0 ? r : netns_walk(proc, on_netns, c);
}

int conntrack_open(struct conntrack **ret, const char *proc, conntrack_fn fn, void *userdata)
{
	struct conntrack *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->fn = fn;
	c->userdata = userdata;
	r = open_all(c, proc);
	if (c->route)
		mnl_socket_close(c->route);
	c->route = NULL;
	if (r < 0) {
		conntrack_free(c);
		return r;
	}
	conntrack_read(c);
	*ret = c;
	return 0;
}

struct conntrack *conntrack_free(struct conntrack *c)
{
	if (!c)
		return NULL;
	if (c->news)
		mnl_socket_close(c->news);
	lru_free(c->inodes);
	free(c);
	return NULL;
}
