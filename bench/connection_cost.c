/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What millrace adds to a connection: CPU of both ends, in µs a connection, over loopback.
 *
 * Two pairs of client and server do the same work in two cgroups; `millrace up --cgroup` observes
 * only one of them. Slices alternate between the pairs, and each slice is compared with its
 * neighbour, so a machine whose speed drifts slows both. CPU is what the kernel charged to the
 * client and the server; loopback's softirqs run inside them.
 *
 *     connection-cost MILLRACE [SLICES [CONNECTIONS A SLICE]]
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/cgroup_mount.h"

#define MESSAGE_BYTES 128

/* A process that serves or connects; both read how many connections to do and answer their CPU. */
struct worker {
	pid_t pid;
	int ask, answer;
};

struct pair {
	struct worker client, server;
	uint16_t port;
	char cgroup[512];
};

static void die(const char *what)
{
	fprintf(stderr, "connection-cost: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void join_cgroup(const char *cgroup)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	f = fopen(path, "w");
	if (!f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
		die(path);
}

static void exchange(int fd)
{
	char message[MESSAGE_BYTES] = {};

	if (send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message) ||
	    recv(fd, message, sizeof(message), MSG_WAITALL) != sizeof(message))
		die("exchange");
}

static void serve(int listener, uint32_t count)
{
	char message[MESSAGE_BYTES];

	while (count--) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0 || recv(fd, message, sizeof(message), MSG_WAITALL) != sizeof(message) ||
		    send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
			die("serve");
		close(fd);
	}
}

static void connect_to(uint16_t port, uint32_t count)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (count--) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		char end;

		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
			die("connect");
		exchange(fd);
		if (recv(fd, &end, 1, 0)) /* the server closes first and keeps the TIME_WAIT */
			die("close");
		close(fd);
	}
}

static int listen_on(uint16_t *ret_port)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	socklen_t size = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, size) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&any, &size))
		die("listen");
	*ret_port = ntohs(any.sin_port);
	return fd;
}

static void work(struct pair *p, int listener, int ask, int answer)
{
	uint32_t count;
	double begin, used;

	while (read(ask, &count, sizeof(count)) == sizeof(count)) {
		begin = cpu_us();
		if (listener >= 0)
			serve(listener, count);
		else
			connect_to(p->port, count);
		used = cpu_us() - begin;
		if (write(answer, &used, sizeof(used)) != sizeof(used))
			break;
	}
	exit(0);
}

static struct worker worker_start(struct pair *p, bool server)
{
	struct worker w;
	int ask[2], answer[2], listener = -1, ready[2];
	uint16_t port;

	if (pipe2(ask, O_CLOEXEC) || pipe2(answer, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		die("pipe");
	w.pid = fork();
	if (w.pid < 0)
		die("fork");
	if (w.pid == 0) {
		close(ask[1]);
		join_cgroup(p->cgroup);
		if (server)
			listener = listen_on(&port); /* its children belong to this cgroup */
		if (write(ready[1], &port, sizeof(port)) != sizeof(port))
			die("ready");
		work(p, listener, ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	if (read(ready[0], &port, sizeof(port)) != sizeof(port))
		die("worker");
	if (server)
		p->port = port;
	w.ask = ask[1];
	w.answer = answer[0];
	return w;
}

static void pair_start(struct pair *p, const char *mount, const char *name)
{
	snprintf(p->cgroup, sizeof(p->cgroup), "%s/%s-%d", mount, name, getpid());
	if (mkdir(p->cgroup, 0755))
		die(p->cgroup);
	p->server = worker_start(p, true);
	p->client = worker_start(p, false);
}

static void worker_stop(struct worker *w)
{
	kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, 0);
}

static void pair_stop(struct pair *p)
{
	worker_stop(&p->client);
	worker_stop(&p->server);
	rmdir(p->cgroup);
}

/* µs of CPU a connection, both ends. */
static double slice(struct pair *p, uint32_t count)
{
	double client, server;

	if (write(p->server.ask, &count, sizeof(count)) != sizeof(count) ||
	    write(p->client.ask, &count, sizeof(count)) != sizeof(count) ||
	    read(p->client.answer, &client, sizeof(client)) != sizeof(client) ||
	    read(p->server.answer, &server, sizeof(server)) != sizeof(server))
		die("slice");
	return (client + server) / count;
}

static pid_t millrace_start(const char *binary, const char *cgroup)
{
	int out[2];
	char line[512];
	FILE *f;
	pid_t pid;

	if (pipe(out))
		die("pipe");
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		execl(binary, binary, "up", "--listen", "127.0.0.1:0", "--cgroup", cgroup, NULL);
		die(binary);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	if (pid < 0 || !f || !fgets(line, sizeof(line), f)) /* its first line: it is attached */
		die("millrace up");
	return pid;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void report(double *with, double *without, size_t n, uint32_t count)
{
	double *added = calloc(n, sizeof(*added)), mean = 0, square = 0, error;

	for (size_t i = 0; i < n; i++) {
		added[i] = with[i] - without[i];
		mean += added[i] / n;
	}
	for (size_t i = 0; i < n; i++)
		square += (added[i] - mean) * (added[i] - mean);
	error = 1.96 * sqrt(square / (n - 1) / n);
	printf("connections: %zu slices of %u, alternating; CPU of both ends, us a connection\n", n,
	       count);
	printf("  without %.2f   with %.2f   (medians)\n", median(without, n), median(with, n));
	printf("  added, paired: median %.2f   mean %.2f   95%% interval %.2f to %.2f\n",
	       median(added, n), mean, mean - error, mean + error);
	free(added);
}

int main(int argc, char **argv)
{
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
	uint32_t count = argc > 3 ? strtoul(argv[3], NULL, 10) : 500;
	double *with = calloc(n, sizeof(*with)), *without = calloc(n, sizeof(*without));
	struct pair seen = {}, unseen = {};
	char mount[400];
	pid_t millrace;

	if (argc < 2 || n < 2 || !count || !with || !without) {
		fprintf(stderr, "usage: connection-cost MILLRACE [SLICES [CONNECTIONS A SLICE]]\n");
		return 2;
	}
	if (cgroup_mount(mount, sizeof(mount)) < 0)
		die("cgroup v2");
	pair_start(&seen, mount, "millrace-bench-seen");
	pair_start(&unseen, mount, "millrace-bench-unseen");
	millrace = millrace_start(argv[1], seen.cgroup);
	slice(&seen, count);
	slice(&unseen, count);
	for (size_t i = 0; i < n; i++) {
		bool first = i % 2;

		if (first)
			with[i] = slice(&seen, count);
		without[i] = slice(&unseen, count);
		if (!first)
			with[i] = slice(&seen, count);
	}
	report(with, without, n, count);
	fflush(stdout);
	kill(millrace, SIGTERM);
	waitpid(millrace, NULL, 0);
	pair_stop(&seen);
	pair_stop(&unseen);
	free(with);
	free(without);
	return 0;
}
