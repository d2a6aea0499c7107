/* SPDX-License-Identifier: Apache-2.0 */
#include "known.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "namespace.h"

#define CHUNKS_A_SECOND 10
#define ETHERNET_BYTES  14 /* of a header that loopback's counters include */

void known_init(struct known *k, const struct bench *b)
{
	place_make(&k->place, b, "known");
	k->netns = namespace_make();
}

void known_done(struct known *k)
{
	close(k->netns);
	place_remove(&k->place);
}

static struct sockaddr_in loopback(unsigned int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_on(unsigned int port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 512))
		bench_die("listen on port %u: %m", port);
	return fd;
}

static int connect_from(unsigned int from, unsigned int to)
{
	struct sockaddr_in a = loopback(from), z = loopback(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    connect(fd, (struct sockaddr *)&z, sizeof(z)))
		bench_die("connect from port %u: %m", from);
	return fd;
}

static void send_all(int fd, uint64_t bytes)
{
	static const char zeros[65536];

	while (bytes) {
		ssize_t n = send(fd, zeros, bytes < sizeof(zeros) ? bytes : sizeof(zeros),
				 MSG_NOSIGNAL);

		if (n <= 0)
			bench_die("send: %m");
		bytes -= (uint64_t)n;
	}
}

static void receive(int fd, uint64_t bytes)
{
	static char sink[65536];

	while (bytes) {
		ssize_t n = recv(fd, sink, bytes < sizeof(sink) ? bytes : sizeof(sink), 0);

		if (n <= 0)
			bench_die("receive: %m");
		bytes -= (uint64_t)n;
	}
}

static void wait_till(uint64_t ns)
{
	uint64_t now = clock_ns();

	if (now < ns)
		pause_us((unsigned int)((ns - now) / 1000));
}

/* Listens within the cgroup, so that what is accepted belongs there too. */
static void serve_short(const struct known *k, int ready)
{
	int listener = listen_on(KNOWN_SHORT_PORT);

	close(ready);
	for (unsigned int i = 0; i < k->connections; i++) {
		int fd = accept(listener, NULL, NULL);

		receive(fd, KNOWN_REQUEST);
		send_all(fd, KNOWN_ANSWER);
		close(fd);
	}
}

static void connect_short(const struct known *k, int unused)
{
	uint64_t begin = clock_ns();

	for (unsigned int i = 0; i < k->connections; i++) {
		int fd;

		wait_till(begin + i * 1000000000ull * k->seconds / k->connections);
		fd = connect_from(KNOWN_FIRST_PORT + i, KNOWN_SHORT_PORT);
		send_all(fd, KNOWN_REQUEST);
		receive(fd, KNOWN_ANSWER);
		close(fd);
	}
}

static void serve_long(const struct known *k, int ready)
{
	int listener = listen_on(KNOWN_LONG_PORT), fd;

	close(ready);
	fd = accept(listener, NULL, NULL);
	receive(fd, k->long_bytes);
	close(fd);
}

static void connect_long(const struct known *k, int unused)
{
	unsigned int chunks = k->seconds * CHUNKS_A_SECOND;
	int fd = connect_from(KNOWN_LONG_CLIENT, KNOWN_LONG_PORT);
	uint64_t begin = clock_ns();

	for (unsigned int i = 0; i < chunks; i++) {
		wait_till(begin + i * 1000000000ull / CHUNKS_A_SECOND);
		send_all(fd, k->long_bytes / chunks);
	}
	send_all(fd, k->long_bytes % chunks);
	close(fd);
}

static pid_t actor_start(const struct known *k, const char *name, int ready,
			 void (*act)(const struct known *k, int ready))
{
	char path[512];
	pid_t pid = fork();

	if (pid < 0)
		bench_die("start a process: %m");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name);
	snprintf(path, sizeof(path), "%s/cgroup.procs", k->place.path);
	if (file_write(path, "0"))
		bench_die("join %s", k->place.path);
	namespace_enter(k->netns);
	act(k, ready);
	_exit(0);
}

/* Returns when it listens: the pipe's last writer has closed it. */
static pid_t server_start(const struct known *k, const char *name,
			  void (*act)(const struct known *k, int ready))
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		bench_die("make a pipe: %m");
	pid = actor_start(k, name, ready[1], act);
	close(ready[1]);
	if (read(ready[0], &byte, 1))
		bench_die("start a server: it spoke");
	close(ready[0]);
	return pid;
}

void known_run(const struct known *k)
{
	pid_t pid[] = {
		server_start(k, "knownserver", serve_short),
		server_start(k, "bulkserver", serve_long),
		actor_start(k, "knownclient", -1, connect_short),
		actor_start(k, "bulkclient", -1, connect_long),
	};

	for (int i = 0; i < 4; i++)
		if (process_wait(pid[i], k->seconds * 1000 + 120000))
			bench_die("make known traffic: one of its processes failed");
}

uint64_t known_payload(const struct known *k)
{
	return k->long_bytes + (uint64_t)k->connections * (KNOWN_REQUEST + KNOWN_ANSWER);
}

uint64_t known_wire_bytes(const struct known *k)
{
	unsigned long long bytes = 0, packets = 0;
	char text[4096];
	const char *lo;

	namespace_enter(k->netns);
	if (file_read("/proc/thread-self/net/dev", text, sizeof(text)))
		text[0] = 0;
	namespace_enter(namespace_home());
	lo = strstr(text, "lo:");
	if (!lo || sscanf(lo + 3, "%llu %llu", &bytes, &packets) != 2)
		bench_die("read loopback's counters: not in /proc/net/dev");
	return bytes - packets * ETHERNET_BYTES;
}
