/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agents of a simulated cluster as one process: their batches, encoded before the clock runs,
 * over HTTP with connections that are kept, each node at its own moment of the second.
 *
 * Nodes share connections where there are more nodes than LOAD_CONNECTIONS_MAX; a node's next batch
 * waits for the answer to the one before, as an agent's does. What it costs itself is told, since
 * it runs on the same CPUs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench.h"

#define LOAD_CONNECTIONS_MAX 2000

struct cluster_load {
	unsigned int nodes, windows;
	uint16_t port;
};

/* Shared with the process that sends. */
struct cluster_account {
	uint64_t begin_ns; /* CLOCK_MONOTONIC at which window 1 of node 0 ends; 0: not yet */
	uint64_t updates, body_bytes; /* of what was answered with 204, without each node's first */
	uint32_t taken, refused;      /* batches; refused: any other status */
	uint32_t status;              /* of the last refused */
	uint32_t late; /* batches whose turn came while the one before was under way */
	uint64_t wait_ns_sum, wait_ns_max; /* from a window's end to its answer */
	uint64_t cpu_ns;                   /* of the sender, since begin */
	bool done;
};

/* Encodes all, then sends; returns when the first window is about to end. */
pid_t cluster_load_start(const struct cluster_load *l, struct cluster_account **ret);
void cluster_load_stop(pid_t pid, struct cluster_account *a);
