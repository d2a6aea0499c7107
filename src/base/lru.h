/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of a fixed size that also knows which entry was used longest ago.
 *
 * For everything that is looked up by key and must not grow: flows, actors, caches. Keys and values
 * are plain bytes of a fixed size, copied in; keys are compared as bytes, so padding is set to 0.
 * An entry keeps its place until removed: its index makes a handle, its address stays good.
 *
 *     get, put: mark as used        oldest ─► newer ─► newer … : from the longest unused on
 *
 * Entries' memory is taken by lru_new, where pages never touched cost nothing; the hash table grows
 * with what is in it, and full means full without memory for that, too. The hash is seeded at random,
 * since keys come from the network. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lru;

struct lru *lru_new(size_t capacity, size_t key_size, size_t value_size); /* NULL: no memory */
struct lru *lru_free(struct lru *t); /* always NULL; accepts NULL */

/* The value of a key, now the most recently used; NULL: not there. */
void *lru_get(struct lru *t, const void *key);

/* The value of a key, zeroed if it was not there (*ret_new, may be NULL); NULL: full. */
void *lru_put(struct lru *t, const void *key, bool *ret_new);

/* As lru_put, but when full the entry unused for longest makes room. Never NULL. */
void *lru_put_evict(struct lru *t, const void *key, bool *ret_new);

void lru_remove(struct lru *t, void *value);

void *lru_oldest(const struct lru *t);			 /* NULL: empty */
void *lru_newer(const struct lru *t, const void *value); /* NULL: it was the newest */

const void *lru_key(const struct lru *t, const void *value);
uint32_t lru_index(const struct lru *t, const void *value); /* below the capacity */
void *lru_at(const struct lru *t, uint32_t index);	    /* NULL: no entry there */
size_t lru_count(const struct lru *t);
size_t lru_capacity(const struct lru *t);
uint32_t lru_used(const struct lru *t); /* no index at or above it was ever used */
