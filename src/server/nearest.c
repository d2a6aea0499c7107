/* SPDX-License-Identifier: Apache-2.0 */
/* See nearest.h. */
#include "server/nearest.h"

#include <stdlib.h>

#define COLUMN_COST 3 /* a column away is as far as so many rows */

static int cost(const struct nearest_step *s)
{
	return s->y * s->y + COLUMN_COST * COLUMN_COST * s->x * s->x;
}

static int by_cost(const void *a, const void *b)
{
	const struct nearest_step *x = a, *y = b;
	int order = cost(x) - cost(y);

	if (order)
		return order;
	return x->x != y->x ? x->x - y->x : y->y - x->y; /* below before above */
}

void nearest_make(struct nearest_step steps[NEAREST_STEPS])
{
	size_t count = 0;

	for (int16_t x = 0; x < NEAREST_COLUMNS; x++)
		for (int16_t y = -NEAREST_ROWS; y <= NEAREST_ROWS; y++)
			steps[count++] = (struct nearest_step){x, y};
	qsort(steps, count, sizeof(*steps), by_cost);
}

static bool try_step(const struct nearest *n, const struct nearest_wish *wish,
		     const struct nearest_step *step, struct arrange_cell *ret)
{
	struct arrange_cell right = {wish->at.x + step->x, wish->at.y + step->y};
	struct arrange_cell left = {wish->at.x - step->x, wish->at.y + step->y};

	if (wish->side != NEAREST_LEFT && n->is_free(n->userdata, right)) {
		*ret = right;
		return true;
	}
	if (wish->side != NEAREST_RIGHT && n->is_free(n->userdata, left)) {
		*ret = left;
		return true;
	}
	return false;
}

static bool is_same(const struct nearest_wish *a, const struct nearest_wish *b)
{
	return a->at.x == b->at.x && a->at.y == b->at.y && a->side == b->side;
}

bool nearest_find(struct nearest *n, const struct nearest_wish *wish, struct arrange_cell *ret)
{
	uint32_t note = ((uint32_t)wish->at.x * 31 + (uint32_t)wish->at.y) % NEAREST_NOTES;
	uint32_t i = is_same(&n->notes[note].wish, wish) ? n->notes[note].next : 0;

	while (i < NEAREST_STEPS && !try_step(n, wish, &n->steps[i], ret))
		i++;
	n->notes[note].wish = *wish;
	n->notes[note].next = i;
	return i < NEAREST_STEPS;
}
