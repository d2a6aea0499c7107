/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes in which connections live and end in the accept queue: the handshake is the kernel's, the
 * server's program comes late or never. Work goes in rounds that fit the queue.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

#define ROUND 40

static unsigned int round_size(const struct peer *p, unsigned int done)
{
	return p->connections - done < ROUND ? p->connections - done : ROUND;
}

/* The client is gone, in good order, before anybody accepts. */
void shape_closed_early_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int done = 0; done < p->connections; done += round_size(p, done)) {
		unsigned int n = round_size(p, done);

		for (unsigned int i = 0; i < n; i++) {
			struct conn c = conn_open(p);

			conn_put(&c, peer_up(p, done + i));
			conn_close(&c);
		}
		peer_post(p);
		peer_await(p);
	}
}

void shape_closed_early_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int done = 0; done < p->connections; done += round_size(p, done)) {
		unsigned int n = round_size(p, done);

		peer_await(p);
		for (unsigned int i = 0; i < n; i++) {
			struct conn c = conn_accept(p, listener);

			conn_get_eof(&c);
			conn_close(&c);
		}
		peer_post(p);
	}
}

/* … and here by an RST: accept() then gives a socket that is closed already. */
void shape_reset_early_client(struct peer *p)
{
	peer_await(p);
	for (unsigned int done = 0; done < p->connections; done += round_size(p, done)) {
		unsigned int n = round_size(p, done);

		for (unsigned int i = 0; i < n; i++) {
			struct conn c = conn_open(p);

			conn_put(&c, peer_up(p, done + i));
			conn_acked(&c);
			conn_reset(&c);
		}
		peer_post(p);
		peer_await(p);
	}
}

void shape_reset_early_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int done = 0; done < p->connections; done += round_size(p, done)) {
		unsigned int n = round_size(p, done);

		peer_await(p);
		for (unsigned int i = 0; i < n; i++) {
			struct conn c = conn_accept(p, listener);

			conn_await_reset(&c);
		}
		peer_post(p);
	}
}

/* The listener goes away with a full queue: the kernel resets all that wait in it. */
void shape_listener_closed_client(struct peer *p)
{
	struct conn c[ROUND];

	for (unsigned int done = 0; done < p->connections; done += round_size(p, done)) {
		unsigned int n = round_size(p, done);

		peer_await(p);
		for (unsigned int i = 0; i < n; i++) {
			c[i] = conn_open(p);
			conn_put(&c[i], peer_up(p, done + i));
			conn_acked(&c[i]);
		}
		peer_post(p);
		for (unsigned int i = 0; i < n; i++)
			conn_await_reset(&c[i]);
	}
}

/* A listener shows the length of its queue in tcpi_unacked. */
static void queue_holds(struct peer *p, int listener, unsigned int n)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	while (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_unacked < n)
		pause_us(100);
}

void shape_listener_closed_server(struct peer *p)
{
	for (unsigned int done = 0; done < p->connections; done += round_size(p, done)) {
		unsigned int n = round_size(p, done);
		int listener = conn_listen(p, 128);

		peer_post(p);
		peer_await(p);
		queue_holds(p, listener, n);
		for (unsigned int i = 0; i < n; i++)
			peer_add(p, MR_BYTES_TO_SERVER, peer_up(p, done + i));
		peer_add(p, MR_OPENED, n);
		peer_add(p, MR_CLOSED, n);
		peer_add(p, MR_RESET_BY_SERVER, n);
		close(listener);
	}
}
