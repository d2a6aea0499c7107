/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent's life made up from a seed, and a book that a receiver keeps of it. Tests only.
 *
 * Batches of a life are such as an agent sends: handles that mean one thing, defined before they
 * are used, retired when they are idle; any sums, also negative ones.
 *
 * The book knows flows by what they are, not by their handles: two books are equal when the same
 * was told, in however many batches.
 */
#pragma once

#include <stdbool.h>

#include "base/lru.h"
#include "wire/batch.h"

#define LIFE_FLOWS  200
#define LIFE_ACTORS 40

struct life {
	uint64_t random, now_ns;
	uint32_t flow_handles, actor_handles; /* given so far */
	uint64_t sequence;
	struct wire_flow flows[LIFE_FLOWS]; /* handle 0: none */
	uint32_t actors[LIFE_ACTORS];
	bool actor_defined[LIFE_ACTORS];
	uint32_t moving, churn; /* of 100 flows, each window */
};

void life_init(struct life *l, uint64_t seed);
uint64_t life_random(struct life *l);
struct wire_batch *life_window(struct life *l); /* never NULL */

struct book {
	struct lru *flows, *actors; /* by handle, what they are */
	struct lru *sums;           /* by what a flow is */
	struct lru *kinds;          /* the same without what a coarse flow does not know */
	struct lru *names;
	uint64_t events, updates, unknown; /* unknown: named by a handle that was not */
	uint64_t windows, window_end_ns;
	uint32_t listeners, covers;
	uint64_t sweep_ns;
};

void book_init(struct book *b);
void book_done(struct book *b);
void book_forget_handles(struct book *b);
void book_add(struct book *b, const struct wire_batch *batch);
/* What is not the same in them; NULL: all is. coarse: only what coarse flows know. */
const char *book_difference(const struct book *a, const struct book *b, bool coarse);
