/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests a second with and without millrace, in turns of a tenth of a second.
 *
 * Two equal loads, each in its cgroup; one stands still (cgroup.freeze) while the other works.
 * millrace observes one of them, and is stopped (SIGSTOP) while the other works: so all of its
 * windows' work falls into the slices that count as "with", more of it than it would be. Who is
 * observed changes sides from block to block (statistics.h).
 */
#include <math.h>
#include <string.h>

#include "../tests/live/run.h"
#include "load.h"
#include "observer.h"
#include "report.h"
#include "statistics.h"

#define BLOCKS     4
#define SLICE_US   100000
#define WARM_US    10000
#define SLICES_MAX 400

/* ln with - ln without, of each pair of slices; by who was observed. */
struct sides {
	double difference[2][SLICES_MAX];
	size_t count[2];
};

/* Requests a second; and a second of CPU, which tells the same on a machine where others run. */
enum measure { BY_TIME, BY_CPU, MEASURES };

struct moment {
	uint64_t ns, cpu_ns, requests;
};

static struct moment moment(struct load *l, const struct observer *with)
{
	return (struct moment){.requests = load_requests(l),
			       .ns = clock_ns(),
			       .cpu_ns = load_cpu_ns(l) + (with ? observer_cpu_ns(with) : 0)};
}

static void slice(struct load *l, const struct observer *with, double ret_rate[MEASURES])
{
	struct moment begin, end;

	place_freeze(&l->place, false);
	pause_us(WARM_US);
	begin = moment(l, with);
	if (with)
		observer_pause(with, false);
	pause_us(SLICE_US);
	end = moment(l, with);
	if (with)
		observer_pause(with, true);
	place_freeze(&l->place, true);
	ret_rate[BY_TIME] = (double)(end.requests - begin.requests) / (double)(end.ns - begin.ns);
	ret_rate[BY_CPU] =
		(double)(end.requests - begin.requests) / (double)(end.cpu_ns - begin.cpu_ns);
}

static void slices(struct load load[2], int seen, const struct observer *o, size_t pairs,
		   struct sides s[MEASURES])
{
	for (size_t i = 0; i < pairs; i++) {
		double rate[2][MEASURES];

		for (int turn = 0; turn < 2; turn++) {
			int with = turn ^ (int)(i % 2);

			slice(&load[with ? seen : !seen], with ? o : NULL, rate[with]);
		}
		for (int m = 0; m < MEASURES; m++)
			s[m].difference[seen][s[m].count[seen]++] =
				log(rate[1][m]) - log(rate[0][m]);
	}
}

static void block(const struct bench *b, struct load load[2], int seen, size_t pairs,
		  struct sides s[MEASURES])
{
	struct observer o;

	place_freeze(&load[0].place, false);
	place_freeze(&load[1].place, false);
	observer_start(&o, b, &load[seen].place, NULL);
	pause_us(2000000);
	observer_pause(&o, true);
	place_freeze(&load[0].place, true);
	place_freeze(&load[1].place, true);
	slices(load, seen, &o, pairs, s);
	observer_stop(&o);
}

static void measure_load(const struct bench *b, enum load_kind kind, const char *const what[])
{
	static const struct promise promise = {"lower bound ≥ 0.99 (stretch 0.999)", 0.99, 0.999,
					       true};
	size_t pairs = bench_amount(b, 100, 15);
	static struct sides s[MEASURES];
	struct load load[2];

	memset(s, 0, sizeof(s));
	load_start(&load[0], b, kind, "throughput-0");
	load_start(&load[1], b, kind, "throughput-1");
	for (int n = 0; n < BLOCKS; n++)
		block(b, load, n % 2, pairs, s);
	for (int m = 0; m < MEASURES; m++) {
		struct sides *of = &s[m];
		struct interval i = stats_exp(stats_crossed(of->difference[0], of->count[0],
							    of->difference[1], of->count[1]));

		report_row(what[m], &promise, i.low,
			   "with : without = %.4f, 95 %% interval %.4f to %.4f, of %zu pairs",
			   i.middle, i.low, i.high, of->count[0] + of->count[1]);
		report_note("nothing trimmed: %.4f", i.plain);
	}
	load_stop(&load[0]);
	load_stop(&load[1]);
}

void line_throughput(const struct bench *b)
{
	static const char *const nginx[] = {
		"throughput: wrk on nginx, keep-alive, requests a second",
		"… requests a second of CPU, the agent's included"};
	static const char *const redis[] = {"throughput: redis-benchmark, requests a second",
					    "… requests a second of CPU, the agent's included"};

	measure_load(b, LOAD_NGINX, nginx);
	measure_load(b, LOAD_REDIS, redis);
}
