/* SPDX-License-Identifier: Apache-2.0 */
/* See layout.h. Who has which cell: found by node, found by cell, forgotten by age. */
#include "server/layout_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int layout_new(struct layout **ret, uint32_t nodes_max, uint64_t seed)
{
	struct layout *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->seed = seed;
	l->nodes = lru_new(nodes_max, sizeof(struct layout_key), sizeof(struct layout_entry));
	l->steps = calloc(NEAREST_STEPS, sizeof(*l->steps));
	if (!l->nodes || !l->steps) {
		layout_free(l);
		return -ENOMEM;
	}
	nearest_make(l->steps);
	*ret = l;
	return 0;
}

struct layout *layout_free(struct layout *l)
{
	if (!l)
		return NULL;
	hashindex_done(&l->by_cell);
	lru_free(l->nodes);
	free(l->steps);
	free(l);
	return NULL;
}

uint32_t layout_count(const struct layout *l)
{
	return (uint32_t)lru_count(l->nodes);
}

uint64_t layout_forgotten(const struct layout *l)
{
	return l->forgotten;
}

static uint64_t hash_text(const struct layout *l, const char *text)
{
	size_t size = strlen(text);

	return (uint64_t)hashindex_hash(l->seed, text, size) << 32 |
	       hashindex_hash(~l->seed, text, size);
}

struct layout_key layout_key_of(const struct layout *l, uint64_t group, const char *id)
{
	return (struct layout_key){group, hash_text(l, id)};
}

/* --- cells --------------------------------------------------------------------------------------
 */

static uint32_t hash_cell(const struct layout *l, uint64_t group, struct arrange_cell cell)
{
	const uint64_t words[] = {group, (uint64_t)(uint32_t)cell.x << 32 | (uint32_t)cell.y};

	return hashindex_hash(l->seed, words, sizeof(words));
}

bool layout_is_free(const struct layout *l, uint64_t group, struct arrange_cell cell)
{
	struct hashindex_cursor at = hashindex_begin(hash_cell(l, group, cell));
	uint32_t place;

	while (hashindex_next(&l->by_cell, &at, &place)) {
		const struct layout_entry *taken = lru_at(l->nodes, place);
		const struct layout_key *key = lru_key(l->nodes, taken);

		if (taken->cell.x == cell.x && taken->cell.y == cell.y && key->group == group)
			return false;
	}
	return true;
}

static void extend(struct layout_group *g, struct arrange_cell cell)
{
	if (!g->count)
		g->low = g->high = cell;
	g->low.x = cell.x < g->low.x ? cell.x : g->low.x;
	g->low.y = cell.y < g->low.y ? cell.y : g->low.y;
	g->high.x = cell.x > g->high.x ? cell.x : g->high.x;
	g->high.y = cell.y > g->high.y ? cell.y : g->high.y;
}

int layout_give(struct layout *l, struct layout_group *group, const char *id,
		const struct layout_entry *entry)
{
	struct layout_key key = layout_key_of(l, group->key, id);
	bool is_new = false;
	struct layout_entry *kept = lru_put(l->nodes, &key, &is_new);
	int r;

	if (!kept)
		return -ENOMEM;
	if (!is_new) /* two ids of one hash: the second is not kept */
		return 0;
	r = hashindex_insert(&l->by_cell, hash_cell(l, group->key, entry->cell),
			     lru_index(l->nodes, kept));
	if (r < 0) {
		lru_remove(l->nodes, kept);
		return r;
	}
	*kept = *entry;
	extend(group, entry->cell);
	group->count++;
	group->settled += !entry->is_waiting;
	return 0;
}

/* --- forgetting ---------------------------------------------------------------------------------
 */

static struct layout_group *group_find(struct layout *l, uint64_t key)
{
	for (size_t i = 0; i < LAYOUT_GROUPS_MAX; i++)
		if (l->groups[i].used && l->groups[i].key == key)
			return &l->groups[i];
	return NULL;
}

void layout_take_back(struct layout *l, struct layout_entry *entry)
{
	const struct layout_key *key = lru_key(l->nodes, entry);
	struct layout_group *group = group_find(l, key->group);

	group->count--;
	group->settled -= !entry->is_waiting;
	hashindex_remove(&l->by_cell, hash_cell(l, key->group, entry->cell),
			 lru_index(l->nodes, entry));
	lru_remove(l->nodes, entry);
}

static void forget(struct layout *l, struct layout_entry *entry)
{
	layout_take_back(l, entry);
	l->forgotten++;
}

void layout_make_room(struct layout *l, uint32_t count)
{
	while (lru_count(l->nodes) + count > lru_capacity(l->nodes))
		forget(l, lru_oldest(l->nodes));
}

static void forget_group(struct layout *l, uint64_t key)
{
	for (uint32_t i = 0; i < lru_capacity(l->nodes); i++) {
		struct layout_entry *entry = lru_at(l->nodes, i);

		if (entry && ((const struct layout_key *)lru_key(l->nodes, entry))->group == key)
			forget(l, entry);
	}
}

struct layout_group *layout_group_open(struct layout *l, const char *name)
{
	uint64_t key = hash_text(l, name);
	struct layout_group *g = group_find(l, key), *oldest = &l->groups[0];

	l->questions++;
	if (!g) {
		for (size_t i = 1; i < LAYOUT_GROUPS_MAX; i++)
			if (l->groups[i].used < oldest->used)
				oldest = &l->groups[i];
		if (oldest->used)
			forget_group(l, oldest->key);
		g = oldest;
		*g = (struct layout_group){.key = key};
	}
	g->used = l->questions;
	return g;
}
