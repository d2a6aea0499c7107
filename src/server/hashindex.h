/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a hash to array indexes: what makes a fixed table searchable by more than one key.
 *
 * A multimap of 32-bit hashes to 32-bit values. Who asks compares the candidates itself; where the
 * hash is one-to-one (hashindex_hash_u32) nothing needs comparing.
 *
 *     struct hashindex_cursor at = hashindex_begin(hash);
 *     while (hashindex_next(&ix, &at, &value)) if (is_it(table[value])) …
 *
 * Linear probing, at most half full, no tombstones. Grows by doubling; who inserts bounds it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashindex_slot {
	uint32_t hash;
	uint32_t value_plus_one; /* 0: empty */
};

struct hashindex {
	struct hashindex_slot *slots;
	uint32_t mask; /* slots - 1; with slots NULL: nothing yet */
	uint32_t count;
};

struct hashindex_cursor {
	uint32_t hash, step;
};

void hashindex_done(struct hashindex *ix);  /* frees; an all-zero one is empty and ready */
void hashindex_clear(struct hashindex *ix); /* forgets all, keeps its memory */

/* value < UINT32_MAX. -ENOMEM. The same pair twice is held twice. */
int hashindex_insert(struct hashindex *ix, uint32_t hash, uint32_t value);
bool hashindex_remove(struct hashindex *ix, uint32_t hash, uint32_t value);

/* Changing the index ends an iteration. */
bool hashindex_next(const struct hashindex *ix, struct hashindex_cursor *at, uint32_t *ret_value);

static inline struct hashindex_cursor hashindex_begin(uint32_t hash)
{
	return (struct hashindex_cursor){.hash = hash};
}

/* The first value of a hash; for one-to-one hashes the only one. */
static inline bool hashindex_get(const struct hashindex *ix, uint32_t hash, uint32_t *ret_value)
{
	struct hashindex_cursor at = hashindex_begin(hash);

	return hashindex_next(ix, &at, ret_value);
}

uint32_t hashindex_hash(uint64_t seed, const void *bytes, size_t size);

/* One-to-one: equal hashes are equal numbers. */
static inline uint32_t hashindex_hash_u32(uint32_t v)
{
	v ^= v >> 16;
	v *= 0x7feb352du;
	v ^= v >> 15;
	v *= 0x846ca68bu;
	return v ^ v >> 16;
}
