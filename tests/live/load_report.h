/* SPDX-License-Identifier: Apache-2.0 */
/* The load's numbers beside the API's. */
#pragma once

#include "live.h"
#include "load.h"
#include "millrace.h"

/* Prints what the shapes did and checks the load against itself: no shape failed, programs and
 * TCP_INFO agree. True: usable as the expected side. */
bool load_check(struct live *l, struct load *load);

/* Waits until the API shows what the load did, then compares end by end, counter by counter, and
 * prints the table. All of it must be equal, and nothing else of the load's processes be there. */
void load_compare(struct live *l, struct load *load, const struct millrace *m);
