/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes in which something is in the way: a firewall, nobody there, a caller without patience. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

#define SMALL 64 /* passes the rules, which drop packets of more than 200 bytes */

static void drop_large(struct peer *p, const char *hook)
{
	if (peer_nft(p,
		     "table inet live%u { chain c { type filter hook %s priority 0; "
		     "tcp dport %u meta length > 200 drop; }\n}\n",
		     p->port, hook, p->port))
		peer_fail(p, "no rule to drop with");
}

/* A small message arrives, a large one does not; then the client gives up by an RST. */
static void blocked_client(struct peer *p)
{
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_open(p);

		conn_put(&c, SMALL);
		conn_acked(&c);
		conn_put(&c, 1000 + peer_up(p, i));
		conn_reset(&c);
	}
}

static void blocked_server(struct peer *p)
{
	int listener = conn_listen(p, 128);

	peer_post(p);
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_accept(p, listener);

		conn_get(&c, SMALL);
		conn_await_reset(&c);
	}
}

/* The sender's own firewall: its kernel never hands the payload to the network. */
void shape_drop_out_client(struct peer *p)
{
	drop_large(p, "output");
	peer_await(p);
	blocked_client(p);
}

void shape_drop_out_server(struct peer *p)
{
	blocked_server(p);
}

/* The receiver's firewall: handed over, retransmitted, never acknowledged. */
void shape_lost_client(struct peer *p)
{
	peer_await(p);
	blocked_client(p);
}

void shape_lost_server(struct peer *p)
{
	drop_large(p, "input");
	blocked_server(p);
}

static int connect_error(struct conn *c, bool wait)
{
	struct pollfd ready = {c->fd, POLLOUT, 0};
	socklen_t size = sizeof(int);
	int error = 0;

	if (connect(c->fd, (struct sockaddr *)&c->p->server, c->p->server_size) == 0)
		return 0;
	if (errno != EINPROGRESS || !wait)
		return errno;
	poll(&ready, 1, -1);
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

void shape_refused_client(struct peer *p)
{
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_socket(p, i % 2 ? SOCK_NONBLOCK : 0);
		int error = connect_error(&c, true);

		if (error != ECONNREFUSED)
			peer_fail(p, "a connection was to be refused and not: %s", strerror(error));
		peer_add(p, MR_ATTEMPTED, 1);
		peer_add(p, MR_FAILED_REFUSED, 1);
		close(c.fd);
	}
}

void shape_aborted_client(struct peer *p)
{
	char rule[256];

	snprintf(rule, sizeof(rule),
		 "table inet live%u { chain c { type filter hook input priority 0; tcp dport %u "
		 "drop; }\n}\n",
		 p->port, p->port);
	if (net_nft(p->load->net->server, rule))
		peer_fail(p, "no rule to drop with");
	for (unsigned int i = 0; i < p->connections; i++) {
		struct conn c = conn_socket(p, SOCK_NONBLOCK);
		int error = connect_error(&c, false);

		if (error != EINPROGRESS)
			peer_fail(p, "a connection was to hang and not: %s", strerror(error));
		peer_add(p, MR_ATTEMPTED, 1);
		peer_add(p, MR_FAILED_ABORTED, 1);
		close(c.fd);
	}
}
