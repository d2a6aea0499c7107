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

/* The open end of who serves, from the first message on: of datagrams the socket itself. */
static int peer_accept(int listener, enum pair_work work)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	char message[MESSAGE_BYTES];

	if (work == PAIR_PACKETS)
		return accept(listener, NULL, NULL);
	if (recvfrom(listener, message, sizeof(message), MSG_PEEK, (struct sockaddr *)&from,
		     &size) < 0 ||
	    connect(listener, (struct sockaddr *)&from, size))
		bench_die("meet who sends datagrams: %m");
	return listener;
}

static void answer_all(int fd, uint32_t count)
{
	char message[MESSAGE_BYTES];

	while (count--)
		if (recv(fd, message, sizeof(message), MSG_WAITALL) != sizeof(message) ||
		    send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
			bench_die("answer a message: %m");
}

static int peer_connect(const struct sockaddr_in *to, enum pair_work work)
{
	int fd = socket(AF_INET, work == PAIR_DATAGRAMS ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		bench_die("connect to who answers: %m");
	return fd;
}

static void ask_all(int fd, uint32_t count)
{
	char message[MESSAGE_BYTES] = {0};

	while (count--)
		if (send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message) ||
		    recv(fd, message, sizeof(message), MSG_WAITALL) != sizeof(message))
			bench_die("exchange a message: %m");
}

static int listen_on(uint16_t *ret_port, enum pair_work work)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	socklen_t size = sizeof(any);
	int fd = socket(AF_INET, work == PAIR_DATAGRAMS ? SOCK_DGRAM : SOCK_STREAM, 0);

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, size) ||
	    (work != PAIR_DATAGRAMS && listen(fd, 128)) ||
	    getsockname(fd, (struct sockaddr *)&any, &size))
		bench_die("listen: %m");
	*ret_port = ntohs(any.sin_port);
	return fd;
}

/* What a worker has open. */
struct ends {
	enum pair_work work;
	struct sockaddr_in to;
	int listener; /* -1: a client */
	int peer;     /* -1: not yet */
};

static void turns_run(struct ends *e, uint32_t count)
{
	if (e->work == PAIR_CONNECTIONS && e->listener >= 0)
		return serve(e->listener, count);
	for (; e->work == PAIR_CONNECTIONS && count; count--)
		connect_once(&e->to);
	if (e->work == PAIR_CONNECTIONS)
		return;
	if (e->peer < 0)
		e->peer = e->listener >= 0 ? peer_accept(e->listener, e->work)
					   : peer_connect(&e->to, e->work);
	if (e->listener >= 0)
		answer_all(e->peer, count);
	else
		ask_all(e->peer, count);
}

_Noreturn static void work(struct ends *e, int ask, int answer)
{
	uint32_t count;

	while (read(ask, &count, sizeof(count)) == sizeof(count)) {
		double used = cpu_us();

		turns_run(e, count);
		used = cpu_us() - used;
		if (write(answer, &used, sizeof(used)) != sizeof(used))
			break;
	}
	_exit(0);
}

static struct ends ends_of(const struct pair *p, int listener)
{
	struct ends e = {.work = p->work, .listener = listener, .peer = -1};

	e.to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(p->port)};
	e.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return e;
}

static void worker_start(struct pair *p, struct pair_worker *w, bool server, int cpu)
{
	int ask[2], answer[2], ready[2], listener = -1;
	uint16_t port = p->port;
	struct ends ends;

	if (pipe2(ask, O_CLOEXEC) || pipe2(answer, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		bench_die("make a pipe: %m");
	w->pid = fork();
	if (w->pid < 0)
		bench_die("start a worker: %m");
	if (w->pid == 0) {
		close(ask[1]);
		join(&p->place, cpu);
		if (server)
			listener =
				listen_on(&port, p->work); /* its children belong to this cgroup */
		if (write(ready[1], &port, sizeof(port)) != sizeof(port))
			_exit(1);
		ends = ends_of(p, listener);
		work(&ends, ask[0], answer[1]);
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

void pair_start(struct pair *p, const struct bench *b, const char *name, enum pair_work work,
		int client_cpu, int server_cpu)
{
	*p = (struct pair){.work = work};
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

double pair_slice(struct pair *p, uint32_t turns)
{
	double client, server;

	if (write(p->server.ask, &turns, sizeof(turns)) != sizeof(turns) ||
	    write(p->client.ask, &turns, sizeof(turns)) != sizeof(turns) ||
	    read(p->client.answer, &client, sizeof(client)) != sizeof(client) ||
	    read(p->server.answer, &server, sizeof(server)) != sizeof(server))
		bench_die("run a slice: a worker ended");
	return (client + server) / turns;
}
