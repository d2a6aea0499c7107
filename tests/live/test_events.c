/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of processes and containers, against what the test did to them: each start, restart,
 * worker, exit code and signal, counted exactly. Processes without a socket leave no record at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "nginx.h"
#include "run.h"

#define SERVER_PORT    24120
#define WORKERS_PORT   24121
#define CONTAINER_PORT 24122
#define REDIS_PORT     "24123"
#define WORKERS        5
#define CLIENTS        20
#define LIFE_NS        1200000000ull /* one that ends well before a second has only tried */
#define CONTAINER      "docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope"

struct expected {
	const char *process;
	uint64_t started, restarted, exited, failed, killed;
};

static uint64_t number(const json_t *answer, const char *path)
{
	return (uint64_t)json_integer_value(api_at(answer, path));
}

static json_t *events_of(const struct millrace *m, const char *process)
{
	char path[200];
	json_t *answer = NULL;

	snprintf(path, sizeof(path), "/api/v1/events?from=%.6f&filter=process:%s", m->started,
		 process);
	api_get(m, path, NULL, &answer);
	return answer;
}

struct waiting {
	const struct millrace *m;
	const char *process, *what;
	uint64_t count;
};

static bool has_come(void *userdata)
{
	const struct waiting *w = userdata;
	json_t *answer = events_of(w->m, w->process);
	bool come = number(answer, w->what) >= w->count;

	json_decref(answer);
	return come;
}

/* More than expected would come no later than what was expected. */
static json_t *await(struct millrace *m, const char *process, const char *what, uint64_t count)
{
	struct waiting w = {m, process, what, count};

	wait_until(has_come, &w, patience(m->live, 10000));
	return events_of(m, process);
}

static void check_counts(struct live *l, const struct expected *e, const json_t *answer)
{
	const struct {
		const char *path;
		uint64_t expected;
	} counts[] = {
		{"processes.started", e->started}, {"processes.restarted", e->restarted},
		{"processes.exited", e->exited},   {"processes.failed", e->failed},
		{"processes.killed", e->killed},   {"processes.out_of_memory", 0},
	};
	char what[100];

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		snprintf(what, sizeof(what), "%s: %s", e->process, counts[i].path + 10);
		check_equal(l, what, counts[i].expected, number(answer, counts[i].path));
	}
}

static void check_ended(struct live *l, struct millrace *m, const struct expected *e)
{
	json_t *answer = await(m, e->process, "processes.exited", e->exited);

	check_counts(l, e, answer);
	json_decref(answer);
}

/* --- servers of our own ----------------------------------------------------------------------- */

static int code_at_end;

static void end_well(int sig)
{
	_exit(code_at_end);
}

/* A server that ends with this code when it is asked to (SIGTERM). */
static pid_t server_start(struct live *l, const char *name, const char *cgroup, uint16_t port,
			  int code)
{
	struct actor_port at = {l, NET_SERVER4, port};
	char path[512];
	pid_t pid = actor_fork(l, name, false);

	if (pid) {
		check(l, wait_until(actor_accepts, &at, patience(l, 10000)), "%s listens", name);
		return pid;
	}
	code_at_end = code;
	signal(SIGTERM, end_well);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup ? cgroup : l->net.cgroup);
	if (file_write(path, "0") || actor_listen(NET_SERVER4, port) < 0)
		_exit(126);
	for (;;)
		pause();
}

static bool is_old(void *userdata)
{
	const uint64_t *since_ns = userdata;

	return clock_ns() - *since_ns > LIFE_NS;
}

static void life_and_restarts(struct live *l, struct millrace *m)
{
	const struct expected e = {"evserver", 4, 3, 4, 1, 2};
	uint64_t since_ns;
	pid_t pid;

	process_end(server_start(l, e.process, NULL, SERVER_PORT, 0), SIGKILL, 10000);
	process_end(server_start(l, e.process, NULL, SERVER_PORT, 3), SIGTERM, 10000);
	pid = server_start(l, e.process, NULL, SERVER_PORT, 0);
	since_ns = clock_ns();
	wait_until(is_old, &since_ns, 60000);
	process_end(pid, SIGTERM, 10000);
	process_end(server_start(l, e.process, NULL, SERVER_PORT, 0), SIGKILL, 10000);
	check_ended(l, m, &e);
}

