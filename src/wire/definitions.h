/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What handles mean: flows and actors as they were defined last. An uplink keeps those that it has
 * told a server, to say them again when it has forgotten; a merge keeps those it has yet to tell.
 *
 * Limits: as many as given. Memory is taken as it is used, about 130 bytes a flow, and 100 and its
 * strings an actor; an agent has at most 73,732 flows and 8,193 actors at a time.
 */
#pragma once

#include "wire/batch.h"

struct definitions;

struct definitions *definitions_new(uint32_t flows_max, uint32_t actors_max); /* NULL: no memory */
struct definitions *definitions_free(struct definitions *d); /* always NULL; accepts NULL */

/* Copies; replaces what the handle meant. -ENOSPC: there are too many. -ENOMEM. */
int definitions_put_flow(struct definitions *d, const struct wire_flow *flow);
int definitions_put_actor(struct definitions *d, const struct wire_actor *actor);

/* Borrowed until it is replaced or removed; NULL: no such handle. */
const struct wire_flow *definitions_flow(const struct definitions *d, uint32_t handle);
const struct wire_actor *definitions_actor(const struct definitions *d, uint32_t handle);

/* Each flow once, from NULL on to NULL; in between nothing is put, asked for or removed. */
const struct wire_flow *definitions_next_flow(const struct definitions *d,
					      const struct wire_flow *before);

void definitions_remove_flow(struct definitions *d, uint32_t handle); /* accepts any */
void definitions_remove_actor(struct definitions *d, uint32_t handle);

size_t definitions_flow_count(const struct definitions *d);
size_t definitions_actor_count(const struct definitions *d);

/* All of them, copied into the batch, ascending by handle. -ENOMEM. */
int definitions_describe(const struct definitions *d, struct wire_batch *b);
