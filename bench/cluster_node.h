/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node of a simulated cluster, as its agent would tell of it: the talk's company B.
 *
 *     5,670 events a second: 4,017 of TCP (a socket opens or closes), 89 of UDP, 1,562 of processes
 *
 * So 2,009 ends of TCP connections a second. A node runs NODE_SERVICES services; each calls
 * NODE_CALLS services of other nodes, and the same calls come in from others. That is one flow a
 * call at each end: 2 × 160 = 320 live TCP flows a node, and 16 of DNS. Connections fall on
 * calls as they do on services everywhere, the k-th as often as 1/k (Zipf), each with a request of
 * its call's size and an answer that varies. By Poisson some 290 flows a node move in a window of
 * 1 s: so many updates.
 *
 * Both ends of a connection are told, by two nodes, in windows of the same number: what the server
 * joins must agree. Pure: everything follows from the numbers of node and window.
 */
#pragma once

#include "wire/batch.h"

#define NODE_SERVICES  20
#define NODE_CALLS     8
#define NODE_FLOWS     (2 * NODE_SERVICES * NODE_CALLS)
#define NODE_RESOLVERS 16       /* flows of DNS over UDP */
#define NODE_BEACON    "beacon" /* process of node 0 that sends one datagram in every window */
#define NODE_WINDOW_NS UINT64_C(1000000000)

struct cluster {
	unsigned int nodes;
};

/* What node says at the end of window (from 1): in 1 it defines everything. Clock: the agent's
 * window w ends at w + 1 seconds. NULL without memory. */
struct wire_batch *cluster_batch(const struct cluster *c, unsigned int node, unsigned int window);
