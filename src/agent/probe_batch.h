/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk through a hash map of the kernel's, many records a call.
 *
 *     struct probe_batch b = {.map = fd};
 *     while ((r = probe_batch_next(&b, keys, values, &count)) > 0) …
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PROBE_BATCH_MAX 256

struct probe_batch {
	int map;      /* borrowed */
	bool removes; /* what it returns is in the map no more */
	uint32_t token;
	bool begun, ended;
};

/* Fills keys and values, arrays of PROBE_BATCH_MAX. 1: *ret_count of them, maybe none; 0: that was
 * all; -errno. */
int probe_batch_next(struct probe_batch *b, void *keys, void *values, uint32_t *ret_count);
