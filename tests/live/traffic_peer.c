/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange: eight bytes that say how long question and answer are, the rest of the question, the
 * answer. The client closes first.
 */
#include "traffic_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

#define HEAD        8
#define BYTES_MAX   65536
#define BYTES_USUAL 20000
#define BYTES_UDP   1200

struct head {
	uint32_t up, down;
};

static char buffer[BYTES_MAX];

static uint64_t random_of(struct traffic *t)
{
	t->seed ^= t->seed << 13;
	t->seed ^= t->seed >> 7;
	t->seed ^= t->seed << 17;
	return t->seed;
}

static unsigned int size_any(struct traffic *t)
{
	unsigned int usual = t->way.kind == TRAFFIC_UDP ? BYTES_UDP : BYTES_USUAL;
	unsigned int max = t->way.bytes_max ? t->way.bytes_max : usual;

	return HEAD + (unsigned int)(random_of(t) % (max - HEAD + 1));
}

static socklen_t address_of(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *four = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (strchr(text, ':')) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		inet_pton(AF_INET6, text, &six->sin6_addr);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	inet_pton(AF_INET, text, &four->sin_addr);
	return sizeof(*four);
}

static int socket_for(const struct traffic *t, const char *address)
{
	struct timeval limit = {.tv_sec = 20};
	int fd = socket(strchr(address, ':') ? AF_INET6 : AF_INET,
			(t->way.kind == TRAFFIC_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (t->way.kind == TRAFFIC_UDP)
		limit.tv_sec = TRAFFIC_UNSEEN_MS / 1000;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static int open_to_server(struct traffic *t)
{
	const struct traffic_way *w = &t->way;
	struct sockaddr_storage to, own;
	const char *address = w->asked ? w->asked : w->address;
	socklen_t size = address_of(address, w->asked_port ? w->asked_port : w->port, &to),
		  own_size;
	int fd = socket_for(t, address);

	if (w->source) {
		own_size = address_of(w->source, w->source_port, &own);
		if (bind(fd, (struct sockaddr *)&own, own_size))
			return -1;
	}
	if (connect(fd, (struct sockaddr *)&to, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool put(int fd, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = send(fd, buffer + done, bytes - done, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool get(int fd, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = recv(fd, buffer + done, bytes - done, 0);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static void add(uint64_t *to, uint64_t n)
{
	__atomic_add_fetch(to, n, __ATOMIC_RELEASE);
}

static void fail(struct traffic *t, const char *what)
{
	if (!t->told->failed)
		snprintf(t->told->error, sizeof(t->told->error), "%s: %s", what, strerror(errno));
	add(&t->told->failed, 1);
}

/* One question, one answer. What was sent counts as soon as it was. */
static bool ask(struct traffic *t, int fd)
{
	struct head h = {size_any(t), size_any(t)};

	memcpy(buffer, &h, sizeof(h));
	if (!put(fd, h.up)) {
		fail(t, "send");
		return false;
	}
	if (t->way.kind == TRAFFIC_UDP)
		add(&t->told->datagrams_up, 1);
	add(&t->told->up, h.up);
	if (!(t->way.kind == TRAFFIC_UDP ? recv(fd, buffer, BYTES_MAX, 0) == (ssize_t)h.down
					 : get(fd, h.down))) {
		fail(t, "receive");
		return false;
	}
	if (t->way.kind == TRAFFIC_UDP)
		add(&t->told->datagrams_down, 1);
	add(&t->told->down, h.down);
	add(&t->told->exchanges, 1);
	return true;
}

static void hang_up(struct traffic *t, int fd)
{
	if (t->way.kind == TRAFFIC_UDP) {
		close(fd);
		return;
	}
	shutdown(fd, SHUT_WR);
	if (recv(fd, buffer, 1, 0) != 0)
		fail(t, "the other end does not close");
	close(fd);
	add(&t->told->closed, 1);
}

static int hang_on(struct traffic *t)
{
	int fd = open_to_server(t);

	if (fd < 0)
		fail(t, "connect");
	else if (t->way.kind != TRAFFIC_UDP)
		add(&t->told->opened, 1);
	return fd;
}

static bool more(const struct traffic *t)
{
	if (t->way.exchanges)
		return t->told->exchanges + t->told->failed < t->way.exchanges;
	return !__atomic_load_n(&t->told->stop, __ATOMIC_ACQUIRE);
}

void traffic_client_run(struct traffic *t)
{
	bool stays = t->way.kind != TRAFFIC_SHORT;
	int fd = -1;

	while (more(t)) {
		if (fd < 0)
			fd = hang_on(t);
		if (fd >= 0)
			ask(t, fd);
		if (fd >= 0 && !stays) {
			hang_up(t, fd);
			fd = -1;
		}
		if (t->way.pause_us)
			pause_us(t->way.pause_us);
	}
	if (fd >= 0)
		hang_up(t, fd);
	_exit(0);
}

static bool answer(int fd)
{
	struct head h;

	if (!get(fd, sizeof(h)))
		return false;
	memcpy(&h, buffer, sizeof(h));
	return h.up <= BYTES_MAX && h.down <= BYTES_MAX && get(fd, h.up - sizeof(h)) &&
	       put(fd, h.down);
}

static void serve_datagrams(int fd)
{
	struct sockaddr_storage from;
	struct head h;

	for (;;) {
		socklen_t size = sizeof(from);

		if (recvfrom(fd, buffer, BYTES_MAX, 0, (struct sockaddr *)&from, &size) < HEAD)
			continue;
		memcpy(&h, buffer, sizeof(h));
		sendto(fd, buffer, h.down, 0, (struct sockaddr *)&from, size);
	}
}

static void serve_connections(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		while (answer(fd))
			;
		close(fd);
	}
}

void traffic_server_run(struct traffic *t)
{
	struct sockaddr_storage own;
	socklen_t size = address_of(t->way.address, t->way.port, &own);
	int fd = socket_for(t, t->way.address);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&own, size) ||
	    (t->way.kind != TRAFFIC_UDP && listen(fd, 128)))
		_exit(1);
	__atomic_store_n(&t->told->ready, 1, __ATOMIC_RELEASE);
	if (t->way.kind == TRAFFIC_UDP)
		serve_datagrams(fd);
	else
		serve_connections(fd);
	_exit(0);
}
