/* SPDX-License-Identifier: Apache-2.0 */
/* See uplink_state.h. */
#include "agent/uplink_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backoff.h"
#include "agent/frozen.h"
#include "agent/told.h"
#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/merge.h"

#define ANSWER_AGE_NS 10000000000ull /* whoever asked has given up by then */
#define HURRY_NS      500000000ull

struct waiting_answer {
	uint8_t *data; /* owned */
	size_t size;
	uint64_t since_ns;
};

struct uplink_state {
	struct told told;
	struct frozen frozen;     /* in doubt, from the moment it is made */
	struct wire_merge *merge; /* pending; NULL: nothing is */
	uint64_t merge_suspended_ns;
	uint64_t sequence;
	bool must_define;     /* before the frozen one is sent again */
	uint8_t *definitions; /* owned; while they are being sent */
	unsigned int rounds;  /* of definitions for the frozen one */
	struct waiting_answer answers[UPLINK_ANSWERS_MAX];
	size_t answer_count;
	enum uplink_kind sending;
	struct backoff backoff;
	uint64_t not_before_ns;
	bool hurry;
	uint64_t cpu_ns;
	struct uplink_figures figures;
};

int uplink_state_new(struct uplink_state **ret, uint64_t seed)
{
	struct uplink_state *s = calloc(1, sizeof(*s));

	if (!s || told_init(&s->told) < 0) {
		uplink_state_free(s);
		return -ENOMEM;
	}
	s->backoff.random = seed;
	*ret = s;
	return 0;
}

static void drop_answer(struct uplink_state *s)
{
	free(s->answers[0].data);
	s->answer_count--;
	memmove(s->answers, s->answers + 1, s->answer_count * sizeof(*s->answers));
}

struct uplink_state *uplink_state_free(struct uplink_state *s)
{
	if (!s)
		return NULL;
	while (s->answer_count)
		drop_answer(s);
	free(s->definitions);
	wire_merge_free(s->merge);
	frozen_drop(&s->frozen);
	told_done(&s->told);
	free(s);
	return NULL;
}

/* --- what waits ---------------------------------------------------------------------------------
 */

static void count_refused(struct uplink_state *s, uint64_t rows)
{
	s->figures.refused++;
	s->figures.refused_rows += rows;
	s->must_define = true;
}

/* Without memory, or where it is more than servers take, it is refused before it is sent. */
static void freeze(struct uplink_state *s, struct wire_batch *b, uint64_t suspended_ns)
{
	b->sequence = s->sequence + 1;
	b->loss[WIRE_LOSS_REFUSED_BY_SERVER] += s->figures.refused_rows;
	b->loss[WIRE_LOSS_PENDING_FULL] += s->figures.pending_full;
	b->loss[WIRE_LOSS_DROPPED] += s->figures.dropped;
	b->status.agent_cpu_ns += s->cpu_ns;
	told_add(&s->told, b);
	if (frozen_make(&s->frozen, b, suspended_ns) < 0 ||
	    s->frozen.size > wire_limits_default.compressed_size_max) {
		frozen_drop(&s->frozen);
		told_retire(&s->told, b->retired, b->retired_count, b->retired_actors,
			    b->retired_actor_count);
		count_refused(s, b->update_count);
	} else {
		s->sequence++;
		s->rounds = 0;
	}
	wire_batch_free(b);
}

static void freeze_pending(struct uplink_state *s)
{
	struct wire_batch *b;

	if (!s->merge || s->frozen.data)
		return;
	s->figures.pending_full += wire_merge_lost_full(s->merge);
	s->figures.dropped += wire_merge_lost_rows(s->merge);
	b = wire_merge_take(s->merge);
	if (!b)
		return; /* no memory now; the next window asks again */
	s->merge = wire_merge_free(s->merge);
	freeze(s, b, s->merge_suspended_ns);
}

void uplink_state_add(struct uplink_state *s, struct wire_batch *b, struct uplink_time t)
{
	freeze_pending(s);
	if (!s->frozen.data && !s->merge) {
		freeze(s, b, t.suspended_ns);
		return;
	}
	if (!s->merge)
		s->merge = wire_merge_new(s->told.definitions, NULL);
	if (s->merge)
		wire_merge_add(s->merge, b);
	else
		s->figures.dropped += b->update_count;
	s->merge_suspended_ns = t.suspended_ns;
	wire_batch_free(b);
}

void uplink_state_answer(struct uplink_state *s, struct wire_answer *a, struct uplink_time t)
{
	struct waiting_answer w = {.since_ns = t.now_ns};

	if (s->answer_count < UPLINK_ANSWERS_MAX && wire_answer_encode(a, &w.data, &w.size) == 0)
		s->answers[s->answer_count++] = w;
	wire_answer_free(a);
}

/* --- what is sent -------------------------------------------------------------------------------
 */

static bool next_answer(struct uplink_state *s, uint64_t now_ns, struct uplink_post *ret)
{
	while (s->answer_count && now_ns - s->answers[0].since_ns > ANSWER_AGE_NS)
		drop_answer(s);
	if (!s->answer_count)
		return false;
	*ret = (struct uplink_post){.kind = UPLINK_ANSWER,
				    .data = s->answers[0].data,
				    .size = s->answers[0].size,
				    .clock_ns = now_ns};
	return true;
}

