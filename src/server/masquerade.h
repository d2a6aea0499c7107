/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients whose address is replaced on the way: their agent says A ─► S, the server's BOX ─► S, and
 * nothing mirrors either. Part of a plan; one question long.
 *
 *     BOX is a machine with an agent     its clients of S that nobody else mirrors are behind it
 *     nobody's machine                   all such clients of S together may be behind it, whatever
 *                                        machine they are on; what BOX has beyond them is its own
 *
 * What is beyond is taken flow by flow, counter by counter: never negative, and nothing at all when
 * no connection remains. Which of several unknown addresses the box is nobody can tell: the one
 * whose bytes come closest to what is missing is taken first, then the next. The sum over all of
 * them is right whichever it was.
 *
 * Limits: what remains has counters and gauges, no histograms. A client's flow that its server's
 * agent has lost (a coarse flow) looks like one behind a box.
 */
#pragma once

#include "base/vector.h"
#include "server/plan.h"

/* Clients of one server's address and port, of one machine. */
struct masked {
	uint8_t address[16];
	uint16_t port;
	uint8_t transport;
	bool any;       /* of all machines together; machine is not used */
	bool several;   /* of several buckets */
	bool explained; /* a flow that comes from their own machine is theirs */
	uint32_t machine, bucket;
	uint32_t next; /* any: place + 1 of the first machine's; else of the next machine's; 0: none
			*/
	uint64_t counter[MR_COUNTER_COUNT];
	int64_t active, pending;
};

struct masquerade {
	struct core *core; /* borrowed */
	struct vector masked;
	struct hashindex by_place;
};

void masquerade_begin(struct masquerade *m, struct core *c, struct arena *arena);
void masquerade_done(struct masquerade *m);

/* A client's flow that counts into a bucket (PLAN_NONE: is filtered away). Only one that nothing
 * mirrors is taken note of, and whose server another agent sees. -ENOMEM. */
int masquerade_client(struct masquerade *m, uint32_t flow, const struct ends *ends,
		      uint32_t bucket);

/* The clients on a machine that a server's flow may be of; NULL: none. */
struct masked *masquerade_of(struct masquerade *m, const struct flow_id *server, uint32_t machine);

/* The machine, other than its own, that has the client's address. */
bool masquerade_home(const struct masquerade *m, const struct flow_id *server, uint32_t *ret);

/* What remains of servers' flows from nobody's addresses (flows, reordered) when all that others
 * explain is taken from them. ret[i]: of flows[i]; kept NULL: it is its own as it is. -ENOMEM. */
struct unmasked {
	uint32_t flow;
	const struct plan_kept *kept; /* in the arena */
	bool nothing;                 /* all of it is explained */
	uint32_t bucket;              /* then: whose second view it is; PLAN_NONE: nobody's alone */
};
int masquerade_settle(struct masquerade *m, struct vector *flows, struct arena *arena);
