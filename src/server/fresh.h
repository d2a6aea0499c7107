/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places of a table that somebody has to hear of: what is new since they were last taken.
 *
 * Nothing is kept unless it is wanted. Without memory for the list, everything counts as new: to
 * hear of a thing twice does no harm.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct fresh {
	uint32_t *places; /* owned */
	size_t count, capacity;
	bool wanted, all; /* all: the list had no room */
};

static inline void fresh_add(struct fresh *f, uint32_t place)
{
	size_t capacity = f->capacity ? f->capacity * 2 : 64;
	uint32_t *places;

	if (!f->wanted)
		return;
	if (f->count == f->capacity) {
		places = realloc(f->places, capacity * sizeof(*places));
		if (!places) {
			f->all = true;
			return;
		}
		f->places = places;
		f->capacity = capacity;
	}
	f->places[f->count++] = place;
}

static inline void fresh_clear(struct fresh *f)
{
	f->count = 0;
	f->all = false;
}

static inline void fresh_done(struct fresh *f)
{
	free(f->places);
	*f = (struct fresh){0};
}
