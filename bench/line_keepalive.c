/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What millrace takes while real programs keep both CPUs busy over connections that stay open: CPU
 * of its process, sweep included, and run time of its hooks, as a share of the busy CPU.
 *
 * The hooks' time comes from the kernel (kernel_side.h) in a second half of the run, since taking
 * it taxes them; what the agent says of itself is held against both.
 */
#include <string.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "cli/field.h"
#include "kernel_side.h"
#include "load.h"
#include "observer.h"
#include "report.h"

struct figures {
	double seconds, busy_ns, agent_ns, hooks_ns;
	struct observer_account account;
	struct kernel_side from, to;
};

/* Busy: the load and millrace; nothing else should run, and if it does it is not counted. */
static struct figures measure(const struct observer *o, const struct load *l, unsigned int seconds)
{
	struct observer_account before = observer_account(o);
	uint64_t begin = clock_ns(), load = place_cpu_ns(&l->place), agent = observer_cpu_ns(o);
	struct figures f;

	kernel_side_read(&f.from, o->pid);
	pause_us(seconds * 1000000u);
	kernel_side_read(&f.to, o->pid);
	f.agent_ns = (double)(observer_cpu_ns(o) - agent);
	f.busy_ns = (double)(place_cpu_ns(&l->place) - load) + f.agent_ns;
	f.seconds = (double)(clock_ns() - begin) / 1e9;
	f.hooks_ns = (double)kernel_side_hooks_ns(&f.from, &f.to);
	f.account = observer_account(o);
	f.account.agent_ns -= before.agent_ns;
	f.account.kernel_ns -= before.kernel_ns;
	return f;
}

static void measure_load(const struct bench *b, enum load_kind kind, const char *what,
			 const char *const *options)
{
	static const struct promise promise = {"≤ 0.1 % (stretch 0.02 %)", 0.1, 0.02, false};
	unsigned int seconds = bench_amount(b, 30, 5);
	static struct figures plain, timed;
	struct observer o;
	struct load l;
	double share;
	int stats;

	load_start(&l, b, kind, "keepalive");
	observer_start(&o, b, &l.place, options);
	pause_us(3000000); /* past its first windows, which name who is there */
	plain = measure(&o, &l, seconds);
	stats = kernel_stats_on();
	timed = measure(&o, &l, seconds / 2);
	close(stats);
	share = 100 * (plain.agent_ns / plain.busy_ns + timed.hooks_ns / timed.busy_ns);
	report_row(what, &promise, share, "%.4f %% of the busy CPU (agent %.4f %%, hooks %.4f %%)",
		   share, 100 * plain.agent_ns / plain.busy_ns,
		   100 * timed.hooks_ns / timed.busy_ns);
	report_note(
		"busy: %.2f CPUs; agent: %.0f us a second from outside, %.0f by its own account; "
		"hooks: %.1f us a second, %.1f by its own",
		plain.busy_ns / plain.seconds / 1e9, plain.agent_ns / plain.seconds / 1e3,
		plain.account.agent_ns / plain.seconds / 1e3, timed.hooks_ns / timed.seconds / 1e3,
		plain.account.kernel_ns / plain.seconds / 1e3);
	kernel_side_note(&timed.from, &timed.to, timed.seconds, "second");
	observer_stop(&o);
	load_stop(&l);
}

static bool filters_packets(const struct bench *b)
{
	struct observer o;
	struct place p;
	bool is;

	place_make(&p, b, "hooks");
	observer_start(&o, b, &p, NULL);
	is = observer_filters_packets(&o);
	observer_stop(&o);
	place_remove(&p);
	return is;
}

void line_keepalive(const struct bench *b)
{
	static const char *const tcp_only[] = {"--no-udp", NULL};

	measure_load(b, LOAD_NGINX, "keep-alive load: wrk on nginx", NULL);
	measure_load(b, LOAD_REDIS, "keep-alive load: redis-benchmark", NULL);
	if (!b->with && filters_packets(b)) {
		measure_load(b, LOAD_NGINX,
			     "… nginx with `--no-udp`, which is as where fentry loads", tcp_only);
		measure_load(b, LOAD_REDIS, "… redis with `--no-udp`", tcp_only);
	}
}
