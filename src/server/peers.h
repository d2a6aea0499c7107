/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two UDP sockets that both take themselves for the server: both ports are bound, and both could
 * be ephemeral ones, so that neither end can tell what the other is (bpf/udp_role.h). Nothing
 * mirrors their flows, but they mirror each other: the one with the lower port serves, then the
 * lower address, and counts; the other is its client. Part of a plan; one question long.
 *
 * Limit: several such pairs between the same two addresses cannot be told apart, and all count.
 */
#pragma once

#include "server/core.h"

#define PEERS_PORT_MIN 32768 /* where ephemeral ports begin, as a rule */

struct peers {
	const struct core *core; /* borrowed */
	struct hashindex by_pair;
};

void peers_begin(struct peers *p, const struct core *c);
void peers_done(struct peers *p);

bool peers_may_be(const struct flow_id *id);
int peers_add(struct peers *p, uint32_t flow); /* one that may be. -ENOMEM */

/* The only one that could be the flow's other end, and for which this is the only one; FLOW_NONE.
 */
uint32_t peers_find(const struct peers *p, uint32_t flow);

/* Whether a serves b. */
bool peers_serves(const struct flow_id *a, const struct flow_id *b);
