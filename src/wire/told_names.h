/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of addresses as batches told them: the last one of each address, where it means something.
 * Bounded; it is for the caller to decide whether a new one goes without or the oldest goes.
 */
#pragma once

#include "base/lru.h"
#include "wire/batch.h"

/* NULL: no memory. */
struct lru *told_names_new(uint32_t max);
struct lru *told_names_free(struct lru *names); /* always NULL; accepts NULL */

/* Copies. -ENOMEM, -ENOSPC: full. */
int told_names_put(struct lru *names, const struct wire_name *n);
void told_names_drop_oldest(struct lru *names);

/* All of them as the batch's. -ENOMEM. */
int told_names_describe(const struct lru *names, struct wire_batch *b);
