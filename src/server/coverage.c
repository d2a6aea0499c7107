/* SPDX-License-Identifier: Apache-2.0 */
#include "server/coverage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void coverage_done(struct coverage *c)
{
	free(c->lives);
	*c = (struct coverage){0};
}

static int make_room(struct coverage *c)
{
	uint32_t capacity = c->capacity ? c->capacity * 2 : 2;
	struct coverage_life *lives;

	if (c->count == COVERAGE_LIVES_MAX) {
		c->lives[1].from_ns = c->lives[0].from_ns;
		c->count--;
		memmove(c->lives, c->lives + 1, c->count * sizeof(*lives));
	}
	if (c->count < c->capacity)
		return 0;
	lives = realloc(c->lives, capacity * sizeof(*lives));
	if (!lives)
		return -ENOMEM;
	c->lives = lives;
	c->capacity = capacity;
	return 0;
}

int coverage_add(struct coverage *c, bool new_life, uint64_t from_ns, uint64_t to_ns)
{
	struct coverage_life *last = c->count ? &c->lives[c->count - 1] : NULL;
	int r;

	/* clocks are compared over a network: a life may seem to begin before the last ended */
	if (last && (!new_life || from_ns <= last->to_ns)) {
		if (to_ns > last->to_ns)
			last->to_ns = to_ns;
		return 0;
	}
	r = make_room(c);
	if (!r)
		c->lives[c->count++] = (struct coverage_life){from_ns, to_ns};
	return r;
}

static enum coverage_state after_last(enum coverage_tail tail)
{
	switch (tail) {
	case COVERAGE_REPORTING:
		return COVERAGE_TO_COME;
	case COVERAGE_SILENT:
		return COVERAGE_OPEN_GAP;
	default:
		return COVERAGE_GAP;
	}
}

enum coverage_state coverage_of(const struct coverage *c, enum coverage_tail tail, uint64_t from_ns,
				uint64_t to_ns)
{
	uint32_t i = c->count;

	/* the first life, from the newest on, that does not begin after the span */
	while (i && c->lives[i - 1].from_ns >= to_ns)
		i--;
	if (!i)
		return c->count ? COVERAGE_GAP : COVERAGE_THERE;
	if (c->lives[i - 1].to_ns > from_ns)
		return COVERAGE_THERE;
	return i == c->count ? after_last(tail) : COVERAGE_GAP;
}

bool coverage_gap(const struct coverage *c, uint32_t n, struct coverage_life *ret)
{
	if (n + 1 >= c->count)
		return false;
	*ret = (struct coverage_life){c->lives[n].to_ns, c->lives[n + 1].from_ns};
	return true;
}
