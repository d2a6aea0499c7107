/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machines of a cluster, as far as networks go: a namespace each, on a network of its own, and
 * one in their middle that routes (and translates, when a test tells it to).
 *
 *     node 0  up0 10.88.0.2 ── to0 10.88.0.1  router  to1 10.88.1.1 ── up1 10.88.1.2  node 1 …
 *                 fd88:0::2        fd88:0::1              fd88:1::1        fd88:1::2
 */
#pragma once

#include <stdbool.h>

#include "net.h"

#define LAN_NODES_MAX 4

struct lan {
	int home, router;
	int node[LAN_NODES_MAX];
	unsigned int count;
};

int lan_open(struct lan *n, const struct net *net, unsigned int count); /* 0 or -errno */
void lan_close(struct lan *n);
/* Of a node or, beside it, of its router. Static storage, eight at a time. */
const char *lan_address(unsigned int node, int family);
const char *lan_gateway(unsigned int node, int family);
