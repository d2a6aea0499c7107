/* SPDX-License-Identifier: Apache-2.0 */
#include "millrace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

#define RUNNING_MAX 16

static pid_t running[RUNNING_MAX];

uint16_t port_free(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, size) == 0)
		getsockname(fd, (struct sockaddr *)&a, &size);
	close(fd);
	return ntohs(a.sin_port);
}

/* Seen without a connect(), which the kernel would count while millrace notes where its counters
 * stand. */
static bool listens(uint16_t port)
{
	FILE *f = fopen("/proc/net/tcp", "re");
	char line[256], sought[32];
	bool found = false;

	snprintf(sought, sizeof(sought), ":%04X 00000000:0000 0A", port);
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, sought);
	if (f)
		fclose(f);
	return found;
}

static bool healthy(void *userdata)
{
	struct millrace *m = userdata;

	if (!listens(m->port))
		return !millrace_alive(m);
	return api_get(m, "/healthz", NULL, NULL) == 200 || !millrace_alive(m);
}

bool millrace_alive(struct millrace *m)
{
	return m->pid > 0 && kill(m->pid, 0) == 0 && process_wait(m->pid, 0) == -ETIMEDOUT;
}

static void log_show(const struct millrace *m)
{
	char text[2000];

	if (file_read(m->log, text, sizeof(text)) == 0 && text[0])
		say("it said: %s", text);
}

static int arguments_of(const struct millrace *m, const char **argv, int max,
			const char *const *arguments)
{
	static char listen[32];
	int n = 0;

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", m->port);
	argv[n++] = m->live->millrace;
	argv[n++] = "up";
	argv[n++] = "--listen";
	argv[n++] = listen;
	if (!m->live->whole_machine) {
		argv[n++] = "--cgroup";
		argv[n++] = m->live->net.cgroup;
	}
	for (; arguments && *arguments && n < max - 1; arguments++)
		argv[n++] = *arguments;
	argv[n] = NULL;
	return n;
}

bool millrace_watch(pid_t pid)
{
	for (int i = 0; i < RUNNING_MAX; i++)
		if (running[i] <= 0) {
			running[i] = pid;
			return true;
		}
	return false;
}

void millrace_forget(pid_t pid)
{
	for (int i = 0; i < RUNNING_MAX; i++)
		if (running[i] == pid)
			running[i] = 0;
}

bool millrace_start(struct millrace *m, struct live *l, const char *const *arguments)
{
	return millrace_start_at(m, l, port_free(), arguments);
}

bool millrace_start_at(struct millrace *m, struct live *l, uint16_t port,
		       const char *const *arguments)
{
	const char *argv[32];

	*m = (struct millrace){.live = l, .port = port, .started = clock_wall()};
	snprintf(m->log, sizeof(m->log), "%s", live_file(l, "millrace.log"));
	unlink(m->log);
	arguments_of(m, argv, 32, arguments);
	m->pid = spawn(&(struct spawn){.log = m->log}, argv);
	millrace_watch(m->pid);
	wait_until(healthy, m, patience(l, 60000));
	if (millrace_alive(m) && api_get(m, "/healthz", NULL, NULL) == 200)
		return true;
	check(l, false, "millrace up answers on /healthz");
	log_show(m);
	millrace_stop(m, SIGKILL);
	return false;
}

int millrace_stop(struct millrace *m, int sig)
{
	int r = process_end(m->pid, sig, patience(m->live, 15000));

	millrace_forget(m->pid);
	m->pid = 0;
	return r;
}

void millrace_stop_all(void)
{
	for (int i = 0; i < RUNNING_MAX; i++) {
		if (running[i] > 0)
			process_end(running[i], SIGTERM, 15000);
		running[i] = 0;
	}
}

int millrace_command(struct millrace *m, const char *const *arguments, char *out, size_t size)
{
	const char *argv[32] = {m->live->millrace};
	char url[64];
	int n = 1;

	snprintf(url, sizeof(url), "%s://127.0.0.1:%u", m->ca ? "https" : "http", m->port);
	for (; *arguments && n < 24; arguments++)
		argv[n++] = *arguments;
	argv[n++] = "--server";
	argv[n++] = url;
	if (m->ca) {
		argv[n++] = "--ca";
		argv[n++] = m->ca;
	}
	if (m->token_file) {
		argv[n++] = "--token-file";
		argv[n++] = m->token_file;
	}
	return run(&(struct spawn){0}, argv, out, size, patience(m->live, 60000));
}
