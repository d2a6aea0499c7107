/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about one client and one server, in plain words.
 *
 * Pure: a graph in, text out. Names are matched exactly first, then without case, then as the only
 * one that holds the text; an address means whoever has it. SERVER may end in :PORT, :PORT/tcp or
 * :PORT/udp. The first line says how it is, the last one always what to do next.
 */
#pragma once

#include <stdio.h>

#include "base/error.h"
#include "graph.h"

/* Two ends that a user named. Several nodes can have one name. */
struct why_pair {
	const char *client, *server; /* as typed */
	int port;                    /* from SERVER's :PORT; -1: any */
	const char *transport;       /* "tcp", "udp"; NULL: any */
	const json_t *flows; /* where SERVER is an address: the flows that know it; or NULL */
};

/* Splits "db:5432", "ns:53/udp" and "[::1]:80": SERVER's part of the pair, whose server is
 * allocated and the caller's. -EINVAL: no such port or transport; -ENOMEM. */
int why_split_server(const char *typed, char **ret_server, struct why_pair *ret);

/* 0; -ENOENT: an end is unknown: the line says which, and which similar names there are. */
int why_write(const struct graph *g, const struct why_pair *pair, FILE *out,
	      struct error *ret_error);

/* {"client": …, "server": …, "edges": […]}: the pair's edges as the API has them, its nodes in
 * full; as why_write(). */
int why_write_json(const struct graph *g, const struct why_pair *pair, FILE *out,
		   struct error *ret_error);
