/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One server and the agents of a cluster, simulated: what an update costs it, how many nodes it
 * holds, what it keeps in memory.
 *
 *     cluster_load ─ POST, a batch a node a second ─► millrace server ◄─ GET graph, again and again
 *
 * A node is one of the talk's company B (cluster_node.h). Held is a number of nodes if the answer
 * to a question for the graph of the last three seconds has a window of node 0 within a second of
 * that window's end, in each second of the run but the first ones: the time the batch waits, is
 * taken in, and the question's own. One reader asks once a
 * window, and again where the answer does not have it. The load runs on the same
 * CPUs; its cost is told.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "bench.h"
#include "cli/client.h"
#include "cli/field.h"
#include "cluster_load.h"
#include "cluster_node.h"
#include "report.h"
#include "statistics.h"

#define PORT        7399
#define SETTLED     6 /* windows, before it counts: all flows are defined and stored by then */
#define WINDOWS_MAX 64
#define START_MS    20000
#define ASK_NS      UINT64_C(20000000) /* after a window's end, which counts */

static const struct client_parameter last_windows[] = {{"from", "-3s"}, {NULL, NULL}};
static const struct server_access access_here = {.url = "http://127.0.0.1:7399"};

struct run {
	unsigned int nodes, windows;
	double delay_ms[WINDOWS_MAX]; /* from a window's end to the answer that has it */
	size_t delays;
	double cpu_us; /* of the server, an update; of the load */
	double load_us;
	double updates_s;  /* a second */
	double bytes;      /* on the wire, an update */
	double memory_mb;  /* of the server, more than at its start */
	double history_mb; /* of that: windows, which have a bound of their own */
	double live_flows;
	unsigned int refused, late;
};

