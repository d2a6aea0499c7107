/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the kernel takes the CPU from a task that is in the kernel.
 *
 * Where it does, a tracing program may be held up for as long as its task waits for its turn, and
 * meanwhile the kernel skips that program for everybody else on the CPU (bpf/interrupted.h).
 */
#pragma once

#include <stdbool.h>
#include <sys/utsname.h>

/* modes: what /sys/kernel/debug/sched/preempt says, "none voluntary (full) lazy"; NULL: cannot be
 * read, then the kernel's name tells, and in doubt it does. */
bool preempt_is_full(const char *modes, const struct utsname *kernel);

bool preempt_here(void); /* of this machine */
