/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the recorded batches of each age of the schema say (recorded/NAME.batch).
 *
 * A recording and its content are never changed: agents of that age are out there. A field that is
 * added later is 0 or "" in all of them; a new version gets a new recording, and so do fields that
 * are released.
 */
#pragma once

#include "wire/batch.h"

/* Every field of version 1. NULL without memory. */
struct wire_batch *recorded_1(void);
/* … and those it had when agents on other machines began to use it: place, coverage, merged
 * windows. */
struct wire_batch *recorded_1_place(void);
