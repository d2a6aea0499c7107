/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of addresses, as this node asked for them: who connects to 93.184.216.34 after having asked
 * for api.example means api.example, whatever else is served there.
 *
 * Scope is the network namespace that asked. Of several names for one address the one that was
 * asked for last counts. A name is good for its TTL, but at least DNS_TTL_MIN_S, since programs use
 * addresses longer than they may, and at most DNS_TTL_MAX_S.
 *
 * Bounded: when full, the name unused for longest makes room, and is counted. The clock is given.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/dns_message.h"
#include "wire/batch.h"

#define DNS_TTL_MIN_S 600
#define DNS_TTL_MAX_S 86400

struct dns_names;

int dns_names_new(struct dns_names **ret, uint32_t names_max); /* 0: 8192; -ENOMEM */
struct dns_names *dns_names_free(struct dns_names *n);         /* always NULL; accepts NULL */

/* Learns from an answer that somebody in this namespace had asked for. */
void dns_names_learn(struct dns_names *n, uint32_t netns, const struct dns_message *m,
		     uint64_t now_ns);

/* NULL: not known, or not any more. */
const char *dns_names_find(struct dns_names *n, uint32_t netns, const uint8_t address[16],
			   uint64_t now_ns);

/* Writes what is new or changed since the last time into the batch. -ENOMEM: the next time. */
int dns_names_tell(struct dns_names *n, struct wire_batch *batch);

uint64_t dns_names_evicted(const struct dns_names *n);
