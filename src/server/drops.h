/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that a flow's own hosts dropped, by the kernel's reason.
 *
 * Reasons are names (each kernel has its own), kept once and numbered; figures carry numbers.
 * Limits: 255 names, then "~other"; 8 reasons a flow or edge, then the last one is "~other".
 */
#pragma once

#include <stdint.h>

#include "wire/batch.h"

#define DROPS_MAX        WIRE_DROPS_MAX
#define DROP_REASONS_MAX 256
#define DROP_REASON_SIZE 64
#define DROP_OTHER       0 /* the number of "~other" */

/* Zeroed: only "~other" is known. Names are never forgotten. */
struct reason_names {
	char name[DROP_REASONS_MAX][DROP_REASON_SIZE];
	uint32_t count;
};

/* The number of a name that comes from outside, which is made fit to be shown. */
uint16_t reason_names_put(struct reason_names *r, const char *name);
const char *reason_names_get(const struct reason_names *r, uint16_t number);

/* By order of appearance; the rest is 0. */
struct drops {
	struct {
		uint64_t count;
		uint16_t reason;
	} item[DROPS_MAX];
	uint32_t used;
};

void drops_add(struct drops *d, uint16_t reason, uint64_t count);
void drops_merge(struct drops *into, const struct drops *from);
uint64_t drops_total(const struct drops *d);
