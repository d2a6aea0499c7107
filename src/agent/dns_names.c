/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dns_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lru.h"
#include "base/vector.h"

#define NAMES_MAX 8192
#define NS_PER_S  1000000000ull

/* Compared as bytes. */
struct name_key {
	uint32_t netns;
	uint8_t address[16];
};

struct name {
	uint64_t good_until_ns;
	bool told;
	char text[DNS_NAME_MAX + 1];
};

struct dns_names {
	struct lru *names;
	size_t untold;
	uint64_t evicted;
};

int dns_names_new(struct dns_names **ret, uint32_t names_max)
{
	struct dns_names *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->names = lru_new(names_max ? names_max : NAMES_MAX, sizeof(struct name_key),
			   sizeof(struct name));
	if (!n->names) {
		free(n);
		return -ENOMEM;
	}
	*ret = n;
	return 0;
}

struct dns_names *dns_names_free(struct dns_names *n)
{
	if (!n)
		return NULL;
	lru_free(n->names);
	free(n);
	return NULL;
}

static struct name_key key_of(uint32_t netns, const uint8_t address[16])
{
	struct name_key key = {.netns = netns};

	memcpy(key.address, address, sizeof(key.address));
	return key;
}

static uint64_t life_ns(uint32_t ttl_s)
{
	if (ttl_s < DNS_TTL_MIN_S)
		ttl_s = DNS_TTL_MIN_S;
	return (ttl_s < DNS_TTL_MAX_S ? ttl_s : DNS_TTL_MAX_S) * NS_PER_S;
}

/* Counts the one that has to go. */
static struct name *put(struct dns_names *n, const struct name_key *key)
{
	bool is_new;
	struct name *name = lru_get(n->names, key), *oldest;

	if (name)
		return name;
	if (lru_count(n->names) == lru_capacity(n->names)) {
		oldest = lru_oldest(n->names);
		n->untold -= !oldest->told;
		n->evicted++;
	}
	name = lru_put_evict(n->names, key, &is_new);
	name->told = true; /* nothing to tell yet */
	return name;
}

static void learn(struct dns_names *n, const struct name_key *key, const char *text, uint32_t ttl_s,
		  uint64_t now_ns)
{
	struct name *name = put(n, key);

	name->good_until_ns = now_ns + life_ns(ttl_s);
	if (!strcmp(name->text, text))
		return;
	n->untold += name->told;
	name->told = false;
	strcpy(name->text, text);
}

void dns_names_learn(struct dns_names *n, uint32_t netns, const struct dns_message *m,
		     uint64_t now_ns)
{
	for (size_t i = 0; i < m->address_count; i++) {
		const struct dns_address *a = &m->addresses[i];
		struct name_key key = key_of(netns, a->address);

		learn(n, &key, dns_message_name(m, a), a->ttl_s, now_ns);
	}
}

const char *dns_names_find(struct dns_names *n, uint32_t netns, const uint8_t address[16],
			   uint64_t now_ns)
{
	struct name_key key = key_of(netns, address);
	struct name *name = lru_get(n->names, &key);

	if (!name)
		return NULL;
	if (now_ns < name->good_until_ns)
		return name->text;
	n->untold -= !name->told;
	lru_remove(n->names, name);
	return NULL;
}

static int tell(struct dns_names *n, struct name *name, struct vector *into)
{
	const struct name_key *key = lru_key(n->names, name);
	const char *text = arena_strdup(into->arena, name->text);
	struct wire_name *w = text ? vector_push(into) : NULL;

	if (!w)
		return -ENOMEM;
	w->netns = key->netns;
	memcpy(w->address, key->address, sizeof(w->address));
	w->name = text;
	name->told = true;
	n->untold--;
	return 0;
}

int dns_names_tell(struct dns_names *n, struct wire_batch *batch)
{
	struct vector names = vector_init(batch->arena, sizeof(struct wire_name), n->untold);
	int r = 0;

	for (struct name *name = lru_oldest(n->names); name && n->untold && !r;
	     name = lru_newer(n->names, name))
		if (!name->told)
			r = tell(n, name, &names);
	batch->names = names.items;
	batch->name_count = names.count;
	return r;
}

uint64_t dns_names_evicted(const struct dns_names *n)
{
	return n->evicted;
}
