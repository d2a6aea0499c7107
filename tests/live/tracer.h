/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second opinion on a tracepoint: how often the kernel told its tracers of it.
 *
 * A machine may keep from its tracers what interrupts a task that it hides (seen where a monitor of
 * the host's runs inside of the guest): the kernel's own counters go on, and no tracing program
 * runs nor is counted as skipped. What millrace reads there cannot be more than what it is told.
 *
 * One perf event a CPU, a sample an event: the samples have nothing but their header, so the
 * position in the ring is the count, and nobody has to read while it goes on.
 */
#pragma once

#include <stdint.h>

#define TRACER_CPUS_MAX   64
#define TRACER_QUEUE_FULL "udp/udp_fail_queue_rcv_skb"

struct tracer {
	int cpus;
	int fds[TRACER_CPUS_MAX];
	void *rings[TRACER_CPUS_MAX];
};

/* Begins to count "group/name" on all CPUs; filter: as tracefs takes it, NULL: all of them.
 * -errno: nobody can tell here. */
int tracer_open(struct tracer *t, const char *event, const char *filter);
/* UINT64_MAX: it cannot tell; not open, or more than it can hold. */
uint64_t tracer_count(const struct tracer *t);
void tracer_close(struct tracer *t);

/* The number that a tracepoint's format prints by this name; -1: none. */
int tracer_symbol(const char *event, const char *name);

/* Of what happened, how much the kernel told no tracer of; 0 if it cannot tell. */
uint64_t tracer_untold(const struct tracer *t, uint64_t happened);
