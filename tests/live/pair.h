/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real programs, seen as an administrator sees them: the whole machine is observed, so `verify`
 * can hold the sums of all namespaces against the kernel's own.
 */
#pragma once

#include "millrace.h"

/* An edge, waited for until its connections are closed, and both ends of it. */
struct pair {
	const struct millrace *millrace;
	const char *client, *server;
	uint16_t port;
	uint64_t closed;
	struct ends c, s;
};

/* millrace without --cgroup; at its end `verify` must find no difference. */
bool whole_start(struct live *l, struct millrace *m);
void whole_finish(struct live *l, struct millrace *m);

/* Both ends, and the edge of the graph, have p->closed connections, opened and closed. */
void pair_check(struct live *l, struct pair *p);
/* Both ends carried exactly so much. */
void pair_bytes(struct live *l, const struct pair *p, uint64_t up, uint64_t down);
