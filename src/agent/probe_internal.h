/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the probe share: probe.c, adopt.c, probe_connections.c. Nobody else includes
 * it. */
#pragma once

#include "agent/drop_reason.h"
#include "agent/probe.h"
#include "agent/probe_batch.h"
#include "millrace.skel.h"

#define REGION_SLOTS   16 /* as in bpf/slot.h */
#define LAST_RESORT    2  /* one coarse record a role, always there */
#define PROBE_CPUS_MAX 1024

struct probe {
	struct millrace_bpf *skel;
	struct bpf_link *connections_link;
	int cgroup_fd;
	uint64_t cgroup_id;
	int flow_map[2]; /* borrowed from skel */
	uint32_t active; /* which of them programs write */
	uint32_t slots_max, flows_max;
	uint32_t sweep_next; /* region of slots where the sweep goes on */
	uint32_t window;     /* sweeps of the whole table so far */
	uint32_t live_so_far, sockets;
	uint64_t swept, sweep_ns;
	uint32_t us_per_jiffy;
	char hooks[256];
	enum probe_udp udp; /* what serves; never AUTO */
	int udp_map[2];     /* borrowed from skel */
	struct ring_buffer *rings, *pressure;
	const struct probe_reader *reader; /* while probe_rings_read() runs */
	struct mr_udp_value udp_values[PROBE_BATCH_MAX];
	struct mr_flow_value udp_as_flow;
	struct mr_flow_key keys[PROBE_BATCH_MAX];
	struct mr_flow_value values[PROBE_BATCH_MAX];
	uint64_t listener_keys[PROBE_BATCH_MAX];
	struct mr_listener listeners[PROBE_BATCH_MAX];
	struct mr_cost costs[PROBE_CPUS_MAX];
	bool has_drops; /* this kernel tells reasons */
	struct drop_reasons drop_reasons;
	struct mr_drop_key drop_keys[PROBE_BATCH_MAX];
	struct mr_drop drops[PROBE_BATCH_MAX];
};

/* libbpf's own messages are not shown: errors are told once, in plain words. */
void probe_quiet(void);

/* Runs a program of ours once, now. 0 or -errno. */
int probe_run(const struct bpf_program *program);

/* Puts in the records of last resort: flow_get() in bpf/fold.h relies on them. 0 or -errno. */
int probe_last_resort_put(int map);

/* From now on programs write this one of the two flow maps. 0 or -errno. */
int probe_active_set(struct probe *p, uint32_t which);

/* UDP, in this order: configure (before load), prepare, attach; then swap (before TCP's swap, which
 * waits for both; once more if that fails), swapped (after it) and drain. 0 or -errno. */
int probe_udp_configure(struct probe *p, const struct probe_config *config, uint32_t records,
			struct error *ret_error);
int probe_udp_prepare(struct probe *p);
int probe_udp_attach(struct probe *p, struct error *ret_error);
const char *probe_udp_describe(const struct probe *p); /* ", fentry (UDP)"; "" */
void probe_udp_swap(struct probe *p);
void probe_udp_swapped(struct probe *p);
int probe_udp_drain(struct probe *p, probe_flow_fn fn, void *userdata);
/* The rings, once the maps are there; without UDP there is none of DNS messages. */
int probe_rings_open(struct probe *p);
void probe_rings_close(struct probe *p);
bool probe_udp_fentry_works(void); /* found by trying */

/* The error of a probe_open() as a note of `millrace check`, which must not send there again. */
void probe_check_note(char *note, size_t size, const char *error);

/* The ring that wakes the agent when the map fills. */
void probe_pressure_open(struct probe *p);

/* Processes: configure before load (-errno), attach before what finds their sockets. */
int probe_process_configure(struct probe *p);
void probe_process_attach(struct probe *p);

/* Local drops: configure before load, attach after. */
void probe_drops_configure(struct probe *p);
void probe_drops_attach(struct probe *p);

/* Creates the iterator of live connections, while there still is the capability. */
int probe_connections_open(struct probe *p, struct error *ret_error);
