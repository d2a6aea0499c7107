/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server has been told of this agent, to be told again when it has forgotten: what handles
 * mean, what addresses are called, who listens, which addresses are the machine's, and the head of
 * the last batch.
 *
 * A batch's definitions are added when it is frozen, what it retires goes when it is over: while it
 * is in doubt its own handles still mean something. To say a definition early does no harm.
 *
 * Limits: see told.c; of names the one told longest ago goes first.
 */
#pragma once

#include <stdint.h>

#include "wire/batch.h"
#include "wire/definitions.h"

struct told {
	struct definitions *definitions;
	struct lru *names;       /* told_names.h */
	struct wire_batch *last; /* head, listeners and covers, as last told */
};

int told_init(struct told *t); /* -ENOMEM */
void told_done(struct told *t);

/* -ENOMEM: some of it is not kept; the server will refuse, and count, what it does not know. */
int told_add(struct told *t, const struct wire_batch *b);
void told_retire(struct told *t, const uint32_t *flows, size_t flow_count, const uint32_t *actors,
		 size_t actor_count);

/* A batch of definitions, returned owned; NULL: no memory. */
struct wire_batch *told_describe(const struct told *t, uint64_t sequence);
