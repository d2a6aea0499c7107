/* SPDX-License-Identifier: Apache-2.0 */
#include "mix.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "mix_events.h"
#include "namespace.h"

#define LOOK_US 50000 /* for other rates */

struct mix_shared {
	double rate[MIX_KINDS];
	uint64_t made[MIX_KINDS];
};

/* Who makes or answers what. */
struct worker {
	const char *name;
	enum mix_kind kind;  /* of those who make … */
	unsigned int events; /* … so many at once; 0: one that serves */
	unsigned int share;  /* … together with so many others */
	unsigned int number;
};

static bool event_make(const struct mix *m, const struct worker *w, unsigned int turn)
{
	switch (w->kind) {
	case MIX_TCP:
		return mix_connect(MIX_ADDRESS,
				   (uint16_t)(MIX_TCP_PORT + (turn + w->number) % MIX_SERVERS));
	case MIX_UDP:
		return mix_datagram();
	case MIX_NAT:
		return mix_connect(MIX_VIRTUAL, 80);
	case MIX_PROCESS:
		return mix_process();
	case MIX_CONTAINER:
		return mix_container(m->place.path, turn);
	case MIX_DNS:
		return mix_query(turn);
	default:
		bench_die("make an event of kind %d: there is none", w->kind);
	}
}

static void wait_for(double events, double rate)
{
	double us = rate > 0 ? events / rate * 1e6 : LOOK_US;

	pause_us(us < LOOK_US ? (unsigned int)us + 1 : LOOK_US);
}

/* The first comes at once: of what is rare there is one in the shortest run. */
_Noreturn static void make(const struct mix *m, const struct worker *w)
{
	volatile double *asked = &m->shared->rate[w->kind];
	uint64_t last_ns = clock_ns(), now_ns;
	double credit = w->events;
	unsigned int turn = 0;

	for (;; wait_for(w->events - credit, *asked / w->share)) {
		double rate = *asked / w->share, most = rate > w->events ? rate : w->events;

		now_ns = clock_ns();
		credit += rate * (double)(now_ns - last_ns) / 1e9;
		last_ns = now_ns;
		for (credit = credit < most ? credit : most; rate > 0 && credit >= w->events;
		     credit -= w->events) {
			if (!event_make(m, w, turn++))
				continue;
			__atomic_add_fetch(&m->shared->made[w->kind], w->events, __ATOMIC_RELAXED);
		}
	}
}

_Noreturn static void serve(const struct worker *w, int ready)
{
	if (w->kind == MIX_DNS)
		mix_serve_dns(ready);
	if (w->kind == MIX_UDP)
		mix_serve_udp(MIX_UDP_PORT, ready);
	mix_serve_tcp((uint16_t)(w->kind == MIX_NAT ? MIX_NAT_PORT : MIX_TCP_PORT + w->number),
		      ready);
}

_Noreturn static void work(const struct mix *m, const struct worker *w, int ready)
{
	char path[512];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, w->name);
	prctl(PR_SET_TIMERSLACK, 1000);
	snprintf(path, sizeof(path), "%s/cgroup.procs", m->place.path);
	if (file_write(path, "0"))
		bench_die("join %s", m->place.path);
	namespace_enter(m->netns);
	if (!w->events)
		serve(w, ready);
	close(ready);
	make(m, w);
}

/* Returns when it is ready: the pipe's last writer has closed it. */
static void worker_start(struct mix *m, const struct worker *w)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (m->pids == MIX_PIDS || pipe2(ready, O_CLOEXEC))
		bench_die("start %s: %m", w->name);
	pid = fork();
	if (pid == 0)
		work(m, w, ready[1]);
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 0)
		bench_die("start %s: %m", w->name);
	close(ready[0]);
	m->pid[m->pids++] = pid;
}

static void workers_start(struct mix *m)
{
	static const struct worker one_each[] = {
		{"mixnatserver", MIX_NAT, 0, 1, 0},   {"mixudpserver", MIX_UDP, 0, 1, 0},
		{"mixresolver", MIX_DNS, 0, 1, 0},    {"mixnat", MIX_NAT, 1, 1, 0},
		{"mixudp", MIX_UDP, 1, 1, 0},         {"mixdns", MIX_DNS, 1, 1, 0},
		{"mixprocess", MIX_PROCESS, 2, 1, 0}, {"mixcontainer", MIX_CONTAINER, 2, 1, 0},
	};
	char name[16];
	struct worker w = {.name = name, .kind = MIX_TCP, .share = MIX_CLIENTS};

	for (w.number = 0; w.number < MIX_SERVERS; w.number++) {
		snprintf(name, sizeof(name), "mixserver%u", w.number);
		worker_start(m, &w);
	}
	for (size_t i = 0; i < sizeof(one_each) / sizeof(*one_each); i++)
		worker_start(m, &one_each[i]);
	w.events = 4;
	for (w.number = 0; w.number < MIX_CLIENTS; w.number++) {
		snprintf(name, sizeof(name), "mixclient%u", w.number);
		worker_start(m, &w);
	}
}

static void translate(const struct mix *m)
{
	char rules[512], out[512];

	snprintf(rules, sizeof(rules),
		 "table ip bench {\n"
		 "chain output {\n"
		 "type nat hook output priority -100\n"
		 "ip daddr %s tcp dport 80 dnat to %s:%d\n"
		 "}\n}\n",
		 MIX_VIRTUAL, MIX_ADDRESS, MIX_NAT_PORT);
	if (run(&(struct spawn){.netns = m->netns, .input = rules},
		(const char *const[]){"nft", "-f", "-", NULL}, out, sizeof(out), 10000))
		bench_die("have addresses translated: nft says: %s", out);
}

void mix_start(struct mix *m, const struct bench *b)
{
	*m = (struct mix){0};
	place_make(&m->place, b, "mix");
	m->netns = namespace_make();
	m->shared = mmap(NULL, sizeof(*m->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m->shared == MAP_FAILED)
		bench_die("share memory with those who make events: %m");
	translate(m);
	workers_start(m);
}

void mix_stop(struct mix *m)
{
	mix_set(m, &(struct mix_rates){0});
	pause_us(2 * LOOK_US); /* no container is left half made */
	for (unsigned int i = 0; i < m->pids; i++)
		kill(m->pid[i], SIGKILL);
	for (unsigned int i = 0; i < m->pids; i++)
		waitpid(m->pid[i], NULL, 0);
	munmap(m->shared, sizeof(*m->shared));
	close(m->netns);
	place_remove(&m->place);
}

void mix_set(struct mix *m, const struct mix_rates *rates)
{
	for (int kind = 0; kind < MIX_KINDS; kind++)
		*(volatile double *)&m->shared->rate[kind] = rates->each[kind];
}

struct mix_rates mix_made(const struct mix *m)
{
	struct mix_rates made;

	for (int kind = 0; kind < MIX_KINDS; kind++)
		made.each[kind] = (double)__atomic_load_n(&m->shared->made[kind], __ATOMIC_RELAXED);
	return made;
}

double mix_sum(const struct mix_rates *rates)
{
	double sum = 0;

	for (int kind = 0; kind < MIX_KINDS; kind++)
		sum += rates->each[kind];
	return sum;
}
