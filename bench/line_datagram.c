/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What millrace adds to a datagram, and to a TCP packet where it has to look at each of those, too:
 * CPU of both ends over loopback (crossed.h), as time and as a share of what the datagram costs the
 * kernel and its programs anyway. Both ends are on one CPU: waking another one costs ten times what
 * a datagram does, and varies. By whichever hook serves; in a guest (datagram-guest), times are
 * those of an emulated CPU and only the share means something.
 */
#include <stdio.h>
#include <unistd.h>

#include "crossed.h"
#include "kernel_side.h"
#include "observer.h"
#include "report.h"

#define TURNS        200 /* a slice; two messages each */
#define TIMED_SLICES 20

/* "fentry", "cgroup_skb", or nothing that is known. */
static const char *hook_of_udp(const struct bench *b, const struct pair *p)
{
	struct observer o;
	bool packets;

	observer_start(&o, b, &p->place, NULL);
	packets = observer_filters_packets(&o);
	observer_stop(&o);
	return packets ? "cgroup_skb" : "fentry";
}

/* Run time of the programs a message, in ns, less what taking it costs. */
static double programs_measure(const struct bench *b, struct pair *p, struct kernel_side *ret_from,
			       struct kernel_side *ret_to)
{
	double taking_ns, ns;
	struct observer o;
	int stats;

	observer_start(&o, b, &p->place, NULL);
	stats = kernel_stats_on();
	pair_slice(p, TURNS);
	kernel_side_read(ret_from, o.pid);
	for (size_t i = 0; i < TIMED_SLICES; i++)
		pair_slice(p, TURNS);
	kernel_side_read(ret_to, o.pid);
	taking_ns = kernel_stats_empty_ns();
	close(stats);
	observer_stop(&o);
	ns = (double)kernel_side_hooks_ns(ret_from, ret_to) -
	     taking_ns * (double)kernel_side_hooks_runs(ret_from, ret_to);
	report_note("taking a run's time takes %.0f ns, which is not counted", taking_ns);
	return ns / (2.0 * TIMED_SLICES * TURNS);
}

static void measure(const struct bench *b, const char *what, enum pair_work work)
{
	static struct crossed c;
	struct kernel_side from, to;
	double without_ns;
	struct pair pair[2];
	struct interval i;
	char name[128];

	pair_start(&pair[0], b, "datagram-0", work, 1, 1);
	pair_start(&pair[1], b, "datagram-1", work, 1, 1);
	crossed_run(&c, b, pair, bench_amount(b, 100, 25), TURNS);
	i = crossed_added(&c);
	without_ns = crossed_without(&c) * 500;
	snprintf(name, sizeof(name), "%s, %s", what, hook_of_udp(b, &pair[0]));
	report_row(name, NULL, 0,
		   "%.0f ns added to %.0f, both ends: %.1f %%, 95 %% interval %.1f to %.1f, of "
		   "%zu pairs of slices of %d",
		   i.middle * 500, without_ns, 100 * i.middle * 500 / without_ns,
		   100 * i.low * 500 / without_ns, 100 * i.high * 500 / without_ns,
		   crossed_pairs(&c), 2 * TURNS);
	report_note("by the kernel's run times: %.0f ns",
		    programs_measure(b, &pair[0], &from, &to));
	kernel_side_note(&from, &to, 2.0 * TIMED_SLICES * TURNS, "message");
	pair_stop(&pair[0]);
	pair_stop(&pair[1]);
}

void line_datagram(const struct bench *b)
{
	measure(b, "a datagram", PAIR_DATAGRAMS);
	measure(b, "a TCP packet on an open connection", PAIR_PACKETS);
}

/* Emulated CPUs are far too uneven to compare slices: the programs' run times by the kernel, less
 * what taking them costs, against what a datagram costs without millrace. */
void line_datagram_guest(const struct bench *b)
{
	static double without_us[TIMED_SLICES];
	struct kernel_side from, to;
	double hooks_ns, cost_ns;
	struct pair pair;

	pair_start(&pair, b, "datagram", PAIR_DATAGRAMS, 1, 1);
	for (int i = 0; i < TIMED_SLICES; i++)
		without_us[i] = pair_slice(&pair, TURNS);
	cost_ns = stats_median(without_us, TIMED_SLICES) * 500;
	hooks_ns = programs_measure(b, &pair, &from, &to);
	report_row("in the guest: a datagram, fentry", NULL, 0,
		   "%.1f %% of what it costs without, both ends: %.0f ns and %.0f ns (emulated)",
		   100 * hooks_ns / cost_ns, hooks_ns, cost_ns);
	kernel_side_note(&from, &to, 2.0 * TIMED_SLICES * TURNS, "datagram");
	pair_stop(&pair);
}
