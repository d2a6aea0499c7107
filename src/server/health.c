/* SPDX-License-Identifier: Apache-2.0 */
#include "server/health.h"

#define RETRANSMIT_ONE_IN 50
#define RESET_ONE_IN      20
#define DROP_ONE_IN       50
#define SEGMENTS_MIN      100 /* fewer say nothing about a share */

static uint64_t failed(const uint64_t *counter)
{
	uint64_t sum = 0;

	for (unsigned int i = MR_FAILED_REFUSED; i <= MR_FAILED_OTHER; i++)
		sum += counter[i];
	return sum;
}

static bool is_waiting(const struct joined *j)
{
	return j->primary.pending > 0 && (uint64_t)j->primary.pending > j->attempted_lately;
}

static bool retransmits(const uint64_t *counter)
{
	uint64_t segments = counter[MR_SEGMENTS_TO_SERVER] + counter[MR_SEGMENTS_TO_CLIENT];
	uint64_t again = counter[MR_RETRANSMITS_TO_SERVER] + counter[MR_RETRANSMITS_TO_CLIENT];

	return segments >= SEGMENTS_MIN && again * RETRANSMIT_ONE_IN > segments;
}

static bool drops(const uint64_t *counter)
{
	uint64_t dropped = counter[MR_DROPPED_TO_SERVER] + counter[MR_DROPPED_TO_CLIENT];
	uint64_t datagrams = counter[MR_DATAGRAMS_TO_SERVER] + counter[MR_DATAGRAMS_TO_CLIENT];

	return dropped * DROP_ONE_IN > datagrams;
}

enum health health_of(const struct joined *j)
{
	uint64_t counter[MR_COUNTER_COUNT];
	bool trouble;

	/* what an agent told of the time that it was cut off says nothing of now */
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		counter[i] = j->primary.counter[i] - j->merged[i];
	trouble = failed(counter) || is_waiting(j);

	if (trouble && !counter[MR_OPENED])
		return j->primary.active > 0 ? HEALTH_DEGRADED : HEALTH_FAILING;
	if (trouble || counter[MR_BROKEN] || retransmits(counter) || drops(counter) ||
	    counter[MR_RESET_BY_SERVER] * RESET_ONE_IN > counter[MR_CLOSED])
		return HEALTH_DEGRADED;
	return HEALTH_OK;
}

const char *health_name(enum health h)
{
	static const char *const names[] = {"ok", "degraded", "failing"};

	return names[h];
}
