/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes that end by an RST. Who sends it waits until what must arrive has arrived, so that the
 * order of things is given; what is in flight at that moment is counted by load_conn.c.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

static void talk(struct conn *c, unsigned int out, unsigned int in, bool first)
{
	if (first)
		conn_put(c, out);
	conn_get(c, in);
	if (!first)
		conn_put(c, out);
	conn_acked(c);
}

static unsigned int at_least_one(unsigned int bytes)
{
	return bytes ? bytes : 1;
}

/* SO_LINGER 0 after a whole conversation. */
void shape_rst_client_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		talk(&c, peer_up(p, i), peer_down(p, i), true);
		conn_reset(&c);
	}
}

void shape_rst_client_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get(&c, peer_up(p, i));
		conn_put(&c, peer_down(p, i));
		conn_await_reset(&c);
	}
}

void shape_rst_server_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, at_least_one(peer_up(p, i))); /* else connect() may see the reset */
		conn_get(&c, peer_down(p, i));
		conn_await_reset(&c);
	}
}

void shape_rst_server_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		talk(&c, peer_down(p, i), at_least_one(peer_up(p, i)), false);
		conn_reset(&c);
	}
}

/* Pours until the peer resets. */
static void pour(struct conn *c)
{
	static char buffer[32768];

	setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &(int){1}, sizeof(int));
	while (send(c->fd, buffer, sizeof(buffer), MSG_NOSIGNAL) > 0)
		;
	if (errno != ECONNRESET && errno != EPIPE)
		peer_fail(c->p, "pour: %s", strerror(errno));
	conn_await_reset(c);
}

/* Takes some of what is poured, sends a last burst and resets in the middle of everything. */
static void cut(struct conn *c, unsigned int i)
{
	uint64_t r = peer_random(c->p, i, 4);

	conn_get(c, (unsigned int)(r % c->p->shape->size_max));
	conn_put(c, (unsigned int)(r >> 32) % 8000);
	conn_reset(c);
}

void shape_rst_flight_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		cut(&c, i);
	}
}

void shape_rst_flight_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		pour(&c);
	}
}

void shape_rst_flight_server_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		pour(&c);
	}
}

void shape_rst_flight_server_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		cut(&c, i);
	}
}

/* The client leaves although an answer lies in its socket. */
void shape_unread_client_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i));
		conn_arrived(&c, at_least_one(peer_down(p, i)));
		conn_acked(&c);
		conn_close_unread(&c);
	}
}

void shape_unread_client_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get(&c, peer_up(p, i));
		conn_put(&c, at_least_one(peer_down(p, i)));
		conn_await_reset(&c);
	}
}

void shape_unread_server_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, at_least_one(peer_up(p, i)));
		if (i % 2) /* then the RST meets FIN_WAIT2 here and comes from CLOSE_WAIT there */
			conn_finish_sending(&c);
		conn_await_reset(&c);
	}
}

void shape_unread_server_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_arrived(&c, at_least_one(peer_up(p, i)) + i % 2);
		conn_close_unread(&c);
	}
}

/* More than the buffers take, then shutdown(): the FIN waits behind data that never leaves. */
void shape_fin_queued_client(struct peer *p)
{
	static char buffer[16384];

	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		setsockopt(c.fd, SOL_SOCKET, SO_SNDBUF, &(int){200000}, sizeof(int));
		while (send(c.fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
		conn_finish_sending(&c);
		peer_post(p);
		conn_await_reset(&c);
	}
}

void shape_fin_queued_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &(int){30000}, sizeof(int));
	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		peer_await(p);
		conn_arrived(&c, 1);
		conn_close_unread(&c);
	}
}

/* One socket, five connections: it lets go by connect(AF_UNSPEC) and connects again. */
void shape_reconnect_client(struct peer *p)
{
	unsigned int i = 0;

	peer_await(p);
	while (i < p->connections) {
		struct conn c = conn_socket(p, 0);

		for (unsigned int turn = 0; turn < 5 && i < p->connections; turn++, i++) {
			conn_connect(&c);
			talk(&c, peer_up(p, i), peer_down(p, i), true);
			conn_disconnect(&c);
		}
		close(c.fd);
	}
}

void shape_reconnect_server(struct peer *p)
{
	shape_rst_client_server(p);
}

/* The server resets as soon as it can: connect() may return after the end. */
void shape_rst_at_once_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_socket(p, 0);

		peer_add(p, MR_ATTEMPTED, 1);
		peer_add(p, MR_OPENED, 1);
		if (connect(c.fd, (struct sockaddr *)&p->server, p->server_size) == 0)
			conn_await_reset(&c);
		else
			conn_reset_early(&c, errno);
	}
}

void shape_rst_at_once_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_reset(&c);
	}
}

/* The client's descriptor is closed and the server answers all the same: the client's kernel, which
 * is done with a clean close, sends the RST. */
void shape_late_answer_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i));
		conn_acked(&c);
		conn_close(&c);
		peer_post(p);
		peer_await(p);
	}
}

void shape_late_answer_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get_eof(&c);
		peer_await(p);
		/* acknowledges the client's FIN now, before the answer */
		setsockopt(c.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
		conn_put(&c, at_least_one(peer_down(p, i)));
		conn_await_reset(&c);
		peer_post(p);
	}
}
