/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an uplink sends next, and what an answer to it means: without a thread, a socket or a clock.
 *
 *     window ─► frozen at once, if nothing else is          frozen ─► sent, the same bytes, until
 * it is └► merged into the one that is pending                   known to be taken, or refused
 *
 * One batch is in doubt at a time. It has a sequence, from 1 without gaps, and its bytes never
 * change; all that comes meanwhile becomes one more batch. So a server that keeps the last sequence
 * beside the data counts everything once, and an outage costs resolution in time and no bytes.
 *
 *     200, 204            taken: the next one; a 200 brings requests
 *     409                 handles are not known there: definitions, then the same bytes
 *     400, 413, 422       refused for good: its rows are counted as lost, definitions come before
 *                         the next one
 *     anything else       the same bytes again, later (backoff.h)
 *
 * Limits: one frozen batch of the size that servers take (4 MB, else it counts as refused), one
 * pending (merge.h), what handles mean (told.h), UPLINK_ANSWERS_MAX answers of ten seconds' age.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/batch.h"
#include "wire/exchange.h"

#define UPLINK_ANSWERS_MAX 8

struct uplink_state;

enum uplink_kind { UPLINK_BATCH, UPLINK_DEFINITIONS, UPLINK_ANSWER, UPLINK_KIND_COUNT };

/* To be sent now. */
struct uplink_post {
	enum uplink_kind kind;
	const uint8_t *data; /* borrowed until its result is told */
	size_t size;
	uint64_t clock_ns; /* for the header: now, as the batch's own clock would have it */
};

/* What became of it. */
struct uplink_result {
	int status;          /* of HTTP; 0: no answer came */
	uint64_t again_ns;   /* after which the server wants to be asked again; 0: not said */
	const uint8_t *data; /* borrowed; the answer's body */
	size_t size;
};

struct uplink_time {
	uint64_t now_ns;       /* CLOCK_MONOTONIC */
	uint64_t suspended_ns; /* how long the machine has slept since it booted */
};

/* seed: of the waiting times. -ENOMEM. */
int uplink_state_new(struct uplink_state **ret, uint64_t seed);
struct uplink_state *uplink_state_free(struct uplink_state *s); /* always NULL; accepts NULL */

/* Takes a window, or an answer to a request. */
void uplink_state_add(struct uplink_state *s, struct wire_batch *b, struct uplink_time t);
void uplink_state_answer(struct uplink_state *s, struct wire_answer *a, struct uplink_time t);

/* Whether there is something to send now. Else *ret_again_ns says when to ask again; UINT64_MAX:
 * when there is something new. Between this and its result nothing else is sent. */
bool uplink_state_next(struct uplink_state *s, struct uplink_time t, struct uplink_post *ret,
		       uint64_t *ret_again_ns);

/* *ret_reply: what the server asks; all zero if nothing. */
void uplink_state_result(struct uplink_state *s, const struct uplink_result *result,
			 struct uplink_time t, struct wire_reply *ret_reply);

/* Nothing waits to be sent or to be answered. */
bool uplink_state_is_done(const struct uplink_state *s);
/* The end is near: what waits for its time is tried now, and then twice a second. */
void uplink_state_hurry(struct uplink_state *s);

/* What the uplink's thread has cost so far, to be told with the agent's own. */
void uplink_state_set_cpu(struct uplink_state *s, uint64_t cpu_ns);

struct uplink_figures {
	uint64_t sent, bytes; /* batches, with definitions and repetitions; of bodies */
	uint64_t refused, refused_rows, pending_full, dropped;
	uint32_t pending_windows, undelivered_windows; /* merged so far; with those in doubt */
};

void uplink_state_figures(const struct uplink_state *s, struct uplink_figures *ret);
