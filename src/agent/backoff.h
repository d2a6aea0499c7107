/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to wait before the next try: 0.2 s, doubling to 10 s, each time between half of it and
 * all of it, so that agents cut off together do not come back together. A server that says when it
 * wants to be asked again is believed, up to 30 s.
 */
#pragma once

#include <stdint.h>

struct backoff {
	uint64_t random; /* any seed */
	unsigned int failures;
};

uint64_t backoff_fail(struct backoff *b, uint64_t asked_ns); /* asked_ns 0: nothing was said */
void backoff_succeed(struct backoff *b);
