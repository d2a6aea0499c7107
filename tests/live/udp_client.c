/* SPDX-License-Identifier: Apache-2.0 */
/* The client of udp_load.h: many peers that send, each in its way, and read what is answered. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "udp_internal.h"

#define UDP_SEGMENT 103
#define AHEAD_MAX   256  /* datagrams that the server has not read yet */
#define LOST_US     5000 /* what did not come in that time does not come any more */
#define SILENT_MS   300

struct peer {
	int fd;
	enum udp_lane lane;
	bool connected;
};

static struct client {
	struct udp_load *load;
	struct peer *peers;
	unsigned int count;
	int epoll;
	uint64_t random, sent, lost;
	struct sockaddr_storage server[LANE_COUNT];
	socklen_t length[LANE_COUNT];
	char out[UDP_PAYLOAD_MAX], in[UDP_PAYLOAD_MAX];
} client;

static void fail(const char *what)
{
	fprintf(stderr, "udp-client: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static uint64_t any(uint64_t below)
{
	client.random ^= client.random << 13;
	client.random ^= client.random >> 7;
	client.random ^= client.random << 17;
	return client.random % below;
}

/* Each IPv4 peer is another address of 10.79.0.0/16. */
static void own_address(int fd, unsigned int number)
{
	struct sockaddr_in own = {.sin_family = AF_INET};

	own.sin_addr.s_addr = htonl(0x0a4f0000u + 256 + number);
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)))
		fail("bind");
}

static void peer_open(enum udp_lane lane, bool connected)
{
	struct peer *p = &client.peers[client.count];
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = client.count};

	p->lane = lane;
	p->connected = connected;
	p->fd = socket(client.server[lane].ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		fail("socket");
	if (lane == LANE_MIXED4)
		own_address(p->fd, client.count);
	if (connected &&
	    connect(p->fd, (struct sockaddr *)&client.server[lane], client.length[lane]))
		fail("connect");
	if (epoll_ctl(client.epoll, EPOLL_CTL_ADD, p->fd, &event))
		fail("epoll_ctl");
	client.count++;
}

static void peer_read(const struct peer *p)
{
	struct udp_tally *t = &client.load->shared->client[p->lane];
	ssize_t n;

	for (;;) {
		n = recv(p->fd, client.in, sizeof(client.in), 0);
		if (n < 0 && errno == ECONNREFUSED)
			continue;
		if (n < 0)
			return;
		t->received++;
		t->received_bytes += (uint64_t)n;
	}
}

static bool read_answers(int timeout_ms)
{
	struct epoll_event events[64];
	int n = epoll_wait(client.epoll, events, 64, timeout_ms);

	for (int i = 0; i < n; i++)
		peer_read(&client.peers[events[i].data.u32]);
	return n > 0;
}

/* The server reads as fast as we send; what it never gets is not waited for twice. */
static void keep_step(void)
{
	uint64_t give_up = clock_ns() + LOST_US * 1000;

	while (client.sent - client.lost - client.load->shared->arrived + 0 > AHEAD_MAX) {
		read_answers(0);
		usleep(20);
		if (clock_ns() > give_up)
			client.lost = client.sent - client.load->shared->arrived;
	}
}

static void count_sent(enum udp_lane lane, ssize_t n, size_t segment)
{
	struct udp_tally *t = &client.load->shared->client[lane];
	unsigned int datagrams;

	if (n < 0)
		return;
	datagrams = udp_segments_of((size_t)n, segment);
	t->sent += datagrams;
	t->sent_bytes += (uint64_t)n;
	client.sent += datagrams;
}

static ssize_t peer_send(const struct peer *p, size_t offset, size_t size, int flags)
{
	const struct sockaddr *to = (struct sockaddr *)&client.server[p->lane];

	return sendto(p->fd, client.out + offset, size, flags, p->connected ? NULL : to,
		      p->connected ? 0 : client.length[p->lane]);
}

/* A datagram of two writes: the kernel sends when it has the second. */
static void send_in_two(const struct peer *p, size_t size)
{
	size_t first = size / 3;
	ssize_t n = peer_send(p, 0, first, MSG_MORE);

	if (n < 0)
		return;
	n = peer_send(p, first, size - first, 0);
	count_sent(p->lane, n < 0 ? n : n + (ssize_t)first, 0);
}

