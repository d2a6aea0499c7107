/* SPDX-License-Identifier: Apache-2.0 */
/* See endpoint.h. */
#include "server/endpoint.h"

#include <errno.h>
#include <string.h>

#include "server/actor.h"
#include "server/address.h"

#define ANY_MACHINE UINT32_MAX

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
	hashindex_done(&t->by_address);
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

static uint32_t address_hash(const struct endpoint_table *t, uint16_t port,
			     const uint8_t address[16])
{
	return place_hash(t->seed, ANY_MACHINE, port, address);
}

static int index_entry(struct endpoint_table *t, const struct endpoint_key *key, uint32_t i)
{
	uint32_t hash = place_hash(t->seed, key->machine, key->port, key->address);
	int r = hashindex_insert(&t->by_place, hash, i);

	if (r < 0 || address_is_loopback(key->address))
		return r;
	r = hashindex_insert(&t->by_address, address_hash(t, key->port, key->address), i);
	if (r < 0)
		hashindex_remove(&t->by_place, hash, i);
	return r;
}

int endpoint_acquire(struct endpoint_table *t, const struct endpoint_key *key, uint32_t reporter,
		     uint64_t now_ns, uint32_t *ret)
{
	bool new;
	struct endpoint *e = lru_put(t->entries, key, &new);
	int r = 0;

	if (!e)
		return -ENOSPC;
	if (new) {
		e->first_seen_ns = e->last_seen_ns = now_ns;
		e->reporter = reporter;
		r = index_entry(t, key, lru_index(t->entries, e));
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
	hashindex_remove(&t->by_address, address_hash(t, key->port, key->address), i);
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

unsigned int endpoint_address_in(const struct endpoint_table *t, uint32_t machine, uint32_t netns,
				 const uint8_t address[16])
{
	struct hashindex_cursor at = hashindex_begin(place_hash(t->seed, machine, 0, address));
	unsigned int best = 0;
	uint32_t i;

	while (best < 2 && hashindex_next(&t->by_place, &at, &i)) {
		const struct endpoint_key *key = lru_key(t->entries, lru_at(t->entries, i));

		if (key->machine != machine || key->port || !address_equal(key->address, address))
			continue;
		if (key->netns == netns)
			best = 2;
		else if (!key->netns)
			best = 1;
	}
	return best;
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

bool endpoint_home(const struct endpoint_table *t, uint32_t machine, const uint8_t address[16],
		   struct endpoint_home *ret)
{
	struct hashindex_cursor at = hashindex_begin(place_hash(t->seed, machine, 0, address));
	uint32_t i;

	while (hashindex_next(&t->by_place, &at, &i)) {
		const struct endpoint *e = lru_at(t->entries, i);
		const struct endpoint_key *key = lru_key(t->entries, e);

		if (key->machine != machine || key->port || !address_equal(key->address, address))
			continue;
		*ret = (struct endpoint_home){machine, e->reporter};
		return true;
	}
	return false;
}

bool endpoint_home_elsewhere(const struct endpoint_table *t, uint32_t machine,
			     const uint8_t address[16], struct endpoint_home *ret,
			     bool *ret_several)
{
	struct hashindex_cursor at = hashindex_begin(address_hash(t, 0, address));
	bool found = false;
	uint32_t i;

	*ret_several = false;
	while (hashindex_next(&t->by_address, &at, &i)) {
		const struct endpoint *e = lru_at(t->entries, i);
		const struct endpoint_key *key = lru_key(t->entries, e);

		if (key->machine == machine || key->port || !address_equal(key->address, address))
			continue;
		if (found && key->machine != ret->machine) {
			*ret_several = true;
			return false;
		}
		*ret = (struct endpoint_home){key->machine, e->reporter};
		found = true;
	}
	return found;
}

uint32_t endpoint_find_elsewhere(const struct endpoint_table *t, const struct endpoint_place *place,
				 uint64_t from_ns, uint64_t to_ns)
{
	struct hashindex_cursor at = hashindex_begin(address_hash(t, place->port, place->address));
	uint32_t i, found = ACTOR_NONE, machine = place->machine;
	uint64_t seen_ns = 0;

	while (hashindex_next(&t->by_address, &at, &i)) {
		const struct endpoint *e = lru_at(t->entries, i);
		const struct endpoint_key *key = lru_key(t->entries, e);

		if (key->machine == place->machine || key->port != place->port ||
		    key->transport != place->transport ||
		    !address_equal(key->address, place->address) || e->first_seen_ns > to_ns ||
		    e->last_seen_ns <= from_ns)
			continue;
		if (found != ACTOR_NONE && key->machine != machine)
			return ACTOR_NONE;
		if (found != ACTOR_NONE && e->last_seen_ns <= seen_ns)
			continue;
		found = key->actor;
		machine = key->machine;
		seen_ns = e->last_seen_ns;
	}
	return found;
}

bool endpoint_takes_over(const struct endpoint_table *t, uint32_t machine, uint32_t netns,
			 uint32_t actor, uint8_t transport, uint16_t port)
{
	const struct endpoint_key key = {.machine = machine,
					 .netns = netns,
					 .actor = actor,
					 .port = port,
					 .transport = transport};

	return lru_get(t->entries, &key);
}

void endpoint_mark_reporters(const struct endpoint_table *t, bool *used)
{
	for (const struct endpoint *e = lru_oldest(t->entries); e; e = lru_newer(t->entries, e))
		used[e->reporter] = true;
}
