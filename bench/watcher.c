/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "kernel_side.h"
#include "report.h"

static pid_t run_command(const struct bench *b, const struct known *k, const struct watcher *w,
			 const char *command, const char *cgroup)
{
	char line[1200], log[64];

	snprintf(line, sizeof(line), "cd '%s' && %s", b->directory, command);
	snprintf(log, sizeof(log), "%s.log", w->output);
	return spawn(
		&(struct spawn){.netns = k->netns, .cgroup = cgroup, .log = bench_file(b, log)},
		(const char *const[]){"/bin/sh", "-c", line, NULL});
}

void watcher_start(struct watcher *w, const struct bench *b, const struct known *k)
{
	char name[64];

	unlink(bench_file(b, w->output));
	snprintf(name, sizeof(name), "watcher-%s", w->output);
	place_make(&w->place, b, name);
	w->pid = run_command(b, k, w, w->command, w->place.path);
	if (w->pid < 0)
		bench_die("start %s", w->name);
}

/* All that run in its cgroup: a shell's loop, or the program itself and its children. */
static bool signal_all(const struct watcher *w, int sig)
{
	char path[512], text[4096], *rest = text;
	bool any = false;

	snprintf(path, sizeof(path), "%s/cgroup.procs", w->place.path);
	if (file_read(path, text, sizeof(text)))
		return false;
	for (char *word; (word = strsep(&rest, "\n")) && *word; any = true)
		kill(atoi(word), sig);
	return any;
}

static bool has_ended(void *userdata)
{
	struct watcher *w = userdata;

	process_wait(w->pid, 0);
	return !signal_all(w, 0);
}

void watcher_stop(struct watcher *w, const struct bench *b, const struct known *k, bool programs)
{
	static const struct kernel_side nothing;
	struct kernel_side now;

	w->cpu_ns = 0;
	if (programs) {
		kernel_side_read(&now, w->pid);
		w->cpu_ns = kernel_side_hooks_ns(&nothing, &now);
	}
	if (w->finish)
		process_wait(run_command(b, k, w, w->finish, NULL), 10000);
	signal_all(w, SIGINT);
	signal_all(w, SIGTERM);
	if (!wait_until(has_ended, w, 10000)) {
		signal_all(w, SIGKILL);
		wait_until(has_ended, w, 5000);
	}
	w->cpu_ns += place_cpu_ns(&w->place);
	place_remove(&w->place);
}

static bool is_known(const struct known *k, unsigned int port)
{
	return port == KNOWN_LONG_CLIENT ||
	       (port >= KNOWN_FIRST_PORT && port < KNOWN_FIRST_PORT + k->connections);
}

void watcher_report(struct watcher *w, const struct bench *b, const struct known *k, double seconds,
		    uint64_t wire_bytes, const char *remark)
{
	static struct sight s;
	FILE *output = fopen(bench_file(b, w->output), "re");
	uint64_t bytes = 0, all = w->bytes == PACKETS ? wire_bytes : known_payload(k);
	unsigned int connections = 0;

	memset(&s, 0, sizeof(s));
	if (output) {
		w->read(&s, output);
		fclose(output);
	}
	for (unsigned int port = 0; port < 65536; port++)
		if (is_known(k, port) && s.seen[port]) {
			connections++;
			bytes += s.bytes[port][0] + s.bytes[port][1];
		}
	report_row(w->name, NULL, 0,
		   "%.2f ms of CPU a second%s; saw %.4g %% of connections, %.4g %% of bytes",
		   (double)w->cpu_ns / 1e6 / seconds, remark,
		   100.0 * connections / (k->connections + 1), 100.0 * (double)bytes / (double)all);
}