static double cpu_s(pid_t pid)
{
	unsigned long user, kernel;
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file_read(path, text, sizeof(text)) < 0 || !(at = strrchr(text, ')')) ||
	    sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) !=
		    2)
		bench_die("read the CPU time of the server");
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double resident_mb(pid_t pid)
{
	char path[64], text[128];
	long pages;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (file_read(path, text, sizeof(text)) < 0 || sscanf(text, "%*d %ld", &pages) != 1)
		bench_die("read the memory of the server");
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static bool answers(void *userdata)
{
	struct client_answer answer;
	struct error error;

	if (client_get(&access_here, "/api/v1/agents", NULL, &answer, &error) < 0)
		return false;
	client_answer_done(&answer);
	return true;
}

/* Its data, if it keeps any, is this run's own and begins empty. */
static pid_t server_start(const struct bench *b)
{
	const char *argv[] = {b->millrace, "server", "--listen", "127.0.0.1:7399",
			      NULL,        NULL,     NULL};
	char directory[] = "/tmp/millrace-cluster-XXXXXX";
	pid_t pid;

	if (bench_keeps_data(b)) {
		if (!mkdtemp(directory) || chmod(directory, 0777))
			bench_die("make a directory for the server's data: %m");
		argv[4] = "--data";
		argv[5] = directory;
	}
	pid = spawn(&(struct spawn){.log = bench_file(b, "server.log")}, argv);
	if (pid < 0 || !wait_until(answers, NULL, START_MS))
		bench_die("start the server; its words are in server.log");
	return pid;
}

static void server_stop(pid_t pid)
{
	process_end(pid, SIGTERM, 15000);
	system("rm -rf /tmp/millrace-cluster-??????"); /* its data */
}

/* When the beacon was seen last, wall clock; 0: not yet. */
static double beacon_seen(void)
{
	struct client_answer answer;
	struct error error;
	double seen = 0;
	json_t *edge;
	size_t i;

	if (client_get(&access_here, "/api/v1/graph", last_windows, &answer, &error) < 0)
		bench_die("ask for the graph: %s", error.text);
	json_array_foreach (field_array(answer.json, "edges"), i, edge) {
		const char *client = field_text(edge, "client");

		if (client && strstr(client, NODE_BEACON))
			seen = field_number(edge, "last_seen");
	}
	client_answer_done(&answer);
	return seen;
}

/* Asks until an answer has this window. */
static double delay_of(const struct cluster_account *a, unsigned int window)
{
	uint64_t end_ns = a->begin_ns + window * NODE_WINDOW_NS;

	while (clock_ns() < end_ns + ASK_NS)
		pause_us(500);
	for (;;) {
		double ended = clock_wall() - (double)(clock_ns() - end_ns) / 1e9;

		if (beacon_seen() >= ended - 0.3)
			return (double)(clock_ns() - end_ns) / 1e6;
		if (clock_ns() - end_ns > 20 * NODE_WINDOW_NS)
			return (double)(clock_ns() - end_ns) / 1e6;
	}
}

static unsigned int window_now(const struct cluster_account *a)
{
	uint64_t now_ns = clock_ns();

	return now_ns < a->begin_ns ? 0
				    : (unsigned int)((now_ns - a->begin_ns) / NODE_WINDOW_NS) + 1;
}

static void ask_again_and_again(struct run *r, const struct cluster_account *a)
{
	for (unsigned int window = window_now(a); window < r->windows; window = window_now(a)) {
		double delay_ms = delay_of(a, window);

		if (window > SETTLED)
			r->delay_ms[r->delays++] = delay_ms;
	}
}

static void note_tables(struct run *r)
{
	struct client_answer answer;
	struct error error;

	if (client_get(&access_here, "/api/v1/agents", NULL, &answer, &error) < 0)
		bench_die("ask for the agents: %s", error.text);
	r->history_mb = field_number(answer.json, "server.history_bytes") / 1e6;
	r->live_flows = field_number(answer.json, "server.flows");
	client_answer_done(&answer);
}

/* asks: with a reader; without, the server does nothing but take batches in. */
static struct run run_nodes(const struct bench *b, unsigned int nodes, unsigned int windows,
			    bool asks)
{
	struct run r = {.nodes = nodes, .windows = windows};
	const struct cluster_load load = {nodes, windows, PORT};
	pid_t server = server_start(b), sender;
	double before_mb = resident_mb(server), cpu;
	struct cluster_account *a;
	uint64_t updates, load_ns, begin_ns;

	sender = cluster_load_start(&load, &a);
	while (!a->done && a->taken < SETTLED * nodes)
		pause_us(2000);
	cpu = cpu_s(server);
	updates = a->updates;
	load_ns = a->cpu_ns;
	begin_ns = clock_ns();
	if (asks)
		ask_again_and_again(&r, a);
	while (!a->done)
		pause_us(10000);
	r.memory_mb = resident_mb(server) - before_mb; /* before it is asked anything */
	updates = a->updates - updates;
	r.cpu_us = (cpu_s(server) - cpu) * 1e6 / (double)updates;
	r.load_us = (double)(a->cpu_ns - load_ns) / 1e3 / (double)updates;
	r.updates_s = (double)updates / ((double)(clock_ns() - begin_ns) / 1e9);
	r.bytes = (double)a->body_bytes / (double)a->updates;
	r.refused = a->refused;
	r.late = a->late;
	note_tables(&r);
	cluster_load_stop(sender, a);
	server_stop(server);
	return r;
}

static bool is_held(const struct run *r)
{
	for (size_t i = 0; i < r->delays; i++)
		if (r->delay_ms[i] > 1000)
			return false;
	return r->delays && !r->refused && !r->late;
}

static double worst(const struct run *r)
{
	double ret = 0;

	for (size_t i = 0; i < r->delays; i++)
		ret = r->delay_ms[i] > ret ? r->delay_ms[i] : ret;
	return ret;
}

static void cost_measure(const struct bench *b)
{
	static const struct promise cost = {"≤ 1.0 µs (stretch 0.33)", 1.0, 0.33, false};
	static const struct promise memory = {"≤ 40 MB (stretch 10)", 40, 10, false};
	unsigned int nodes = bench_amount(b, 1000, 300);
	struct run r = run_nodes(b, nodes, bench_amount(b, 26, 14), false);
	double each_mb = (r.memory_mb - r.history_mb) / (r.live_flows / 1e5);

	report_row("server: CPU of an update taken in", &cost, r.cpu_us,
		   "%.2f µs, at %u nodes and %.0f updates a second", r.cpu_us, nodes, r.updates_s);
	report_note(
		"%.2f bytes an update on the wire; the load itself %.2f µs an update; %u refused, "
		"%u late",
		r.bytes, r.load_us, r.refused, r.late);
	report_row("server: memory of 100,000 live flows", &memory, each_mb,
		   "%.1f MB; %.0f flows in %.0f MB, and %.0f MB of history beside", each_mb,
		   r.live_flows, r.memory_mb - r.history_mb, r.history_mb);
}

static void nodes_measure(const struct bench *b)
{
	static const unsigned int steps[] = {100, 200, 300, 500, 750, 1000, 1500, 2000, 2500};
	static const struct promise held = {"≥ 1,000 nodes (stretch 10,000)", 1000, 10000, true};
	struct run best = {0}, r;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		r = run_nodes(b, steps[i], bench_amount(b, 18, 12), true);
		report_note("%u nodes: median %.0f ms, worst %.0f ms from a window's end to the "
			    "answer; "
			    "%.0f updates a second; %u refused, %u late",
			    r.nodes, stats_median(r.delay_ms, r.delays), worst(&r), r.updates_s,
			    r.refused, r.late);
		if (!is_held(&r))
			break;
		best = r;
	}
	report_row("server: nodes with ≤ 1 s from a window's end to the answer", &held, best.nodes,
		   "%u nodes, %.0f updates a second, worst %.0f ms", best.nodes, best.updates_s,
		   worst(&best));
}

void line_cluster(const struct bench *b)
{
	cost_measure(b);
	nodes_measure(b);
}
