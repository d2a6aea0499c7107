/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The free cell nearest to a wish, on one side of it: a newcomer that calls someone stands left of
 * it, one that is called stands right. The search spreads as half an ellipse, higher than wide, so
 * the clients of a hub fill a column first and then the next one.
 *
 * It is bounded: in a neighbourhood that is full there is no answer, and the node goes elsewhere.
 */
#pragma once

#include <stdbool.h>

#include "server/arrange.h"

#define NEAREST_COLUMNS 32
#define NEAREST_ROWS    63 /* up, and as many down */
#define NEAREST_STEPS   (NEAREST_COLUMNS * (2 * NEAREST_ROWS + 1))
#define NEAREST_NOTES   64

enum nearest_side { NEAREST_LEFT, NEAREST_RIGHT, NEAREST_BOTH };

/* The order of the search, the same for all; made once. */
struct nearest_step {
	int16_t x, y;
};
void nearest_make(struct nearest_step steps[NEAREST_STEPS]);

struct nearest_wish {
	struct arrange_cell at;
	enum nearest_side side;
};

/*
 * One search after another while cells only fill up: notes say how far an earlier search for the
 * same wish had come, so that the thousandth client of a hub does not look at 999 taken cells.
 */
struct nearest {
	const struct nearest_step *steps;
	bool (*is_free)(const void *userdata, struct arrange_cell cell);
	const void *userdata;
	struct {
		struct nearest_wish wish;
		uint32_t next; /* step to begin with; 0: no note */
	} notes[NEAREST_NOTES];
};

/* False: no free cell in reach. */
bool nearest_find(struct nearest *n, const struct nearest_wish *wish, struct arrange_cell *ret);
