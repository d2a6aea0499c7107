/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The talk's method: perf samples both CPUs with call graphs, and each stack is counted to
 * millrace, to the TCP stack, or to the application.
 *
 * millrace: its process, and everything at and below the kernel's call of its programs (the call
 * itself too, since without millrace nobody pays for it). TCP: what passes through the kernel's
 * tcp_, inet_ or ip_ functions and is not millrace. Samples of the load and millrace only, and of
 * softirqs that ran while a CPU was idle. The stacks go to a file to draw a flame graph from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/live/run.h"
#include "load.h"
#include "observer.h"
#include "report.h"

#define FRAMES_MAX 127 /* perf's own limit */
#define PIDS_MAX   16
#define RATE       "4000" /* a second and CPU */

enum owner { APPLICATION, TCP, MILLRACE, OTHER, OWNERS };

struct stack {
	char comm[32];
	int pid;
	unsigned int frames;
	char frame[FRAMES_MAX][96]; /* the leaf first */
};

struct profile {
	int observer;
	int pid[PIDS_MAX]; /* of the load */
	unsigned int pids;
	unsigned long samples[OWNERS];
	FILE *stacks;
};

static bool begins_with_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

static bool is_program(const char *name)
{
	return strncmp(name, "bpf_prog_", 9) == 0 && strstr(name, "_mr_");
}

static bool passes(const struct stack *s, bool (*through)(const char *name))
{
	for (unsigned int i = 0; i < s->frames; i++)
		if (through(s->frame[i]))
			return true;
	return false;
}

static bool is_millrace(const char *name)
{
	static const char call[] = "__cgroup_bpf_run_filter_";

	return is_program(name) || strncmp(name, call, strlen(call)) == 0;
}

static bool is_tcp(const char *name)
{
	static const char *const prefixes[] = {"tcp_", "__tcp_", "inet_",         "__inet_",
					       "ip_",  "__ip_",  "net_rx_action", NULL};

	return begins_with_any(name, prefixes);
}

static bool is_load(const struct profile *p, int pid)
{
	for (unsigned int i = 0; i < p->pids; i++)
		if (p->pid[i] == pid)
			return true;
	return false;
}

static enum owner owner_of(const struct profile *p, const struct stack *s)
{
	static const char *const softirqs[] = {"swapper", "ksoftirqd", NULL};
	bool load = is_load(p, s->pid);

	if (s->pid == p->observer)
		return MILLRACE;
	if (!load && !begins_with_any(s->comm, softirqs))
		return OTHER;
	if (passes(s, is_millrace))
		return MILLRACE;
	if (passes(s, is_tcp))
		return TCP;
	return load ? APPLICATION : OTHER;
}

static void stack_count(struct profile *p, const struct stack *s)
{
	enum owner owner = owner_of(p, s);

	p->samples[owner]++;
	if (owner == OTHER)
		return;
	fputs(s->comm, p->stacks);
	for (unsigned int i = s->frames; i-- > 0;)
		if (i + 1 == s->frames || strcmp(s->frame[i], s->frame[i + 1])) /* [unknown] … */
			fprintf(p->stacks, ";%s", s->frame[i]);
	fputc('\n', p->stacks);
}

/* "COMM PID", a line for each frame "ADDRESS SYMBOL", and an empty line. */
static void line_read(struct profile *p, struct stack *s, char *line)
{
	char *last;

	line[strcspn(line, "\n")] = 0;
	if (!line[strspn(line, " \t")]) {
		if (s->pid >= 0)
			stack_count(p, s);
		s->pid = -1;
	} else if (s->pid < 0) {
		line += strspn(line, " ");
		for (size_t end = strlen(line); end && line[end - 1] == ' '; end--)
			line[end - 1] = 0;
		last = strrchr(line, ' ');
		s->pid = last ? atoi(last) : -1;
		s->frames = 0;
		snprintf(s->comm, sizeof(s->comm), "%.*s", (int)strcspn(line, " "), line);
	} else if (s->frames < FRAMES_MAX) {
		line += strspn(line, " \t");
		line += strcspn(line, " ");
		snprintf(s->frame[s->frames++], sizeof(*s->frame), "%s", line + (*line == ' '));
	}
}

