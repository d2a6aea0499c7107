/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server knows about addresses: which actor was seen serving at which address and port,
 * and which addresses are local in which network namespace. Learnt from flows and listeners.
 *
 * An address means something only in a scope: loopback addresses in their network namespace,
 * others on their machine, and on another machine where that is the only one to have it
 * (172.17.0.2 exists everywhere). Several actors may hold the same address and port, at different
 * times or in different namespaces; each is an entry of its own with the time it was seen. An entry
 * lives as long as a flow or listener refers to it, so those bound the table.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/lru.h"
#include "server/hashindex.h"

#define ENDPOINT_NONE UINT32_MAX

/* Compared as bytes: pad is 0. */
struct endpoint_key {
	uint32_t machine, netns;
	uint32_t actor; /* ACTOR_NONE with port 0: only says that the address is local in netns */
	uint16_t port;
	uint8_t transport, pad; /* WIRE_TRANSPORT_…; 0 with port 0 */
	uint8_t address[16];
};

struct endpoint {
	uint32_t references;
	uint32_t reporter; /* the agent that told it first */
	uint64_t first_seen_ns, last_seen_ns;
};

struct endpoint_table {
	struct lru *entries;
	struct hashindex by_place;
	struct hashindex by_address; /* and port, whatever machine; without loopback */
	uint64_t seed;
};

int endpoint_table_init(struct endpoint_table *t, uint32_t max, uint64_t seed);
void endpoint_table_done(struct endpoint_table *t);

/* The entry, made if need be, with one reference for the caller. -ENOSPC, -ENOMEM. */
int endpoint_acquire(struct endpoint_table *t, const struct endpoint_key *key, uint32_t reporter,
		     uint64_t now_ns, uint32_t *ret);
void endpoint_release(struct endpoint_table *t, uint32_t i); /* ENDPOINT_NONE: nothing */
void endpoint_seen(struct endpoint_table *t, uint32_t i, uint64_t now_ns);

/* netns 0: in any of the machine. */
bool endpoint_address_is_local(const struct endpoint_table *t, uint32_t machine, uint32_t netns,
			       const uint8_t address[16]);

/*
 * An actor takes connections over that were meant for another port of its network namespace: an
 * entry of that port with the address ::. It serves none, so nobody finds it there.
 */
bool endpoint_takes_over(const struct endpoint_table *t, uint32_t machine, uint32_t netns,
			 uint32_t actor, uint8_t transport, uint16_t port);

/* Sets used[] of every agent that some entry names. */
void endpoint_mark_reporters(const struct endpoint_table *t, bool *used);

/* How sure it is that the address is local in that namespace: 2 somebody in it said so, 1 it is the
 * machine's own and netns may be that one (netns 0 of an entry), 0 not. */
unsigned int endpoint_address_in(const struct endpoint_table *t, uint32_t machine, uint32_t netns,
				 const uint8_t address[16]);

/* Who has an address: its machine, and an agent that told so. */
struct endpoint_home {
	uint32_t machine, reporter;
};

/* … on this machine. */
bool endpoint_home(const struct endpoint_table *t, uint32_t machine, const uint8_t address[16],
		   struct endpoint_home *ret);

/* … on others than this machine; false: none, or several (ret_several), which is nobody. */
bool endpoint_home_elsewhere(const struct endpoint_table *t, uint32_t machine,
			     const uint8_t address[16], struct endpoint_home *ret,
			     bool *ret_several);

/*
 * The actor at an address and port, seen between from and to; else the one seen last.
 * netns: where it must be; 0: anywhere on the machine. ACTOR_NONE: nobody known.
 * *ret_current: it was seen in that time.
 */
struct endpoint_place {
	uint32_t machine, netns;
	uint16_t port;
	uint8_t transport;
	uint8_t address[16];
};
uint32_t endpoint_find(const struct endpoint_table *t, const struct endpoint_place *place,
		       uint64_t from_ns, uint64_t to_ns, bool *ret_current);

/* Of several other machines that have the address the one seen serving there in that time;
 * ACTOR_NONE: none, or several were. */
uint32_t endpoint_find_elsewhere(const struct endpoint_table *t, const struct endpoint_place *place,
				 uint64_t from_ns, uint64_t to_ns);
