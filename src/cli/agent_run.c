/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `millrace agent`: this machine is watched, and reported to a server elsewhere.
 *
 *     agent ── send ──► uplink_submit        uplink ── on_request ───► agent_request
 *           ── answer ► uplink_answer               ── on_sweep_now ─► agent_sweep_now
 *
 * Order, as in up.c: load and open files (root), give up root, and only then start threads and talk
 * to the network. At the end the agent goes first, so that its last batch still finds the uplink.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "agent/uplink.h"
#include "command.h"
#include "daemon.h"
#include "human.h"
#include "privilege.h"
#include "watch.h"

#define FIRST_ANSWER_S 6 /* so long the start waits to tell whether the server was reached */

struct run {
	struct agent_config config;
	pthread_mutex_t lock; /* guards agent against its own end, and the rest */
	pthread_cond_t changed;
	struct agent *agent;
	struct uplink *uplink;
	const char *server;
	bool known, reported; /* how the server is; the start has told of it */
	char problem[512];    /* "": it takes what is reported */
};

static void on_batch(void *userdata, struct wire_batch *batch)
{
	uplink_submit(((struct run *)userdata)->uplink, batch);
}

static void on_answer(void *userdata, struct wire_answer *answer)
{
	uplink_answer(((struct run *)userdata)->uplink, answer);
}

static void on_request(void *userdata, const struct wire_request *request)
{
	struct run *run = userdata;

	pthread_mutex_lock(&run->lock);
	if (run->agent)
		agent_request(run->agent, request);
	pthread_mutex_unlock(&run->lock);
}

static void on_sweep_now(void *userdata)
{
	struct run *run = userdata;

	pthread_mutex_lock(&run->lock);
	if (run->agent)
		agent_sweep_now(run->agent);
	pthread_mutex_unlock(&run->lock);
}

/* For people and journals; hostile text is made harmless. */
static void complain(const char *text)
{
	char *clean = human_clean(text);

	fprintf(stderr, "millrace: %s\n", clean ? clean : "?");
	free(clean);
}

static void on_change(void *userdata, const char *problem)
{
	struct run *run = userdata;
	char line[700];

	pthread_mutex_lock(&run->lock);
	snprintf(run->problem, sizeof(run->problem), "%s", problem);
	run->known = true;
	pthread_cond_signal(&run->changed);
	if (run->reported) {
		if (*problem)
			snprintf(line, sizeof(line), "%s; sums are kept and sent later", problem);
		else
			snprintf(line, sizeof(line), "%s takes what is reported again",
				 run->server);
		complain(line);
	}
	pthread_mutex_unlock(&run->lock);
}

static int open_both(struct run *run, const struct arguments *a, struct error *ret_error)
{
	const struct uplink_config uplink = {
		.server = {.server = a->server.url,
			   .token_file = a->server.token_file,
			   .ca = a->server.ca,
			   .cert = a->server.certificate,
			   .key = a->server.key},
		.on_request = on_request,
		.on_sweep_now = on_sweep_now,
		.on_change = on_change,
		.userdata = run,
	};
	int r = uplink_open(&run->uplink, &uplink, ret_error);

	run->config.send = on_batch;
	run->config.answer = on_answer;
	run->config.userdata = run;
	return r < 0 ? r : agent_open(&run->agent, &run->config, ret_error);
}

static void report_start(const struct run *run, const struct arguments *a, const char *place)
{
	fputs("millrace " MILLRACE_VERSION " reports who talks to whom on this machine\n", stdout);
	fputs("node:     ", stdout);
	human_print(stdout, agent_node(run->agent));
	printf(", %s\nwatches:  %s", place, a->cgroup ? "only " : "the whole machine");
	human_print(stdout, a->cgroup ? a->cgroup : "");
	printf("\nkernel:   %s\n", agent_hooks(run->agent));
	fflush(stdout);
}

static int start_both(struct run *run, const struct arguments *a, struct error *ret_error)
{
	struct error unknown = {""};
	char place[200];
	int r = privilege_drop(ret_error);

	if (r < 0)
		return r;
	watch_find_place(a, run->agent, place, &unknown);
	if (unknown.text[0])
		complain(unknown.text);
	report_start(run, a, place);
	r = uplink_start(run->uplink);
	if (!r)
		r = agent_start(run->agent);
	if (r < 0)
		error_set(ret_error, r, "cannot start a thread: %s; raise the limit of processes",
			  strerror(-r));
	return r;
}

/* Whether the server was reached, once that is known. */
static void report_server(struct run *run)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FIRST_ANSWER_S;
	pthread_mutex_lock(&run->lock);
	while (!run->known && !pthread_cond_timedwait(&run->changed, &run->lock, &until))
		;
	fputs("server:   ", stdout);
	if (run->known && !run->problem[0]) {
		human_print(stdout, run->server);
		fputs(" takes what is reported\n", stdout);
	} else {
		human_print(stdout, run->known ? run->problem : "does not answer yet");
		fputs("; sums are kept and sent later\n", stdout);
	}
	fflush(stdout);
	run->reported = true;
	pthread_mutex_unlock(&run->lock);
}

/* A token that anybody on the way can read. */
static void warn_of_clear_text(const struct arguments *a)
{
	static const char *const near[] = {"http://127.", "http://localhost", "http://[::1]"};

	if (!a->server.token_file || strncasecmp(a->server.url, "http://", 7))
		return;
	for (size_t i = 0; i < sizeof(near) / sizeof(*near); i++)
		if (!strncasecmp(a->server.url, near[i], strlen(near[i])))
			return;
	complain("the token goes in clear text over http://; use https:// where others can listen");
}

static void close_both(struct run *run)
{
	struct uplink_figures left = {0};
	struct agent *agent;

	pthread_mutex_lock(&run->lock);
	agent = run->agent;
	run->agent = NULL;
	run->reported = false; /* the end says itself how it went */
	pthread_mutex_unlock(&run->lock);
	agent_free(agent);
	if (!run->uplink)
		return;
	uplink_stop(run->uplink, &left);
	if (left.undelivered_windows)
		fprintf(stderr, "millrace: %u windows were not delivered: no server took them\n",
			left.undelivered_windows);
	run->uplink = uplink_free(run->uplink);
}

int agent_run(const struct arguments *a, struct error *ret_error)
{
	struct run run = {.lock = PTHREAD_MUTEX_INITIALIZER,
			  .changed = PTHREAD_COND_INITIALIZER,
			  .server = a->server.url};
	sigset_t ending;
	int r = watch_configure(a, &run.config, ret_error);

	if (r < 0)
		return EXIT_WRONG_USE;
	if (watch_check_rights(ret_error) < 0)
		return EXIT_FAILED;
	daemon_block_signals(&ending);
	watch_keep_memory_small();
	r = open_both(&run, a, ret_error);
	if (!r) {
		warn_of_clear_text(a);
		r = start_both(&run, a, ret_error);
	}
	if (!r) {
		report_server(&run);
		daemon_wait(&ending);
	}
	close_both(&run);
	return r == -EINVAL ? EXIT_WRONG_USE : r < 0 ? EXIT_FAILED : EXIT_DONE;
}
