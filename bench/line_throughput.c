/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests a second with and without millrace, in turns of a fifth of a second.
 *
 * Two equal loads, each in its cgroup; one stands still (cgroup.freeze) while the other works.
 * millrace observes one of them, and is stopped (SIGSTOP) while the other works: so all of its
 * windows' work falls into the slices that count as "with", more of it than it would be. Who is
 * observed changes sides from block to block (statistics.h).
 */
#include <math.h>
#include <stdlib.h>

#include "../tests/live/run.h"
#include "load.h"
#include "observer.h"
#include "report.h"
#include "statistics.h"

#define BLOCKS     4
#define SLICE_US   200000
#define WARM_US    10000
#define SLICES_MAX 400

struct sides {
	double difference[2][SLICES_MAX]; /* ln with - ln without; by who was observed */
	size_t count[2];
};

static double requests_a_second(struct load *l, const struct observer *o, bool with)
{
	uint64_t begin, end, first, last;

	place_freeze(&l->place, false);
	pause_us(WARM_US);
	first = load_requests(l);
	begin = clock_ns();
	if (with)
		observer_pause(o, false);
	pause_us(SLICE_US);
	last = load_requests(l);
	end = clock_ns();
	if (with)
		observer_pause(o, true);
	place_freeze(&l->place, true);
	return (double)(last - first) * 1e9 / (double)(end - begin);
}

static void block(const struct bench *b, struct load load[2], int seen, size_t pairs,
		  struct sides *s)
{
	struct observer o;

	place_freeze(&load[0].place, false);
	place_freeze(&load[1].place, false);
	observer_start(&o, b, &load[seen].place, NULL);
	pause_us(2000000);
	observer_pause(&o, true);
	place_freeze(&load[0].place, true);
	place_freeze(&load[1].place, true);
	for (size_t i = 0; i < pairs; i++) {
		double rate[2];

		for (int turn = 0; turn < 2; turn++) {
			int with = turn ^ (int)(i % 2);

			rate[with] = requests_a_second(&load[with ? seen : !seen], &o, with);
		}
		s->difference[seen][s->count[seen]++] = log(rate[1]) - log(rate[0]);
	}
	observer_stop(&o);
}

static void measure_load(const struct bench *b, enum load_kind kind, const char *what)
{
	static const struct promise promise = {"lower bound ≥ 0.99 (stretch 0.999)", 0.99, 0.999,
					       true};
	size_t pairs = bench_amount(b, 60, 10);
	static struct sides s;
	struct load load[2];
	struct interval i;

	s = (struct sides){0};
	load_start(&load[0], b, kind, "throughput-0");
	load_start(&load[1], b, kind, "throughput-1");
	for (int n = 0; n < BLOCKS; n++)
		block(b, load, n % 2, pairs, &s);
	i = stats_exp(stats_crossed(s.difference[0], s.count[0], s.difference[1], s.count[1]));
	report_row(what, &promise, i.low,
		   "with : without = %.4f, 95 %% interval %.4f to %.4f, of %zu pairs of slices",
		   i.middle, i.low, i.high, s.count[0] + s.count[1]);
	report_note("nothing trimmed: %.4f", i.plain);
	load_stop(&load[0]);
	load_stop(&load[1]);
}

void line_throughput(const struct bench *b)
{
	measure_load(b, LOAD_NGINX, "throughput: wrk on nginx, keep-alive");
	measure_load(b, LOAD_REDIS, "throughput: redis-benchmark");
}
