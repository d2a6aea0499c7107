/* SPDX-License-Identifier: Apache-2.0 */
/* See hashindex.h. A removal moves later entries of the same run up, so a run has no holes. */
#include "server/hashindex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64

void hashindex_done(struct hashindex *ix)
{
	free(ix->slots);
	*ix = (struct hashindex){0};
}

void hashindex_clear(struct hashindex *ix)
{
	if (ix->slots)
		memset(ix->slots, 0, sizeof(*ix->slots) * ((size_t)ix->mask + 1));
	ix->count = 0;
}

static void place(struct hashindex *ix, uint32_t hash, uint32_t value)
{
	uint32_t i = hash & ix->mask;

	while (ix->slots[i].value_plus_one)
		i = (i + 1) & ix->mask;
	ix->slots[i] = (struct hashindex_slot){hash, value + 1};
	ix->count++;
}

static int grow(struct hashindex *ix)
{
	struct hashindex old = *ix, new = {0};
	size_t size = old.slots ? ((size_t)old.mask + 1) * 2 : SLOTS_FIRST;

	if (size > UINT32_MAX / 2)
		return -ENOMEM;
	new.slots = calloc(size, sizeof(*new.slots));
	if (!new.slots)
		return -ENOMEM;
	new.mask = size - 1;
	for (size_t i = 0; old.slots && i <= old.mask; i++)
		if (old.slots[i].value_plus_one)
			place(&new, old.slots[i].hash, old.slots[i].value_plus_one - 1);
	free(old.slots);
	*ix = new;
	return 0;
}

int hashindex_insert(struct hashindex *ix, uint32_t hash, uint32_t value)
{
	int r = 0;

	if (!ix->slots || ix->count >= ix->mask / 2)
		r = grow(ix);
	if (r < 0)
		return r;
	place(ix, hash, value);
	return 0;
}

/* Closes the hole at i: an entry further on belongs here unless its home lies behind the hole. */
static void close_hole(struct hashindex *ix, uint32_t hole)
{
	uint32_t i = hole;

	for (;;) {
		uint32_t home;

		i = (i + 1) & ix->mask;
		if (!ix->slots[i].value_plus_one)
			break;
		home = ix->slots[i].hash & ix->mask;
		if (((i - home) & ix->mask) < ((i - hole) & ix->mask))
			continue;
		ix->slots[hole] = ix->slots[i];
		hole = i;
	}
	ix->slots[hole] = (struct hashindex_slot){0};
}

bool hashindex_remove(struct hashindex *ix, uint32_t hash, uint32_t value)
{
	uint32_t i = hash & ix->mask;

	if (!ix->slots)
		return false;
	for (; ix->slots[i].value_plus_one; i = (i + 1) & ix->mask) {
		if (ix->slots[i].hash != hash || ix->slots[i].value_plus_one != value + 1)
			continue;
		close_hole(ix, i);
		ix->count--;
		return true;
	}
	return false;
}

bool hashindex_next(const struct hashindex *ix, struct hashindex_cursor *at, uint32_t *ret_value)
{
	if (!ix->slots)
		return false;
	for (;;) {
		const struct hashindex_slot *s = &ix->slots[(at->hash + at->step) & ix->mask];

		if (!s->value_plus_one)
			return false;
		at->step++;
		if (s->hash == at->hash) {
			*ret_value = s->value_plus_one - 1;
			return true;
		}
	}
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint32_t hashindex_hash(uint64_t seed, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	uint64_t h = seed ^ 0x9e3779b97f4a7c15u, word = 0;

	h = mix(h ^ size, 0xd6e8feb86659fd93u);
	for (; size >= 8; p += 8, size -= 8) {
		memcpy(&word, p, 8);
		h = mix(h ^ word, 0xa0761d6478bd642fu) + seed;
	}
	word = 0;
	memcpy(&word, p, size);
	h = mix(h ^ word, 0xe7037ed1a0b428dbu);
	return (uint32_t)(h ^ h >> 32);
}
