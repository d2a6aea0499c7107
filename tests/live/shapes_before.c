/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes whose connections are open before the load is let go, and so before the agent: idle, half
 * closed, waiting to be accepted. What they carried by then is "adopted", the rest is not.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

#define BEFORE_MAX 256

/* Counts of what was carried before the start belong to "adopted". */
static void before_settle(struct conn *c, unsigned int count)
{
	struct peer *p = c->p;

	for (unsigned int i = 0; i < count; i++) {
		bool client = p->client;

		conn_examine(&c[i]);
		peer_add(p, client ? MR_ADOPTED_BYTES_TO_SERVER : MR_ADOPTED_BYTES_TO_CLIENT,
			 c[i].sent);
		peer_add(p, client ? MR_ADOPTED_BYTES_TO_CLIENT : MR_ADOPTED_BYTES_TO_SERVER,
			 c[i].received);
		peer_add(p, MR_ADOPTED, 1);
		c[i].sent_before += c[i].sent;
		c[i].received_before += c[i].received;
		c[i].sent = c[i].received = 0;
	}
	p->tally->counter[MR_OPENED] = 0;
	p->tally->counter[MR_ATTEMPTED] = 0;
}

void shape_before_client(struct peer *p)
{
	struct conn c[BEFORE_MAX];

	peer_await(p);
	for (unsigned int i = 0; i < p->connections && i < BEFORE_MAX; i++) {
		c[i] = conn_open(p);
		conn_put(&c[i], peer_up(p, i));
		conn_get(&c[i], peer_down(p, i));
	}
	before_settle(c, p->connections);
	peer_before_done(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		conn_put(&c[i], peer_down(p, i));
		conn_get(&c[i], peer_up(p, i));
		conn_close(&c[i]);
	}
}

void shape_before_server(struct peer *p)
{
	int listener = conn_listen(p, 128);
	struct conn c[BEFORE_MAX];

	peer_post(p);
	for (unsigned int i = 0; i < p->connections && i < BEFORE_MAX; i++) {
		c[i] = conn_accept(p, listener);
		conn_get(&c[i], peer_up(p, i));
		conn_put(&c[i], peer_down(p, i));
	}
	before_settle(c, p->connections);
	peer_before_done(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		conn_get(&c[i], peer_down(p, i));
		conn_put(&c[i], peer_up(p, i));
		conn_get_eof(&c[i]);
		conn_close(&c[i]);
	}
}

/* The client has said that it is done: its FIN is in what the kernels have counted. */
void shape_before_half_client(struct peer *p)
{
	struct conn c[BEFORE_MAX];

	peer_await(p);
	for (unsigned int i = 0; i < p->connections && i < BEFORE_MAX; i++) {
		c[i] = conn_open(p);
		conn_put(&c[i], peer_up(p, i));
		conn_finish_sending(&c[i]);
	}
	before_settle(c, p->connections);
	peer_before_done(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		conn_get_eof(&c[i]);
		conn_close(&c[i]);
	}
}

void shape_before_half_server(struct peer *p)
{
	int listener = conn_listen(p, 128);
	struct conn c[BEFORE_MAX];

	peer_post(p);
	for (unsigned int i = 0; i < p->connections && i < BEFORE_MAX; i++) {
		c[i] = conn_accept(p, listener);
		conn_get_eof(&c[i]);
	}
	before_settle(c, p->connections);
	peer_before_done(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		conn_put(&c[i], peer_down(p, i));
		conn_close(&c[i]);
	}
}

/* They end by an RST. */
void shape_before_reset_client(struct peer *p)
{
	struct conn c[BEFORE_MAX];

	peer_await(p);
	for (unsigned int i = 0; i < p->connections && i < BEFORE_MAX; i++) {
		c[i] = conn_open(p);
		conn_put(&c[i], peer_up(p, i));
		conn_get(&c[i], peer_down(p, i));
	}
	before_settle(c, p->connections);
	peer_before_done(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		conn_put(&c[i], peer_down(p, i));
		conn_acked(&c[i]);
		conn_reset(&c[i]);
	}
}

void shape_before_reset_server(struct peer *p)
{
	int listener = conn_listen(p, 128);
	struct conn c[BEFORE_MAX];

	peer_post(p);
	for (unsigned int i = 0; i < p->connections && i < BEFORE_MAX; i++) {
		c[i] = conn_accept(p, listener);
		conn_get(&c[i], peer_up(p, i));
		conn_put(&c[i], peer_down(p, i));
	}
	before_settle(c, p->connections);
	peer_before_done(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		conn_get(&c[i], peer_down(p, i));
		conn_await_reset(&c[i]);
	}
}

/* Nobody has accepted them yet: no process holds the server's end. */
void shape_before_queue_client(struct peer *p)
{
	struct conn c[BEFORE_MAX];

	peer_await(p);
	for (unsigned int i = 0; i < p->connections && i < BEFORE_MAX; i++) {
		c[i] = conn_open(p);
		conn_put(&c[i], peer_up(p, i));
	}
	before_settle(c, p->connections);
	peer_post(p);
	peer_before_done(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		conn_get(&c[i], peer_down(p, i));
		conn_close(&c[i]);
	}
}

void shape_before_queue_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	peer_await(p);
	for (unsigned int i = 0; i < p->connections; i++)
		peer_add(p, MR_ADOPTED_BYTES_TO_SERVER, peer_up(p, i));
	peer_add(p, MR_ADOPTED, p->connections);
	peer_before_done(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = {.p = p, .fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)};

		if (c.fd < 0)
			peer_fail(p, "accept: %s", strerror(errno));
		conn_get(&c, peer_up(p, i));
		c.received = 0; /* adopted */
		conn_put(&c, peer_down(p, i));
		conn_get_eof(&c);
		conn_close(&c);
	}
}
