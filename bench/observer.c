/* SPDX-License-Identifier: Apache-2.0 */
#include "observer.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "cli/field.h"

#define START_MS 30000

static uint16_t port_free(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, size) == 0)
		getsockname(fd, (struct sockaddr *)&a, &size);
	close(fd);
	return ntohs(a.sin_port);
}

static bool has_reported(void *userdata)
{
	struct observer *o = userdata;
	struct client_answer answer;
	struct error error;
	bool is;

	if (process_wait(o->pid, 0) >= 0)
		bench_die("observe: millrace up ended; its words are in millrace.log");
	if (client_get(&(struct server_access){.url = o->url}, "/api/v1/agents", NULL, &answer,
		       &error) < 0)
		return false;
	is = field_number(json_array_get(field_array(answer.json, "agents"), 0), "batches") >= 2;
	client_answer_done(&answer);
	return is;
}

void observer_start(struct observer *o, const struct bench *b, const struct place *only,
		    const char *const *options)
{
	const char *argv[24] = {b->millrace, "up", "--listen", NULL};
	char listen[32];
	int n = 3;

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", port_free());
	snprintf(o->url, sizeof(o->url), "http://%s", listen);
	argv[n++] = listen;
	if (only) {
		argv[n++] = "--cgroup";
		argv[n++] = only->path;
	}
	if (b->with)
		argv[n++] = b->with;
	for (; options && *options && n < 23; options++)
		argv[n++] = *options;
	o->pid = spawn(&(struct spawn){.log = bench_file(b, "millrace.log")}, argv);
	if (o->pid < 0 || !wait_until(has_reported, o, START_MS))
		bench_die("observe: millrace up reported nothing within %d s", START_MS / 1000);
	if (clock_getcpuclockid(o->pid, &o->clock))
		bench_die("read the CPU time of millrace up");
}

void observer_stop(struct observer *o)
{
	observer_pause(o, false);
	process_end(o->pid, SIGTERM, 15000);
	o->pid = 0;
}

void observer_pause(const struct observer *o, bool paused)
{
	kill(o->pid, paused ? SIGSTOP : SIGCONT);
}

uint64_t observer_cpu_ns(const struct observer *o)
{
	struct timespec t = {0};

	if (clock_gettime(o->clock, &t))
		bench_die("read the CPU time of millrace up: %m");
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void observer_ask(const struct observer *o, const char *path, struct client_answer *ret)
{
	struct error error;

	if (client_get(&(struct server_access){.url = o->url}, path, NULL, ret, &error) < 0)
		bench_die("ask millrace up: %s", error.text);
}

static double add_losses(const json_t *losses)
{
	double sum = 0;
	json_t *loss;
	size_t i;

	json_array_foreach (losses, i, loss)
		sum += field_number(loss, "count");
	return sum;
}

struct observer_account observer_account(const struct observer *o)
{
	struct observer_account a;
	struct client_answer answer;
	const json_t *agent;

	observer_ask(o, "/api/v1/agents", &answer);
	agent = json_array_get(field_array(answer.json, "agents"), 0);
	a = (struct observer_account){
		.agent_ns = field_number(agent, "cost.agent_cpu_s") * 1e9,
		.kernel_ns = field_number(agent, "cost.kernel_cpu_s") * 1e9,
		.sweep_ns = field_number(agent, "cost.sweep_s") * 1e9,
		.swept = field_number(agent, "cost.sweep_sockets"),
		.batches = field_number(agent, "batches"),
		.sockets = field_number(agent, "sockets"),
		.losses = add_losses(field_array(agent, "losses")),
	};
	client_answer_done(&answer);
	return a;
}

double observer_cpus(const struct observer *o)
{
	struct client_answer answer;
	double cpus;

	observer_ask(o, "/api/v1/agents", &answer);
	cpus = field_number(json_array_get(field_array(answer.json, "agents"), 0), "cost.cpus");
	client_answer_done(&answer);
	return cpus;
}

bool observer_filters_packets(const struct observer *o)
{
	struct client_answer answer;
	const char *hooks;
	bool is;

	observer_ask(o, "/api/v1/agents", &answer);
	hooks = field_text(json_array_get(field_array(answer.json, "agents"), 0), "hooks");
	is = hooks && strstr(hooks, "cgroup_skb");
	client_answer_done(&answer);
	return is;
}
