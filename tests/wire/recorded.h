/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the recorded batches of each version of the schema say (recorded/VERSION.batch).
 *
 * A recording and its content are never changed: agents of that age are out there. A field that is
 * added later is 0 or "" in all of them; a new version gets a new recording.
 */
#pragma once

#include "wire/batch.h"

/* Every field of version 1. NULL without memory. */
struct wire_batch *recorded_1(void);
