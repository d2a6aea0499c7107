/* SPDX-License-Identifier: Apache-2.0 */
#include "server/names.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Compared as bytes. */
struct name_key {
	uint32_t machine, netns;
	uint8_t address[16];
};

int names_init(struct names *n, uint32_t max)
{
	n->entries = lru_new(max, sizeof(struct name_key), NAME_TEXT_MAX + 1);
	return n->entries ? 0 : -ENOMEM;
}

void names_done(struct names *n)
{
	n->entries = lru_free(n->entries);
}

static struct name_key key_of(uint32_t machine, uint32_t netns, const uint8_t address[16])
{
	struct name_key key = {.machine = machine, .netns = netns};

	memcpy(key.address, address, sizeof(key.address));
	return key;
}

static bool is_name(const char *name)
{
	size_t size = name ? strnlen(name, NAME_TEXT_MAX + 1) : 0;

	if (!size || size > NAME_TEXT_MAX)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name >= 0x7f)
			return false;
	return true;
}

int names_learn(struct names *n, uint32_t machine, uint32_t netns, const uint8_t address[16],
		const char *name)
{
	struct name_key key = key_of(machine, netns, address);

	char *known;

	if (!is_name(name))
		return -EINVAL;
	known = lru_put_evict(n->entries, &key, NULL);
	if (!strcmp(known, name))
		return 0;
	strcpy(known, name);
	return 1;
}

const char *names_find(const struct names *n, uint32_t machine, uint32_t netns,
		       const uint8_t address[16])
{
	struct name_key key = key_of(machine, netns, address);

	return lru_get(n->entries, &key);
}
