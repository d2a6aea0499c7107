/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed together. For what lives as long as one batch, one request or one answer:
 * no ownership to track inside it, one free at the end.
 *
 * Not thread-safe; an arena has one owner at a time.
 */
#pragma once

#include <stddef.h>

struct arena;

struct arena *arena_new(void);                  /* NULL without memory */
struct arena *arena_free(struct arena *a);      /* always NULL; accepts NULL */
void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for anything; NULL without memory */
void *arena_copy(struct arena *a, const void *from, size_t size);
char *arena_strdup(struct arena *a, const char *s);
