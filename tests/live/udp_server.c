/* SPDX-License-Identifier: Apache-2.0 */
/* The server of udp_load.h: reads all there is, answers what asks for it, and counts both. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "udp_internal.h"

#define UDP_GRO   104
#define SOCKETS   (LANE_COUNT + 2) /* two receivers a group */
#define SILENT_MS 1000 /* nothing came for so long after all was sent: all that came is read */

static struct server {
	struct udp_load *load;
	struct pollfd polls[SOCKETS];
	enum udp_lane lane[SOCKETS];
	int count;
	char buffer[UDP_PAYLOAD_MAX + 1];
} server;

static void fail(const char *what)
{
	fprintf(stderr, "udp-server: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void group_join(int fd, enum udp_lane lane)
{
	struct ip_mreqn four = {.imr_ifindex = (int)if_nametoindex("veth1")};
	struct ipv6_mreq six = {.ipv6mr_interface = if_nametoindex("veth1")};
	int r;

	inet_pton(AF_INET, UDP_GROUP4, &four.imr_multiaddr);
	inet_pton(AF_INET6, UDP_GROUP6, &six.ipv6mr_multiaddr);
	r = lane == LANE_GROUP4 ? setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &four, sizeof(four))
				: setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &six, sizeof(six));
	if (r)
		fail("joining the group");
}

/* The mixed lanes on any address, so that what is local to a datagram is not in the socket. */
static void lane_bind(enum udp_lane lane)
{
	int size = lane == LANE_FULL ? 4096 : 64 << 20, one = 1;
	struct sockaddr_storage address;
	socklen_t length = udp_lane_address(lane, &address);
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (udp_lane_is_v6(lane))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (lane == LANE_SEGMENTS6)
		setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	if (lane == LANE_GROUP4 || lane == LANE_GROUP6)
		group_join(fd, lane);
	if (lane == LANE_MIXED4)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = 0;
	if (lane == LANE_MIXED6)
		((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_any;
	if (bind(fd, (struct sockaddr *)&address, length))
		fail("bind");
	server.polls[server.count] = (struct pollfd){.fd = fd, .events = POLLIN};
	server.lane[server.count++] = lane;
}

static void bind_lanes(int first)
{
	for (int lane = first; lane < LANE_COUNT; lane += 2) {
		lane_bind((enum udp_lane)lane);
		if (lane == LANE_GROUP4 || lane == LANE_GROUP6)
			lane_bind((enum udp_lane)lane);
	}
}

/* Size of the segments that the kernel joined; 0: it did not. */
static size_t segment_size(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
			return (size_t) * (const int *)(const void *)CMSG_DATA(c);
	return 0;
}

/* An odd first byte asks for an answer of half the length. */
static void answer(int fd, struct udp_tally *t, size_t size, const struct sockaddr_storage *to,
		   socklen_t length)
{
	ssize_t n;

	if (size == 0 || !(server.buffer[0] & 1))
		return;
	n = sendto(fd, server.buffer, size / 2, 0, (const struct sockaddr *)to, length);
	if (n < 0)
		return;
	t->sent++;
	t->sent_bytes += (uint64_t)n;
}

static bool read_one(int fd, struct udp_tally *t)
{
	char control[64];
	struct sockaddr_storage from;
	struct iovec part = {server.buffer, sizeof(server.buffer)};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, 0);
	unsigned int datagrams;

	if (n < 0)
		return false;
	datagrams = udp_segments_of((size_t)n, segment_size(&m));
	t->received += datagrams;
	t->received_bytes += (uint64_t)n;
	server.load->shared->arrived += datagrams;
	answer(fd, t, (size_t)n, &from, m.msg_namelen);
	return true;
}

/* The queue that is to overflow is not read before all was sent. */
static bool read_all(void)
{
	const struct udp_shared *s = server.load->shared;
	bool any = false;

	for (int i = 0; i < server.count; i++) {
		if (server.lane[i] == LANE_FULL && !s->sent_all)
			continue;
		while (read_one(server.polls[i].fd, &server.load->shared->server[server.lane[i]]))
			any = true;
	}
	return any;
}

static void tell_drops(void)
{
	uint32_t memory[SK_MEMINFO_VARS];
	socklen_t length;

	for (int i = 0; i < server.count; i++) {
		length = sizeof(memory);
		if (getsockopt(server.polls[i].fd, SOL_SOCKET, SO_MEMINFO, memory, &length))
			fail("SO_MEMINFO");
		server.load->shared->server[server.lane[i]].dropped += memory[SK_MEMINFO_DROPS];
	}
}

void udp_server_run(struct udp_load *u)
{
	struct udp_shared *s = u->shared;

	server.load = u;
	bind_lanes(0);
	s->bound = 1;
	while (!s->go)
		usleep(1000);
	bind_lanes(1);
	s->bound = 2;
	for (bool over = false; !over;) {
		bool all_sent = s->sent_all;

		over = !read_all() && all_sent &&
		       !poll(server.polls, (nfds_t)server.count, SILENT_MS);
		if (!over && !all_sent)
			poll(server.polls, (nfds_t)server.count, 1);
	}
	tell_drops();
	s->done = 1;
	_exit(0);
}
