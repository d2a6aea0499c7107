/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

	if (p->shape->family == AF_INET6) {
		*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(p->port)};
		inet_pton(AF_INET6,
			  p->shape->flags & SHAPE_MAPPED ? "::ffff:" NET_SERVER4
			  : loopback                     ? "::1"
							 : NET_SERVER6,
			  &v6->sin6_addr);
		p->server_size = sizeof(*v6);
		return;
	}
	*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(p->port)};
	inet_pton(AF_INET, loopback ? "127.0.0.1" : NET_SERVER4, &v4->sin_addr);
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
	snprintf(path, sizeof(path), "%s/cgroup.procs", n->cgroup);
	return file_write(path, "0") || net_enter(in_client ? n->client : n->server);
}

__attribute__((noreturn)) static void peer_main(struct load *l, unsigned int index, bool client,
						int sync)
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

static int load_fork(struct load *l, unsigned int index, bool client, const int sync[2])
{
	int pid = fork();

	if (pid == 0) {
		close(sync[client]);
		peer_main(l, index, client, sync[!client]);
	}
	if (pid > 0)
		l->pids[index][client] = pid;
	return pid < 0 ? -errno : 0;
}

static bool load_wanted(const struct load *l, unsigned int index)
{
	if (l->only)
		return strcmp(l->only, load_shapes[index].name) == 0;
	for (const unsigned int *i = l->pick; i && *i != UINT_MAX; i++)
		if (*i == index)
			return true;
	return !l->pick && !(load_shapes[index].flags & SHAPE_ALONE);
}

static const char *load_missing(const struct load *l, const struct shape *s)
{
	if (s->flags & SHAPE_NFT && !l->net->nft)
		return "no nftables here";
	if (s->flags & SHAPE_MPTCP && !l->net->mptcp)
		return "this kernel has no MPTCP";
	return NULL;
}

static int load_start_shape(struct load *l, unsigned int index)
{
	const char *missing = load_missing(l, &load_shapes[index]);
	struct outcome *o = &l->shared->outcome[index];
	int sync[2], r;

	if (missing) {
		snprintf(o->skipped, sizeof(o->skipped), "%s", missing);
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sync))
		return -errno;
	r = load_shapes[index].server ? load_fork(l, index, false, sync) : 0;
	if (r == 0)
		r = load_fork(l, index, true, sync);
	close(sync[0]);
	close(sync[1]);
	return r;
}

static unsigned int load_running(const struct load *l)
{
	unsigned int n = 0;

	for (size_t i = 0; i < load_shape_count; i++)
		n += (l->pids[i][0] > 0) + (l->pids[i][1] > 0);
	return n;
}

/* Notes what has ended; an end that failed takes its other end with it. */
static void load_reap(struct load *l)
{
	for (unsigned int i = 0; i < load_shape_count; i++) {
		struct outcome *o = &l->shared->outcome[i];

		for (int side = 0; side < 2; side++) {
			int status = l->pids[i][side] > 0 ? process_wait(l->pids[i][side], 0)
							  : -ETIMEDOUT;

			if (status == -ETIMEDOUT)
				continue;
			l->pids[i][side] = 0;
			if (status && !o->failed[0])
				snprintf(o->failed, sizeof(o->failed), "%s ended with status %d",
					 side ? "client" : "server", status);
			if ((status || o->skipped[0]) && l->pids[i][!side] > 0)
				kill(l->pids[i][!side], SIGKILL);
		}
	}
}

int load_start(struct load *l)
{
	uint64_t end = clock_ns() + 120000000000ull;
	int r;

	l->shared = mmap(NULL, sizeof(*l->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->shared == MAP_FAILED)
		return -ENOMEM;
	for (unsigned int i = 0; i < load_shape_count; i++) {
		r = load_wanted(l, i) ? load_start_shape(l, i) : 0;
		if (r)
			return r;
	}
	while (__atomic_load_n(&l->shared->waiting, __ATOMIC_ACQUIRE) < load_running(l)) {
		load_reap(l);
		if (clock_ns() > end)
			return -ETIMEDOUT;
		pause_us(1000);
	}
	return 0;
}

void load_go(struct load *l)
{
	__atomic_store_n(&l->shared->go, 1, __ATOMIC_RELEASE);
}

static void load_kill(struct load *l, const char *why)
{
	for (size_t i = 0; i < load_shape_count; i++)
		for (int side = 0; side < 2; side++) {
			if (l->pids[i][side] <= 0)
				continue;
			snprintf(l->shared->outcome[i].failed, sizeof(l->shared->outcome[i].failed),
				 "%s: %s", side ? "client" : "server", why);
			process_end(l->pids[i][side], SIGKILL, 10000);
			l->pids[i][side] = 0;
		}
}

int load_wait(struct load *l, unsigned int timeout_ms)
{
	uint64_t end = clock_ns() + timeout_ms * 1000000ull;
	int failed = 0;

	while (load_running(l) && clock_ns() < end) {
		load_reap(l);
		pause_us(5000);
	}
	load_kill(l, "did not end in time");
	for (size_t i = 0; i < load_shape_count; i++)
		failed += l->shared->outcome[i].failed[0] != 0;
	return failed;
}

void load_free(struct load *l)
{
	if (!l->shared)
		return;
	load_kill(l, "given up");
	munmap(l->shared, sizeof(*l->shared));
	l->shared = NULL;
}

uint64_t load_sum(const struct load *l, enum mr_counter counter, int role)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < l->shared->tally_count; i++)
		if (!role || l->shared->tally[i].role == role)
			sum += l->shared->tally[i].counter[counter];
	return sum;
}

uint64_t load_connections(const struct load *l)
{
	return load_sum(l, MR_OPENED, LOAD_CLIENT) + load_sum(l, MR_ADOPTED, LOAD_CLIENT);
}

void load_phase_begin(struct load *l)
{
	__atomic_add_fetch(&l->shared->phase, 1, __ATOMIC_ACQ_REL);
}

static bool phase_done(void *userdata)
{
	const struct load *l = userdata;

	return __atomic_load_n(&l->shared->done, __ATOMIC_ACQUIRE) >= 2 * (l->shared->phase + 1);
}

bool load_phase_wait(struct load *l, unsigned int timeout_ms)
{
	return wait_until(phase_done, l, timeout_ms);
}

const struct tally *load_tally(const struct load *l, int role, const char *process)
{
	for (uint32_t i = 0; i < l->shared->tally_count; i++) {
		const struct tally *t = &l->shared->tally[i];

		if (t->role == role && strcmp(t->process, process) == 0)
			return t;
	}
	return NULL;
}
