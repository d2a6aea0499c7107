/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of agents on other machines: each is taken once, however often it comes.
 *
 *     batch, hash of its bytes ─► whose life, which sequence ─► core_ingest ─► store ─► done
 *
 * An agent has one batch in doubt and sends the same bytes until it hears that they are durable.
 * So a sequence that is known means: the same bytes, then it was taken (or is about to be durable),
 * or other bytes, which are refused. Handles are known for one sequence to come: the one after the
 * last taken, or the one that definitions were sent for. Anything else is asked for definitions
 * first (-ENOKEY); nothing of it is taken.
 *
 * Sans I/O: the clock is given, the store is behind a function pointer. Everything happens in the
 * loop's thread. Limit: INTAKE_WAITERS_MAX that wait for the store.
 */
#pragma once

#include <stdint.h>

#include "server/query.h"

#define INTAKE_HASH_SIZE   16
#define INTAKE_WAITERS_MAX 4096

/* What became of batches, since the server started; the API shows them under these names. */
#define INTAKE_COUNTERS(X)                                                                         \
	X(TAKEN, "taken", "batches of agents elsewhere that were taken in")                        \
	X(DEFINITIONS, "definitions", "times an agent said again what its handles mean")           \
	X(REPEATED, "repeated", "batches that came again as they were: answered, counted once")    \
	X(ASKED, "asked_definitions", "batches whose handles were not known: asked for")           \
	X(OTHER_BODY, "refused_other_body", "a sequence that was taken with other bytes")          \
	X(SENSELESS, "refused_senseless", "batches that make no sense as a whole")                 \
	X(NAME_TAKEN, "refused_node_taken", "a node's name that another live machine has")         \
	X(STALE, "refused_stale", "batches of an agent whose newer life reports already")          \
	X(AGENTS_FULL, "refused_agents_full", "one agent too many")                                \
	X(NOT_DURABLE, "refused_not_durable", "could not be made durable then: comes again")       \
	X(BAD_HEADER, "refused_header", "requests without the agent's clock")                      \
	X(NO_BATCH, "refused_no_batch", "bodies that are no batch, or damaged")                    \
	X(OTHER_SCHEMA, "refused_schema", "bodies of another version of the schema")               \
	X(TOO_LARGE, "refused_too_large", "bodies that say more than one batch may")               \
	X(ANSWERS, "answers", "answers of agents to what was asked of them")                       \
	X(BAD_ANSWERS, "refused_answers", "bodies that are no answer, or to nothing asked")

#define INTAKE_ENUM(id, name, help) INTAKE_##id,
enum intake_counter { INTAKE_COUNTERS(INTAKE_ENUM) INTAKE_COUNTER_COUNT };

/* r: 0: durable; negative: not now (-ENOSPC, -EIO …), send it again. */
typedef void (*intake_done_fn)(void *userdata, int r);

struct reporter;

/* Where taken batches become durable. */
struct intake_store {
	/* 0, or why nothing could be made durable now (-ENOSPC, -EAGAIN): then nothing is taken. */
	int (*ready)(void *userdata);
	/* The core has just taken b in, of this reporter; both borrowed for the call. Once all up
	 * to here is durable the store says intake_durable(ticket), from the loop's thread, perhaps
	 * at once. What it cannot write it keeps, and tries again. */
	void (*persist)(void *userdata, const struct reporter *r, const struct wire_batch *b,
			uint64_t ticket);
	void *userdata;
};

struct intake_waiter {
	uint64_t ticket;
	intake_done_fn done;
	void *userdata;
};

struct intake {
	struct core *core;                /* borrowed */
	const struct intake_store *store; /* borrowed; NULL: memory is all there is */
	uint64_t ticket, durable_ticket;  /* of the last batch taken; up to which all is durable */
	struct intake_waiter *waiters;    /* owned; by ticket */
	size_t waiter_count, waiter_capacity;
	uint64_t count[INTAKE_COUNTER_COUNT];
};

void intake_init(struct intake *in, struct core *core, const struct intake_store *store);
void intake_done(struct intake *in); /* waiters are forgotten, not called */

/*
 * Takes a batch in; borrows it. hash: of its bytes as they came. b->sent_ns is the agent's clock
 * when it sent them this time; now_ns: wall clock of receipt.
 *
 * 0: done is or will be called, perhaps before this returns. Else nothing was taken and done is not
 * called; all are counted:
 * -ENOKEY: its handles are not known here. -EBADE: its sequence was taken with other bytes.
 * -EINVAL: makes no sense. -EADDRINUSE: its node's name is another live machine's. -ESTALE: of an
 * earlier life. -EUSERS: one agent too many. -EAGAIN: cannot be made durable, or no memory, now.
 */
int intake_take(struct intake *in, const struct wire_batch *b, const uint8_t hash[INTAKE_HASH_SIZE],
		uint64_t now_ns, intake_done_fn done, void *userdata);

/* From the store: all up to this ticket is durable (0), or could not be made so now. */
void intake_durable(struct intake *in, uint64_t ticket, int r);

/* The header with the agent's clock: decimal digits, nothing else. -EINVAL. NULL: there is none. */
int intake_parse_now(const char *text, uint64_t *ret_ns);

/* The index of the agent that this batch is, or would be, of; UINT32_MAX: one too many. */
uint32_t intake_agent(const struct intake *in, const struct wire_batch *b);

const char *intake_counter_name(unsigned int counter);
