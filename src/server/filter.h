/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters, the same for the command line and the API: which connections between two ends are meant.
 *
 *     filter = term { " " term }          all must hold
 *     term   = [ "!" ] [ key ":" ] value  without a key: either
 *     value  = item { "," item }          one must hold
 *     item   = text with * for anything; text in "quotes" may hold spaces, commas and colons
 *
 * key        an item matches
 * client     workload or process of the client      process    process of either end
 * server     … of the server                        container  container id's beginning, either end
 * either     … of one of them                       address    address or prefix (10.0.0.0/8)
 * port       the server's: 80, 8000-8099, 53/udp    protocol   tcp or udp
 * node       node of either end                     zone       zone of either end
 * class      how far apart: same_node, same_zone,   carrier    sidecar, tunnel, or none
 *            cross_zone, cross_region, external, unknown
 *
 * Pure: text in, struct out. Bounded: 64 terms, 256 items, 4096 bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct filter;

/* One end, as a filter sees it. Strings are never NULL; "" is not known. */
struct filter_end {
	const char *workload, *process, *container, *node, *zone;
	uint8_t address[16]; /* IPv4 mapped */
	bool address_known;
};

struct filter_subject {
	struct filter_end client, server;
	uint16_t port;        /* the server's; 0: unknown */
	const char *protocol; /* "tcp", "udp" */
	const char *class_name, *carrier; /* as of edges: "cross_zone"; "", "sidecar" */
};

/* text NULL or only spaces: a filter that takes everything. -EINVAL: ret_error says what was
 * expected. -ENOMEM. */
int filter_parse(struct filter **ret, const char *text, struct error *ret_error);
struct filter *filter_free(struct filter *f); /* always NULL; accepts NULL */

/* f NULL: true. */
bool filter_matches(const struct filter *f, const struct filter_subject *subject);

/* Whether a term is of an address, port, protocol, class or carrier: of a process by itself nothing is to match. */
bool filter_needs_edge(const struct filter *f);
