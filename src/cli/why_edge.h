/* SPDX-License-Identifier: Apache-2.0 */
/* One edge in plain words, and the one thing to do about it. */
#pragma once

#include <stdio.h>

#include "graph.h"

/* Of several things to do the most urgent stays. */
struct why_advice {
	int urgency;
	char text[512];
};

int why_edge_write(const struct graph *g, const struct graph_edge *e, FILE *out,
		   struct why_advice *advice); /* 0, -ENOMEM */
