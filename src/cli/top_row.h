/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of `millrace top`: edges of the API's graph as figures a second, and their order.
 *
 * Pure: JSON in, rows out. A table owns what its rows point to. Every text in a row is cleaned and
 * may be shown as it is.
 *
 * Rates are over the time that the answer covers, not over the time that was asked for: windows
 * count by their end, so a range of 10 s holds ten windows of 1 s only if it begins between two
 * ends, and fewer right after the start. The answer tells what its windows span, whatever the
 * filter; top_range_begin() chooses a range that holds as many windows as were asked for.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "graph.h"

enum top_wait {
	TOP_WAIT_NONE,
	TOP_WAIT_SERVER,
	TOP_WAIT_CLIENT,
	TOP_WAIT_BUFFER,
	TOP_WAIT_NETWORK
};

struct top_row {
	const struct graph_edge *edge;
	const char *id;                       /* the edge's, stable; borrowed from the JSON */
	char *client, *server;                /* labels, cleaned, owned */
	double to_server, to_client;          /* bytes a second */
	double opened;                        /* connections a second */
	double rtt_p50, rtt_p95, connect_p50; /* µs; 0: not measured */
	double connect_count;
	enum top_wait wait; /* what a sender of this edge waited for most */
	double wait_share;  /* of the time in which it had something to send, 0 to 1 */
	int level;          /* 0 well, 1 degraded, 2 failing */
	char health[64];    /* in a word or two */
};

/* Where windows lie in time, unix seconds; newest_s 0: not known. */
struct top_phase {
	double to_s;               /* when this was so */
	double newest_s, window_s; /* end and length of the newest window */
};

struct top_table {
	json_t *json; /* owned */
	struct graph graph;
	struct top_row *rows;
	size_t count;
	double covered_s; /* time that the sums are of */
	struct top_phase phase;
	double to_server, to_client; /* bytes a second, all rows */
	size_t level_count[3];
};

/* Takes over the reference to json, whatever it returns. 0, -ENOMEM, -EPROTO. */
int top_table_parse(struct top_table *ret, json_t *json);
void top_table_done(struct top_table *t);

/* Where a range of span_s should begin that is asked for later_s after the phase was told, in unix
 * seconds. It holds one window at least. 0: not known, or nothing new came for long. */
double top_range_begin(const struct top_phase *phase, double span_s, double later_s);

/* False: a range of span_s would hold no window of this length. */
bool top_span_holds_window(double span_s, double window_s);

enum top_sort {
	TOP_SORT_TRAFFIC,
	TOP_SORT_CLIENT,
	TOP_SORT_SERVER,
	TOP_SORT_TO_SERVER,
	TOP_SORT_TO_CLIENT,
	TOP_SORT_OPEN,
	TOP_SORT_NEW,
	TOP_SORT_RTT,
	TOP_SORT_CONNECT,
	TOP_SORT_RETRANSMITS,
	TOP_SORT_FAILED,
	TOP_SORT_WAITS,
	TOP_SORT_HEALTH,
	TOP_SORT_COUNT
};

extern const char *const top_sort_names[TOP_SORT_COUNT];
#define TOP_SORT_EXPECTED                                                                          \
	"traffic, client, server, to-server, to-client, open, new, rtt, connect, retransmits, "    \
	"failed, waits or health"

int top_sort_parse(const char *text, enum top_sort *ret); /* 0, -EINVAL */

/* Names from a to z, figures from the largest, health from the worst; the other way by reverse.
 * Rows that are equal in it keep the order of their names. */
void top_table_sort(struct top_table *t, enum top_sort sort, bool reverse);
