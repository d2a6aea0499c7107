/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_BYTES 128

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void join(const struct place *place, int cpu)
{
	char path[512];
	cpu_set_t cpus;
	FILE *f;

	snprintf(path, sizeof(path), "%s/cgroup.procs", place->path);
	f = fopen(path, "we");
	if (!f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
		bench_die("join %s: %m", place->path);
	CPU_ZERO(&cpus);
	CPU_SET((size_t)cpu - 1, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void serve(int listener, uint32_t count)
{
	char message[MESSAGE_BYTES];

	while (count--) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0 || recv(fd, message, sizeof(message), MSG_WAITALL) != sizeof(message) ||
		    send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
			bench_die("serve a connection: %m");
		close(fd);
	}
}

static void connect_once(const struct sockaddr_in *to)
{
	char message[MESSAGE_BYTES] = {0}, end;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) ||
	    send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message) ||
	    recv(fd, message, sizeof(message), MSG_WAITALL) != sizeof(message) ||
	    recv(fd, &end, 1, 0)) /* the server closes first and keeps the TIME_WAIT */
		bench_die("make a connection: %m");
	close(fd);
}

static int listen_on(uint16_t *ret_port)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	socklen_t size = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, size) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&any, &size))
		bench_die("listen: %m");
	*ret_port = ntohs(any.sin_port);
	return fd;
}

_Noreturn static void work(uint16_t port, int listener, int ask, int answer)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	uint32_t count;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (read(ask, &count, sizeof(count)) == sizeof(count)) {
		double used = cpu_us();

		if (listener >= 0)
			serve(listener, count);
		else
			for (; count; count--)
				connect_once(&to);
		used = cpu_us() - used;
		if (write(answer, &used, sizeof(used)) != sizeof(used))
			break;
	}
	_exit(0);
}

static void worker_start(struct pair *p, struct pair_worker *w, bool server, int cpu)
{
	int ask[2], answer[2], ready[2], listener = -1;
	uint16_t port = p->port;

	if (pipe2(ask, O_CLOEXEC) || pipe2(answer, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		bench_die("make a pipe: %m");
	w->pid = fork();
	if (w->pid < 0)
		bench_die("start a worker: %m");
	if (w->pid == 0) {
		close(ask[1]);
		join(&p->place, cpu);
		if (server)
			listener = listen_on(&port); /* its children belong to this cgroup */
		if (write(ready[1], &port, sizeof(port)) != sizeof(port))
			_exit(1);
		work(port, listener, ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	close(ready[1]);
	if (read(ready[0], &p->port, sizeof(p->port)) != sizeof(p->port))
		bench_die("start a worker: it ended");
	close(ready[0]);
	w->ask = ask[1];
	w->answer = answer[0];
}

void pair_start(struct pair *p, const struct bench *b, const char *name, int client_cpu,
		int server_cpu)
{
	*p = (struct pair){0};
	place_make(&p->place, b, name);
	worker_start(p, &p->server, true, server_cpu);
	worker_start(p, &p->client, false, client_cpu);
}

static void worker_stop(struct pair_worker *w)
{
	kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, 0);
	close(w->ask);
	close(w->answer);
}

void pair_stop(struct pair *p)
{
	worker_stop(&p->client);
	worker_stop(&p->server);
	place_remove(&p->place);
}

double pair_slice(struct pair *p, uint32_t connections)
{
	double client, server;

	if (write(p->server.ask, &connections, sizeof(connections)) != sizeof(connections) ||
	    write(p->client.ask, &connections, sizeof(connections)) != sizeof(connections) ||
	    read(p->client.answer, &client, sizeof(client)) != sizeof(client) ||
	    read(p->server.answer, &server, sizeof(server)) != sizeof(server))
		bench_die("run a slice: a worker ended");
	return (client + server) / connections;
}
