/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel side, as the agent sees it. The only module that knows libbpf.
 *
 *     open ─► (sweep ─► swap ─► drain)* ─► free
 *
 * open loads and attaches the programs and adopts the sockets that are open already. Each window
 * the agent sweeps the live sockets (folding what moved since), swaps the flow maps, and drains the
 * one that no program writes any more: nothing is lost between read and clear.
 *
 * Invariants: no program, map or link outlives the process (nothing is pinned). After open no
 * capability is needed. One thread uses a probe at a time.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/flow.h"
#include "base/error.h"
#include "wire/batch.h"

struct probe;

/* Which hooks see UDP. */
enum probe_udp {
	PROBE_UDP_AUTO,       /* the first of those that follow that this kernel gives */
	PROBE_UDP_FENTRY,     /* costs nothing for TCP */
	PROBE_UDP_FENTRY_IN,  /* what is received; what is sent as by the next, see preempt.h */
	PROBE_UDP_CGROUP_SKB, /* runs for each packet of the observed cgroup */
	PROBE_UDP_OFF,        /* no UDP */
};

struct probe_config {
	const char *cgroup; /* directory in cgroup v2 to observe; NULL: all of it */
	uint32_t slots_max; /* live sockets with state; 0: by machine size. Rounded up to a power of
			       2 */
	uint32_t flows_max; /* records a window; 0: by machine size */
	uint32_t listeners_max; /* 0: 4096 */
	enum probe_udp udp;
	int news; /* a socket that hears of translated connections: what it hears is virtual at
		   * once. 0: none */
	const struct mr_virtual *virtuals; /* known to be translated, before the first is folded */
	size_t virtual_count;
};

/* Sums since open; gauges where said. */
struct probe_stats {
	uint64_t loss[WIRE_LOSS_COUNT]; /* those the kernel side knows; the others stay 0 */
	uint64_t events, sampled_events,
		sampled_ns;       /* runs of the connections' programs; of which timed */
	uint64_t swept, sweep_ns; /* sockets visited, time in the sweep */
	uint32_t sockets, slots_max, flows_max; /* gauges */
	uint64_t listeners_version;             /* moves whenever a listener came or went */
};

int probe_open(struct probe **ret, const struct probe_config *config, struct error *ret_error);
struct probe *probe_free(struct probe *p); /* always NULL; accepts NULL */

/* The hooks that serve, one line: "sock_ops, inet_sk_error_report". Borrowed. */
const char *probe_hooks(const struct probe *p);

/*
 * Visits the sockets that are due, at most `sockets_max` of them, and goes on there next time.
 * A socket without traffic is due again after 1, 2, 4 … windows, at most backoff_max; 1: every
 * time. everything: visits all, due or not. *ret_done: the whole table was seen.
 */
struct probe_sweep {
	uint32_t sockets_max;
	uint32_t backoff_max;
	bool everything;
};
int probe_sweep(struct probe *p, const struct probe_sweep *how, bool *ret_done);

/* From now on programs write the other map; returns when none writes the quiet one any more
 * (1–20 ms of waiting, no CPU). The quiet map must have been drained. */
int probe_swap(struct probe *p);

/* Hands over every record of the quiet map and empties it. Records are borrowed for the call; times
 * are µs. fn returns 0 or -errno, which ends the drain and is returned. */
typedef int (*probe_flow_fn)(void *userdata, const struct mr_flow_key *key,
			     const struct mr_flow_value *value);
int probe_drain(struct probe *p, probe_flow_fn fn, void *userdata);

/* Hands over the messages of name servers (data holds head->size bytes) and what became of
 * processes since the last time, each kind in its order as a rule. Borrowed for the call. */
struct probe_reader {
	void (*on_dns)(void *userdata, const struct mr_dns_head *head, const void *data);
	void (*on_process)(void *userdata, const struct mr_process_event *event);
	void *userdata;
};
void probe_rings_read(struct probe *p, const struct probe_reader *reader);

/* Becomes readable when many wait; -1: there are none to be had. Borrowed. */
int probe_rings_fd(const struct probe *p);

/* What this host dropped in the window, as drain; call it after the swap too. reason: the kernel's
 * own name, borrowed for as long as the probe lives. */
typedef int (*probe_drop_fn)(void *userdata, const struct mr_drop_key *key,
			     const struct mr_drop *drop, const char *reason);
int probe_drops(struct probe *p, probe_drop_fn fn, void *userdata);

/* All listeners there are now, with their queues as of now, and those that closed since. */
typedef int (*probe_listener_fn)(void *userdata, const struct mr_listener *listener);
int probe_listeners(struct probe *p, probe_listener_fn fn, void *userdata);

/* Live sockets, at most max; *ret_total is how many there are. key names the actor as in drain,
 * except that tgid may be given for servers too. connection's actor is left 0. */
typedef int (*probe_connection_fn)(void *userdata, const struct mr_flow_key *key,
				   const struct wire_connection *connection, const char comm[16],
				   uint64_t process_start_ns);
int probe_connections(struct probe *p, uint32_t max, probe_connection_fn fn, void *userdata,
		      uint64_t *ret_total);

/* Connections to an address that is virtual keep their ephemeral port in the key, or no longer do.
 * -errno: not told. */
int probe_virtual_set(struct probe *p, const struct mr_virtual *virtual, bool is_virtual);

/* Becomes readable when rows of translated connections, one each, have taken half of the flow map:
 * the window should end before its time. Borrowed; -1: nobody tells. */
int probe_pressure_fd(const struct probe *p);
void probe_pressure_clear(struct probe *p);

int probe_stats(struct probe *p, struct probe_stats *ret);

/* What this kernel gives, found by trying; needs root. One entry a feature. */
struct probe_feature {
	const char *name;   /* "sock_ops" */
	const char *serves; /* "life of TCP connections" */
	bool required;
	bool works;
	char note[256]; /* what serves instead, or what is missing and what to do */
};
int probe_check(struct probe_feature *ret, size_t max, size_t *ret_count);
