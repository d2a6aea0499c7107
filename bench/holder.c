/* SPDX-License-Identifier: Apache-2.0 */
#include "holder.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tests/live/run.h"

#define LISTENERS 8
#define ADDRESSES                                                                                  \
	8 /* 127.0.0.2 and up: ports for 28,000 connections to each listener from each             \
	   */

struct connection {
	int client, server;
};

static void join(const struct place *place)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cgroup.procs", place->path);
	if (file_write(path, "0"))
		bench_die("join %s", place->path);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* The hard limit cannot always be raised: then more processes share them. */
static unsigned int sockets_each(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		bench_die("read how many files a process may open: %m");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		bench_die("open as many files as the hard limit allows: %m");
	return (unsigned int)(limit.rlim_max - 100) / 2 * 2;
}

static int listen_on(struct sockaddr_in *ret)
{
	socklen_t size = sizeof(*ret);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*ret = (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)ret, size) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)ret, &size))
		bench_die("listen: %m");
	return fd;
}

/* The port is chosen at connect(), with the destination known: else 28,000 would be all. */
static int connect_from(unsigned int address, const struct sockaddr_in *to)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + address)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		bench_die("open a connection to hold: %m");
	return fd;
}

static void exchange(const struct connection *c)
{
	char byte = 0;

	if (send(c->client, &byte, 1, MSG_NOSIGNAL) != 1 || recv(c->server, &byte, 1, 0) != 1)
		bench_die("exchange a byte: %m");
}

_Noreturn static void hold(const struct place *place, unsigned int count, unsigned int active,
			   int ready)
{
	struct connection *c = calloc(count, sizeof(*c));
	struct sockaddr_in to[LISTENERS];
	int listener[LISTENERS];

	join(place);
	for (int i = 0; i < LISTENERS; i++)
		listener[i] = listen_on(&to[i]);
	for (unsigned int i = 0; c && i < count; i++) {
		c[i].client = connect_from(i % ADDRESSES, &to[i / ADDRESSES % LISTENERS]);
		c[i].server = accept(listener[i / ADDRESSES % LISTENERS], NULL, NULL);
	}
	if (write(ready, "r", 1) != 1)
		_exit(1);
	for (;;) {
		uint64_t end = clock_ns() + 1000000000u;

		for (unsigned int i = 0; i < active; i++)
			exchange(&c[i]);
		while (clock_ns() < end)
			pause_us((unsigned int)((end - clock_ns()) / 1000 + 1));
	}
}

static void start_one(struct holder *h, unsigned int count, unsigned int active)
{
	int ready[2];
	char byte;

	if (h->count == HOLDERS_MAX || pipe2(ready, O_CLOEXEC))
		bench_die("start one more process to hold sockets: raise the limit of open files");
	h->pid[h->count] = fork();
	if (h->pid[h->count] == 0)
		hold(&h->place, count, active, ready[1]);
	close(ready[1]);
	if (h->pid[h->count++] < 0 || read(ready[0], &byte, 1) != 1)
		bench_die("hold %u sockets: their process ended", 2 * count);
	close(ready[0]);
}

void holder_start(struct holder *h, const struct bench *b, unsigned int sockets,
		  unsigned int active_percent)
{
	unsigned int each = sockets_each();

	h->count = 0;
	place_make(&h->place, b, "holder");
	while (sockets) {
		unsigned int now = sockets < each ? sockets : each;

		start_one(h, now / 2, now / 2 * active_percent / 100);
		sockets -= now;
	}
}

void holder_stop(struct holder *h)
{
	for (unsigned int i = 0; i < h->count; i++)
		kill(h->pid[i], SIGKILL);
	for (unsigned int i = 0; i < h->count; i++)
		waitpid(h->pid[i], NULL, 0);
	place_remove(&h->place);
}
