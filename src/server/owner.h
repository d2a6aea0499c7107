/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose figures count where several agents report the same: which part of a flow's windows is its
 * own, stands in for another's, or is told by another already.
 *
 *     two agents of one machine see the same sockets   the one that sees more of it counts; the
 *     (--cgroup)                                       other where that one has a gap
 *     a server's flow whose client's agent …
 *         has a window for that time                   as the plan says: second view, as a rule
 *         has not told that time yet                   likewise; held back if nothing mirrors it
 *                                                      so far, since its mirror may be on the way
 *         has a gap there                              counts alone
 *         has a gap, and may yet come back             counts alone, provisionally
 *
 * All of it is asked anew for each answer, so a late report needs nothing undone.
 *
 * Limit: of more than three agents that see the same socket some count twice in the others' gaps,
 * and of more than two that see the client's the others' gaps are not known.
 */
#pragma once

#include "server/flow.h"
#include "server/fold.h"

#define OWNER_NONE   UINT32_MAX
#define OWNER_AGENTS 2

struct core;

struct owner {
	uint32_t asked; /* the question for which this was found out */
	/* from the first on; the rest is OWNER_NONE */
	uint32_t twins[OWNER_AGENTS];   /* agents that see the same and go first */
	uint32_t clients[OWNER_AGENTS]; /* of a server's flow: agents that see the client's end */
	bool mirrored;                  /* its flow is known */
};

struct owners {
	struct owner *flows; /* by flow; owned */
	size_t capacity;
	uint32_t question;
	uint64_t now_ns;
};

void owners_done(struct owners *o); /* accepts an all-zero one */

/* A new question, at this wall clock. -ENOMEM. */
int owners_begin(struct core *c, uint64_t now_ns);

/* What a flow's row in a window counts as; a fold_part_fn, userdata is the core. */
enum fold_part owner_part(void *userdata, const struct window *w, uint32_t flow,
			  bool *ret_provisional);

/* Likewise what of it is open at an instant: usual, alone, or nowhere. */
enum fold_part owner_gauges(struct core *c, uint32_t flow, uint64_t at_ns, bool *ret_provisional);
