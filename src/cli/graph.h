/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's graph as the commands read it: nodes, and edges that point to them.
 *
 * A view: every string belongs to the JSON, which must outlive it. Edges whose ends are no nodes
 * are left out.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum graph_failure {
	GRAPH_REFUSED,
	GRAPH_TIMED_OUT,
	GRAPH_UNREACHABLE,
	GRAPH_RESET,
	GRAPH_ABORTED,
	GRAPH_OTHER,
	GRAPH_FAILURE_COUNT
};

struct graph_node {
	const char *id, *kind, *name, *health;
	const json_t *json;
	bool ambiguous; /* another node has the same name */
};

struct graph_edge {
	const struct graph_node *client, *server;
	int port;
	bool udp; /* no connections */
	bool provisional;    /* the client's agent is silent: as the server's end saw it */
	bool zones_told;     /* its label has them: they differ, or another edge differs by them only */
	const char *carrier; /* "sidecar", "tunnel": in no sum; "" */
	const char *client_zone, *server_zone;
	const char *health;
	double datagrams_to_server, datagrams_to_client, dropped; /* UDP; dropped: queue full */
	double bytes_to_server, bytes_to_client, adopted_bytes_to_server, adopted_bytes_to_client;
	double segments, retransmits, synack_retransmits;
	double attempted, opened, adopted, closed, active, pending;
	double reset_by_client, reset_by_server, broken;
	double failed[GRAPH_FAILURE_COUNT], failed_total;
	double rtt_count, rtt_p50, rtt_p95, rtt_max; /* µs */
	double first_seen, last_seen;
	const json_t *json;
};

struct graph {
	double from, to;
	int agents_expected, agents_reporting;
	double covered_from, covered_to; /* what windows there are span; 0: none, or not told */
	struct graph_node *nodes;
	size_t node_count;
	struct graph_edge *edges; /* by client's name, then server's, then port */
	size_t edge_count;
};

int graph_parse(struct graph *ret, const json_t *json); /* 0, -ENOMEM, -EPROTO: not a graph */
void graph_done(struct graph *g);

/* Where the figures begin: the range's begin, or that of history if it is later. */
double graph_begin(const struct graph *g);

extern const char *const graph_failure_names[GRAPH_FAILURE_COUNT]; /* "refused", … */

/* "redis:6379", "[2001:db8::1]:443", the id where names are not enough; port < 0: without.
 * Owned; NULL without memory. */
char *graph_label(const struct graph_node *node, int port);
/* "/udp", or "" for TCP: behind a port. */
const char *graph_port_suffix(const json_t *object);

/* The server of an edge: "redis:6379", "ns1:53/udp", "redis:6379 (zone-a > zone-b)". Owned; NULL
 * without memory. */
char *graph_server_label(const struct graph_edge *edge);

/* How an edge fares, in a word or two and a mark: 0 well, 1 degraded, 2 failing. */
int graph_judge(const struct graph_edge *edge, char *ret_words, size_t size);
/* What is to be known of it beside that: ", sidecar", ", provisional", or "". */
const char *graph_remark(const struct graph_edge *edge);