/* Some are empty, some larger than a packet, some as large as can be. */
static size_t any_size(void)
{
	uint64_t kind = any(256);

	if (kind < 8)
		return 0;
	if (kind < 10)
		return 20000 + any(40000);
	if (kind < 20)
		return 1473 + any(6000);
	return 1 + any(1400);
}

static void send_mixed(const struct peer *p)
{
	size_t size = any_size();

	client.out[0] = (char)any(2);
	if (p->connected && size > 3 && any(16) == 0)
		send_in_two(p, size);
	else
		count_sent(p->lane, peer_send(p, 0, size, 0), 0);
}

static void run_mixed(void)
{
	for (unsigned int i = 0; i < client.load->datagrams; i++) {
		send_mixed(&client.peers[any(client.count)]);
		if (i % 32 == 0) {
			read_answers(0);
			keep_step();
		}
	}
}

static int lane_socket(enum udp_lane lane)
{
	peer_open(lane, lane != LANE_GROUP4 && lane != LANE_GROUP6);
	return client.peers[client.count - 1].fd;
}

static void run_segments(enum udp_lane lane, unsigned int times)
{
	int fd = lane_socket(lane), size = UDP_SEGMENT_SIZE;
	const struct peer *p = &client.peers[client.count - 1];

	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		fail("UDP_SEGMENT");
	client.out[0] = 0;
	for (unsigned int i = 0; i < times; i++) {
		count_sent(lane, peer_send(p, 0, 1 + any(20 * UDP_SEGMENT_SIZE), 0),
			   UDP_SEGMENT_SIZE);
		keep_step();
	}
}

static void run_group(enum udp_lane lane, unsigned int times)
{
	struct ip_mreqn four = {.imr_ifindex = (int)if_nametoindex("veth0")};
	int fd = lane_socket(lane), six = (int)if_nametoindex("veth0");
	const struct peer *p = &client.peers[client.count - 1];

	if (lane == LANE_GROUP4
		    ? setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &four, sizeof(four))
		    : setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &six, sizeof(six)))
		fail("IP_MULTICAST_IF");
	client.out[0] = 0;
	for (unsigned int i = 0; i < times; i++) {
		count_sent(lane, peer_send(p, 0, any(3000), 0), 0);
		if (i % 16 == 0)
			usleep(200);
	}
}

static void run_full(unsigned int times)
{
	const struct peer *p;

	lane_socket(LANE_FULL);
	p = &client.peers[client.count - 1];
	client.out[0] = 0;
	for (unsigned int i = 0; i < times; i++) {
		count_sent(LANE_FULL, peer_send(p, 0, 1 + any(1400), 0), 0);
		if (i % 64 == 0)
			usleep(200);
	}
}

static void open_peers(void)
{
	const struct rlimit files = {65536, 65536};

	setrlimit(RLIMIT_NOFILE, &files);
	client.peers = calloc(client.load->peers + LANE_COUNT, sizeof(*client.peers));
	client.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!client.peers || client.epoll < 0)
		fail("setting up");
	for (int lane = 0; lane < LANE_COUNT; lane++)
		client.length[lane] = udp_lane_address((enum udp_lane)lane, &client.server[lane]);
	for (unsigned int i = 0; i < client.load->peers; i++)
		peer_open(i & 1 ? LANE_MIXED6 : LANE_MIXED4, i & 2);
}

void udp_client_run(struct udp_load *u)
{
	unsigned int few = u->datagrams / 100 + 50;

	client.load = u;
	client.random = u->seed ? u->seed : 1;
	memset(client.out, 'd', sizeof(client.out));
	open_peers();
	run_mixed();
	run_segments(LANE_SEGMENTS4, few);
	run_segments(LANE_SEGMENTS6, few);
	run_group(LANE_GROUP4, few);
	run_group(LANE_GROUP6, few);
	run_full(few + 200);
	u->shared->sent_all = 1;
	while (read_answers(SILENT_MS) || !u->shared->done)
		;
	_exit(0);
}
