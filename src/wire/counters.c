/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/counters.h"

#define COUNTER_NAME(id, name) [MR_##id] = name,
static const char *const names[MR_COUNTER_COUNT] = {MR_COUNTERS(COUNTER_NAME)};

const char *wire_counter_name(enum mr_counter counter)
{
	return counter < MR_COUNTER_COUNT ? names[counter] : "unknown";
}
