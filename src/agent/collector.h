/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One window's work, without a thread or a clock of its own:
 *
 *     sweep (in slices) ─► collect: swap, drain, name, fold ─► take: the batch
 *
 * What is collected stays in the batch at hand until it is taken, so one batch may hold several
 * drains (at the start and at the end). Losses are the probe's and the tables' together.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/nat.h"
#include "agent/probe.h"
#include "agent/sweep.h"
#include "base/error.h"
#include "wire/batch.h"

struct collector;

struct collector_config {
	const char *proc;        /* NULL: /proc */
	const char *cgroup_root; /* where cgroup v2 is mounted; NULL: not known */
	const char *version;
	const char *node;                  /* NULL: the host's name */
	const char *observed;              /* only this cgroup; NULL: everything */
	uint64_t started_boot_ns;          /* processes that started before were there before */
	uint32_t actors_max, flows_max;    /* of the tables here; 0: their own defaults */
	struct nat *nat;                   /* borrowed; NULL: nobody tells of translations */
	void (*read_news)(void *userdata); /* notes in nat all that was heard so far */
	void *userdata;
};

/* Facts about the agent that only its owner knows. */
struct collector_status {
	uint64_t window_start_ns, window_end_ns, now_ns; /* CLOCK_MONOTONIC */
	uint64_t agent_cpu_ns, late_windows, nat_overruns;
	uint64_t window_wanted_ns, window_ns;
	double cpu_budget_percent;
	uint32_t cpus;
};

/* probe: borrowed. */
int collector_new(struct collector **ret, struct probe *probe,
		  const struct collector_config *config, uint64_t now_ns, struct error *ret_error);
struct collector *collector_free(struct collector *c); /* always NULL; accepts NULL */

struct node *collector_node(struct collector *c); /* who its batches are of; borrowed */

/* Notes where the kernel's own counters stand now, in every network namespace. Needs root. */
int collector_note_baselines(struct collector *c, uint64_t now_ns);

/* One slice; *ret_done: this window's sweep is over. */
int collector_sweep(struct collector *c, const struct sweep_how *how, bool *ret_done);

/* Ends the window in the kernel and folds it. Losing nothing on error: what could not be swapped or
 * drained now is so the next time. */
int collector_collect(struct collector *c, uint64_t now_ns);

/* Reads what waits in the probe's rings, before the window ends. */
void collector_read_rings(struct collector *c);

/* Before the last batch: what still waits for its translation does so no longer. */
void collector_finish(struct collector *c);

/* Returns owned; NULL: no memory, and all that was collected waits for the next time. */
struct wire_batch *collector_take(struct collector *c, const struct collector_status *status);

/* Returns owned; NULL: no memory. */
struct wire_answer *collector_answer(struct collector *c, const struct wire_request *request,
				     uint64_t now_ns);

void collector_stats(const struct collector *c,
		     struct probe_stats *ret); /* as of the last window */
