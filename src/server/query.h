/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's core as the API sees it: batches go in, questions get answers.
 *
 *     core_ingest(batch, now) ─► flows, endpoints, history ─► query_graph / flows / series / agents
 *
 * Sans I/O: no sockets, no clock, no threads. One thread uses a core at a time.
 *
 * Times are wall clock, nanoseconds since 1970. A range takes every window whose end lies in
 * (from, to]: ranges that touch never count a window twice. Counters are sums over the range, exact
 * and by two's complement (a sum may be negative: cast to int64_t); gauges (active, pending) are as
 * of `to`.
 *
 * Answers live in the arena that the caller gives and point only into it: they outlive the core.
 * Strings in answers are never NULL, are UTF-8 and free of control characters.
 * Every function returns 0, -ENOMEM, or what it says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/histogram.h"
#include "server/filter.h"
#include "server/drops.h"
#include "server/events.h"
#include "wire/batch.h"

struct core;

struct core_config {               /* 0: the default */
	size_t history_bytes_max;  /* 32 MiB */
	uint32_t flows_max;        /* 65536 */
	uint32_t actors_max;       /* 8192 */
	uint32_t agents_max;       /* 64 */
	uint32_t listeners_max;    /* 16384, of all agents */
	uint64_t fine_ns;          /* windows stay as they came for so long: 5 min */
	uint64_t coarse_window_ns; /* and are then merged into windows of this: 10 s */
	uint64_t retain_ns;        /* and forgotten after: 1 h */
};

int core_new(struct core **ret, const struct core_config *config); /* config may be NULL */
struct core *core_free(struct core *c);                            /* always NULL; accepts NULL */

/*
 * Takes in what an agent says; borrows the batch for the call. now_ns: wall clock at receipt.
 * Rows that make no sense are refused one by one and counted; the rest of the batch is kept.
 * A batch of definitions alone (batch.h) replaces what the agent's handles mean, and nothing else.
 * -EALREADY: seen before (its sequence), ignored. -ESTALE: from an earlier life of that agent.
 * -ENOSPC: one agent too many. -EINVAL: the batch as a whole makes no sense. All are counted.
 * -ENOMEM: nothing of it counts, it may come again.
 */
int core_ingest(struct core *c, const struct wire_batch *batch, uint64_t now_ns);

/* Time goes by: once a second. Tells which agents have fallen silent. */
void core_tick(struct core *c, uint64_t now_ns);

/* Moves with every batch taken in: nothing is new while it stands still. */
uint64_t core_version(const struct core *c);
/* Length of the slots it was read from the store in; 0: all came as it is. */
uint64_t core_resolution_ns(const struct core *c);
/* Where history begins; UINT64_MAX: it is empty. */
uint64_t core_history_from_ns(const struct core *c);
/* End of the newest window, wall clock; 0 before the first. */
uint64_t core_latest_ns(const struct core *c);

struct query_range {
	uint64_t from_ns, to_ns;
};

/* --- grouping ----------------------------------------------------------------------------- */

enum query_group_kind {
	QUERY_GROUP_WORKLOAD,
	QUERY_GROUP_PROCESS,
	QUERY_GROUP_CONTAINER,
	QUERY_GROUP_INSTANCE,
	QUERY_GROUP_NODE,
	QUERY_GROUP_NAMESPACE,
	QUERY_GROUP_ZONE,
	QUERY_GROUP_REGION,
	QUERY_GROUP_CLUSTER,
	QUERY_GROUP_LABEL,
};

struct query_group {
	enum query_group_kind kind;
	char label[128]; /* for QUERY_GROUP_LABEL */
};

/* "workload", …, "label:app". NULL or "": workload. -EINVAL: ret_error says what is expected. */
int query_group_parse(struct query_group *ret, const char *text, struct error *ret_error);
/* Its text again, "label:app"; into buffer, which is returned. */
const char *query_group_name(const struct query_group *group, char *buffer, size_t size);

/* --- figures ------------------------------------------------------------------------------ */

