/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: how it is opened, carries bytes and ends. What its kernel side did:
 * kernel_view.h. */
#include "load.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel_view.h"
#include "run.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define STATE_CLOSE 7 /* TCP_CLOSE in the kernel */

static char pattern[65536];

static enum mr_counter counter_sent(const struct conn *c)
{
	return c->p->client ? MR_BYTES_TO_SERVER : MR_BYTES_TO_CLIENT;
}

static enum mr_counter counter_received(const struct conn *c)
{
	return c->p->client ? MR_BYTES_TO_CLIENT : MR_BYTES_TO_SERVER;
}

int conn_listen(struct peer *p, int backlog)
{
	int protocol = p->shape->flags & SHAPE_MPTCP ? IPPROTO_MPTCP : 0;
	int fd = socket(p->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (p->shape->flags & SHAPE_REUSEPORT)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
	if (p->server.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){!(p->shape->flags & SHAPE_MAPPED)},
			   sizeof(int));
	if (bind(fd, (struct sockaddr *)&p->server, p->server_size) || listen(fd, backlog))
		peer_fail(p, "listen: %s", strerror(errno));
	return fd;
}

struct conn conn_socket(struct peer *p, int flags)
{
	struct conn c = {.p = p, .active = true, .mptcp = p->shape->flags & SHAPE_MPTCP};

	c.fd = socket(p->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags,
		      c.mptcp ? IPPROTO_MPTCP : 0);
	if (c.fd < 0)
		peer_fail(p, "socket: %s", strerror(errno));
	return c;
}

void conn_connect(struct conn *c)
{
	peer_add(c->p, MR_ATTEMPTED, 1);
	if (connect(c->fd, (struct sockaddr *)&c->p->server, c->p->server_size))
		peer_fail(c->p, "connect: %s", strerror(errno));
	peer_add(c->p, MR_OPENED, 1);
}

struct conn conn_open(struct peer *p)
{
	struct conn c = conn_socket(p, 0);

	conn_connect(&c);
	return c;
}

struct conn conn_take(struct peer *p, int fd)
{
	peer_add(p, MR_OPENED, 1);
	return (struct conn){.p = p, .fd = fd, .mptcp = p->shape->flags & SHAPE_MPTCP};
}

struct conn conn_accept(struct peer *p, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		peer_fail(p, "accept: %s", strerror(errno));
	return conn_take(p, fd);
}

void conn_put(struct conn *c, unsigned int bytes)
{
	while (bytes) {
		size_t chunk = bytes < sizeof(pattern) ? bytes : sizeof(pattern);
		ssize_t n = send(c->fd, pattern, chunk, MSG_NOSIGNAL);

		if (n < 0)
			peer_fail(c->p, "send: %s", strerror(errno));
		c->sent += (uint64_t)n;
		bytes -= (unsigned int)n;
	}
}

void conn_get(struct conn *c, unsigned int bytes)
{
	static char buffer[65536];

	while (bytes) {
		ssize_t n = recv(c->fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer), 0);

		if (n <= 0)
			peer_fail(c->p, "recv with %u bytes to come: %s", bytes,
				  n ? strerror(errno) : "end");
		c->received += (uint64_t)n;
		bytes -= (unsigned int)n;
	}
}

unsigned int conn_get_eof(struct conn *c)
{
	static char buffer[65536];
	unsigned int total = 0;
	ssize_t n;

	while ((n = recv(c->fd, buffer, sizeof(buffer), 0)) > 0)
		total += (unsigned int)n;
	if (n < 0)
		peer_fail(c->p, "recv until the end: %s", strerror(errno));
	c->received += total;
	c->fin_received = true;
	return total;
}

void conn_finish_sending(struct conn *c)
{
	if (shutdown(c->fd, SHUT_WR))
		peer_fail(c->p, "shutdown: %s", strerror(errno));
	c->fin_sent = true;
}

static void conn_compare(struct conn *c, const struct kernel_view *v)
{
	__atomic_add_fetch(&c->p->tally->examined, 1, __ATOMIC_RELAXED);
	if (v->sent == c->sent && v->received == c->received && v->unacked == 0)
		return;
	__atomic_add_fetch(&c->p->tally->disagreed, 1, __ATOMIC_RELAXED);
	snprintf(c->p->outcome->differed, sizeof(c->p->outcome->differed),
		 "%s sent %" PRIu64 ", kernel %" PRIu64 "; received %" PRIu64 ", kernel %" PRIu64
		 "; unacked %" PRIu64 ", state %" PRIu64,
		 c->p->client ? "client" : "server", c->sent, v->sent, c->received, v->received,
		 v->unacked, v->state);
}

