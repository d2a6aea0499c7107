/* SPDX-License-Identifier: Apache-2.0 */
/* The map of who talks to whom, as a tree for a terminal and as a graph for Graphviz. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "graph.h"
#include "table.h"

/* filtered: whether the graph is of a filter, which is told where it leaves nothing. */
int map_write_text(const struct graph *g, bool filtered, const struct table_style *style,
		   FILE *out);
int map_write_dot(const struct graph *g, FILE *out);

/* "tcp 80, 443; 127.0.0.1:5432": where a node listens, at most a few; owned; NULL: nowhere. */
char *map_listeners(const struct graph_node *node);
