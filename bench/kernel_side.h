/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process holds in the kernel: its BPF programs with their run time, its maps with their
 * memory. Only its own, found by its file descriptors: others may run millrace beside us.
 *
 * Run times are the kernel's (BPF_ENABLE_STATS). Reading the clock twice for each run taxes every
 * program of the host, so they are on for separate parts of a run, and what they say is a little
 * high.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define KERNEL_PROGRAMS_MAX 48

struct kernel_program {
	char name[16];
	uint32_t id;
	uint64_t run_ns, runs;
	uint8_t in_hooks; /* called by the kernel; what the agent runs is in its CPU time already */
};

struct kernel_side {
	struct kernel_program program[KERNEL_PROGRAMS_MAX];
	unsigned int programs;
	uint64_t program_bytes, map_bytes;
};

void kernel_side_read(struct kernel_side *ret, pid_t pid);
/* Between two readings of those in hooks: run time in ns, and how often they ran. */
uint64_t kernel_side_hooks_ns(const struct kernel_side *from, const struct kernel_side *to);
uint64_t kernel_side_hooks_runs(const struct kernel_side *from, const struct kernel_side *to);
/* A line for each program that ran: name, runs and ns a run. */
void kernel_side_note(const struct kernel_side *from, const struct kernel_side *to, double per,
		      const char *per_what);

int kernel_stats_on(void); /* until this descriptor is closed */
/* What the kernel says that a program takes which does nothing: the price of taking its time, which
 * nobody pays otherwise. While run times are taken. */
double kernel_stats_empty_ns(void);
