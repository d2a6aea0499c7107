/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "run.h"
#include "traffic_peer.h"

#define LIFE_MAX_S 900

/* 0 in the child, in its place. */
static pid_t end_fork(const struct place *p, const char *name)
{
	pid_t pid = fork();
	char path[512];

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name);
	signal(SIGTERM, SIG_DFL);
	alarm(LIFE_MAX_S);
	snprintf(path, sizeof(path), "%s/cgroup.procs", p->cgroup);
	if (file_write(path, "0") || net_enter(p->netns))
		_exit(126);
	return 0;
}

static bool ready_or_gone(void *userdata)
{
	struct traffic *t = userdata;

	return __atomic_load_n(&t->told->ready, __ATOMIC_ACQUIRE) ||
	       process_wait(t->server, 0) != -ETIMEDOUT;
}

bool traffic_start(struct traffic *t, struct live *l, const struct traffic_way *way)
{
	*t = (struct traffic){.way = *way, .seed = (l->seed * 0x9e3779b97f4a7c15u + way->port) | 1};
	t->told = mmap(NULL, sizeof(*t->told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (t->told == MAP_FAILED)
		return false;
	t->server = end_fork(&way->to, way->server);
	if (!t->server)
		traffic_server_run(t);
	wait_until(ready_or_gone, t, patience(l, 10000));
	if (!check(l, t->told->ready, "%s serves at %s:%u", way->server, way->address, way->port))
		return false;
	t->client = end_fork(&way->from, way->client);
	if (!t->client)
		traffic_client_run(t);
	return t->client > 0;
}

bool traffic_wait(struct traffic *t, struct live *l)
{
	int r = process_wait(t->client, patience(l, 120000));

	t->client = r == -ETIMEDOUT ? t->client : 0;
	return check(l, r == 0 && !t->told->failed,
		     "%s to %s, port %u: %" PRIu64 " exchanges, %" PRIu64 " failed %s",
		     t->way.client, t->way.server, t->way.port, t->told->exchanges, t->told->failed,
		     t->told->error);
}

bool traffic_stop(struct traffic *t, struct live *l)
{
	__atomic_store_n(&t->told->stop, 1, __ATOMIC_RELEASE);
	return traffic_wait(t, l);
}

void traffic_end(struct traffic *t)
{
	if (t->client > 0)
		process_end(t->client, SIGKILL, 5000);
	if (t->server > 0)
		process_end(t->server, SIGKILL, 5000);
	if (t->told && t->told != MAP_FAILED)
		munmap(t->told, sizeof(*t->told));
	*t = (struct traffic){0};
}

void traffic_differs(const struct traffic *t, const json_t *edge, char *text, size_t size)
{
	const struct {
		const char *name;
		enum mr_counter counter;
		uint64_t expected;
		bool udp;
	} rows[] = {
		{"opened", MR_OPENED, t->told->opened, false},
		{"closed", MR_CLOSED, t->told->closed, false},
		{"datagrams to server", MR_DATAGRAMS_TO_SERVER, t->told->datagrams_up, true},
		{"datagrams to client", MR_DATAGRAMS_TO_CLIENT, t->told->datagrams_down, true},
		{"bytes to server", MR_BYTES_TO_SERVER, t->told->up, t->way.kind == TRAFFIC_UDP},
		{"bytes to client", MR_BYTES_TO_CLIENT, t->told->down, t->way.kind == TRAFFIC_UDP},
	};
	size_t used = 0;

	text[0] = '\0';
	if (!edge) {
		snprintf(text, size, "no edge ");
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		long long got = api_counter(edge, rows[i].counter);

		if (rows[i].udp == (t->way.kind == TRAFFIC_UDP) &&
		    got != (long long)rows[i].expected && used < size)
			used += (size_t)snprintf(text + used, size - used,
						 "%s: expected %" PRIu64 ", got %lld; ",
						 rows[i].name, rows[i].expected, got);
	}
}
