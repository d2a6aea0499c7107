/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What millrace adds to a connection: CPU of both ends, in µs a connection, over loopback.
 *
 * Two pairs of client and server do the same work in two cgroups, of which millrace observes one;
 * slices of a few milliseconds alternate between them and are compared with their neighbours. Who
 * is observed changes sides from block to block (statistics.h). CPU is what the kernel charged to
 * client and server. A separate part asks the kernel for the run time of each program.
 */
#include <string.h>
#include <unistd.h>

#include "kernel_side.h"
#include "observer.h"
#include "pair.h"
#include "report.h"
#include "statistics.h"

#define BLOCKS      8
#define CONNECTIONS 100 /* a slice */
#define PAIRS_MAX   4000

struct figures {
	double added[2][PAIRS_MAX], without[2 * PAIRS_MAX];
	size_t count[2];
	double agent_us; /* CPU of the agent, a connection it saw */
};

static void measure(struct pair pair[2], int seen, size_t pairs, struct figures *f)
{
	for (size_t i = 0; i < pairs; i++) {
		double us[2];

		for (int turn = 0; turn < 2; turn++) {
			int with = turn ^ (int)(i % 2);

			us[with] = pair_slice(&pair[with ? seen : !seen], CONNECTIONS);
		}
		f->without[f->count[0] + f->count[1]] = us[0];
		f->added[seen][f->count[seen]++] = us[1] - us[0];
	}
}

static void block(const struct bench *b, struct pair pair[2], int seen, size_t pairs,
		  struct figures *f)
{
	struct observer o;
	uint64_t agent;

	observer_start(&o, b, &pair[seen].place, NULL);
	for (int i = 0; i < 10; i++) {
		pair_slice(&pair[0], CONNECTIONS);
		pair_slice(&pair[1], CONNECTIONS);
	}
	agent = observer_cpu_ns(&o);
	measure(pair, seen, pairs, f);
	f->agent_us +=
		(double)(observer_cpu_ns(&o) - agent) / 1e3 / CONNECTIONS / (double)pairs / BLOCKS;
	observer_stop(&o);
}

static void show_programs(const struct bench *b, struct pair *p)
{
	size_t slices = bench_amount(b, 200, 40);
	struct kernel_side from, to;
	struct observer o;
	int stats;

	observer_start(&o, b, &p->place, NULL);
	stats = kernel_stats_on();
	pair_slice(p, CONNECTIONS);
	kernel_side_read(&from, o.pid);
	for (size_t i = 0; i < slices; i++)
		pair_slice(p, CONNECTIONS);
	kernel_side_read(&to, o.pid);
	close(stats);
	report_note("the kernel's run times, a little high since they are being taken:");
	kernel_side_note(&from, &to, (double)slices * CONNECTIONS, "connection");
	observer_stop(&o);
}

static void measure_ends(const struct bench *b, const char *what, int client_cpu, int server_cpu)
{
	static const struct promise promise = {"≤ 3.0 µs (stretch 1.5)", 3.0, 1.5, false};
	size_t pairs = bench_amount(b, 400, 50);
	static struct figures f;
	struct pair pair[2];
	struct interval i;
	size_t n;

	memset(&f, 0, sizeof(f));
	pair_start(&pair[0], b, "connection-0", client_cpu, server_cpu);
	pair_start(&pair[1], b, "connection-1", client_cpu, server_cpu);
	for (int k = 0; k < BLOCKS; k++)
		block(b, pair, k % 2, pairs, &f);
	n = f.count[0] + f.count[1];
	i = stats_crossed(f.added[0], f.count[0], f.added[1], f.count[1]);
	report_row(
		what, &promise, i.middle,
		"%.2f µs added to %.1f, 95 %% interval %.2f to %.2f, of %zu pairs of slices of %d",
		i.middle, stats_median(f.without, n), i.low, i.high, n, CONNECTIONS);
	report_note("nothing trimmed: %.2f us; beside it the agent itself: %.3f us a connection",
		    i.plain, f.agent_us);
	show_programs(b, &pair[0]);
	pair_stop(&pair[0]);
	pair_stop(&pair[1]);
}

void line_connection(const struct bench *b)
{
	measure_ends(b, "a connection a request: ends on two CPUs", 1, 2);
	measure_ends(b, "a connection a request: ends on one CPU", 1, 1);
}
