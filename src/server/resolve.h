/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at both ends of a flow. Asked anew for every answer, so an end that was unknown when its
 * bytes came gets its name as soon as anything tells it: no ghost stays.
 *
 * An end is an actor of a known machine, an external address, or ~other (a coarse flow).
 */
#pragma once

#include "server/carrier.h"
#include "server/core.h"
#include "server/filter.h"

struct end {
	const struct actor *actor;  /* NULL: external, or ~other */
	uint32_t actor_index;       /* ACTOR_NONE */
	uint32_t machine, reporter; /* of an actor, or of an address that an agent's machine has */
	bool other;
	bool local;          /* external, but the address is one of that machine */
	uint8_t address[16]; /* of an external or an actor; all 0 for ~other */
	const char *name;    /* of an external, where it was asked for; NULL: its address */
};

struct ends {
	struct end client, server;
	uint16_t port;
	uint8_t transport; /* WIRE_TRANSPORT_… */
	bool coarse;
	uint8_t carrier;   /* enum carrier */
	uint16_t via_port; /* what the client asked for; 0: the server itself */
	uint8_t via[16];
};

struct resolver {
	const struct core *core;
	uint64_t from_ns, to_ns; /* of several actors at one address: who was there then */
};

#define RESOLVE_NO_REPORTER UINT32_MAX

/* The ends as this flow alone tells them: of a server-role flow the client is an address. flow: its
 * place in the table; NULL: it has none (a socket that an agent was asked for). */
void resolve_flow(const struct resolver *r, const struct flow *flow, const struct flow_id *id,
		  struct ends *ret);

/* The actor that serves the flow's remote address and port (of a client-role flow), on its own
 * machine or another. ACTOR_NONE: nobody known, or several machines could be meant. */
uint32_t resolve_server(const struct resolver *r, const struct flow *flow,
			const struct flow_id *id);

/* The end that an actor is, at an address. */
struct end resolve_actor(const struct core *c, uint32_t actor, const uint8_t address[16]);

bool resolve_matches(const struct core *c, const struct filter *filter, const struct ends *ends);
