/* SPDX-License-Identifier: Apache-2.0 */
/* A list of blocks, each twice the one before up to a bound; see arena.h. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST_BYTES 4096
#define BLOCK_MAX_BYTES   (1024 * 1024)

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) char data[];
};

struct arena {
	struct block *blocks; /* the newest first; only it has room */
	size_t next_size;
};

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a)
		a->next_size = BLOCK_FIRST_BYTES;
	return a;
}

struct arena *arena_free(struct arena *a)
{
	if (!a)
		return NULL;
	for (struct block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
	return NULL;
}

static struct block *arena_grow(struct arena *a, size_t size)
{
	size_t want = size > a->next_size ? size : a->next_size;
	struct block *b = calloc(1, sizeof(*b) + want);

	if (!b)
		return NULL;
	b->size = want;
	b->next = a->blocks;
	a->blocks = b;
	if (a->next_size < BLOCK_MAX_BYTES)
		a->next_size *= 2;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct block *b = a->blocks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	if (!b || b->size - b->used < size)
		b = arena_grow(a, size);
	if (!b)
		return NULL;
	p = b->data + b->used;
	b->used += size;
	return p;
}

void *arena_copy(struct arena *a, const void *from, size_t size)
{
	void *p = arena_alloc(a, size);

	return p && size ? memcpy(p, from, size) : p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_copy(a, s, strlen(s) + 1);
}
