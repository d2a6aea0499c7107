/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translations: whom a socket really talks to, when somebody rewrites addresses on the way.
 *
 *     a client's socket: client ─► asked for         found: who serves
 *     a server's socket: server ─► who seems to ask  found: who asks
 *
 * Each entry of the connection tracking is kept twice, as its client and as its server see it, and
 * leads to the tuple that comes out on the other side of it. That may be translated again (a
 * container's namespace, then the host's), so it is looked up again, NAT_HOPS_MAX times.
 *
 * An address and port that was seen translated is virtual: sockets with such a remote end keep the
 * client's port in their flow's key, or rows could not be told apart.
 *
 * Never wrong: a row whose tuple meant two things since the last window but one has no answer. What
 * means different things in two namespaces at the same time is told to their own sockets, and to
 * nobody else's. Tuples with a loopback address count in their network namespace only.
 *
 * Limits: entries and virtual addresses; the one unused for longest goes first, and is counted.
 * Entries that the kernel has forgotten stay for NAT_LINGER_WINDOWS. A window ends at
 * nat_advance().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/conntrack_message.h"

#define NAT_HOPS_MAX       4
#define NAT_LINGER_WINDOWS 4
#define NAT_VIRTUALS_MAX   4096 /* as in bpf/virtual.h */

struct nat;

/* An address becomes virtual, or is so no longer. */
typedef void (*nat_virtual_fn)(void *userdata, const struct mr_virtual *virtual, bool is_virtual);

struct nat_config {
	uint32_t entries_max;   /* 0: 65536 */
	uint32_t virtuals_max;  /* 0: NAT_VIRTUALS_MAX */
	nat_virtual_fn virtual; /* may be NULL */
	void *userdata;
};

int nat_new(struct nat **ret, const struct nat_config *config);
struct nat *nat_free(struct nat *n); /* always NULL; accepts NULL */

/* Where an entry was seen: netns its inode, 0: not known; origin tells namespaces apart. */
struct nat_place {
	uint32_t netns, origin;
};
/* An entry that came, or is over. */
void nat_note(struct nat *n, const struct conntrack_entry *entry, const struct nat_place *place);

/* Before the rows of a window are looked up, when all that was heard until its end is noted. */
void nat_advance(struct nat *n);

/* The other end of a flow. */
struct nat_answer {
	uint8_t remote[16];
	uint16_t port;     /* the server's */
	uint8_t via[16];   /* the address that the client asked for; all 0: that of the server */
	uint16_t via_port; /* 0: as asked for */
};
/* False: not known, or not sure. The key has its ephemeral port. */
bool nat_find(struct nat *n, const struct mr_flow_key *key, struct nat_answer *ret);

bool nat_is_virtual(const struct nat *n, const struct mr_flow_key *key);
/* All of them, into ret; returns how many. */
size_t nat_virtuals(const struct nat *n, struct mr_virtual *ret, size_t max);

uint64_t nat_lost_full(const struct nat *n);
size_t nat_count(const struct nat *n);
