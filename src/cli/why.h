/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about one client and one server, in plain words.
 *
 * Pure: a graph in, text out. Names are matched exactly first, then without case, then as the only
 * one that holds the text; SERVER may end in :PORT. The last line always says what to do next.
 */
#pragma once

#include <stdio.h>

#include "base/error.h"
#include "graph.h"

/* Two ends that a user named. Several nodes can have one name. */
struct why_pair {
	const char *client, *server; /* as typed */
	int port;                    /* from SERVER's :PORT; -1: any */
};

/* Splits "db:5432" and "[::1]:80"; server is allocated. -EINVAL: no such port; -ENOMEM. */
int why_split_server(const char *typed, char **ret_server, int *ret_port);

/* 0; -ENOENT: an end is unknown: the line says which, and which similar names there are. */
int why_write(const struct graph *g, const struct why_pair *pair, FILE *out,
	      struct error *ret_error);

/* {"client": …, "server": …, "edges": […]}: the pair's edges as the API has them, its nodes in
 * full; 0, -ENOMEM. Unknown names make empty lists. */
int why_write_json(const struct graph *g, const struct why_pair *pair, FILE *out);
