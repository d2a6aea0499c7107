/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel side for tests: what the programs would write, a test writes; who calls what is counted.
 * Linked in place of probe.c.
 */
#pragma once

#include <pthread.h>

#include "agent/probe.h"

#define FAKE_RECORDS_MAX 4096

struct fake_record {
	struct mr_flow_key key;
	struct mr_flow_value value;
};

struct probe {
	pthread_mutex_t lock;
	struct fake_record *map[2];
	size_t count[2];
	int active;
	int swap_result, drain_result; /* what the next calls return */

	struct mr_listener listeners[16];
	size_t listener_count;
	struct mr_dns_large dns[16];
	size_t dns_count;
	struct mr_process_event processes[16];
	size_t process_count;
	struct mr_drop_key drop_key; /* of one dropped packet, in the next window */
	const char *drop_reason;     /* NULL: none */
	struct fake_record connections[16];
	struct wire_connection connection[16];
	size_t connection_count;
	struct probe_stats stats;
	int virtuals;    /* how many there are */
	int pressure_fd; /* eventfd */

	uint32_t cursor;   /* of the sweep over stats.sockets */
	uint64_t visit_ns; /* what a visit takes, in stats.sweep_ns only */
	struct fake_record
		unswept; /* goes into the active map when the sweep ends with `everything` */
	bool has_unswept;
	struct mr_listener late_listener; /* begins to listen just before the next swap */
	bool has_late_listener;
	struct probe_sweep last_sweep;
	unsigned int swaps, drains, whole_sweeps, listener_reads;
};

/* The one that was opened last. */
struct probe *probe_fake_current(void);

/* As a program would: into the active map. */
void probe_fake_fold(struct probe *p, const struct mr_flow_key *key,
		     const struct mr_flow_value *value);
