/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with any name that does on the network what its standard input says, line by line, and
 * answers each line: "ok ...", or "error ..." with the reason. It ends with its input.
 *
 *     browser-actor NAME [CGROUP]
 *
 *     listen [PORT]              ok PORT           on 127.0.0.1; serves from then on
 *     transfer PORT UP DOWN      ok                connects, sends UP bytes, takes DOWN; stays open
 *     again UP DOWN              ok                the same once more over the last connection
 *     try PORT                   ok / error WHY    connects and closes
 *     close                      ok                all connections it opened
 *
 * Bytes are exact: of UP, the first 16 say how many are to follow each way. One thing at a time,
 * at most 64 connections of its own and 512 that it accepted; alarm() ends it after ten minutes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTED_MAX 512
#define OPENED_MAX   64
#define LIFE_S       600

struct request {
	uint64_t up, down; /* bytes that follow each way */
};

struct actor {
	int listener;
	int accepted[ACCEPTED_MAX], opened[OPENED_MAX];
	int accepted_count, opened_count;
};

static char buffer[65536];

static int write_all(int fd, uint64_t size)
{
	while (size) {
		ssize_t n = send(fd, buffer, size < sizeof(buffer) ? size : sizeof(buffer),
				 MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		size -= (uint64_t)n;
	}
	return 0;
}

static int read_all(int fd, uint64_t size)
{
	while (size) {
		ssize_t n = recv(fd, buffer, size < sizeof(buffer) ? size : sizeof(buffer), 0);

		if (n <= 0)
			return n ? -errno : -ECONNRESET;
		size -= (uint64_t)n;
	}
	return 0;
}

/* --- the server's side --------------------------------------------------------------------------
 */

static void serve(struct actor *a, int i)
{
	struct request request;
	ssize_t n = recv(a->accepted[i], &request, sizeof(request), MSG_WAITALL);

	if (n == sizeof(request) && !read_all(a->accepted[i], request.up) &&
	    !write_all(a->accepted[i], request.down))
		return;
	close(a->accepted[i]);
	a->accepted[i] = a->accepted[--a->accepted_count];
}

static void take(struct actor *a)
{
	int fd = accept(a->listener, NULL, NULL);

	if (fd >= 0 && a->accepted_count < ACCEPTED_MAX)
		a->accepted[a->accepted_count++] = fd;
	else if (fd >= 0)
		close(fd);
}

static int listen_on(struct actor *a, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int one = 1;

	a->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(a->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(a->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(a->listener, 128) < 0)
		return -errno;
	getsockname(a->listener, (struct sockaddr *)&at, &size);
	return ntohs(at.sin_port);
}

/* --- the client's side --------------------------------------------------------------------------
 */

static int open_to(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -errno;
}

static int transfer(int fd, uint64_t up, uint64_t down)
{
	struct request request = {up - sizeof(request), down};
	int r;

	if (up < sizeof(request))
		return -EINVAL;
	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		return -errno;
	r = write_all(fd, request.up);
	return r ? r : read_all(fd, down);
}

static int connect_and_transfer(struct actor *a, uint16_t port, uint64_t up, uint64_t down)
{
	int fd = a->opened_count < OPENED_MAX ? open_to(port) : -EMFILE;

	if (fd < 0)
		return fd;
	a->opened[a->opened_count++] = fd;
	return transfer(fd, up, down);
}

static int try_port(uint16_t port)
{
	int fd = open_to(port);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int close_all(struct actor *a)
{
	while (a->opened_count)
		close(a->opened[--a->opened_count]);
	return 0;
}

/* --- commands -----------------------------------------------------------------------------------
 */

static int obey(struct actor *a, const char *line)
{
	unsigned long long up, down;
	unsigned int port = 0;

	if (!strncmp(line, "listen", 6)) {
		sscanf(line, "listen %u", &port);
		return listen_on(a, (uint16_t)port);
	}
	if (sscanf(line, "transfer %u %llu %llu", &port, &up, &down) == 3)
		return connect_and_transfer(a, (uint16_t)port, up, down);
	if (sscanf(line, "again %llu %llu", &up, &down) == 2 && a->opened_count)
		return transfer(a->opened[a->opened_count - 1], up, down);
	if (sscanf(line, "try %u", &port) == 1)
		return try_port((uint16_t)port);
	if (!strncmp(line, "close", 5))
		return close_all(a);
	return -EINVAL;
}

static void hear(struct actor *a)
{
	char line[256];
	int r;

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	r = obey(a, line);
	if (r < 0)
		printf("error %s\n", strerror(-r));
	else
		printf("ok %d\n", r);
}

static void run(struct actor *a)
{
	struct pollfd polls[2 + ACCEPTED_MAX] = {{STDIN_FILENO, POLLIN, 0},
						 {a->listener, POLLIN, 0}};

	for (int i = 0; i < a->accepted_count; i++)
		polls[2 + i] = (struct pollfd){a->accepted[i], POLLIN, 0};
	if (poll(polls, (nfds_t)(2 + a->accepted_count), -1) < 0)
		exit(1);
	for (int i = a->accepted_count; i-- > 0;)
		if (polls[2 + i].revents)
			serve(a, i);
	if (polls[1].revents)
		take(a);
	if (polls[0].revents)
		hear(a);
}

static int enter(const char *cgroup)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = fopen(path, "w");
	if (!file)
		return -errno;
	fputs("0\n", file);
	return fclose(file) ? -errno : 0;
}

int main(int argc, char **argv)
{
	struct actor a = {.listener = -1};

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: browser-actor NAME [CGROUP]\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIFE_S);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0); /* what poll() says must be all there is */
	if (argc == 3 && enter(argv[2]) < 0) {
		fprintf(stderr, "cannot enter the cgroup %s: %m\n", argv[2]);
		return 1;
	}
	prctl(PR_SET_NAME, argv[1]);
	for (;;)
		run(&a);
}
