/* SPDX-License-Identifier: Apache-2.0 */
/* See told_names.h. */
#include "wire/told_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Compared as bytes. */
struct name_key {
	uint32_t netns;
	uint8_t address[16];
};

struct lru *told_names_new(uint32_t max)
{
	return lru_new(max, sizeof(struct name_key), sizeof(char *));
}

struct lru *told_names_free(struct lru *names)
{
	if (names)
		for (char **name = lru_oldest(names); name; name = lru_newer(names, name))
			free(*name);
	lru_free(names);
	return NULL;
}

int told_names_put(struct lru *names, const struct wire_name *n)
{
	struct name_key key = {.netns = n->netns};
	char *copy = strdup(n->name), **place;

	if (!copy)
		return -ENOMEM;
	memcpy(key.address, n->address, sizeof(key.address));
	place = lru_put(names, &key, NULL);
	if (!place) {
		free(copy);
		return -ENOSPC;
	}
	free(*place);
	*place = copy;
	return 0;
}

void told_names_drop_oldest(struct lru *names)
{
	char **name = lru_oldest(names);

	free(*name);
	lru_remove(names, name);
}

int told_names_describe(const struct lru *names, struct wire_batch *b)
{
	b->name_count = 0;
	b->names = arena_alloc(b->arena, lru_count(names) * sizeof(*b->names));
	if (!b->names)
		return -ENOMEM;
	for (char **name = lru_oldest(names); name; name = lru_newer(names, name)) {
		const struct name_key *key = lru_key(names, name);
		struct wire_name *n = &b->names[b->name_count++];

		n->netns = key->netns;
		memcpy(n->address, key->address, sizeof(n->address));
		n->name = arena_strdup(b->arena, *name);
		if (!n->name)
			return -ENOMEM;
	}
	return 0;
}
