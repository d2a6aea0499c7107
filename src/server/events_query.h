/* SPDX-License-Identifier: Apache-2.0 */
/* What became of processes and containers, in words and as sums; see events.h. */
#pragma once

#include "server/core.h"
#include "server/query.h"

#define EVENTS_TEXT_MAX 700

/* "redis-server was killed by signal 9 (SIGKILL)"; into buffer, which is returned. */
const char *events_describe(const struct core *c, const struct event *event, char *buffer,
			    size_t size);

/* One more row of a node: into its sums, and as its last one if it is worth a word (a restart, or
 * an end that was none of its own will). -ENOMEM. */
int events_tell(const struct core *c, const struct event *event, struct arena *arena,
		struct query_happenings *into);
