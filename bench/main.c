/* SPDX-License-Identifier: Apache-2.0 */
/* millrace-bench: runs lines of the table. bench/run puts them together. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "agent/cgroup_mount.h"
#include "bench.h"
#include "report.h"

static const struct line {
	const char *name, *what;
	void (*run)(const struct bench *b);
	bool extra; /* not part of "all" */
} lines[] = {
	{"keepalive", "share of the busy CPU under keep-alive load", line_keepalive, false},
	{"throughput", "requests a second with and without", line_throughput, false},
	{"connection", "CPU added to a connection", line_connection, false},
	{"profile", "the talk's method: perf, shares of application, TCP, millrace", line_profile,
	 false},
	{"datagram", "CPU added to a datagram, and to a TCP packet", line_datagram, false},
	{"mix", "event mixes of two companies' nodes, and what an event costs", line_mix, false},
	{"sweep", "time of the sweep, and whether the CPU budget holds", line_sweep, false},
	{"memory", "memory with 10,000 live sockets", line_memory, false},
	{"fresh", "from connect() to the answer", line_fresh, false},
	{"beside", "other tools on the same traffic", line_beside, false},
	{"wire", "bytes an update takes", line_wire, false},
	{"telemetry", "bytes on the wire against the applications'", line_telemetry, false},
	{"cluster", "one server, the agents of a simulated cluster", line_cluster, false},
	{"datagram-guest", "the same; inside a guest", line_datagram_guest, true},
	{"guest", "tcptop and tcplife; inside a guest", line_guest, true},
};

#define LINE_COUNT (sizeof(lines) / sizeof(*lines))

void bench_die(const char *format, ...)
{
	va_list ap;

	fputs("cannot ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

const char *bench_file(const struct bench *b, const char *name)
{
	static char found[4][512];
	static unsigned int turn;
	char *path = found[turn++ % 4];

	snprintf(path, sizeof(*found), "%s/%s", b->directory, name);
	return path;
}

bool bench_keeps_data(const struct bench *b)
{
	char help[16384] = "";

	run(&(struct spawn){0}, (const char *const[]){b->millrace, "server", "--help", NULL}, help,
	    sizeof(help), 10000);
	return strstr(help, "--data");
}

static void usage(FILE *out)
{
	fputs("usage: millrace-bench [--short] [--with OPTION] [--millrace FILE] [--dir DIR] "
	      "LINE...\n",
	      out);
	for (size_t i = 0; i < LINE_COUNT; i++)
		fprintf(out, "  %-11s %s\n", lines[i].name, lines[i].what);
}

static void run_line(const struct bench *b, const char *name)
{
	for (size_t i = 0; i < LINE_COUNT; i++) {
		if (strcmp(lines[i].name, name))
			continue;
		report_begin(b->directory, name);
		lines[i].run(b);
		report_end();
		return;
	}
	fprintf(stderr, "cannot run %s: no such line; --help names them\n", name);
	exit(2);
}

static void options_read(struct bench *b, int argc, char **argv)
{
	static const struct option options[] = {
		{"short", no_argument, NULL, 's'},     {"millrace", required_argument, NULL, 'm'},
		{"dir", required_argument, NULL, 'd'}, {"with", required_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'},      {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (c) {
		case 's':
			b->is_short = true;
			break;
		case 'm':
			b->millrace = optarg;
			break;
		case 'd':
			b->directory = optarg;
			break;
		case 'w':
			b->with = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			exit(2);
		}
}

/* Ended by a signal: through exit(), so that cgroups are removed. */
static void on_signal(int sig)
{
	exit(128 + sig);
}

int main(int argc, char **argv)
{
	struct bench b = {.millrace = "build/millrace", .directory = "build/bench/data"};

	options_read(&b, argc, argv);
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	if (geteuid() != 0)
		bench_die("measure: not root; run it with sudo");
	if (mkdir(b.directory, 0755) && errno != EEXIST)
		bench_die("make %s: %m", b.directory);
	if (cgroup_mount(b.cgroups, sizeof(b.cgroups)) < 0)
		bench_die("find cgroup v2: it is not mounted");
	b.millrace = realpath(b.millrace, NULL);
	b.directory = realpath(b.directory, NULL);
	if (!b.millrace)
		bench_die("find millrace: %m; make build, or name it with --millrace");
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	for (; optind < argc; optind++)
		run_line(&b, argv[optind]);
	return 0;
}
