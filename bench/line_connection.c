/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What millrace adds to a connection: CPU of both ends, in µs a connection, over loopback
 * (crossed.h). CPU is what the kernel charged to client and server. A separate part asks the kernel
 * for the run time of each program.
 */
#include <unistd.h>

#include "crossed.h"
#include "kernel_side.h"
#include "observer.h"
#include "report.h"

#define CONNECTIONS 100 /* a slice */

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
	static struct crossed c;
	struct pair pair[2];
	struct interval i;

	pair_start(&pair[0], b, "connection-0", PAIR_CONNECTIONS, client_cpu, server_cpu);
	pair_start(&pair[1], b, "connection-1", PAIR_CONNECTIONS, client_cpu, server_cpu);
	crossed_run(&c, b, pair, bench_amount(b, 400, 50), CONNECTIONS);
	i = crossed_added(&c);
	report_row(
		what, &promise, i.middle,
		"%.2f µs added to %.1f, 95 %% interval %.2f to %.2f, of %zu pairs of slices of %d",
		i.middle, crossed_without(&c), i.low, i.high, crossed_pairs(&c), CONNECTIONS);
	report_note("nothing trimmed: %.2f us; beside it the agent itself: %.3f us a connection",
		    i.plain, c.agent_us);
	show_programs(b, &pair[0]);
	pair_stop(&pair[0]);
	pair_stop(&pair[1]);
}

void line_connection(const struct bench *b)
{
	measure_ends(b, "a connection a request: ends on two CPUs", 1, 2);
	measure_ends(b, "a connection a request: ends on one CPU", 1, 1);
}