/* All that is known of an edge, a flow or one end's view of it. */
struct query_measures {
	uint64_t counter[MR_COUNTER_COUNT]; /* by enum mr_counter, names in wire/counters.h */
	struct histogram rtt_us, connect_us;
	struct wire_dns dns;	 /* all 0: no name was asked for */
	struct drops drops;	 /* by the hosts of both ends; of a server_view by that end's */
	const struct reason_names *reason_names; /* their names; NULL: there are none */
	int64_t active, pending; /* as of the range's end; never below 0 */
	/* Estimates: payload + retransmitted payload + per segment an IP header (20 or 40) and 32
	 * bytes of TCP header, or 8 of UDP's a datagram. Pure ACKs and the link layer are not in. */
	uint64_t wire_bytes_to_server, wire_bytes_to_client;
};

/* One cause of loss in the range; help says in words what was lost. */
struct query_loss {
	const char *cause;
	const char *help;
	uint64_t count;
};

#define QUERY_GAPS_MAX 64

struct query_gap {
	const char *node;
	uint64_t from_ns, to_ns;
};

struct query_completeness {
	double share; /* of connections' beginnings and ends that are in the numbers, 0..1 */
	uint32_t agents_expected, agents_reporting; /* expected: but for those that are gone */
	struct query_gap *gaps; /* of the range that agents never told, or have not yet; newest first */
	size_t gap_count;       /* at most QUERY_GAPS_MAX */
	struct query_loss *losses; /* only those that are not 0 */
	size_t loss_count;
	uint64_t unresolved_bytes; /* payload of flows of which one end is not known (~other, or translated) */
	double window_s;           /* length of the newest window in the range, 0 if none */
	double resolution_s;       /* that of what was read from the store; 0: all is in memory */
	/* From the begin of the first window in the range to the end of the newest, whatever the
	 * filter; 0: none. A window counts by its end, so it may begin before the range. */
	uint64_t covered_from_ns, covered_to_ns;
};

/* --- graph -------------------------------------------------------------------------------- */

struct query_port {
	const char *transport; /* "tcp", "udp" */
	const char *address;   /* "0.0.0.0", "::", "127.0.0.1" */
	uint16_t port;
	uint32_t netns;
	uint32_t drops, queue, queue_max;
};

/* What became of a node's processes and containers in the range. */
struct query_happenings {
	struct event_counts processes, containers;
	const char *last; /* the newest that is worth a word; NULL: none */
	uint64_t last_ns;
};

struct query_node {
	const char *id;   /* "service/nginx", "external/10.1.2.3"; stable over time */
	const char *kind; /* container, service, process, external, other (~other), or the group's
			     name */
	const char *name; /* "nginx" */
	const char *namespace_name, *cluster;
	const char **zones; /* none of them "" */
	size_t zone_count;
	const char **nodes; /* machines it runs on; none for external */
	size_t node_count;
	const char **addresses; /* of an external: those seen in the range, at most a few */
	size_t address_count;
	struct query_port *listeners; /* now */
	size_t listener_count;
	const char *health; /* "ok", "degraded", "failing": the worst of the edges it serves */
	uint64_t first_seen_ns;
	struct query_happenings happenings;
	double x, y; /* its cell on the map, see layout.h */
};

struct query_edge {
	const char *id; /* stable over time for the same group; see edges_id() */
	const struct query_node *client, *server;
	const char *transport; /* "tcp", "udp" */
	uint16_t port;         /* 0: ~other */
	const char *via;       /* what was asked for, "10.96.0.1:80"; "": the server itself */
	const char *client_zone, *server_zone, *client_region,
		*server_region; /* "" where unknown */
	const char *class_name; /* "same_node", "cross_zone", …; see locate.h */
	const char *carrier;    /* "sidecar", "tunnel": shown, never summed; "": neither */
	bool provisional; /* the client's agent is silent: part of it may yet be told otherwise */
	uint64_t first_seen_ns, last_seen_ns;
	const char *health; /* "ok", "degraded", "failing"; see health.h */
	struct query_measures measures;
	struct query_measures *server_view; /* the server end's own figures; NULL: not there, or its
					     * flows cannot be told apart between several edges */
};

struct query_graph_request {
	struct query_range range;
	struct query_group group;
	const struct filter *filter; /* borrowed; NULL: everything */
	uint64_t now_ns;             /* wall clock, for agents_reporting */
};

struct query_graph {
	struct query_node *nodes; /* sorted by id */
	size_t node_count;
	struct query_edge *edges; /* sorted by client id, server id, port */
	size_t edge_count;
	struct query_completeness completeness;
};

