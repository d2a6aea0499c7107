/* SPDX-License-Identifier: Apache-2.0 */
#include "server/idmap.h"

#include <errno.h>
#include <stdlib.h>

void idmap_done(struct idmap *m)
{
	free(m->slots);
	*m = (struct idmap){0};
}

static void place(struct idmap *m, uint64_t id, uint32_t at)
{
	size_t i = (id * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & m->mask;

	while (m->slots[i].id)
		i = (i + 1) & m->mask;
	m->slots[i] = (struct idmap_slot){id, at};
	m->count++;
}

static int grow(struct idmap *m)
{
	size_t size = m->slots ? 2 * (m->mask + 1) : 1024;
	struct idmap larger = {.slots = calloc(size, sizeof(*larger.slots)), .mask = size - 1};

	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; m->slots && i <= m->mask; i++)
		if (m->slots[i].id)
			place(&larger, m->slots[i].id, m->slots[i].place);
	free(m->slots);
	*m = larger;
	return 0;
}

int idmap_put(struct idmap *m, uint64_t id, uint32_t at)
{
	int r = !m->slots || 2 * (m->count + 1) > m->mask ? grow(m) : 0;

	if (!r)
		place(m, id, at);
	return r;
}
