/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes that open or send in another way than connect() and send(). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

void shape_sendfile_client(struct peer *p)
{
	int file = memfd_create("sendfile", MFD_CLOEXEC);

	if (file < 0 || ftruncate(file, LOAD_CONN_MAX))
		peer_fail(p, "memfd: %s", strerror(errno));
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);
		unsigned int left = peer_up(p, i);
		off_t offset = 0;

		while (left) {
			ssize_t n = sendfile(c.fd, file, &offset, left);

			if (n <= 0)
				peer_fail(p, "sendfile: %s", strerror(errno));
			left -= (unsigned int)n;
			c.sent += (uint64_t)n;
		}
		conn_get(&c, peer_down(p, i));
		conn_close(&c);
	}
}

void shape_sendfile_server(struct peer *p)
{
	shape_talk_server(p);
}

/* Takes the kernel's word that buffers are free again; how many sends that is. */
static unsigned int zerocopy_done(struct conn *c)
{
	char control[128];
	struct msghdr m = {.msg_control = control, .msg_controllen = sizeof(control)};
	struct sock_extended_err *e;

	if (recvmsg(c->fd, &m, MSG_ERRQUEUE) < 0)
		return 0;
	e = (struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&m));
	return e->ee_data - e->ee_info + 1;
}

void shape_zerocopy_client(struct peer *p)
{
	static char buffer[32768];

	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);
		unsigned int left = peer_up(p, i), pending = 0;

		if (setsockopt(c.fd, SOL_SOCKET, SO_ZEROCOPY, &(int){1}, sizeof(int)))
			peer_fail(p, "SO_ZEROCOPY: %s", strerror(errno));
		while (left) {
			ssize_t n =
				send(c.fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer),
				     MSG_ZEROCOPY | MSG_NOSIGNAL);

			if (n < 0 && errno != ENOBUFS)
				peer_fail(p, "MSG_ZEROCOPY: %s", strerror(errno));
			pending += n >= 0;
			left -= n > 0 ? (unsigned int)n : 0;
			c.sent += n > 0 ? (uint64_t)n : 0;
			pending -= zerocopy_done(&c);
		}
		conn_get(&c, peer_down(p, i));
		while (pending)
			pending -= zerocopy_done(&c);
		conn_close(&c);
	}
}

void shape_zerocopy_server(struct peer *p)
{
	shape_talk_server(p);
}

/* The first connection fetches the cookie; later ones send their first bytes in the SYN. */
static void fastopen(struct conn *c, unsigned int bytes)
{
	static char buffer[1400];
	unsigned int first = bytes < sizeof(buffer) ? bytes : sizeof(buffer);
	struct peer *p = c->p;
	ssize_t n;

	peer_add(p, MR_ATTEMPTED, 1);
	n = sendto(c->fd, buffer, first, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&p->server,
		   p->server_size);
	if (n < 0)
		peer_fail(p, "MSG_FASTOPEN: %s", strerror(errno));
	peer_add(p, MR_OPENED, 1);
	c->sent += (uint64_t)n;
	conn_put(c, bytes - (unsigned int)n);
}

void shape_fastopen_client(struct peer *p)
{
	struct tcp_info info;
	socklen_t size;

	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_socket(p, 0);

		fastopen(&c, peer_up(p, i) + 1);
		conn_get(&c, peer_down(p, i));
		size = sizeof(info);
		if (getsockopt(c.fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
		    info.tcpi_options & TCPI_OPT_SYN_DATA)
			__atomic_add_fetch(&p->outcome->made, 1, __ATOMIC_RELAXED);
		if (i % 4)
			conn_close(&c);
		else
			conn_close_examined(&c);
	}
}

void shape_fastopen_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	if (setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &(int){128}, sizeof(int)))
		peer_skip(p, "no TCP Fast Open here: %s", strerror(errno));
	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get(&c, peer_up(p, i) + 1);
		conn_put(&c, peer_down(p, i));
		conn_get_eof(&c);
		conn_close(&c);
	}
}

/*
 * One subflow each. MPTCP may send data again over the subflow (as new bytes of it) when its own
 * acknowledgement is late: what counts is the subflow, read when both ends have all of it. Whether
 * it then ends by FIN or RST is MPTCP's choice.
 */
static void subflow_count(struct conn *c)
{
	conn_acked(c);
	peer_post(c->p);
	peer_await(c->p);
	conn_believe_kernel(c);
	peer_post(c->p); /* close() ends the subflow at both sides */
	peer_await(c->p);
}

void shape_mptcp_client(struct peer *p)
{
	p->tally->resets_open = true;
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i));
		conn_get(&c, peer_down(p, i));
		subflow_count(&c);
		conn_close(&c);
	}
}

void shape_mptcp_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	p->tally->resets_open = true;
	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get(&c, peer_up(p, i));
		conn_put(&c, peer_down(p, i));
		subflow_count(&c);
		conn_get_eof(&c);
		conn_close(&c);
	}
}