/* Workers that nobody ever saw with a socket of their own. */
static pid_t workers_start(struct live *l)
{
	struct actor_port at = {l, NET_SERVER4, WORKERS_PORT};
	pid_t pid = actor_fork(l, "evworkers", false);

	if (pid) {
		check(l, wait_until(actor_accepts, &at, patience(l, 10000)), "evworkers listens");
		return pid;
	}
	signal(SIGTERM, end_well);
	if (actor_listen(NET_SERVER4, WORKERS_PORT) < 0)
		_exit(126);
	for (int i = 0; i < WORKERS; i++)
		if (fork() == 0)
			_exit(i ? 0 : 7);
	while (wait(NULL) > 0)
		;
	for (;;)
		pause();
}

static uint64_t workers_in(const json_t *answer)
{
	uint64_t sum = 0;
	size_t i;
	json_t *event;

	json_array_foreach (json_object_get(answer, "events"), i, event)
		if (json_is_true(json_object_get(event, "worker")))
			sum += number(event, "count");
	return sum;
}

static void workers(struct live *l, struct millrace *m)
{
	const struct expected e = {"evworkers", WORKERS + 1, 0, WORKERS + 1, 1, 0};
	pid_t pid = workers_start(l);
	json_t *answer = await(m, e.process, "processes.exited", WORKERS);

	json_decref(answer);
	process_end(pid, SIGTERM, 10000);
	answer = await(m, e.process, "processes.exited", e.exited);
	check_counts(l, &e, answer);
	check_equal(l, "evworkers: starts and ends of workers", 2 * WORKERS, workers_in(answer));
	json_decref(answer);
}

/* Whoever only connects does not restart. */
static void clients(struct live *l, struct millrace *m)
{
	const struct expected e = {"evclient", CLIENTS, 0, CLIENTS, 0, 0};
	pid_t server = server_start(l, "evpeer", NULL, SERVER_PORT, 0);

	for (int i = 0; i < CLIENTS; i++) {
		pid_t pid = actor_fork(l, e.process, true);
		int error;

		if (!pid) {
			actor_connect(NET_SERVER4, SERVER_PORT, true, &error);
			_exit(0);
		}
		process_wait(pid, 10000);
	}
	check_ended(l, m, &e);
	process_end(server, SIGKILL, 10000);
}

/* --- a container ------------------------------------------------------------------------------ */

static void check_container(struct live *l, const json_t *answer, const char *what,
			    uint64_t expected)
{
	char path[64];

	snprintf(path, sizeof(path), "containers.%s", what);
	check_equal(l, path, expected, number(answer, path));
}

static bool is_told(const json_t *answer, const char *text)
{
	size_t i;
	json_t *event;

	json_array_foreach (json_object_get(answer, "events"), i, event)
		if (!strcmp(api_string(event, "text"), text))
			return true;
	return false;
}

static void container(struct live *l, struct millrace *m)
{
	const char *last = "container 0123456789ab was killed by signal 9 (SIGKILL)";
	char cgroup[400];
	json_t *answer;

	snprintf(cgroup, sizeof(cgroup), "%s/" CONTAINER, l->net.cgroup);
	if (!check(l, !mkdir(cgroup, 0755), "a cgroup as docker makes them"))
		return;
	process_end(server_start(l, "evcontained", cgroup, CONTAINER_PORT, 0), SIGKILL, 10000);
	answer = await(m, "evcontained", "containers.exited", 1);
	check_container(l, answer, "started", 1);
	check_container(l, answer, "restarted", 0);
	check_container(l, answer, "killed", 1);
	check(l, is_told(answer, last), "told as: %s", last);
	json_decref(answer);
	process_end(server_start(l, "evcontained", cgroup, CONTAINER_PORT, 0), SIGTERM, 10000);
	answer = await(m, "evcontained", "containers.exited", 2);
	check_container(l, answer, "started", 2);
	check_container(l, answer, "restarted", 1);
	check_container(l, answer, "exited", 2);
	json_decref(answer);
	rmdir(cgroup);
}

