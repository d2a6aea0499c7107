/* SPDX-License-Identifier: Apache-2.0 */
/* How long it takes from connect() until the edge is in /api/v1/graph, with the default window. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "run.h"

#define PORT        23000
#define SAMPLES_MAX 64

static pid_t servers_start(struct live *l, unsigned int count)
{
	pid_t pid = actor_fork(l, "freshserver", false);

	if (pid)
		return pid;
	for (unsigned int i = 0; i < count; i++)
		if (actor_listen(NET_SERVER4, (uint16_t)(PORT + i)) < 0)
			_exit(1);
	pause();
	_exit(0);
}

static pid_t client_start(struct live *l, uint16_t port, uint64_t *ret_connect_ns)
{
	pid_t pid = actor_fork(l, "freshclient", true);
	int error;

	if (pid)
		return pid;
	__atomic_store_n(ret_connect_ns, clock_ns(), __ATOMIC_RELEASE);
	actor_connect(NET_SERVER4, port, true, &error);
	pause();
	_exit(0);
}

struct edge_wanted {
	const struct millrace *millrace;
	uint16_t port;
};

static bool edge_there(void *userdata)
{
	const struct edge_wanted *w = userdata;
	json_t *graph;
	bool there = api_edge(w->millrace, "freshclient", NULL, w->port, &graph) != NULL;

	json_decref(graph);
	return there;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double sample(struct live *l, const struct millrace *m, unsigned int i, uint64_t *connect_ns)
{
	struct edge_wanted w = {m, (uint16_t)(PORT + i)};
	pid_t client;
	bool seen;
	double s;

	/* the phase within the agent's window is what varies */
	pause_us((unsigned int)((l->seed * 7919 + i * 104729) % 1000 * 1000));
	client = client_start(l, w.port, connect_ns);
	seen = wait_until(edge_there, &w, patience(l, 10000));
	s = (double)(clock_ns() - __atomic_load_n(connect_ns, __ATOMIC_ACQUIRE)) / 1e9;
	process_end(client, SIGKILL, 5000);
	return seen ? s : 1e9;
}

enum verdict test_fresh(struct live *l)
{
	unsigned int count = l->is_short || l->scale < 1 ? 10 : 40;
	uint64_t *connect_ns =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct actor_port last = {l, NET_SERVER4, (uint16_t)(PORT + count - 1)};
	double limit = l->scale < 1 ? 10 : 2, s[SAMPLES_MAX];
	struct millrace m;
	pid_t servers;

	if (!millrace_start(&m, l, NULL))
		return FAIL;
	servers = servers_start(l, count);
	check(l, wait_until(actor_accepts, &last, patience(l, 5000)), "%u servers listen", count);
	for (unsigned int i = 0; i < count; i++)
		s[i] = sample(l, &m, i, connect_ns);
	qsort(s, count, sizeof(*s), by_value);
	check(l, s[count - 1] <= limit,
	      "%u samples at random phases: p50 %.2f s, p99 %.2f s, max %.2f s; at most %.0f s",
	      count, s[count / 2], s[(count * 99) / 100], s[count - 1], limit);
	process_end(servers, SIGKILL, 5000);
	munmap(connect_ns, 4096);
	return verdict(l);
}
