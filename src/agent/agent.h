/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent: once a window it drains the kernel's flows, names who they belong to, folds again and
 * sends one batch. One thread, one loop.
 *
 * It bounds itself: CPU by a budget (the window stretches, idle sockets are visited less often),
 * memory by fixed tables. What does not fit is folded into something coarser and counted.
 */
#pragma once

#include <stdint.h>

#include "agent/probe.h"
#include "base/error.h"
#include "wire/batch.h"

struct agent;

struct agent_config {
	const char *cgroup;            /* observe only this cgroup directory; NULL: everything */
	uint64_t window_ns;            /* 0: one second */
	double cpu_budget_percent;     /* of the whole machine; 0: 0.1 */
	uint32_t slots_max, flows_max; /* 0: by machine size */
	enum probe_udp udp;            /* 0: what serves best */
	const char *version;
	const char *node; /* what this machine is called; NULL: its host name */

	/* Called from the agent's thread; takes what it is given. */
	void (*send)(void *userdata, struct wire_batch *batch);
	void (*answer)(void *userdata, struct wire_answer *answer);
	void *userdata;
};

/* Loads and attaches the kernel side; needs root. After it nothing needs a capability any more. */
int agent_open(struct agent **ret, const struct agent_config *config, struct error *ret_error);
/* Where the machine stands, for all batches; "": not known. Copies. Before its thread begins. */
void agent_set_place(struct agent *a, const char *zone, const char *region);
const char *agent_node(const struct agent *a);  /* borrowed */
const char *agent_hooks(const struct agent *a); /* "sock_ops, …"; borrowed */
int agent_start(struct agent *a);               /* its thread begins */
/* Any thread; copies. Answered at once, not at the window's end; of more than 32 that wait the rest
 * is dropped. */
void agent_request(struct agent *a, const struct wire_request *request);
void agent_sweep_now(
	struct agent *a); /* any thread: the next window ends at once and visits every socket */
struct agent *
agent_free(struct agent *a); /* stops, sends the last batch; always NULL; accepts NULL */