/* A subflow may carry more than the program wrote, and then has to be asked itself. */
static bool subflow_busy(const struct conn *c)
{
	struct tcp_info info;

	return c->mptcp && info_read(c, &info) == 0 &&
	       (info.tcpi_unacked || info.tcpi_notsent_bytes);
}

void conn_acked(struct conn *c)
{
	int queued = 1;

	while ((ioctl(c->fd, SIOCOUTQ, &queued) == 0 && queued) || subflow_busy(c))
		pause_us(50);
}

void conn_believe_kernel(struct conn *c)
{
	struct kernel_view v;

	kernel_read(c, &v);
	if (v.sent < c->sent || v.received < c->received)
		conn_compare(c, &v);
	c->sent = v.sent;
	c->received = v.received;
}

void conn_arrived(struct conn *c, uint64_t bytes)
{
	struct tcp_info info;

	while (info_read(c, &info) == 0 && info.tcpi_bytes_received < bytes)
		pause_us(50);
}

void conn_closed_state(struct conn *c)
{
	struct tcp_info info;

	while (info_read(c, &info) == 0 && info.tcpi_state != STATE_CLOSE)
		pause_us(100);
}

static void conn_end(struct conn *c)
{
	peer_add(c->p, MR_CLOSED, 1);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void conn_close(struct conn *c)
{
	peer_add(c->p, counter_sent(c), c->sent);
	peer_add(c->p, counter_received(c), c->received);
	conn_end(c);
}

void conn_close_examined(struct conn *c)
{
	struct kernel_view v;

	if (!c->fin_sent)
		conn_finish_sending(c);
	if (!c->fin_received)
		conn_get_eof(c);
	conn_closed_state(c);
	kernel_read(c, &v);
	conn_compare(c, &v);
	conn_close(c);
}

void conn_examine(struct conn *c)
{
	struct kernel_view v;

	conn_acked(c);
	kernel_read(c, &v);
	conn_compare(c, &v);
}

static void conn_add_view(struct conn *c, const struct kernel_view *v)
{
	peer_add(c->p, counter_sent(c), v->sent - c->sent_before);
	peer_add(c->p, counter_received(c), v->received - c->received_before);
	peer_add(c->p, c->p->client ? MR_UNACKED_TO_SERVER : MR_UNACKED_TO_CLIENT, v->unacked);
}

static void conn_end_reset(struct conn *c, bool by_us)
{
	peer_add(c->p, by_us == c->p->client ? MR_RESET_BY_CLIENT : MR_RESET_BY_SERVER, 1);
	conn_end(c);
}

void conn_reset(struct conn *c)
{
	struct linger none = {1, 0};
	struct kernel_view v;

	kernel_freeze(c, &v);
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	conn_add_view(c, &v);
	conn_end_reset(c, true);
}

void conn_close_unread(struct conn *c)
{
	struct kernel_view v;

	kernel_freeze(c, &v);
	conn_add_view(c, &v);
	conn_end_reset(c, true);
}

void conn_disconnect(struct conn *c)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct kernel_view v;
	int fd = c->fd;

	kernel_read(c, &v);
	if (connect(c->fd, &none, sizeof(none)))
		peer_fail(c->p, "disconnect: %s", strerror(errno));
	conn_add_view(c, &v);
	c->fd = -1;
	conn_end_reset(c, true);
	*c = (struct conn){.p = c->p, .fd = fd, .active = true};
}

void conn_await_reset(struct conn *c)
{
	struct kernel_view v;
	int error = 0;
	socklen_t size = sizeof(error);

	conn_closed_state(c);
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error != ECONNRESET && error != EPIPE && error != 0)
		peer_fail(c->p, "a reset was due and not: %s", strerror(error));
	kernel_read(c, &v);
	conn_add_view(c, &v);
	conn_end_reset(c, false);
}

void conn_reset_early(struct conn *c, int error)
{
	if (error != ECONNRESET)
		peer_fail(c->p, "connect: %s", strerror(error));
	conn_end_reset(c, false);
}
