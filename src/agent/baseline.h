/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel's own counters stood when the agent began to count, exactly.
 *
 *     read theirs ─► take ours ─► read theirs again      until nothing happened between
 *
 * What the kernel had by then, less what we had already counted, came before us. On a busy machine
 * a namespace may never hold still; after a few tries its baseline is off by what happened within
 * the few milliseconds of a try.
 */
#pragma once

#include "agent/netns.h"

/* Folds all that has happened so far into netns (netns_add). */
typedef int (*baseline_collect_fn)(void *userdata);

int baseline_note(struct netns *netns, const char *proc, baseline_collect_fn collect,
		  void *userdata);
