/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `millrace up`: agent and server in one process, glued by function pointers.
 *
 *     agent ── send ──────► server_submit        server ── request ───► agent_request
 *           ── answer ────► server_answer               ── sweep_now ─► agent_sweep_now
 *
 * Order: load (root), bind, give up root, and only then start threads: nothing that reads a byte
 * from the network ever ran with privileges. What did, once, is the agent's first collection, which
 * the baselines of `verify` need: it names processes from /proc. At the end the agent goes first,
 * so that its last batch still finds the server; whoever asks it meanwhile finds nobody.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/agent.h"
#include "command.h"
#include "daemon.h"
#include "privilege.h"
#include "server/listen.h"
#include "server/server.h"
#include "start.h"

#define BIG_BYTES (128 * 1024)

struct up {
	enum probe_udp udp;
	pthread_mutex_t lock; /* guards agent against its own end */
	struct agent *agent;
	struct server *server;
};

static void on_batch(void *userdata, struct wire_batch *batch)
{
	server_submit(((struct up *)userdata)->server, batch);
}

static void on_answer(void *userdata, struct wire_answer *answer)
{
	server_answer(((struct up *)userdata)->server, answer);
}

static void on_request(void *userdata, const struct wire_request *request)
{
	struct up *up = userdata;

	pthread_mutex_lock(&up->lock);
	if (up->agent)
		agent_request(up->agent, request);
	pthread_mutex_unlock(&up->lock);
}

static void on_sweep_now(void *userdata)
{
	struct up *up = userdata;

	pthread_mutex_lock(&up->lock);
	if (up->agent)
		agent_sweep_now(up->agent);
	pthread_mutex_unlock(&up->lock);
}

static int parse_udp(const struct arguments *a, enum probe_udp *ret, struct error *ret_error)
{
	if (a->no_udp)
		*ret = PROBE_UDP_OFF;
	else if (!a->udp_hook)
		*ret = PROBE_UDP_AUTO;
	else if (!strcmp(a->udp_hook, "fentry"))
		*ret = PROBE_UDP_FENTRY;
	else if (!strcmp(a->udp_hook, "cgroup_skb"))
		*ret = PROBE_UDP_CGROUP_SKB;
	else
		return error_set(ret_error, -EINVAL,
				 "cannot watch UDP by '%s': use fentry or cgroup_skb", a->udp_hook);
	return 0;
}

static int open_both(struct up *up, const struct arguments *a, struct error *ret_error)
{
	struct agent_config agent = {
		.cgroup = a->cgroup,
		.window_ns = a->window_ns,
		.cpu_budget_percent = a->cpu_budget_percent,
		.slots_max = a->slots,
		.flows_max = a->flows,
		.udp = up->udp,
		.version = MILLRACE_VERSION,
		.send = on_batch,
		.answer = on_answer,
		.userdata = up,
	};
	struct server_config server = {
		.listen = a->listen,
		.version = MILLRACE_VERSION,
		.request = on_request,
		.sweep_now = on_sweep_now,
		.userdata = up,
	};
	int r = agent_open(&up->agent, &agent, ret_error);

	return r < 0 ? r : server_open(&up->server, &server, ret_error);
}

static int start_both(struct up *up, struct error *ret_error)
{
	int r = privilege_drop(ret_error);

	if (r < 0)
		return r;
	r = server_start(up->server);
	if (!r)
		r = agent_start(up->agent);
	if (r < 0)
		error_set(ret_error, r, "cannot start a thread: %s; raise the limit of processes",
			  strerror(-r));
	return r;
}

static void close_both(struct up *up)
{
	struct agent *agent;

	pthread_mutex_lock(&up->lock);
	agent = up->agent;
	up->agent = NULL;
	pthread_mutex_unlock(&up->lock);
	agent_free(agent);
	up->server = server_free(up->server);
}

/* Big tables are mapped, so that only what is used of them takes memory; left alone, malloc moves
 * its limit up when libbpf frees the kernel's BTF, clears them in the heap and keeps them: 14 MB.
 * Where huge pages come unasked (Debian's default), a touched entry takes 2 MB of its table.
 */
static void keep_memory_small(void)
{
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	mallopt(M_MMAP_THRESHOLD, BIG_BYTES);
	mallopt(M_TRIM_THRESHOLD, BIG_BYTES);
}

int up_run(const struct arguments *a, struct error *ret_error)
{
	struct up up = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct listen_address address;
	sigset_t ending;
	int r;

	if (listen_parse_loopback(a->listen, &address, ret_error) < 0 ||
	    parse_udp(a, &up.udp, ret_error) < 0)
		return EXIT_WRONG_USE;
	if (!privilege_can_load()) {
		error_set(ret_error, -EPERM,
			  "cannot watch this machine: loading programs into the kernel needs root, "
			  "or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; run it with sudo");
		return EXIT_FAILED;
	}
	daemon_block_signals(&ending);
	keep_memory_small();
	r = open_both(&up, a, ret_error);
	if (!r)
		r = start_both(&up, ret_error);
	if (!r) {
		address.port = server_port(up.server);
		if (start_report(&address, &ending))
			daemon_wait(&ending);
	}
	close_both(&up);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
