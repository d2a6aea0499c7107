/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event mixes of two companies' nodes (mix.h), and what the agent takes for them: CPU of its
 * process, server included, and the kernel's run time of its programs, as a share of the machine.
 *
 * Slices at rest, of the one and of the other mix follow each other, so that drift meets all alike;
 * of each kind the median counts. A slice is whole windows long. Run times are taken in slices of
 * their own, since taking them taxes every program; what a program that does nothing shows is that
 * tax and is taken off. Then each kind alone, for what an event costs.
 */
#include <string.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "kernel_side.h"
#include "mix.h"
#include "observer.h"
#include "report.h"
#include "statistics.h"

#define SETTLE_US  1000000 /* the last window of the mix before */
#define ROUNDS_MAX 8
#define ENOUGH     0.95 /* of the events asked for: less is another mix */

enum { REST, COMPANY_A, COMPANY_B, MIXES };

static const struct mix_rates mix_rates[MIXES] = {
	[COMPANY_A] = {{1429.2, 82.0, 20.8, 146.5, 0.014, 10.5}},
	[COMPANY_B] = {{4017.3, 89.0, 0, 1562.1, 0, 1.98}},
};

static const struct mix_name {
	const char *plain, *without_packets;
	struct promise promise;
} mix_names[MIXES] = {
	[COMPANY_A] = {"event mix of company A, 1,689 a second",
		       "… company A with `--no-udp`: TCP as where fentry loads",
		       {"≤ 0.05 % of the machine (stretch 0.03 %)", 0.05, 0.03, false}},
	[COMPANY_B] = {"event mix of company B, 5,670 a second",
		       "… company B with `--no-udp`",
		       {"≤ 0.15 % of the machine (stretch 0.1 %)", 0.15, 0.1, false}},
};

struct figures {
	double agent[ROUNDS_MAX], hooks[ROUNDS_MAX], clock[ROUNDS_MAX]; /* ns a second */
	double made[ROUNDS_MAX];                                        /* events a second */
	size_t count;
};

struct measure {
	const struct bench *bench;
	struct mix mix;
	struct observer observer;
	struct figures figures[MIXES];
	struct kernel_side from, to; /* of the last slice that was timed */
};

/* Per second of a slice: agent and hooks in ns, runs of hooks, events. */
struct slice {
	double agent, hooks, runs, made;
	double clock; /* what taking run times cost, in ns */
};

static unsigned int slice_us(const struct measure *m)
{
	return bench_amount(m->bench, 3, 1) * 1000000;
}

static struct slice slice_run(struct measure *m)
{
	uint64_t begin = clock_ns(), agent = observer_cpu_ns(&m->observer);
	struct mix_rates before = mix_made(&m->mix), after;
	double seconds;

	kernel_side_read(&m->from, m->observer.pid);
	pause_us(slice_us(m) - (unsigned int)((clock_ns() - begin) / 1000));
	agent = observer_cpu_ns(&m->observer) - agent;
	seconds = (double)(clock_ns() - begin) / 1e9;
	kernel_side_read(&m->to, m->observer.pid);
	after = mix_made(&m->mix);
	return (struct slice){
		.agent = (double)agent / seconds,
		.hooks = (double)kernel_side_hooks_ns(&m->from, &m->to) / seconds,
		.runs = (double)kernel_side_hooks_runs(&m->from, &m->to) / seconds,
		.made = (mix_sum(&after) - mix_sum(&before)) / seconds,
	};
}

/* The agent from a slice in which the kernel takes no run times, its hooks from one in which it
 * does, less what that alone costs. */
static struct slice rates_run(struct measure *m, const struct mix_rates *rates)
{
	struct slice plain, timed;
	double empty;
	int stats;

	mix_set(&m->mix, rates);
	pause_us(SETTLE_US);
	plain = slice_run(m);
	stats = kernel_stats_on();
	timed = slice_run(m);
	empty = kernel_stats_empty_ns();
	close(stats);
	plain.clock = timed.runs * empty;
	plain.hooks = timed.hooks - plain.clock;
	return plain;
}

