/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What millrace adds to the work of a pair: two pairs do the same in two cgroups, of which it
 * observes one; slices of a few milliseconds alternate between them and are compared with their
 * neighbours. Who is observed changes sides from block to block (statistics.h).
 */
#pragma once

#include "pair.h"
#include "statistics.h"

#define CROSSED_BLOCKS    8
#define CROSSED_PAIRS_MAX 4000 /* of slices, for each of the two as the observed one */

struct crossed {
	double added[2][CROSSED_PAIRS_MAX], without[2 * CROSSED_PAIRS_MAX]; /* µs a turn */
	size_t count[2];
	double agent_us; /* CPU of the agent, a turn it saw */
};

/* pairs of slices in each block, each slice of so many turns. */
void crossed_run(struct crossed *c, const struct bench *b, struct pair pair[2], size_t pairs,
		 uint32_t turns);
struct interval crossed_added(struct crossed *c);
double crossed_without(struct crossed *c); /* the median */
size_t crossed_pairs(const struct crossed *c);