static void samples_read(struct profile *p, const char *data)
{
	static struct stack s;
	char command[640], line[4096];
	FILE *script;

	snprintf(command, sizeof(command),
		 "perf script -i '%s' --no-inline -F comm,pid,ip,sym 2>/dev/null", data);
	script = popen(command, "re");
	s.pid = -1;
	while (script && fgets(line, sizeof(line), script))
		line_read(p, &s, line);
	if (!script || pclose(script))
		bench_die("read perf's samples in %s", data);
}

static const char *event(void)
{
	char out[2048];
	const char *const argv[] = {"/usr/bin/perf", "stat", "-e", "cycles", "/bin/true", NULL};

	if (run(&(struct spawn){0}, argv, out, sizeof(out), 10000) == 0 &&
	    !strstr(out, "not supported"))
		return "cycles";
	return "cpu-clock";
}

static void record(const char *data, unsigned int seconds)
{
	char out[4096], time[8];
	const char *const argv[] = {
		"/usr/bin/perf", "record", "-q", "-a", "-g",         "-F", RATE, "-e",
		event(),         "-o",     data, "--", "/bin/sleep", time, NULL};

	snprintf(time, sizeof(time), "%u", seconds);
	if (run(&(struct spawn){0}, argv, out, sizeof(out), seconds * 1000 + 30000))
		bench_die("sample with perf: %s", out);
}

static void pids_read(struct profile *p, const struct place *place)
{
	char path[512], text[1024], *rest = text;

	snprintf(path, sizeof(path), "%s/cgroup.procs", place->path);
	if (file_read(path, text, sizeof(text)))
		bench_die("read %s", path);
	for (char *word; p->pids < PIDS_MAX && (word = strsep(&rest, "\n")) && *word;)
		p->pid[p->pids++] = atoi(word);
}

static void profile_load(const struct bench *b, enum load_kind kind, const char *name,
			 const char *what)
{
	static const struct promise promise = {"≤ 2 % of TCP's time (stretch 0.5 %)", 2, 0.5,
					       false};
	struct profile p = {0};
	struct observer o;
	struct load l;
	char stacks[64];
	double all;

	load_start(&l, b, kind, "profile");
	observer_start(&o, b, &l.place, NULL);
	pause_us(2000000);
	p.observer = o.pid;
	pids_read(&p, &l.place);
	record(bench_file(b, "perf.data"), bench_amount(b, 20, 4));
	observer_stop(&o);
	load_stop(&l);
	snprintf(stacks, sizeof(stacks), "%s.stacks", name);
	p.stacks = fopen(bench_file(b, stacks), "we");
	if (!p.stacks)
		bench_die("write %s: %m", stacks);
	samples_read(&p, bench_file(b, "perf.data"));
	fclose(p.stacks);
	all = (double)(p.samples[APPLICATION] + p.samples[TCP] + p.samples[MILLRACE]);
	if (!p.samples[TCP])
		bench_die("tell the TCP stack's share: perf shows no kernel functions");
	report_row(what, &promise, 100.0 * p.samples[MILLRACE] / p.samples[TCP],
		   "%.2f %% of the TCP stack's time; application %.1f %%, TCP %.1f %%, millrace "
		   "%.2f %% of %.0f samples",
		   100.0 * p.samples[MILLRACE] / p.samples[TCP], 100 * p.samples[APPLICATION] / all,
		   100 * p.samples[TCP] / all, 100 * p.samples[MILLRACE] / all, all);
}

void line_profile(const struct bench *b)
{
	profile_load(b, LOAD_NGINX, "keepalive", "perf, keep-alive: wrk on nginx");
	profile_load(b, LOAD_NGINX_CLOSE, "connection",
		     "perf, a connection a request: wrk on nginx");
}
