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

/* The server's kernel shows the connection only when the first bytes are there. */
void shape_deferred_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i) + 1);
		conn_get(&c, peer_down(p, i));
		conn_close(&c);
	}
}

void shape_deferred_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	if (setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &(int){5}, sizeof(int)))
		peer_skip(p, "no TCP_DEFER_ACCEPT here: %s", strerror(errno));
	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get(&c, peer_up(p, i) + 1);
		conn_put(&c, peer_down(p, i));
		conn_get_eof(&c);
		conn_close(&c);
	}
}

/* Urgent data is payload like any other. */
void shape_urgent_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i));
		if (send(c.fd, "!", 1, MSG_OOB | MSG_NOSIGNAL) != 1)
			peer_fail(p, "MSG_OOB: %s", strerror(errno));
		c.sent++;
		conn_finish_sending(&c);
		conn_get_eof(&c);
		conn_close(&c);
	}
}

void shape_urgent_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	setsockopt(listener, SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int));
	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get_eof(&c);
		conn_close(&c);
	}
}
