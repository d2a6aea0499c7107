/* SPDX-License-Identifier: Apache-2.0 */
/* The definitions of a batch: what its handles mean from now on, and who listens. */
#pragma once

#include "server/core.h"

/* A batch on its way in. */
struct learn {
	struct core *core; /* borrowed, as the rest */
	struct reporter *reporter;
	const struct wire_batch *batch;
	uint64_t start_ns, end_ns, now_ns; /* wall clock: of its window, of receipt */
	uint64_t loss[LOSS_COUNT];         /* of this batch */
	bool forgot;                       /* old flows were already forgotten to make room */
};

/* Actors, flows, listeners. Retired handles mean what they did until learn_end. */
void learn_definitions(struct learn *in);
void learn_actors(struct learn *in, const struct wire_actor *actors, size_t count);
uint32_t learn_find_flow(const struct learn *in, uint32_t handle); /* FLOW_NONE: unknown */
void learn_end(struct learn *in);

/* The agent's life is over: its handles mean nothing any more. */
void learn_forget_handles(struct learn *in);
/* Nor are the addresses that it told its machine's. */
void learn_forget_covers(struct learn *in);
