/* SPDX-License-Identifier: Apache-2.0 */
/* See endpoint.h. */
#include "server/endpoint.h"

#include <errno.h>
#include <string.h>

#include "server/actor.h"
#include "server/address.h"

int endpoint_table_init(struct endpoint_table *t, uint32_t max, uint64_t seed)
{
	*t = (struct endpoint_table){.seed = seed};
	t->entries = lru_new(max, sizeof(struct endpoint_key), sizeof(struct endpoint));
	return t->entries ? 0 : -ENOMEM;
}

void endpoint_table_done(struct endpoint_table *t)
{
	t->entries = lru_free(t->entries);
	hashindex_done(&t->by_place);
}

static uint32_t place_hash(uint64_t seed, uint32_t machine, uint16_t port,
			   const uint8_t address[16])
{
	struct {
		uint32_t machine, port;
		uint8_t address[16];
	} bytes = {machine, port, {0}};

	memcpy(bytes.address, address, 16);
	return hashindex_hash(seed, &bytes, sizeof(bytes));
}

int endpoint_acquire(struct endpoint_table *t, const struct endpoint_key *key, uint64_t now_ns,
		     uint32_t *ret)
{
	bool new;
	struct endpoint *e = lru_put(t->entries, key, &new);
	int r = 0;

	if (!e)
		return -ENOSPC;
	if (new) {
		e->first_seen_ns = e->last_seen_ns = now_ns;
		r = hashindex_insert(&t->by_place,
				     place_hash(t->seed, key->machine, key->port, key->address),
				     lru_index(t->entries, e));
	}
	if (r < 0) {
		lru_remove(t->entries, e);
		return r;
	}
	e->references++;
	*ret = lru_index(t->entries, e);
	return 0;
}

void endpoint_release(struct endpoint_table *t, uint32_t i)
{
	const struct endpoint_key *key;
	struct endpoint *e;

	if (i == ENDPOINT_NONE)
		return;
	e = lru_at(t->entries, i);
	if (--e->references)
		return;
	key = lru_key(t->entries, e);
	hashindex_remove(&t->by_place, place_hash(t->seed, key->machine, key->port, key->address),
			 i);
	lru_remove(t->entries, e);
}

void endpoint_seen(struct endpoint_table *t, uint32_t i, uint64_t now_ns)
{
	struct endpoint *e = i == ENDPOINT_NONE ? NULL : lru_at(t->entries, i);

	if (e && e->last_seen_ns < now_ns)
		e->last_seen_ns = now_ns;
}

bool endpoint_address_is_local(const struct endpoint_table *t, uint32_t machine, uint32_t netns,
			       const uint8_t address[16])
{
	struct hashindex_cursor at = hashindex_begin(place_hash(t->seed, machine, 0, address));
	uint32_t i;

	while (hashindex_next(&t->by_place, &at, &i)) {
		const struct endpoint_key *key = lru_key(t->entries, lru_at(t->entries, i));

		if (key->machine == machine && (!netns || key->netns == netns) && !key->port &&
		    address_equal(key->address, address))
			return true;
	}
	return false;
}

static bool is_at(const struct endpoint_key *key, const struct endpoint_place *place)
{
	return key->machine == place->machine && key->port == place->port &&
	       key->transport == place->transport &&
	       (!place->netns || key->netns == place->netns) &&
	       address_equal(key->address, place->address);
}

uint32_t endpoint_find(const struct endpoint_table *t, const struct endpoint_place *place,
		       uint64_t from_ns, uint64_t to_ns, bool *ret_current)
{
	struct hashindex_cursor at =
		hashindex_begin(place_hash(t->seed, place->machine, place->port, place->address));
	uint32_t i, found = ACTOR_NONE;
	uint64_t seen_ns = 0;
	bool current = false;

	while (hashindex_next(&t->by_place, &at, &i)) {
		const struct endpoint *e = lru_at(t->entries, i);
		const struct endpoint_key *key = lru_key(t->entries, e);
		bool in_time = e->first_seen_ns <= to_ns && e->last_seen_ns > from_ns;

		if (!is_at(key, place) || current > in_time ||
		    (current == in_time && found != ACTOR_NONE && e->last_seen_ns <= seen_ns))
			continue;
		found = key->actor;
		seen_ns = e->last_seen_ns;
		current = in_time;
	}
	*ret_current = current;
	return found;
}
