/* SPDX-License-Identifier: Apache-2.0 */
/* See mesh.h. A thread for each call and for each connection that is served: plain blocking code.
 */
#include "mesh.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <pthread.h>
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

#define PORT         8080
#define STACK_BYTES  65536
#define RESPONSE_MAX 262144

/* What a request says of itself and of its answer. */
struct request {
	uint32_t size, response; /* bytes; size includes this */
};

struct call {
	unsigned int from, to;
	bool keeps; /* its connection */
	double period_s, request, response;
	uint64_t random;
};

static double uniform(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (double)(*random >> 11) / 9007199254740992.0;
}

/* From least to most, each order as likely. */
static double spread(uint64_t *random, double least, double most)
{
	return least * pow(most / least, uniform(random));
}

static bool is_far(unsigned int service)
{
	return service % 2;
}

static struct sockaddr_in address_of(unsigned int service)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(PORT),
				    .sin_addr.s_addr = htonl(0x7f4d0001 + (service << 8))};
}

static bool send_all(int fd, size_t size)
{
	static const char bytes[16384];

	while (size) {
		ssize_t n =
			send(fd, bytes, size < sizeof(bytes) ? size : sizeof(bytes), MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		size -= (size_t)n;
	}
	return true;
}

static bool receive_all(int fd, size_t size)
{
	char bytes[16384];

	while (size) {
		ssize_t n = recv(fd, bytes, size < sizeof(bytes) ? size : sizeof(bytes), 0);

		if (n <= 0)
			return false;
		size -= (size_t)n;
	}
	return true;
}

static void *serve_connection(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct request r;

	while (recv(fd, &r, sizeof(r), MSG_WAITALL) == sizeof(r))
		if (r.response > RESPONSE_MAX || !receive_all(fd, r.size - sizeof(r)) ||
		    !send_all(fd, r.response))
			break;
	close(fd);
	return NULL;
}

static void run_thread(void *(*body)(void *), void *arg)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (pthread_create(&thread, &attributes, body, arg))
		bench_die("start a thread of a service: %m");
	pthread_attr_destroy(&attributes);
}

_Noreturn static void serve(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			run_thread(serve_connection, (void *)(intptr_t)fd);
	}
}

static int connected(const struct call *c)
{
	struct sockaddr_in from = address_of(c->from), to = address_of(c->to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	from.sin_port = 0;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Most requests of a call are alike; the rest of them, and most answers, vary by a third. */
static bool ask(struct call *c, int fd)
{
	double vary = uniform(&c->random) < 0.5 ? 1 : 0.7 + 0.6 * uniform(&c->random);
	struct request r = {(uint32_t)(c->request * (0.97 + 0.06 * uniform(&c->random))),
			    (uint32_t)(c->response * vary)};

	return send(fd, &r, sizeof(r), MSG_NOSIGNAL | MSG_MORE) == sizeof(r) &&
	       send_all(fd, r.size - sizeof(r)) && receive_all(fd, r.response);
}

static void *call_again(void *arg)
{
	struct call *c = arg;
	int fd = -1;

	for (;;) {
		pause_us((unsigned int)(-log(1 - uniform(&c->random)) * c->period_s * 1e6));
		if (fd < 0)
			fd = connected(c);
		if (fd >= 0 && ask(c, fd) && c->keeps)
			continue;
		close(fd);
		fd = -1;
	}
	return NULL;
}

static void begin_calls(unsigned int service)
{
	static struct call calls[MESH_CALLS];

	for (unsigned int i = 0; i < MESH_CALLS; i++) {
		struct call *c = &calls[i];

		c->random = (service * MESH_CALLS + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
		c->from = service;
		c->to = 2 * (unsigned int)(uniform(&c->random) * MESH_SERVICES / 2) +
			!is_far(service);
		c->keeps = i % 4 != 3;
		c->period_s = spread(&c->random, 0.02, 3);
		c->request = spread(&c->random, 120, 2000);
		c->response = spread(&c->random, 100, 30000);
		run_thread(call_again, c);
	}
}

static int listening(unsigned int service)
{
	struct sockaddr_in a = address_of(service);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 512))
		bench_die("listen as service %u: %m", service);
	return fd;
}

_Noreturn static void work(const struct mesh *m, unsigned int service)
{
	char path[512], name[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(name, sizeof(name), "service%u", service);
	prctl(PR_SET_NAME, name);
	snprintf(path, sizeof(path), "%s/cgroup.procs",
		 is_far(service) ? m->far.path : m->near.path);
	if (file_write(path, "0"))
		bench_die("join %s", path);
	namespace_enter(m->netns);
	begin_calls(service);
	serve(listening(service));
}

/* Who calls before the other listens tries again. */
void mesh_start(struct mesh *m, const struct bench *b)
{
	*m = (struct mesh){0};
	place_make(&m->near, b, "near");
	place_make(&m->far, b, "far");
	m->netns = namespace_make();
	for (unsigned int i = 0; i < MESH_SERVICES; i++) {
		m->pid[i] = fork();
		if (m->pid[i] == 0)
			work(m, i);
		if (m->pid[i] < 0)
			bench_die("start a service: %m");
	}
}

void mesh_stop(struct mesh *m)
{
	for (unsigned int i = 0; i < MESH_SERVICES; i++)
		kill(m->pid[i], SIGKILL);
	for (unsigned int i = 0; i < MESH_SERVICES; i++)
		waitpid(m->pid[i], NULL, 0);
	close(m->netns);
	place_remove(&m->near);
	place_remove(&m->far);
}
