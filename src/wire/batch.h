/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent tells a server, once a window.
 *
 * A batch first defines what is new (actors, flows) under small handles and then reports updates by
 * handle: one row a flow that moved. Handles belong to the agent that gave them; a definition with
 * a known handle replaces the old one (an actor's living example may change), but within a life a
 * handle never goes to another flow or actor, so that batches can be merged (merge.h). The same
 * batch goes to a server in this process and, encoded (encode.h), to one on another machine: a new
 * field needs a column in wire/millrace.proto and columns.c, a new counter or loss a number in
 * numbers.h.
 *
 * Ownership: everything a batch points to lives in its arena and dies with it.
 * Clocks: CLOCK_MONOTONIC of the agent's machine, nanoseconds; wall clocks never travel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/histogram.h"
#include "wire/counters.h"
#include "wire/dns.h"

#define WIRE_TRANSPORT_TCP 6
#define WIRE_TRANSPORT_UDP 17

/* Who a socket belongs to on its node. Strings are never NULL; "" means not known or none. All of
 * them come from the machine as it is: hostile text, at most 4095 bytes, not always UTF-8. */
struct wire_actor {
	uint32_t handle;
	uint32_t pid;          /* one living example, 0 if none */
	const char *process;   /* "nginx"; for an interpreter the script: "report.py" */
	const char *unit;      /* systemd unit: "nginx.service", "user@1000.service" */
	const char *container; /* container id, 64 hex digits as a rule */
	const char *pod;       /* Kubernetes pod UID */
	const char *cgroup;    /* path below the cgroup root */
};

struct wire_flow {
	uint32_t handle;
	uint32_t actor;
	uint8_t transport; /* WIRE_TRANSPORT_… */
	uint8_t role;      /* enum mr_role: which end this agent saw */
	bool coarse;       /* a map was full: addresses and port are 0, the rest still counts */
	uint16_t port;     /* the server's */
	uint32_t netns;    /* the scope in which local and remote mean something */
	uint8_t local[16]; /* network order, IPv4 mapped */
	uint8_t remote[16]; /* who really is at the other end, if that is known */
	bool unresolved;    /* it is not: somebody translates remote, but to what was not learnt */
	uint16_t via_port;  /* what the client asked for, if that is not the server; else 0 */
	uint8_t via[16];
};

#define WIRE_DROPS_MAX 8 /* reasons of a row; more become "~other" */

/* Packets of a flow that the agent's own host dropped. */
struct wire_drop {
	const char *reason; /* the kernel's name: "NETFILTER_DROP" */
	uint64_t count;
};

/* One flow's row in one window. */
struct wire_update {
	uint32_t flow;
	uint64_t counter[MR_COUNTER_COUNT]; /* times in µs; a value may be "negative" by two's complement: sums are exact */
	struct histogram *rtt_us, *connect_us; /* NULL: nothing was measured */
	const struct wire_dns *dns; /* NULL: no name was asked for in it */
	struct wire_drop *drops;    /* at most WIRE_DROPS_MAX; NULL: none */
	uint32_t drop_count;
};

/* What an address is called where this agent's node asked for it; replaces what was told before. */
struct wire_name {
	uint32_t netns; /* the scope in which it was asked for */
	uint8_t address[16];
	const char *name; /* lower case, printable, at most 255 bytes; others are refused */
};

struct wire_listener {
	uint32_t actor;
	uint32_t netns;
	uint8_t address[16];
	uint16_t port;
	uint8_t transport;
	uint32_t drops;            /* since it began to listen */
	uint32_t queue, queue_max; /* waiting for accept(), and how many may */
};

/* What became of processes, or of containers. */
enum wire_event_kind {
	WIRE_EVENT_STARTED,
	WIRE_EVENT_RESTARTED, /* started after one of the same actor had ended that listened, or failed */
	WIRE_EVENT_EXITED,    /* by itself, with 0 */
	WIRE_EVENT_FAILED,    /* by itself, with another code */
	WIRE_EVENT_KILLED,    /* by a signal */
	WIRE_EVENT_KIND_COUNT
};

enum wire_event_scope { WIRE_EVENT_PROCESS, WIRE_EVENT_CONTAINER, WIRE_EVENT_SCOPE_COUNT };

/* All of one kind that became of an actor's processes in one window. */
struct wire_event {
	uint32_t actor; /* of a container: of the process that came first, or went last */
	uint32_t pid;   /* of the last one */
	uint32_t count;
	uint8_t kind;   /* enum wire_event_kind */
	uint8_t scope;  /* enum wire_event_scope */
	uint8_t code;   /* FAILED: exit code; KILLED: signal; else 0 */
	bool oom;       /* KILLED: by the kernel, for want of memory */
	bool child;     /* workers: forked from one that is there too, and hold its sockets */
	uint64_t first_ns, last_ns;
};

/* What the kernel counts in each network namespace by itself: our name, the name of where it stood
 * when we began, the kernel's own name. */
#define WIRE_NETNS_COUNTERS(X)                                                                     \
	X(ATTEMPTED, "attempted", "baseline_active_opens", "ActiveOpens")                          \
	X(ACCEPTED, "accepted", "baseline_passive_opens", "PassiveOpens")                          \
	X(RETRANSMITS, "retransmits", "baseline_retrans_segs", "RetransSegs")                      \
	X(DATAGRAMS_SENT, "datagrams_sent", "baseline_out_datagrams", "Udp OutDatagrams")          \
	X(DATAGRAMS_RECEIVED, "datagrams_received", "baseline_in_datagrams", "Udp InDatagrams")    \
	X(DATAGRAMS_DROPPED, "datagrams_dropped", "baseline_rcvbuf_errors", "Udp RcvbufErrors")

#define WIRE_NETNS_ENUM(id, ours, baseline, kernel) NETNS_##id,
enum wire_netns_counter { WIRE_NETNS_COUNTERS(WIRE_NETNS_ENUM) NETNS_COUNTER_COUNT };

/* One network namespace, for `verify`: ours since the agent started, and what the kernel's counters
 * stood at then (0 for a namespace that came later). */
struct wire_netns {
	uint32_t netns, cookie; /* inode; the low 16 bits of SO_NETNS_COOKIE, 0: not known */
	uint64_t ours[NETNS_COUNTER_COUNT], baseline[NETNS_COUNTER_COUNT];
};

/* Sums since the agent started. A loss has a cause, a count and a meaning a user can act on. */
#define WIRE_LOSSES(X)                                                                             \
	X(SLOTS_FULL, "slots_full", "connections without a slot: counted when they close, not live") \
	X(FLOWS_FULL, "flows_full", "foldings that went into a coarse flow")                       \
	X(COARSE_FULL, "coarse_full", "foldings that lost even the actor")                         \
	X(DROPPED, "dropped", "foldings that went nowhere: bytes missing from the sums")           \
	X(LISTENERS_FULL, "listeners_full", "listeners that are not shown")                        \
	X(CLOSE_UNSEEN, "close_unseen", "connections whose end was found by the sweep only")       \
	X(UNADOPTED, "unadopted", "connections open before the agent that found no slot")          \
	X(RECURSION, "recursion", "tracepoints that the kernel skipped")                           \
	X(DROPS_FULL, "drops_full", "packets this host dropped that are not told apart by flow")    \
	X(PROCESSES_FULL, "processes_full", "processes whose start and end are not told: too many at once") \
	X(PROCESS_EVENTS_FULL, "process_events_full", "starts and ends of processes that are not told: too many at once") \
	X(ACTORS_FULL, "actors_full", "actors folded into ~other")                                 \
	X(HANDLES_FULL, "handles_full", "flows folded into a coarse flow by the agent")            \
	X(LATE_WINDOWS, "late_windows", "windows that took longer than asked for")                 \
	X(DNS_FULL, "dns_full", "DNS messages that were not looked at: too many at once")          \
	X(DNS_QUERIES_FULL, "dns_queries_full", "DNS queries that were not followed to their answer") \
	X(DNS_NAMES_FULL, "dns_names_full", "names of addresses forgotten for newer ones")         \
	X(DNS_BAD, "dns_bad", "DNS messages that break the protocol, or answer what nobody asked") \
	X(NAT_OVERRUNS, "nat_overruns", "times the kernel dropped news of translated connections")  \
	X(NAT_FULL, "nat_full", "translations forgotten for newer ones")                           \
	X(NAT_UNRESOLVED, "nat_unresolved", "foldings of a translated address that lead nowhere known") \
	X(QUEUE_FULL, "queue_full", "batches merged because the server was behind")                \
	X(REFUSED_BY_SERVER, "refused_by_server", "rows that the server would not take")           \
	X(PENDING_FULL, "pending_full", "rows made coarse and events not told while no server took them")
#define WIRE_LOSS_ENUM(id, name, help) WIRE_LOSS_##id,
enum wire_loss { WIRE_LOSSES(WIRE_LOSS_ENUM) WIRE_LOSS_COUNT };

/* What the agent itself costs and holds; sums since it started unless said otherwise. */
struct wire_status {
	const char *hooks;          /* one line: "sock_ops, inet_sk_error_report" */
	uint64_t agent_cpu_ns;      /* the agent's threads: sweep, drain, fold, names; sending */
	uint64_t kernel_cpu_ns;     /* its programs on the connections' path, sampled */
	uint64_t sweep_ns;          /* part of agent_cpu_ns */
	uint64_t sweep_sockets;     /* visits */
	uint64_t window_wanted_ns, window_ns; /* gauges: asked for, and after stretching for the budget */
	double cpu_budget_percent;  /* of the machine */
	uint32_t sockets, slots, flows_max, listeners; /* gauges */
	uint32_t cpus; /* online on the machine; 0: not told */
	uint64_t process_records; /* read: a process without a socket leaves none */
	uint64_t foreign_drops;   /* packets this host dropped that belong to no flow it knows */
};

/* An address of the agent's machine, where it means something: 0 is the machine's own namespace. */
struct wire_cover {
	uint32_t netns;
	uint8_t address[16];
};

struct wire_batch {
	struct arena *arena;
	const char *node, *boot_id, *version, *kernel;
	const char *zone, *region;        /* where the machine stands; NULL or "": not known */
	const char *cgroup;               /* the agent observes only this; NULL or "": the whole machine */
	uint64_t started_ns;              /* when this agent started; with boot_id names its life */
	uint64_t sequence;                /* from 1, without gaps */
	uint64_t window_start_ns, window_end_ns;
	uint64_t sent_ns;                 /* the agent's clock now */
	uint32_t windows;                 /* that were merged into this one while the server was away; 0 or 1: none */
	/* Only says again what handles mean, names, who listens and which addresses are covered, to a server
	 * that has forgotten: no window, no updates. Its sequence is that of the batch which follows. */
	bool definitions;

	struct wire_actor *actors;
	size_t actor_count;
	struct wire_flow *flows;
	size_t flow_count;
	/* Handles that will not come again after this batch: its updates and events may still name
	 * them. Within an agent's life a handle never means anything else. */
	uint32_t *retired, *retired_actors;
	size_t retired_count, retired_actor_count;
	struct wire_update *updates;
	size_t update_count;
	struct wire_name *names;
	size_t name_count;
	bool listeners_changed;           /* then listeners is the whole set */
	struct wire_listener *listeners;
	size_t listener_count;
	bool covers_changed;              /* then covers is the whole set */
	struct wire_cover *covers;
	size_t cover_count;
	struct wire_event *events;
	size_t event_count;
	struct wire_netns *netns;
	size_t netns_count;
	uint64_t loss[WIRE_LOSS_COUNT];
	struct wire_status status;
};

/* A request that travels from server to agent, and its answer. */
struct wire_request {
	uint64_t id;
	uint32_t connections_max; /* live sockets wanted at the most */
};

/* A live socket, with what `ss -ti` shows. Gauges of now, sums of its life. */
struct wire_connection {
	uint32_t actor;
	uint32_t netns;
	uint8_t role; /* enum mr_role */
	uint8_t state; /* TCP_ESTABLISHED = 1 … as in the kernel */
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port;
	uint32_t pid;
	uint32_t rtt_us, rttvar_us, min_rtt_us, cwnd, ssthresh, mss, unacked_segments, retransmits;
	uint64_t bytes_sent, bytes_received, bytes_acked;
	uint32_t segments_sent, segments_received;
	uint64_t pacing_rate, delivery_rate; /* bytes a second */
	uint32_t age_ms;       /* since we saw it open; 0: adopted */
	uint32_t last_send_ms, last_receive_ms; /* ago */
};

struct wire_answer {
	struct arena *arena;
	uint64_t id;
	struct wire_actor *actors; /* all that its connections name */
	size_t actor_count;
	struct wire_connection *connections;
	size_t connection_count;
	uint64_t total; /* live sockets there are */
};

const char *wire_transport_name(uint8_t transport); /* "tcp", "udp" */

/* The histogram at *h, made in the arena where there is none yet; NULL without memory. */
struct histogram *wire_histogram(struct arena *a, struct histogram **h);

/* An empty batch with an arena of its own; NULL without memory. */
struct wire_batch *wire_batch_new(void);
struct wire_batch *wire_batch_free(struct wire_batch *b); /* always NULL */
struct wire_answer *wire_answer_new(void);
struct wire_answer *wire_answer_free(struct wire_answer *a); /* always NULL */
