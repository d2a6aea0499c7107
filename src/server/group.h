/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node of the graph is, for each way of grouping: one row of a table each. On a plain host
 * there is no namespace, cluster or label: all its actors are one node there, "", and so are those
 * of agents that were not told their zone or region. An address of an agent's machine stands in its
 * node, zone and region though no socket is known behind it.
 */
#pragma once

#include "server/resolve.h"

#define GROUP_TEXT_MAX 1600

/* Pointers are to the name itself or to what lives as long as the actor. */
struct group_name {
	const char *kind;
	char id[GROUP_TEXT_MAX];
	char name[GROUP_TEXT_MAX];
};

void group_name(const struct core *c, const struct query_group *group, const struct end *end,
		struct group_name *ret);
