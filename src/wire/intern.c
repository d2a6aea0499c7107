/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most half full; see intern.h. */
#include "wire/intern.h"

#include <errno.h>
#include <string.h>

#define SLOTS_FIRST 128

/* FNV-1a, 32 bits. */
static uint32_t hash_bytes(const uint8_t *data, size_t size)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return hash;
}

/* The slot of an equal piece, or the free one where it belongs. */
static uint32_t *find_slot(const struct intern *t, const struct intern_piece *piece)
{
	for (size_t i = piece->hash;; i++) {
		uint32_t *slot = &t->slots[i & (t->slot_count - 1)];
		const struct intern_piece *there = &t->pieces[*slot - 1];

		if (!*slot || (there->hash == piece->hash && there->size == piece->size &&
			       !memcmp(there->data, piece->data, piece->size)))
			return slot;
	}
}

static int grow(struct intern *t)
{
	size_t slot_count = t->slot_count ? t->slot_count * 2 : SLOTS_FIRST;
	struct intern_piece *pieces;
	uint32_t *slots;

	if (t->count < t->slot_count / 2)
		return 0;
	pieces = arena_alloc(t->arena, slot_count / 2 * sizeof(*pieces));
	slots = arena_alloc(t->arena, slot_count * sizeof(*slots));
	if (!pieces || !slots)
		return -ENOMEM;
	if (t->count)
		memcpy(pieces, t->pieces, t->count * sizeof(*pieces));
	t->pieces = pieces;
	t->slots = slots;
	t->slot_count = slot_count;
	for (uint32_t i = 0; i < t->count; i++)
		*find_slot(t, &pieces[i]) = i + 1;
	return 0;
}

int intern_add(struct intern *t, const void *data, size_t size, uint32_t *ret_index)
{
	const struct intern_piece piece = {data, size, hash_bytes(data, size)};
	uint32_t *slot;
	int r = grow(t);

	if (r)
		return r;
	slot = find_slot(t, &piece);
	if (!*slot) {
		t->pieces[t->count] = piece;
		t->bytes += size;
		*slot = (uint32_t)++t->count;
	}
	*ret_index = *slot - 1;
	return 0;
}
