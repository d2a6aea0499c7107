/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch whose bytes do not change any more: it may have been taken already, only the answer has
 * not come. What is needed when it is over stays beside the bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/batch.h"

struct frozen {
	uint8_t *data; /* owned; NULL: there is none */
	size_t size;
	uint64_t sequence, rows;
	uint32_t windows;
	uint64_t suspended_ns; /* how long the machine had slept when its window ended */
	uint32_t *retired, *retired_actors; /* owned */
	size_t retired_count, retired_actor_count;
};

/* b: borrowed, with its sequence. 0, -EINVAL or -ENOMEM: there is none. */
int frozen_make(struct frozen *f, const struct wire_batch *b, uint64_t suspended_ns);
void frozen_drop(struct frozen *f);
