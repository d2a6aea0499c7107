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
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "command.h"
#include "daemon.h"
#include "data.h"
#include "privilege.h"
#include "server/listen.h"
#include "server/server.h"
#include "start.h"
#include "watch.h"

struct up {
	struct agent_config config;
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

static int open_both(struct up *up, const struct arguments *a, struct error *ret_error)
{
	struct agent_config agent = up->config;
	struct server_config server = {
		.listen = a->listen,
		.version = MILLRACE_VERSION,
		.request = on_request,
		.sweep_now = on_sweep_now,
		.userdata = up,
	};
	int r;

	agent.send = on_batch;
	agent.answer = on_answer;
	agent.userdata = up;
	r = agent_open(&up->agent, &agent, ret_error);

	return r < 0 ? r : server_open(&up->server, &server, ret_error);
}

static int start_both(struct up *up, const struct arguments *a, struct error *ret_error)
{
	struct error unknown = {""};
	char place[200];
	int r = privilege_drop(ret_error);

	if (!r)
		r = data_open(up->server, a, a->data, ret_error);

	if (r < 0)
		return r;
	watch_find_place(a, up->agent, place, &unknown);
	if (unknown.text[0])
		fprintf(stderr, "millrace: %s\n", unknown.text);
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

int up_run(const struct arguments *a, struct error *ret_error)
{
	struct up up = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct listen_address address;
	sigset_t ending;
	int r;

	if (listen_parse_loopback(a->listen, &address, ret_error) < 0 ||
	    watch_configure(a, &up.config, ret_error) < 0)
		return EXIT_WRONG_USE;
	if (watch_check_rights(ret_error) < 0)
		return EXIT_FAILED;
	daemon_block_signals(&ending);
	watch_keep_memory_small();
	r = data_make(a->data, ret_error);
	if (!r)
		r = open_both(&up, a, ret_error);
	if (!r)
		r = start_both(&up, a, ret_error);
	if (!r) {
		address.port = server_port(up.server);
		if (start_report(&address, &ending))
			daemon_wait(&ending);
	}
	close_both(&up);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
