/* SPDX-License-Identifier: Apache-2.0 */
/* See backoff.h. */
#include "agent/backoff.h"

#define FIRST_NS     200000000ull
#define LAST_NS      10000000000ull
#define ASKED_MAX_NS 30000000000ull

static uint64_t any(struct backoff *b)
{
	b->random += 0x9e3779b97f4a7c15u; /* splitmix64: any seed will do */
	uint64_t z = b->random;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t backoff_fail(struct backoff *b, uint64_t asked_ns)
{
	uint64_t wait_ns = LAST_NS;

	if (b->failures < 6)
		wait_ns = FIRST_NS << b->failures;
	b->failures++;
	wait_ns = wait_ns / 2 + any(b) % (wait_ns / 2 + 1);
	if (asked_ns > ASKED_MAX_NS)
		asked_ns = ASKED_MAX_NS;
	return asked_ns > wait_ns ? asked_ns + wait_ns / 4 : wait_ns;
}

void backoff_succeed(struct backoff *b)
{
	b->failures = 0;
}
