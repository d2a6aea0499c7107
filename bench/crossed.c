/* SPDX-License-Identifier: Apache-2.0 */
#include "crossed.h"

#include <string.h>

#include "observer.h"

#define WARM_UP 10

static void measure(struct crossed *c, struct pair pair[2], int seen, size_t pairs, uint32_t turns)
{
	for (size_t i = 0; i < pairs; i++) {
		double us[2];

		for (int turn = 0; turn < 2; turn++) {
			int with = turn ^ (int)(i % 2);

			us[with] = pair_slice(&pair[with ? seen : !seen], turns);
		}
		c->without[c->count[0] + c->count[1]] = us[0];
		c->added[seen][c->count[seen]++] = us[1] - us[0];
	}
}

static void block(struct crossed *c, const struct bench *b, struct pair pair[2], int seen,
		  size_t pairs, uint32_t turns)
{
	struct observer o;
	uint64_t agent;

	observer_start(&o, b, &pair[seen].place, NULL);
	for (int i = 0; i < WARM_UP; i++) {
		pair_slice(&pair[0], turns);
		pair_slice(&pair[1], turns);
	}
	agent = observer_cpu_ns(&o);
	measure(c, pair, seen, pairs, turns);
	c->agent_us += (double)(observer_cpu_ns(&o) - agent) / 1e3 / turns / (double)pairs /
		       CROSSED_BLOCKS;
	observer_stop(&o);
}

void crossed_run(struct crossed *c, const struct bench *b, struct pair pair[2], size_t pairs,
		 uint32_t turns)
{
	memset(c, 0, sizeof(*c));
	for (int i = 0; i < CROSSED_BLOCKS; i++)
		block(c, b, pair, i % 2, pairs, turns);
}

struct interval crossed_added(struct crossed *c)
{
	return stats_crossed(c->added[0], c->count[0], c->added[1], c->count[1]);
}

double crossed_without(struct crossed *c)
{
	return stats_median(c->without, crossed_pairs(c));
}

size_t crossed_pairs(const struct crossed *c)
{
	return c->count[0] + c->count[1];
}