/* --- real programs ---------------------------------------------------------------------------- */

static void redis(struct live *l, struct millrace *m)
{
	const struct expected e = {"redis-server", 3, 2, 3, 0, 3};
	struct actor_port at = {l, NET_SERVER4, (uint16_t)atoi(REDIS_PORT)};
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		pid = actor_spawn(l, false, 0, live_file(l, "redis.log"),
				  (const char *const[]){
					  program_find("redis-server"), "--port", REDIS_PORT,
					  "--bind", NET_SERVER4, "--protected-mode", "no", "--save",
					  "", "--dir", l->directory, "--daemonize", "no", NULL});
		check(l, wait_until(actor_accepts, &at, patience(l, 10000)), "redis listens");
		process_end(pid, SIGKILL, 10000);
	}
	check_ended(l, m, &e);
}

/* nginx's master has one worker. 0: none now. */
static pid_t worker_of(pid_t master)
{
	char path[64], text[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", master, master);
	return file_read(path, text, sizeof(text)) < 0 ? 0 : atoi(text);
}

struct replaced {
	pid_t master, before;
};

static bool has_another(void *userdata)
{
	const struct replaced *r = userdata;
	pid_t now = worker_of(r->master);

	return now && now != r->before;
}

static void nginx(struct live *l, struct millrace *m)
{
	const struct expected e = {"nginx", 3, 0, 3, 0, 1};
	uint64_t requests, received, sent;
	struct replaced r = {0};
	struct nginx n;

	if (!nginx_start(&n, l, false))
		return;
	r.master = n.pid;
	check(l, wait_until(has_another, &r, patience(l, 10000)), "nginx has a worker");
	r.before = worker_of(r.master);
	kill(r.before, SIGKILL);
	check(l, wait_until(has_another, &r, patience(l, 10000)),
	      "… and another when that is gone");
	nginx_stop(&n, &requests, &received, &sent);
	check_ended(l, m, &e);
}

/* --- without a socket ------------------------------------------------------------------------- */

static uint64_t records_read(struct millrace *m)
{
	json_t *answer = NULL;
	uint64_t records;

	api_get(m, "/api/v1/agents", NULL, &answer);
	records = number(json_array_get(json_object_get(answer, "agents"), 0), "process_records");
	json_decref(answer);
	return records;
}

/* The last record is one of ours, so that those before it were read, too. */
static void storm(struct live *l, struct millrace *m)
{
	const struct expected e = {"evlast", 1, 0, 1, 0, 1};
	unsigned int count = scaled(l, 2000, 200);
	uint64_t before = records_read(m);
	char script[100];

	snprintf(script, sizeof(script), "i=0; while [ $i -lt %u ]; do /bin/true; i=$((i+1)); done",
		 count);
	check(l,
	      actor_run(l, true, 0, (const char *const[]){"/bin/sh", "-c", script, NULL}, NULL, 0,
			120000) == 0,
	      "%u processes without a socket came and went", count);
	process_end(server_start(l, e.process, NULL, SERVER_PORT, 0), SIGKILL, 10000);
	check_ended(l, m, &e);
	check_equal(l, "records in user space: of one process with a socket", before + 2,
		    records_read(m));
}

static void check_losses(struct live *l, struct millrace *m)
{
	char text[1024] = "";
	uint64_t losses = api_losses(m, text, sizeof(text));

	check(l, !losses, "losses: %" PRIu64 " %s", losses, text);
}

enum verdict test_events(struct live *l)
{
	struct millrace m;

	if (!millrace_start(&m, l, NULL))
		return FAIL;
	life_and_restarts(l, &m);
	workers(l, &m);
	clients(l, &m);
	container(l, &m);
	if (program_find("redis-server"))
		redis(l, &m);
	if (program_find("nginx"))
		nginx(l, &m);
	storm(l, &m);
	check_losses(l, &m);
	check_equal(l, "exit status after SIGTERM", 0, (uint64_t)millrace_stop(&m, SIGTERM));
	return verdict(l);
}
