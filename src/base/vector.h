/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array that grows inside an arena: what it outgrows stays there until the arena dies, at most
 * as much again. Give a good guess of the size and it never moves. Items move when it grows:
 * keep indices, not pointers.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"

struct vector {
	struct arena *arena; /* borrowed */
	void *items;
	size_t count, item_size;
	size_t capacity;
};

/* capacity: room to take at the first push; 0: a small one. */
static inline struct vector vector_init(struct arena *arena, size_t item_size, size_t capacity)
{
	return (struct vector){.arena = arena, .item_size = item_size, .capacity = capacity};
}

void *
vector_push(struct vector *v); /* a zeroed item at the end; NULL: no memory, nothing changed */

static inline void *vector_at(const struct vector *v, size_t i)
{
	return (char *)v->items + i * v->item_size;
}
