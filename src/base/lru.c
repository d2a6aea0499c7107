/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing over indices, and a list by time of use; see lru.h. */
#include "base/lru.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define NONE          UINT32_MAX
#define BUCKETS_FIRST 64 /* a power of two */

struct link {
	uint32_t newer, older; /* list by use; of a free one, newer is the next free one */
	uint32_t hash;
	bool used;
};

struct lru {
	size_t capacity, count, key_size, key_stride, stride;
	size_t fresh;  /* entries from here on were never used */
	uint32_t free; /* those given back */
	uint32_t oldest, newest;
	uint32_t mask;
	uint32_t *bucket; /* index of an entry + 1; 0: empty */
	struct link *link;
	char *data; /* key, value; key, value; … */
	uint64_t seed;
};

static size_t round_up_8(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

struct lru *lru_new(size_t capacity, size_t key_size, size_t value_size)
{
	struct lru *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->capacity = capacity;
	t->key_size = key_size;
	t->key_stride = round_up_8(key_size);
	t->stride = t->key_stride + round_up_8(value_size ? value_size : 1);
	t->free = t->oldest = t->newest = NONE;
	t->mask = BUCKETS_FIRST - 1;
	t->bucket = calloc(BUCKETS_FIRST, sizeof(*t->bucket));
	t->link = calloc(capacity, sizeof(*t->link));
	t->data = calloc(capacity, t->stride);
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		t->seed = (uintptr_t)t;
	if (!t->bucket || !t->link || !t->data)
		return lru_free(t);
	return t;
}

struct lru *lru_free(struct lru *t)
{
	if (!t)
		return NULL;
	free(t->bucket);
	free(t->link);
	free(t->data);
	free(t);
	return NULL;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Folded multiplication, eight bytes a step, as in wyhash. */
static uint32_t lru_hash(const struct lru *t, const char *key)
{
	uint64_t h = t->seed, word;
	size_t i;

	for (i = 0; i + 8 <= t->key_size; i += 8) {
		memcpy(&word, key + i, 8);
		h = mix(h ^ word, 0x9e3779b97f4a7c15u);
	}
	if (i < t->key_size) {
		word = 0;
		memcpy(&word, key + i, t->key_size - i);
		h = mix(h ^ word, 0xe7037ed1a0b428dbu);
	}
	return (uint32_t)mix(h ^ t->key_size, 0x8ebc6af09c88c6e3u);
}

static char *key_at(const struct lru *t, uint32_t index)
{
	return t->data + index * t->stride;
}

static void *value_at(const struct lru *t, uint32_t index)
{
	return key_at(t, index) + t->key_stride;
}

static void list_remove(struct lru *t, uint32_t index)
{
	const struct link *l = &t->link[index];

	if (l->older != NONE)
		t->link[l->older].newer = l->newer;
	else
		t->oldest = l->newer;
	if (l->newer != NONE)
		t->link[l->newer].older = l->older;
	else
		t->newest = l->older;
}

static void list_append(struct lru *t, uint32_t index)
{
	struct link *l = &t->link[index];

	l->newer = NONE;
	l->older = t->newest;
	if (t->newest != NONE)
		t->link[t->newest].newer = index;
	else
		t->oldest = index;
	t->newest = index;
}

/* The bucket that holds the key, or the empty one where it would go. */
static uint32_t find_bucket(const struct lru *t, const void *key, uint32_t hash)
{
	uint32_t at = hash & t->mask;

	while (t->bucket[at]) {
		uint32_t index = t->bucket[at] - 1;

		if (t->link[index].hash == hash && !memcmp(key_at(t, index), key, t->key_size))
			break;
		at = (at + 1) & t->mask;
	}
	return at;
}

static void *use(struct lru *t, uint32_t index)
{
	if (t->newest != index) {
		list_remove(t, index);
		list_append(t, index);
	}
	return value_at(t, index);
}

void *lru_get(struct lru *t, const void *key)
{
	uint32_t at = find_bucket(t, key, lru_hash(t, key));

	return t->bucket[at] ? use(t, t->bucket[at] - 1) : NULL;
}

static uint32_t take_entry(struct lru *t)
{
	uint32_t index = t->free;

	if (index == NONE)
		return (uint32_t)t->fresh++;
	t->free = t->link[index].newer;
	memset(key_at(t, index), 0, t->stride);
	return index;
}

/* Buckets are scattered over all of their memory, so they are as many as there are entries for. */
static bool grow(struct lru *t)
{
	size_t size = ((size_t)t->mask + 1) * 2;
	uint32_t *bucket = size <= UINT32_MAX / 2 ? calloc(size, sizeof(*bucket)) : NULL;

	if (!bucket)
		return false;
	for (uint32_t i = t->oldest; i != NONE; i = t->link[i].newer) {
		uint32_t at = t->link[i].hash & (uint32_t)(size - 1);

		while (bucket[at])
			at = (at + 1) & (uint32_t)(size - 1);
		bucket[at] = i + 1;
	}
	free(t->bucket);
	t->bucket = bucket;
	t->mask = (uint32_t)(size - 1);
	return true;
}

/* Half full at the most; without memory for more fuller, and one always stays empty. */
static bool has_room(struct lru *t)
{
	if (t->count == t->capacity)
		return false;
	return t->count < t->mask / 2 || grow(t) || t->count < t->mask;
}

void *lru_put(struct lru *t, const void *key, bool *ret_new)
{
	uint32_t hash = lru_hash(t, key), at = find_bucket(t, key, hash), index;
	bool there = t->bucket[at];

	if (!there) {
		if (!has_room(t))
			return NULL;
		at = find_bucket(t, key, hash); /* buckets may have moved */
	}
	if (ret_new)
		*ret_new = !there;
	if (there)
		return use(t, t->bucket[at] - 1);
	index = take_entry(t);
	memcpy(key_at(t, index), key, t->key_size);
	t->link[index].hash = hash;
	t->link[index].used = true;
	list_append(t, index);
	t->bucket[at] = index + 1;
	t->count++;
	return value_at(t, index);
}

void *lru_put_evict(struct lru *t, const void *key, bool *ret_new)
{
	void *value = lru_put(t, key, ret_new);

	if (value)
		return value;
	lru_remove(t, lru_oldest(t));
	return lru_put(t, key, ret_new);
}

/* Moves later entries of the same run up, so that no search ends early at the gap. */
static void bucket_clear(struct lru *t, uint32_t gap)
{
	for (uint32_t at = (gap + 1) & t->mask; t->bucket[at]; at = (at + 1) & t->mask) {
		uint32_t home = t->link[t->bucket[at] - 1].hash & t->mask;

		if (((at - home) & t->mask) < ((at - gap) & t->mask))
			continue;
		t->bucket[gap] = t->bucket[at];
		gap = at;
	}
	t->bucket[gap] = 0;
}

void lru_remove(struct lru *t, void *value)
{
	uint32_t index = lru_index(t, value);
	struct link *l = &t->link[index];
	uint32_t at = l->hash & t->mask;

	while (t->bucket[at] != index + 1)
		at = (at + 1) & t->mask;
	bucket_clear(t, at);
	list_remove(t, index);
	l->used = false;
	l->newer = t->free;
	t->free = index;
	t->count--;
}

void *lru_oldest(const struct lru *t)
{
	return t->oldest == NONE ? NULL : value_at(t, t->oldest);
}

void *lru_newer(const struct lru *t, const void *value)
{
	uint32_t newer = t->link[lru_index(t, value)].newer;

	return newer == NONE ? NULL : value_at(t, newer);
}

const void *lru_key(const struct lru *t, const void *value)
{
	return (const char *)value - t->key_stride;
}

uint32_t lru_index(const struct lru *t, const void *value)
{
	return (uint32_t)(((const char *)value - t->data) / t->stride);
}

void *lru_at(const struct lru *t, uint32_t index)
{
	return index < t->fresh && t->link[index].used ? value_at(t, index) : NULL;
}

size_t lru_count(const struct lru *t)
{
	return t->count;
}

size_t lru_capacity(const struct lru *t)
{
	return t->capacity;
}

uint32_t lru_used(const struct lru *t)
{
	return (uint32_t)t->fresh;
}
