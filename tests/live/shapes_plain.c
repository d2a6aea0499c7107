/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes that end cleanly. Every fourth connection is closed in two steps, so that TCP_INFO can be
 * read after its end and held against the program's counts; the others by a plain close().
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

#define EXAMINE_EVERY 4

static void end(struct conn *c, unsigned int i)
{
	if (i % EXAMINE_EVERY == 0)
		conn_close_examined(c);
	else
		conn_close(c);
}

/* Request, answer; the client closes first. */
void shape_talk_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i));
		conn_get(&c, peer_down(p, i));
		end(&c, i);
	}
}

void shape_talk_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get(&c, peer_up(p, i));
		conn_put(&c, peer_down(p, i));
		conn_get_eof(&c);
		end(&c, i + 1);
	}
}

void shape_empty_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		end(&c, i);
	}
}

void shape_empty_server(struct peer *p)
{
	int listener = conn_listen(p, 1024);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get_eof(&c);
		end(&c, i + 1);
	}
}

/* Everything is written and the descriptor closed at once: the kernel goes on alone. */
void shape_fire_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i));
		conn_close(&c);
		if (i % 32 == 31)
			peer_await(p); /* bounds what waits in the server's queue */
	}
}

void shape_fire_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get_eof(&c);
		end(&c, i);
		if (i % 32 == 31)
			peer_post(p);
	}
}

/* The client says that it is done before the answer comes. */
void shape_half_client_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, peer_up(p, i));
		conn_finish_sending(&c);
		conn_get_eof(&c);
		end(&c, i);
	}
}

void shape_half_client_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get_eof(&c);
		conn_put(&c, peer_down(p, i));
		end(&c, i + 1);
	}
}

/* The server says that it is done before the client begins. */
void shape_half_server_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_get_eof(&c);
		conn_put(&c, peer_up(p, i));
		end(&c, i);
	}
}

void shape_half_server_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_put(&c, peer_down(p, i));
		conn_finish_sending(&c);
		conn_get_eof(&c);
		end(&c, i + 1);
	}
}

static unsigned int some(unsigned int left)
{
	return left < 16384 ? left : 16384;
}

/* Both directions at once, as far as the buffers take it. */
static void duplex(struct conn *c, unsigned int out, unsigned int in)
{
	static char buffer[16384];
	ssize_t n;

	while (out || in) {
		struct pollfd ready = {c->fd, (short)((out ? POLLOUT : 0) | (in ? POLLIN : 0)), 0};

		poll(&ready, 1, -1);
		n = ready.revents & POLLOUT && out
			    ? send(c->fd, buffer, some(out), MSG_DONTWAIT | MSG_NOSIGNAL)
			    : 0;
		if (n > 0)
			c->sent += (uint64_t)n, out -= (unsigned int)n;
		n = ready.revents & POLLIN && in ? recv(c->fd, buffer, some(in), MSG_DONTWAIT) : 0;
		if (n > 0)
			c->received += (uint64_t)n, in -= (unsigned int)n;
		if (ready.revents & (POLLERR | POLLNVAL))
			peer_fail(c->p, "duplex: the connection broke");
	}
}

void shape_duplex_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		duplex(&c, peer_up(p, i), peer_down(p, i));
		end(&c, i);
	}
}

void shape_duplex_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		duplex(&c, peer_down(p, i), peer_up(p, i));
		conn_get_eof(&c);
		end(&c, i + 1);
	}
}
