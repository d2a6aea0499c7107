/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tier a node of the map belongs to: clients left of their servers (the first two steps of
 * Sugiyama's method: cycles are cut, then each node goes as far left as its clients allow; those
 * without clients move right, next to the first server that they use).
 *
 * In a graph without cycles every client is in a lower layer than its servers; no layer of a
 * component is empty. Deterministic, and linear in nodes and edges but for one sort.
 */
#pragma once

#include "server/adjacency.h"

struct layers {
	uint32_t *layer;           /* by node, from 0 in each component */
	uint32_t *members;         /* nodes, component by component, each in topological order */
	uint32_t *component_first; /* [component_count + 1] into members */
	uint32_t component_count;
};

/* All memory is the arena's. -ENOMEM. */
int layers_make(struct layers *ret, const struct adjacency *a, struct arena *arena);