/* For the batch that is in doubt, whose sequence they have. */
static bool next_definitions(struct uplink_state *s, uint64_t now_ns, struct uplink_post *ret)
{
	struct wire_batch *b = told_describe(&s->told, s->frozen.sequence);
	size_t size = 0;

	free(s->definitions);
	s->definitions = NULL;
	if (b && wire_encode(b, &s->definitions, &size) < 0)
		s->definitions = NULL;
	wire_batch_free(b);
	*ret = (struct uplink_post){.kind = UPLINK_DEFINITIONS,
				    .data = s->definitions,
				    .size = size,
				    .clock_ns = now_ns};
	return s->definitions;
}

/* Time that the machine slept since is not on its clock, but has passed for the server. */
static void next_batch(struct uplink_state *s, struct uplink_time t, struct uplink_post *ret)
{
	*ret = (struct uplink_post){.kind = UPLINK_BATCH,
				    .data = s->frozen.data,
				    .size = s->frozen.size,
				    .clock_ns = t.now_ns + t.suspended_ns - s->frozen.suspended_ns};
}

static bool next_post(struct uplink_state *s, struct uplink_time t, struct uplink_post *ret)
{
	if (next_answer(s, t.now_ns, ret))
		return true;
	freeze_pending(s);
	if (!s->frozen.data)
		return false;
	if (s->must_define)
		return next_definitions(s, t.now_ns, ret);
	next_batch(s, t, ret);
	return true;
}

bool uplink_state_next(struct uplink_state *s, struct uplink_time t, struct uplink_post *ret,
		       uint64_t *ret_again_ns)
{
	*ret_again_ns = s->not_before_ns;
	if (t.now_ns < s->not_before_ns)
		return false;
	*ret_again_ns = UINT64_MAX;
	if (!next_post(s, t, ret))
		return false;
	s->sending = ret->kind;
	s->figures.sent += ret->kind != UPLINK_ANSWER;
	s->figures.bytes += ret->size;
	return true;
}

/* --- what an answer means -----------------------------------------------------------------------
 */

static void wait_for(struct uplink_state *s, uint64_t now_ns, uint64_t asked_ns)
{
	uint64_t wait_ns = backoff_fail(&s->backoff, asked_ns);

	if (s->hurry && wait_ns > HURRY_NS)
		wait_ns = HURRY_NS;
	s->not_before_ns = now_ns + wait_ns;
}

static void finish_frozen(struct uplink_state *s)
{
	told_retire(&s->told, s->frozen.retired, s->frozen.retired_count, s->frozen.retired_actors,
		    s->frozen.retired_actor_count);
	frozen_drop(&s->frozen);
}

static void on_taken(struct uplink_state *s, const struct uplink_result *result,
		     struct wire_reply *ret_reply)
{
	backoff_succeed(&s->backoff);
	s->not_before_ns = 0;
	if (s->sending == UPLINK_DEFINITIONS)
		s->must_define = false;
	else
		finish_frozen(s);
	if (result->status == 200 &&
	    wire_reply_decode(result->data, result->size, ret_reply, NULL) < 0)
		*ret_reply = (struct wire_reply){0}; /* what was asked is asked again */
}

/* At once the first time; a server that goes on asking is one that keeps forgetting. */
static void on_unknown_handles(struct uplink_state *s, uint64_t now_ns)
{
	s->must_define = true;
	if (s->rounds++ || s->sending == UPLINK_DEFINITIONS)
		wait_for(s, now_ns, 0);
}

static void on_refused(struct uplink_state *s)
{
	uint64_t rows = s->frozen.rows;

	backoff_succeed(&s->backoff);
	s->not_before_ns = 0;
	finish_frozen(s);
	count_refused(s, rows);
}

static void on_answered(struct uplink_state *s, const struct uplink_result *result, uint64_t now_ns)
{
	drop_answer(s); /* also if it did not arrive: whoever asked asks again */
	if (!result->status)
		wait_for(s, now_ns, 0);
}

void uplink_state_result(struct uplink_state *s, const struct uplink_result *result,
			 struct uplink_time t, struct wire_reply *ret_reply)
{
	*ret_reply = (struct wire_reply){0};
	if (s->sending == UPLINK_ANSWER) {
		on_answered(s, result, t.now_ns);
		return;
	}
	switch (result->status) {
	case 200:
	case 204:
		on_taken(s, result, ret_reply);
		break;
	case 409:
		on_unknown_handles(s, t.now_ns);
		break;
	case 400:
	case 413:
	case 422:
		on_refused(s);
		break;
	default:
		wait_for(s, t.now_ns, result->again_ns);
	}
}

/* --- the rest -----------------------------------------------------------------------------------
 */

bool uplink_state_is_done(const struct uplink_state *s)
{
	return !s->frozen.data && !s->merge && !s->answer_count;
}

void uplink_state_hurry(struct uplink_state *s)
{
	s->hurry = true;
	s->not_before_ns = 0;
}

void uplink_state_set_cpu(struct uplink_state *s, uint64_t cpu_ns)
{
	s->cpu_ns = cpu_ns;
}

void uplink_state_figures(const struct uplink_state *s, struct uplink_figures *ret)
{
	*ret = s->figures;
	ret->pending_windows = s->merge ? wire_merge_windows(s->merge) : 0;
	ret->undelivered_windows = ret->pending_windows + s->frozen.windows;
}
