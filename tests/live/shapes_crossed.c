/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes in which both ends call connect(): each is the client of a row of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

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

/* The server is connected before its last ACK is here, and an exchange of nothing would not wait. */
static void opened_await(struct conn *c)
{
	struct pollfd ready = {c->fd, POLLOUT, 0};

	poll(&ready, 1, -1);
	if (ready.revents != POLLOUT)
		peer_fail(c->p, "SYNs crossed, and then it failed");
	peer_add(c->p, MR_OPENED, 1);
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
		opened_await(&c);
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

/* Both call at the same moment; mostly one is too late and both are refused, or reset
 * once they have crossed, which is counted. */
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
	if (errno != ECONNREFUSED && errno != ECONNRESET)
		peer_fail(p, "connect across: %s", strerror(errno));
	peer_add(p, errno == ECONNRESET ? MR_FAILED_RESET : MR_FAILED_REFUSED, 1);
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