static void round_run(struct measure *m)
{
	for (int mix = 0; mix < MIXES; mix++) {
		struct slice s = rates_run(m, &mix_rates[mix]);
		struct figures *f = &m->figures[mix];

		f->agent[f->count] = s.agent;
		f->hooks[f->count] = s.hooks;
		f->clock[f->count] = s.clock;
		f->made[f->count++] = s.made;
	}
}

static double share(const struct measure *m, double ns_a_second)
{
	return 100 * ns_a_second / 1e9 / observer_cpus(&m->observer);
}

static void mix_report(struct measure *m, int mix, bool without_packets)
{
	const struct mix_name *name = &mix_names[mix];
	struct figures *f = &m->figures[mix], *rest = &m->figures[REST];
	double agent = share(m, stats_median(f->agent, f->count)),
	       hooks = share(m, stats_median(f->hooks, f->count)),
	       made = stats_median(f->made, f->count), asked = mix_sum(&mix_rates[mix]);

	if (made < ENOUGH * asked)
		report_note("only %.0f of %.0f events a second were made: this machine is busy",
			    made, asked);
	report_row(without_packets ? name->without_packets : name->plain, &name->promise,
		   agent + hooks,
		   "%.4f %% of the machine (agent %.4f %%, hooks %.4f %%), %.0f events a second",
		   agent + hooks, agent, hooks, made);
	report_note("median of %zu slices; at rest agent %.4f %%, hooks %.4f %%; taking run times "
		    "cost %.4f %%, which is not in them",
		    f->count, share(m, stats_median(rest->agent, rest->count)),
		    share(m, stats_median(rest->hooks, rest->count)),
		    share(m, stats_median(f->clock, f->count)));
}

static void mixes_measure(struct measure *m, bool without_packets)
{
	unsigned int rounds = bench_amount(m->bench, 5, 2);

	memset(m->figures, 0, sizeof(m->figures));
	for (unsigned int i = 0; i < rounds; i++)
		round_run(m);
	for (int mix = COMPANY_A; mix < MIXES; mix++)
		mix_report(m, mix, without_packets);
}

static void kinds_measure(struct measure *m)
{
	static const struct {
		const char *name;
		enum mix_kind kind;
		double rate;
	} kinds[] = {
		{"one event: TCP, a socket opens or closes", MIX_TCP, 4000},
		{"one event: UDP, a socket asks and is answered", MIX_UDP, 1000},
		{"one event: NAT, a translated connection, both ends", MIX_NAT, 500},
		{"one event: process, a start or an exit", MIX_PROCESS, 1000},
		{"one event: DNS, query and answer, both ends", MIX_DNS, 500},
	};
	struct slice rest = rates_run(m, &mix_rates[REST]);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct mix_rates rates = {0};
		struct slice s;

		rates.each[kinds[i].kind] = kinds[i].rate;
		s = rates_run(m, &rates);
		report_row(kinds[i].name, NULL, 0, "agent %.2f µs, hooks %.2f µs",
			   (s.agent - rest.agent) / 1e3 / s.made,
			   (s.hooks - rest.hooks) / 1e3 / s.made);
		kernel_side_note(&m->from, &m->to, s.made * slice_us(m) / 1e6, "event");
	}
}

/* The mix is there before the agent: its namespace is known, its servers are adopted. */
void line_mix(const struct bench *b)
{
	static const char *const no_udp[] = {"--no-udp", NULL};
	static struct measure m;
	bool packets;

	m.bench = b;
	mix_start(&m.mix, b);
	observer_start(&m.observer, b, &m.mix.place, NULL);
	mixes_measure(&m, false);
	kinds_measure(&m);
	packets = observer_filters_packets(&m.observer);
	observer_stop(&m.observer);
	if (packets && !b->with) {
		observer_start(&m.observer, b, &m.mix.place, no_udp);
		mixes_measure(&m, true);
		observer_stop(&m.observer);
	}
	mix_stop(&m.mix);
}
