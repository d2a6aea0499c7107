/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel skips a tracing program where it would interrupt itself: while one run of it is held
 * up, by an interrupt or by another task, nothing that comes on this CPU is told to it. Interrupts
 * bring drops, so that hook has two programs, which the kernel runs one after the other: the first
 * notes that it has the buffer and does the work; the second does it for those that are not noted.
 *
 * Two are not enough where many tasks take the CPU from each other in the kernel: what waits in the
 * first is soon followed by what waits in the second. So what tasks do all the time, to send, is
 * not seen by tracing programs there (src/agent/preempt.h).
 *
 * What runs for a task is noted at the task, which may go on at another CPU between the two
 * programs; what runs in an interrupt, at the CPU, which it does not leave. So of each there is one
 * buffer in hand at a time, and one note is enough. Which of the two it is, the stack tells.
 */
#pragma once

#include "address.h"
#include "flow.h"

#define TASK_STACK 16384 /* bytes; where a task's is larger, its depth counts as an interrupt */

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64); /* the buffer's address; 0: none */
} mr_task_note SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} mr_interrupt_note SEC(".maps");

/* Skipped by the kernel, and what was left to the second program, less this: lost, but for what
 * does not count anyway. */
__u64 mr_caught; /* by the second, for want of a note */
__u64 mr_left;   /* by the first, which had nowhere to note it */

static __always_inline int is_in_task(const void *ctx)
{
	return address_of(ctx) - (u64)bpf_get_current_task_btf()->stack < TASK_STACK;
}

static __always_inline u64 *note_of_interrupt(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&mr_interrupt_note, &zero);
}

static __always_inline u64 *note_get(const void *ctx)
{
	if (is_in_task(ctx))
		return bpf_task_storage_get(&mr_task_note, bpf_get_current_task_btf(), NULL,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
	return note_of_interrupt();
}

/* While a task runs there is no buffer in an interrupt's hand: a note is of one whose second
 * program was skipped, and the next buffer may well have the same address. */
static __always_inline void note_clear_stale(const void *ctx)
{
	u64 *note = is_in_task(ctx) ? note_of_interrupt() : NULL;

	if (note)
		*note = 0;
}

/* In the first program, before all else: whether it does the work. */
static __always_inline int is_first(const void *ctx, const void *buffer)
{
	u64 *note;

	note_clear_stale(ctx);
	note = note_get(ctx);
	if (note)
		*note = address_of(buffer);
	else
		__sync_fetch_and_add(&mr_left, 1);
	return note != NULL;
}

/* In the second: whether the first did not. */
static __always_inline int is_missed(const void *ctx, const void *buffer)
{
	u64 *note = note_get(ctx);

	if (note && *note == address_of(buffer)) {
		*note = 0;
		return 0;
	}
	__sync_fetch_and_add(&mr_caught, 1);
	return 1;
}