int query_graph(struct core *c, const struct query_graph_request *request, struct arena *arena,
		struct query_graph *ret);

/* --- flows -------------------------------------------------------------------------------- */

struct query_endpoint {
	const char *address; /* "" for ~other */
	uint16_t port;       /* 0 at the client: folded away */
	const char *workload, *kind, *namespace_name, *pod, *container, *process, *unit, *image,
		*tag;
	const char *node, *zone;
	uint32_t pid;   /* one living example; 0: unknown */
	const char *id; /* of its node in the graph grouped by workload */
};

enum query_view {
	QUERY_VIEW_JOINED, /* every connection once: the client's row where there is one */
	QUERY_VIEW_ENDS,   /* the raw rows, as each end reported them; not to be summed */
};

struct query_flow {
	uint64_t time_ns; /* end of its window, or of the newest window of the range it moved in */
	double window_s;  /* length of its window, or from the first to the last it moved in */
	struct query_endpoint client, server;
	const char *transport; /* "tcp", "udp" */
	const char *seen_by;   /* "client", "server": whose figures these are */
	bool coarse;           /* one end is ~other */
	bool unresolved;       /* the end that was not seen is translated, to what is not known */
	const char *via;       /* as for edges */
	uint32_t netns;        /* of the end that saw it */
	uint64_t first_seen_ns;
	struct query_measures measures;
	struct query_measures *server_view; /* as for edges; always NULL with QUERY_VIEW_ENDS */
};

struct query_flows_request {
	struct query_range range;
	enum query_view view;
	bool per_window; /* a row per flow and window, else one over the range */
	const struct filter *filter;
	size_t limit; /* rows at most; 0: 10000 */
	uint64_t now_ns;
};

struct query_flows {
	struct query_flow *flows; /* by time, then by bytes, the most first */
	size_t flow_count;
	uint64_t total; /* rows there are; more than flow_count if the limit cut */
	struct query_completeness completeness;
};

int query_flows(struct core *c, const struct query_flows_request *request, struct arena *arena,
		struct query_flows *ret);

/* --- events ------------------------------------------------------------------------------- */

/* What became of an actor's processes, or of a container; several of one kind within ten seconds
 * are one. */
struct query_event {
	uint64_t first_ns, last_ns;
	const char *scope; /* "process", "container", "agent" */
	const char *kind;  /* "started", "restarted", "exited", "failed", "killed"; of an agent
			    * "started", "silent", "returned" */
	uint32_t count;
	uint8_t code, signal;	   /* of failed; of killed; else 0 */
	bool oom, worker;	   /* see struct wire_event */
	struct query_endpoint who; /* pid: of the last one */
	const char *text;	   /* "redis-server was killed by signal 9 (SIGKILL)" */
};

struct query_events_request {
	struct query_range range; /* a row is where its last one is */
	const struct filter *filter;
	size_t limit; /* 0: 1000 */
	uint64_t now_ns;
};

struct query_events {
	struct query_event *events; /* newest first */
	size_t event_count;
	uint64_t total; /* rows there are; more than event_count if the limit cut */
	struct event_counts processes, containers; /* of all of them */
	struct query_completeness completeness;
};

int query_events(struct core *c, const struct query_events_request *request, struct arena *arena,
		 struct query_events *ret);

/* --- series ------------------------------------------------------------------------------- */

struct query_series_request {
	struct query_range range;
	uint64_t step_ns; /* 0: chosen so that about 300 steps cover the range */
	struct query_group group;
	const struct filter *filter;
	bool by_edge;      /* a line per edge, else one line of all */
	const char *edge;  /* only the edge of this id; NULL: any */
	uint64_t counters; /* bit per enum mr_counter; 0: bytes, opened, retransmits */
	bool rtt;          /* histograms of RTT too */
	size_t limit;      /* lines at most, the most bytes first; 0: 100 */
	uint64_t now_ns;
};

struct query_series_line {
	const char *edge;            /* id; "" for the total */
	const char *client, *server; /* node ids; "" for the total */
	uint16_t port;
	uint64_t *values;         /* [step * counter_count + place of the counter in counters] */
	struct histogram *rtt_us; /* [step]; NULL if not asked for */
};

