/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic whose every byte is known, for those who watch it to be compared: short connections at a
 * steady rate, each from a port of its own, and one long transfer beside them, both to this
 * machine's loopback in a network namespace of its own.
 */
#pragma once

#include <stdint.h>

#include "place.h"

#define KNOWN_SHORT_PORT  9999
#define KNOWN_LONG_PORT   9998
#define KNOWN_FIRST_PORT  10000 /* of the short connections' clients */
#define KNOWN_LONG_CLIENT 9000
#define KNOWN_REQUEST     1000 /* bytes of payload in a short connection … */
#define KNOWN_ANSWER      4000

struct known {
	int netns;
	struct place place;
	unsigned int connections, seconds; /* short ones in all; at most 20,000 */
	uint64_t long_bytes;
};

void known_init(struct known *k, const struct bench *b);
/* Makes the traffic; returns when the last connection is closed. */
void known_run(const struct known *k);
void known_done(struct known *k);

uint64_t known_payload(const struct known *k);
uint64_t known_wire_bytes(const struct known *k); /* IP packets that crossed its loopback so far */
