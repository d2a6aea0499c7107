/* SPDX-License-Identifier: Apache-2.0 */
/* One end of a shape, in its process: see load.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"
#include "run.h"

#define END_LIMIT_S 600 /* a process of the load ends itself after that */

void peer_fail(struct peer *p, const char *format, ...)
{
	struct outcome *o = p->outcome;
	va_list args;
	int n;

	if (!o->failed[0]) {
		n = snprintf(o->failed, sizeof(o->failed), "%s: ", p->client ? "client" : "server");
		va_start(args, format);
		vsnprintf(o->failed + n, sizeof(o->failed) - (size_t)n, format, args);
		va_end(args);
	}
	_exit(1);
}

void peer_skip(struct peer *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->outcome->skipped, sizeof(p->outcome->skipped), format, args);
	va_end(args);
	_exit(0);
}

void peer_post(struct peer *p)
{
	if (send(p->sync, "", 1, MSG_NOSIGNAL) != 1)
		peer_fail(p, "the other end is gone");
}

void peer_await(struct peer *p)
{
	char byte;

	if (recv(p->sync, &byte, 1, 0) != 1)
		peer_fail(p, "the other end is gone");
}

void peer_before_done(struct peer *p)
{
	struct load_shared *s = p->load->shared;

	__atomic_add_fetch(&s->waiting, 1, __ATOMIC_ACQ_REL);
	while (!__atomic_load_n(&s->go, __ATOMIC_ACQUIRE))
		pause_us(20000); /* eighty who look more often would starve a slow machine */
	if (p->client)
		p->outcome->start_ns = clock_ns();
}

void peer_phase_done(struct peer *p)
{
	struct load_shared *s = p->load->shared;
	uint32_t now = __atomic_load_n(&s->phase, __ATOMIC_ACQUIRE);

	__atomic_add_fetch(&s->done, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&s->phase, __ATOMIC_ACQUIRE) == now)
		pause_us(20000);
}

void peer_add(struct peer *p, enum mr_counter counter, uint64_t n)
{
	__atomic_add_fetch(&p->tally->counter[counter], n, __ATOMIC_RELAXED);
}

struct tally *peer_tally(struct peer *p, const char *process, uint16_t port)
{
	struct load_shared *s = p->load->shared;
	uint32_t i = __atomic_fetch_add(&s->tally_count, 1, __ATOMIC_ACQ_REL);
	struct tally *t = &s->tally[i];

	if (i >= LOAD_TALLIES_MAX)
		peer_fail(p, "more tallies than there is room for");
	snprintf(t->process, sizeof(t->process), "%s", process);
	t->port = port;
	t->role = p->client ? LOAD_CLIENT : LOAD_SERVER;
	t->shape = (uint8_t)p->index;
	return t;
}

int peer_fork(struct peer *p, const char *name)
{
	int pid = fork();

	if (pid < 0)
		peer_fail(p, "fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name);
	alarm(END_LIMIT_S);
	return 0;
}

static uint64_t mix64(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

uint64_t peer_random(const struct peer *p, uint64_t a, uint64_t b)
{
	return mix64(mix64(p->load->seed + p->index) ^ mix64(a * 2 + 1) ^ mix64(b << 32));
}

static unsigned int size_of(const struct peer *p, unsigned int i, unsigned int direction)
{
	uint64_t r = peer_random(p, i, direction);
	unsigned int bits = 32 - (unsigned int)__builtin_clz(p->shape->size_max | 1);
	unsigned int size = (unsigned int)(r >> 8) & ((2u << (r % bits)) - 1);

	return size < p->shape->size_max ? size : p->shape->size_max;
}

unsigned int peer_up(const struct peer *p, unsigned int i)
{
	return size_of(p, i, 1);
}

unsigned int peer_down(const struct peer *p, unsigned int i)
{
	return size_of(p, i, 2);
}

int peer_nft(struct peer *p, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return net_nft(p->client ? p->load->net->client : p->load->net->server, text);
}

static void peer_address(struct peer *p)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&p->server;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&p->server;
	bool loopback = p->shape->flags & SHAPE_LOOPBACK;
	const struct net *n = p->load->net;
	const char *server4 = n->server4 ? n->server4 : NET_SERVER4;
	const char *server6 = n->server6 ? n->server6 : NET_SERVER6;
	char mapped[64];

	snprintf(mapped, sizeof(mapped), "::ffff:%s", server4);
	if (p->shape->family == AF_INET6) {
		*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(p->port)};
		inet_pton(AF_INET6,
			  p->shape->flags & SHAPE_MAPPED ? mapped
			  : loopback                     ? "::1"
							 : server6,
			  &v6->sin6_addr);
		p->server_size = sizeof(*v6);
		return;
	}
	*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(p->port)};
	inet_pton(AF_INET, loopback ? "127.0.0.1" : server4, &v4->sin_addr);
	p->server_size = sizeof(*v4);
}

/* What the harness must not find in a child: its namespace, its CPU, its name. */
static int peer_settle(struct peer *p)
{
	const struct net *n = p->load->net;
	bool in_client = p->client && !(p->shape->flags & SHAPE_LOOPBACK);
	int cpu = p->client ? n->client_cpu : n->server_cpu;
	char path[512];
	cpu_set_t cpus;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, p->client ? "mixclient" : "mixserver");
	signal(SIGPIPE, SIG_IGN);
	alarm(END_LIMIT_S);
	if (cpu) {
		CPU_ZERO(&cpus);
		CPU_SET(cpu - 1, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus);
	}
	snprintf(path, sizeof(path), "%s/cgroup.procs",
		 in_client && n->client_cgroup ? n->client_cgroup : n->cgroup);
	return file_write(path, "0") || net_enter(in_client ? n->client : n->server);
}

void peer_main(struct load *l, unsigned int index, bool client, int sync)
{
	const struct shape *shape = &load_shapes[index];
	struct peer p = {.load = l,
			 .shape = shape,
			 .index = index,
			 .client = client,
			 .sync = sync,
			 .outcome = &l->shared->outcome[index],
			 .port = (uint16_t)(LOAD_PORT_FIRST + LOAD_PORTS_EACH * index)};

	p.connections = (unsigned int)(shape->connections * l->scale + 0.5);
	if (p.connections < 2)
		p.connections = 2;
	peer_address(&p);
	p.tally = peer_tally(&p, client ? "mixclient" : "mixserver", p.port);
	if (peer_settle(&p))
		peer_fail(&p, "cannot enter the namespace or cgroup");
	if (!(shape->flags & SHAPE_BEFORE))
		peer_before_done(&p);
	(client ? shape->client : shape->server)(&p);
	if (client)
		p.outcome->end_ns = clock_ns();
	_exit(0);
}
