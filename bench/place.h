/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroups (v2) of the benchmark: who runs there, what they used, and holding them still. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"

struct place {
	char path[400];
};

void place_make(struct place *p, const struct bench *b, const char *name);
void place_remove(struct place *p);           /* its processes have ended */
uint64_t place_cpu_ns(const struct place *p); /* of all who ever ran there; to the µs */
/* Returns when all of them stand still, or go on. */
void place_freeze(const struct place *p, bool frozen);
