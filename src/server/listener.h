/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who listens now, as each agent last said: the whole set replaces the one before.
 *
 * A listener answers "who serves this address and port" before the first connection is accepted.
 * One on a wildcard address serves only addresses that are local in its own network namespace.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/actor.h"
#include "server/endpoint.h"
#include "server/hashindex.h"

struct listener {
	uint32_t reporter, machine, netns, actor;
	uint32_t home; /* the entry that says its address is local; wildcard: ENDPOINT_NONE */
	uint32_t drops, queue, queue_max;
	uint16_t port;
	uint8_t transport;
	bool wildcard;
	uint8_t address[16];
	uint32_t next, previous; /* of the same agent, place + 1; set here */
};

struct listener_table {
	struct listener *listeners;
	uint32_t count, max;
	struct hashindex by_port;
	uint32_t *first; /* by agent, place + 1; grows */
	uint32_t first_count;
	uint64_t seed;
	struct actor_table *actors;       /* borrowed */
	struct endpoint_table *endpoints; /* borrowed */
};

int listener_table_init(struct listener_table *t, uint32_t max, uint64_t seed,
			struct actor_table *actors, struct endpoint_table *endpoints);
void listener_table_done(struct listener_table *t);

/* Forgets those of an agent; then the new ones are added one by one. */
void listener_table_clear(struct listener_table *t, uint32_t reporter);
/* Copies; wildcard and home are set here. -ENOSPC: full. -ENOMEM. */
int listener_table_add(struct listener_table *t, const struct listener *listener, uint64_t now_ns);

/* The actor that listens there; ACTOR_NONE: nobody known. A specific address goes first, then a
 * wildcard of the address's own family. */
uint32_t listener_find(const struct listener_table *t, const struct endpoint_place *place);
