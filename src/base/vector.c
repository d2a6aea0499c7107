/* SPDX-License-Identifier: Apache-2.0 */
/* See vector.h. */
#include "base/vector.h"

#include <string.h>

#define CAPACITY_FIRST 16

static int vector_grow(struct vector *v)
{
	size_t capacity = v->items ? v->capacity * 2 : v->capacity;
	void *items;

	if (!capacity)
		capacity = CAPACITY_FIRST;
	items = arena_alloc(v->arena, capacity * v->item_size);
	if (!items)
		return -1;
	if (v->count)
		memcpy(items, v->items, v->count * v->item_size);
	v->items = items;
	v->capacity = capacity;
	return 0;
}

void *vector_push(struct vector *v)
{
	if ((!v->items || v->count == v->capacity) && vector_grow(v) < 0)
		return NULL;
	return vector_at(v, v->count++);
}
