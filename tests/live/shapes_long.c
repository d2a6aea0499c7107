/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes whose connections live long: many at once, or through several lives of the agent. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"
#include "shapes.h"

#define DRIP_OPEN 32

/* Many connections that stay and move a little at a time, one of which now and then is replaced. */
void shape_drip_client(struct peer *p)
{
	struct conn open[DRIP_OPEN];
	unsigned int made = 0, step = 0;

	peer_await(p);
	for (; made < DRIP_OPEN && made < p->connections; made++)
		open[made] = conn_open(p);
	for (unsigned int places = made; made < p->connections; step++) {
		uint64_t r = peer_random(p, step, 3);
		struct conn *c = &open[r % places];
		unsigned int bytes = 1 + (unsigned int)(r >> 8) % 600;

		conn_put(c, bytes);
		conn_get(c, bytes);
		if ((r >> 32) % 16)
			continue;
		conn_close(c);
		made++;
		*c = conn_open(p);
	}
	for (unsigned int i = 0; i < DRIP_OPEN && i < p->connections; i++)
		conn_close(&open[i]);
}

/* Echoes what there is to read; false: that was the end. */
static bool drip_echo(struct conn *c)
{
	static char buffer[4096];
	ssize_t n = recv(c->fd, buffer, sizeof(buffer), 0);

	if (n < 0)
		peer_fail(c->p, "drip: %s", strerror(errno));
	if (n == 0) {
		conn_close(c);
		return false;
	}
	c->received += (uint64_t)n;
	conn_put(c, (unsigned int)n);
	return true;
}

void shape_drip_server(struct peer *p)
{
	struct pollfd fds[DRIP_OPEN * 2 + 1] = {{conn_listen(p, 128), POLLIN, 0}};
	struct conn open[DRIP_OPEN * 2 + 1];
	unsigned int count = 1, made = 0;

	peer_post(p);
	while (made < p->connections || count > 1) {
		poll(fds, count, -1);
		for (unsigned int i = count - 1; i > 0; i--)
			if (fds[i].revents && !drip_echo(&open[i])) {
				open[i] = open[--count];
				fds[i] = fds[count];
			}
		if (!(fds[0].revents & POLLIN) || count > DRIP_OPEN * 2)
			continue;
		made++;
		open[count] = conn_accept(p, fds[0].fd);
		fds[count] = (struct pollfd){open[count].fd, POLLIN, 0};
		if (++count > DRIP_OPEN * 2)
			peer_fail(p, "drip: more connections than there can be");
	}
}

#define STAY_MAX    64
#define STAY_PHASES 6 /* the fifth is long, the sixth closes */
#define STAY_LONG   400

static void stay_count(struct conn *c, unsigned int count)
{
	uint64_t sent = 0, received = 0;
	bool client = c->p->client;

	for (unsigned int i = 0; i < count; i++) {
		conn_examine(&c[i]);
		sent += c[i].sent;
		received += c[i].received;
	}
	c->p->tally->counter[client ? MR_BYTES_TO_SERVER : MR_BYTES_TO_CLIENT] = sent;
	c->p->tally->counter[client ? MR_BYTES_TO_CLIENT : MR_BYTES_TO_SERVER] = received;
}

/* Connections that stay through many phases; the tally is what they have carried so far. */
static void stay(struct conn *c, unsigned int count)
{
	struct peer *p = c->p;

	for (unsigned int phase = 0; phase < STAY_PHASES - 1; phase++) {
		unsigned int rounds = phase == STAY_PHASES - 2 ? STAY_LONG : 1;

		for (unsigned int i = 0; i < count * rounds; i++) {
			unsigned int n = i + phase * count;

			conn_put(&c[i % count], p->client ? peer_up(p, n) : peer_down(p, n));
			conn_get(&c[i % count], p->client ? peer_down(p, n) : peer_up(p, n));
		}
		stay_count(c, count);
		peer_phase_done(p);
	}
}

static void stay_end(struct conn *c, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		c[i].sent = c[i].received = 0; /* counted by stay_count() */
		if (!c->p->client)
			conn_get_eof(&c[i]);
		conn_close(&c[i]);
	}
}

void shape_stay_client(struct peer *p)
{
	struct conn c[STAY_MAX];

	peer_await(p);
	for (unsigned int i = 0; i < p->connections && i < STAY_MAX; i++)
		c[i] = conn_open(p);
	stay(c, p->connections);
	stay_end(c, p->connections);
}

void shape_stay_server(struct peer *p)
{
	int listener = conn_listen(p, 128);
	struct conn c[STAY_MAX];

	peer_post(p);
	for (unsigned int i = 0; i < p->connections && i < STAY_MAX; i++)
		c[i] = conn_accept(p, listener);
	stay(c, p->connections);
	stay_end(c, p->connections);
}