static void port_set(struct sockaddr_storage *a, uint16_t port)
{
	((struct sockaddr_in *)a)->sin_port = htons(port);
}

/* A socket that calls, from a port of its own: the other end is "the server" for it. */
static struct conn bound(struct peer *p, const char *from, uint16_t from_port, const char *to,
			 uint16_t to_port, int flags)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(from_port)};
	struct conn c = conn_socket(p, flags);

	inet_pton(AF_INET, from, &own.sin_addr);
	inet_pton(AF_INET, to, &((struct sockaddr_in *)&p->server)->sin_addr);
	port_set(&p->server, to_port);
	setsockopt(c.fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(c.fd, (struct sockaddr *)&own, sizeof(own)))
		peer_fail(p, "bind: %s", strerror(errno));
	return c;
}

static void other_caller(struct peer *p)
{
	p->client = true;
	p->tally = peer_tally(p, "mixserver", p->port);
}

/* The ports are needed again at once: no TIME_WAIT, and nothing of this connection under way. */
static void simultaneous_end(struct conn *c, unsigned int out, unsigned int in, bool reset)
{
	setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
	conn_put(c, out);
	conn_get(c, in);
	conn_acked(c);
	if (!reset) {
		peer_post(c->p);
		conn_await_reset(c);
		return;
	}
	if (c->p->shape->server)
		peer_await(c->p);
	conn_reset(c);
}

/* Both call; the first SYN is dropped, so that the second finds a socket in SYN_SENT. */
void shape_simultaneous_client(struct peer *p)
{
	p->tally = peer_tally(p, "mixclient", p->port + 1);
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c =
			bound(p, NET_CLIENT4, p->port, NET_SERVER4, p->port + 1, SOCK_NONBLOCK);

		peer_add(p, MR_ATTEMPTED, 1);
		connect(c.fd, (struct sockaddr *)&p->server, p->server_size);
		peer_post(p);
		peer_await(p);
		fcntl(c.fd, F_SETFL, 0);
		peer_add(p, MR_OPENED, 1);
		simultaneous_end(&c, peer_up(p, i), peer_down(p, i), true);
		peer_post(p);
	}
}

void shape_simultaneous_server(struct peer *p)
{
	if (peer_nft(p,
		     "table inet live%u { chain in { type filter hook input priority 0; "
		     "tcp sport %u tcp flags & (syn|ack) == syn drop; }\n}\n",
		     p->port, p->port))
		peer_fail(p, "no rule for simultaneous open");
	other_caller(p);
	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = bound(p, NET_SERVER4, p->port + 1, NET_CLIENT4, p->port, 0);

		peer_await(p);
		conn_connect(&c);
		peer_post(p);
		simultaneous_end(&c, peer_down(p, i), peer_up(p, i), false);
		peer_await(p);
	}
}

/* Both call at the same moment; mostly one is too late and both are refused, which is counted. */
static void crossed(struct conn *c, unsigned int i, bool reset)
{
	struct peer *p = c->p;
	uint32_t *at_line = &p->outcome->made;

	__atomic_add_fetch(at_line, 1, __ATOMIC_ACQ_REL);
	for (int spins = 0; __atomic_load_n(at_line, __ATOMIC_ACQUIRE) < 2 * (i + 1); spins++)
		if (spins > 10000)
			sched_yield();
	peer_add(p, MR_ATTEMPTED, 1);
	if (connect(c->fd, (struct sockaddr *)&p->server, p->server_size) == 0) {
		peer_add(p, MR_OPENED, 1);
		simultaneous_end(c, peer_up(p, i), peer_up(p, i), reset);
		return;
	}
	if (errno != ECONNREFUSED)
		peer_fail(p, "connect across: %s", strerror(errno));
	peer_add(p, MR_FAILED_REFUSED, 1);
	close(c->fd);
}

void shape_crossed_client(struct peer *p)
{
	p->tally = peer_tally(p, "mixclient", p->port + 1);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = bound(p, NET_CLIENT4, p->port, NET_SERVER4, p->port + 1, 0);

		peer_post(p);
		peer_await(p);
		crossed(&c, i, true);
	}
}

void shape_crossed_server(struct peer *p)
{
	other_caller(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = bound(p, NET_SERVER4, p->port + 1, NET_CLIENT4, p->port, 0);

		peer_post(p);
		peer_await(p);
		crossed(&c, i, false);
	}
}

/* A socket that calls itself: one socket, both ends. */
void shape_self_client(struct peer *p)
{
	p->tally = peer_tally(p, "mixclient", p->port + 2);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = bound(p, "127.0.0.1", p->port + 2, "127.0.0.1", p->port + 2, 0);

		conn_connect(&c);
		simultaneous_end(&c, peer_up(p, i), peer_up(p, i), true);
	}
}
