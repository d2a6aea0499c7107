/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which agent a batch is of, and which life of it.
 *
 * An agent is known by its node's name, a life by boot id and start. A new life ends the one
 * before: its handles mean nothing any more, and what was open counts as gone from the moment the
 * new life began. The new life adopts what is really open still.
 */
#pragma once

#include "server/learn.h"

/* A moment on the agent's clock as wall clock: both clocks now are known. */
uint64_t life_wall(const struct learn *in, uint64_t agent_ns);

/* Counts a batch that is not taken; returns code. */
int life_refuse(struct core *c, enum loss cause, int code);

/* From now on it is found by its node's name, and has a number. -ENOMEM. */
int life_count_reporter(struct core *c, struct reporter *r, const char *node);

/* NULL: one agent too many. One not seen before has index reporter_count, or the place of one that
 * is long gone; it is not known until a batch of it is taken. */
struct reporter *life_find_reporter(struct core *c, const char *node);
/* Machines come and go, and their names with them: places of agents that gave all back, and that
 * nothing refers to any more, are free again. Looks at everything there is. */
void life_vacate(struct core *c);
bool life_is_known(const struct core *c, const struct reporter *r);

/* Whether the batch is of the machine, since it booted, that this reporter was last heard of from. */
bool life_is_of_boot(const struct reporter *r, const struct wire_batch *b);

/* The instants in (from, to) at which some agent's coverage begins or ends; a history_cut_fn,
 * userdata is the core. */
size_t life_cuts(void *userdata, uint64_t from_ns, uint64_t to_ns, uint64_t *ret);

/* Whatever an agent held is given back: handles, listeners, addresses; what was open counts as gone
 * from that moment. -ENOMEM: nothing is. */
int life_end(struct core *c, struct reporter *r, uint64_t at_ns);

/* Begins a new life if the batch is of one. -ESTALE: an old life. -EALREADY: seen before. -ENOMEM.
 */
int life_check(struct learn *in);
