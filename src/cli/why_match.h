/* SPDX-License-Identifier: Apache-2.0 */
/* Which node a user means by a name, and which names are similar to one that is not there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "graph.h"

/* Whether this node is meant by the name, given how well the best node of the graph matches. */
enum why_match { WHY_NONE, WHY_PART, WHY_CASELESS, WHY_EXACT };

enum why_match why_match_node(const struct graph_node *node, const char *name);
enum why_match why_match_best(const struct graph *g, const char *name);

/* Up to max names like this one, the most similar first; returns how many. */
size_t why_similar(const struct graph *g, const char *name, const char **ret, size_t max);