struct query_series {
	uint64_t from_ns, step_ns; /* step i holds the windows that end in (from + i step, from +
				      (i+1) step] */
	size_t step_count;
	enum mr_counter *counters; /* which, in order */
	size_t counter_count;
	bool *covered; /* [step]: any window at all; false: a gap, not a zero */
	bool *merged;  /* [step]: a window in it is of a longer time than the step: no rate of then */
	struct query_series_line *lines;
	size_t line_count;
	uint64_t total; /* lines there are */
	struct query_completeness completeness;
};

/* -EINVAL: a step of 0 windows, or more than 10,000 steps. -E2BIG: lines × steps over 32 MiB. */
int query_series(struct core *c, const struct query_series_request *request, struct arena *arena,
		 struct query_series *ret);

/* --- agents ------------------------------------------------------------------------------- */

struct query_agent {
	const char *node, *boot_id, *version, *kernel, *hooks;
	const char *zone, *region; /* "": not told */
	const char *coverage;      /* the cgroup that it observes; "": its whole machine */
	bool reporting;            /* its last batch is not older than 5 s or 3 windows */
	const char *status;        /* "reporting", "silent", "gone": for more than 10 minutes */
	uint64_t started_ns, last_seen_ns; /* wall clock */
	uint64_t newest_ns;                /* end of its newest window; 0: none yet */
	uint64_t silent_since_ns;          /* 0: it is not */
	uint64_t batches, sequence;
	double window_s, window_wanted_s;
	/* Over the last minute or so. Cores: 1 is one CPU fully busy. Share: of all CPUs of its
	 * machine, 0..1; as cores where the agent did not tell its CPUs. */
	double cpu_cores, kernel_cpu_cores, cpu_share;
	double cpu_budget_percent;
	uint32_t cpus;                                                 /* 0: not told */
	uint64_t agent_cpu_ns, kernel_cpu_ns, sweep_ns, sweep_sockets; /* since it started */
	uint32_t sockets, slots, flows_max, listeners;
	uint64_t process_records; /* of starts and ends that the kernel handed over, since it started */
	uint64_t foreign_drops;   /* packets its host dropped, of no flow it knows; since it started */
	struct query_loss *losses; /* since it started, all causes, those that are 0 too */
	size_t loss_count;
	struct wire_netns *netns; /* for `verify`, as last reported */
	size_t netns_count;
};

struct query_agents {
	struct query_agent *agents;
	size_t agent_count;
	struct query_loss *server_losses; /* the server's own, since it started, all causes */
	size_t server_loss_count;
	/* what the server holds, and its bounds */
	uint32_t flows, flows_max, actors, actors_max, windows;
	size_t history_bytes, history_bytes_max;
	uint64_t history_from_ns; /* where history begins; 0: none */
	struct query_completeness completeness;
};

int query_agents(struct core *c, uint64_t now_ns, struct arena *arena, struct query_agents *ret);

/* --- connections -------------------------------------------------------------------------- */

/* A live socket with names at both ends. The socket's own end has port, pid and process. */
struct query_connection {
	struct query_endpoint client, server;
	const char *transport, *seen_by;    /* "client", "server" */
	const char *state;                  /* "established", "syn_sent", … */
	const struct wire_connection *wire; /* borrowed from the answer */
};

struct query_connections {
	struct query_connection *connections;
	size_t connection_count;
	uint64_t total; /* live sockets there are, before the filter */
};

/* Names what that agent answered. Learns the actors it defines. agent: its index; UINT32_MAX: it has
 * not reported yet, so that nothing can be named. */
int query_connections(struct core *c, uint32_t agent, const struct wire_answer *answer,
		      const struct filter *filter, struct arena *arena,
		      struct query_connections *ret);

/* Agents by their index, below the count. */
uint32_t query_agent_count(const struct core *c);
bool query_agent_reports(const struct core *c, uint32_t agent, uint64_t now_ns);
const char *query_agent_node(const struct core *c, uint32_t agent); /* borrowed */
uint64_t query_agent_window_ns(const struct core *c, uint32_t agent); /* of its last window */
/* Up to when all agents that report have told their windows; who is further behind than lag_max_ns is
 * not waited for. Wall clock; 0: none has. */
uint64_t query_told_ns(const struct core *c, uint64_t now_ns, uint64_t lag_max_ns);
