/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the kernel takes the CPU from a task that is in the kernel.
 *
 * Where it does, a tracing program may be held up for as long as its task waits for its turn, and
 * meanwhile the kernel skips that program for everybody else on the CPU (bpf/interrupted.h).
 */
#pragma once

#include <sys/utsname.h>

enum preempt {
	PREEMPT_NOTHING,
	PREEMPT_TASKS, /* but not softirqs */
	PREEMPT_ALL,   /* a real-time kernel: what arrives is handled by tasks, too */
};

/* modes: what /sys/kernel/debug/sched/preempt says, "none voluntary (full) lazy"; NULL: cannot be
 * read, then the kernel's name tells, and in doubt it takes it from tasks. */
enum preempt preempt_of(const char *modes, const struct utsname *kernel);

enum preempt preempt_here(void); /* of this machine */
