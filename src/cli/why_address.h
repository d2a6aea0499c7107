/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SERVER typed as an address: whose it is, and which dependencies lead to it.
 *
 * The graph tells the addresses of external servers, of listeners, and the one that was asked for
 * where it is translated. Through which address a local server was reached only the flows know.
 */
#pragma once

#include <stdbool.h>

#include "graph.h"
#include "why.h"

bool why_address_is(const char *text); /* IPv4 or IPv6, without brackets */

/* Whether the node has this address: by its own word, or since a flow to it ended there. */
bool why_address_of_node(const struct why_pair *pair, const struct graph_node *node);

/* Whether this edge, whoever its client is, led to the address, and the port if there is one. */
bool why_address_of_edge(const struct why_pair *pair, const struct graph_edge *edge);

/* Any port and transport, or the right ones. */
bool why_port_is(const struct why_pair *pair, int port, bool udp);
