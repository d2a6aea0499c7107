/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep over live sockets: its time a window when it may visit all of them, and whether the
 * agent keeps to its CPU budget where that is more than it may use, by outside measure and by its
 * own.
 */
#include <stdio.h>

#include "../tests/live/run.h"
#include "holder.h"
#include "observer.h"
#include "report.h"

#define SLOTS "262144"

struct spent {
	struct observer_account account;
	double seconds, outside_ns;
};

static struct spent measure(const struct observer *o, unsigned int seconds)
{
	struct observer_account a = observer_account(o), *d;
	uint64_t begin = clock_ns(), cpu = observer_cpu_ns(o);
	struct spent s;

	pause_us(seconds * 1000000u);
	s.outside_ns = (double)(observer_cpu_ns(o) - cpu);
	s.seconds = (double)(clock_ns() - begin) / 1e9;
	s.account = observer_account(o);
	d = &s.account;
	d->agent_ns -= a.agent_ns;
	d->sweep_ns -= a.sweep_ns;
	d->swept -= a.swept;
	d->batches -= a.batches;
	return s;
}

static void full_sweep(const struct bench *b, unsigned int sockets, unsigned int active)
{
	static const char *const options[] = {"--slots", SLOTS, "--cpu-budget", "50", NULL};
	struct observer o;
	struct holder h;
	struct spent s;
	char what[128];

	holder_start(&h, b, sockets, active);
	observer_start(&o, b, &h.place, options);
	pause_us(3000000);
	s = measure(&o, bench_amount(b, 10, 4));
	snprintf(what, sizeof(what), "sweep of all: %u live sockets, %s", sockets,
		 active ? "10 % active" : "idle");
	report_row(what, NULL, 0, "%.0f µs a window, %.0f ns a socket, %.0f visited",
		   s.account.sweep_ns / s.account.batches / 1e3,
		   s.account.sweep_ns / s.account.swept, s.account.swept / s.account.batches);
	report_note("agent in all: %.0f us a window", s.outside_ns / s.account.batches / 1e3);
	observer_stop(&o);
	holder_stop(&h);
}

/* In the default budget, after it has found its pace. */
static void budget(const struct bench *b, unsigned int sockets)
{
	static const struct promise promise = {"≤ 0.12 % of the machine (0.1 + 20 %)", 0.12, 0.1,
					       false},
				    honest = {"0.8 to 1.2", 0.2, 0.05, false};
	static const char *const options[] = {"--slots", SLOTS, NULL};
	double cpus, share, own;
	struct observer o;
	struct holder h;
	struct spent s;
	char what[128];

	holder_start(&h, b, sockets, 10);
	observer_start(&o, b, &h.place, options);
	pause_us(bench_amount(b, 60, 15) * 1000000u);
	s = measure(&o, bench_amount(b, 30, 10));
	cpus = observer_cpus(&o);
	share = 100 * s.outside_ns / (s.seconds * 1e9 * cpus);
	own = s.account.agent_ns / s.outside_ns;
	snprintf(what, sizeof(what), "CPU budget of 0.1 %%: %u live sockets, 10 %% active",
		 sockets);
	report_row(what, &promise, share,
		   "%.3f %% of the machine; each socket visited every %.1f s, windows of %.1f s",
		   share, sockets * s.seconds / s.account.swept, s.seconds / s.account.batches);
	report_row("… what the agent says it used : what it used", &honest,
		   own > 1 ? own - 1 : 1 - own, "%.2f", own);
	observer_stop(&o);
	holder_stop(&h);
}

void line_sweep(const struct bench *b)
{
	static const unsigned int sockets[] = {10000, 100000};

	for (int i = 0; i < 2; i++) {
		full_sweep(b, sockets[i], 0);
		full_sweep(b, sockets[i], 10);
	}
	for (int i = 0; i < 2; i++)
		budget(b, sockets[i]);
}
