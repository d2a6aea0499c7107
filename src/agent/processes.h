/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of the processes that have a socket, by actor: started, restarted, ended and how.
 *
 *     the kernel's records (bpf/process.h) ─► who it is ─► rows of the window (event_rows.h)
 *                                                  └────► containers (containers.h)
 *
 * Started: it began after the agent did. Restarted: a process of an actor started after another one
 * of it had ended that listened; not counted as such an end are workers (forked from one that is
 * still there), a process that left such ones behind and ended well (it went into the background),
 * and one that ended well within a second (it tried its configuration).
 *
 * A forked process has its actor from the forefather that had a socket, if their names are the
 * same: whatever that was called (an interpreter's script), the worker is.
 *
 * Limits: 16384 processes, and as many ends that wait for a start as there are actors; who falls
 * out is named by what the kernel's record says. Library code: the clock is given.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "../../bpf/flow.h"
#include "agent/actor.h"
#include "wire/batch.h"

struct processes;

struct processes_config {
	struct actors *actors;    /* borrowed */
	const char *cgroup_root;  /* borrowed; NULL: not known */
	uint64_t started_boot_ns; /* of the agent, CLOCK_BOOTTIME */
};

int processes_new(struct processes **ret, const struct processes_config *config);
struct processes *processes_free(struct processes *p); /* always NULL; accepts NULL */

void processes_see(struct processes *p, const struct mr_process_event *event, uint64_t now_ns);

/* What happened since the last time, into the batch. -ENOMEM: the next time. */
int processes_report(struct processes *p, struct wire_batch *batch, uint64_t now_ns);

uint64_t processes_records(const struct processes *p); /* seen so far */
uint64_t processes_lost(const struct processes *p);    /* events that found no row */
