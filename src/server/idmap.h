/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the permanent numbers of a store to places in a core's tables.
 *
 * Numbers are the store's own and were given one after the other, so the hash need not defend
 * itself. Number 0 is nobody's. Grows by doubling, at most half full.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap_slot {
	uint64_t id;
	uint32_t place;
};

struct idmap {
	struct idmap_slot *slots; /* owned; all zero: nothing yet */
	size_t mask, count;
};

void idmap_done(struct idmap *m);
int idmap_put(struct idmap *m, uint64_t id, uint32_t place); /* an id that is not there. -ENOMEM */

static inline bool idmap_get(const struct idmap *m, uint64_t id, uint32_t *ret)
{
	if (!m->slots)
		return false;
	for (size_t i = (id * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & m->mask;;
	     i = (i + 1) & m->mask) {
		if (m->slots[i].id == id) {
			*ret = m->slots[i].place;
			return true;
		}
		if (!m->slots[i].id)
			return false;
	}
}
