/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up batches with every field set, and whether two batches say the same. Tests only. */
#pragma once

#include "wire/batch.h"

/* Each number is small, any, or at an end of its range, by the seed; strings hold any bytes;
 * updates ascend by handle. rows: at most so many of a kind. Fails the program without memory. */
struct wire_batch *sample_batch(uint64_t seed, unsigned int rows);

/* What a usual window of a busy node says: of so many flows known some move. defined: with the
 * definitions of all of them, as in the first batch. */
struct wire_batch *sample_window(uint64_t seed, unsigned int known, unsigned int moving,
				 bool defined);

/* The first field in which two batches differ; NULL: none. */
const char *sample_difference(const struct wire_batch *a, const struct wire_batch *b);

/* The same for answers. */
struct wire_answer *sample_answer(uint64_t seed, unsigned int rows);
const char *sample_answer_difference(const struct wire_answer *a, const struct wire_answer *b);
