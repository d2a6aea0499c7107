/* SPDX-License-Identifier: Apache-2.0 */
/* See listener.h. */
#include "server/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/address.h"

#define LISTENER_FITS 5

int listener_table_init(struct listener_table *t, uint32_t max, uint64_t seed,
			struct actor_table *actors, struct endpoint_table *endpoints)
{
	*t = (struct listener_table){
		.max = max, .seed = seed, .actors = actors, .endpoints = endpoints};
	t->listeners = calloc(max, sizeof(*t->listeners));
	return t->listeners ? 0 : -ENOMEM;
}

void listener_table_done(struct listener_table *t)
{
	free(t->listeners);
	free(t->first);
	hashindex_done(&t->by_port);
	*t = (struct listener_table){0};
}

static uint32_t port_hash(const struct listener_table *t, uint32_t machine, uint16_t port)
{
	uint32_t bytes[2] = {machine, port};

	return hashindex_hash(t->seed, bytes, sizeof(bytes));
}

/* Makes the neighbours of a listener in its agent's list point to another place. */
static void relink(struct listener_table *t, const struct listener *l, uint32_t next,
		   uint32_t previous)
{
	if (l->previous)
		t->listeners[l->previous - 1].next = next;
	else
		t->first[l->reporter] = next;
	if (l->next)
		t->listeners[l->next - 1].previous = previous;
}

static int link_first(struct listener_table *t, struct listener *l, uint32_t place)
{
	uint32_t count = t->first_count ? t->first_count : 16, *first;

	while (count <= l->reporter)
		count *= 2;
	if (count != t->first_count) {
		first = realloc(t->first, count * sizeof(*first));
		if (!first)
			return -ENOMEM;
		memset(first + t->first_count, 0, (count - t->first_count) * sizeof(*first));
		t->first = first;
		t->first_count = count;
	}
	l->previous = 0;
	l->next = t->first[l->reporter];
	relink(t, l, place + 1, place + 1);
	return 0;
}

static void remove_at(struct listener_table *t, uint32_t i)
{
	struct listener *l = &t->listeners[i], *last = &t->listeners[t->count - 1];

	relink(t, l, l->next, l->previous);
	hashindex_remove(&t->by_port, port_hash(t, l->machine, l->port), i);
	endpoint_release(t->endpoints, l->home);
	actor_release(t->actors, l->actor);
	if (l != last) {
		/* a removal and an insertion: there is always room */
		hashindex_remove(&t->by_port, port_hash(t, last->machine, last->port),
				 t->count - 1);
		hashindex_insert(&t->by_port, port_hash(t, last->machine, last->port), i);
		*l = *last;
		relink(t, l, i + 1, i + 1);
	}
	t->count--;
}

void listener_table_clear(struct listener_table *t, uint32_t reporter)
{
	while (reporter < t->first_count && t->first[reporter])
		remove_at(t, t->first[reporter] - 1);
}

static int learn_home(struct listener_table *t, struct listener *l, uint64_t now_ns)
{
	struct endpoint_key key = {.machine = l->machine, .netns = l->netns, .actor = ACTOR_NONE};

	l->home = ENDPOINT_NONE;
	if (l->wildcard)
		return 0;
	memcpy(key.address, l->address, 16);
	return endpoint_acquire(t->endpoints, &key, l->reporter, now_ns, &l->home);
}

int listener_table_add(struct listener_table *t, const struct listener *listener, uint64_t now_ns)
{
	struct listener *l = &t->listeners[t->count];
	int r;

	if (t->count == t->max)
		return -ENOSPC;
	*l = *listener;
	l->wildcard = address_is_unspecified(l->address);
	r = learn_home(t, l, now_ns);
	if (r < 0)
		return r;
	r = hashindex_insert(&t->by_port, port_hash(t, l->machine, l->port), t->count);
	if (!r) {
		r = link_first(t, l, t->count);
		if (r < 0)
			hashindex_remove(&t->by_port, port_hash(t, l->machine, l->port), t->count);
	}
	if (r < 0) {
		endpoint_release(t->endpoints, l->home);
		return r;
	}
	actor_reference(t->actors, l->actor);
	t->count++;
	return 0;
}

/* How well a listener fits: 5 this very address, 4 wildcard of its family, 3 ::, 2 and 1 likewise
 * where the address is the machine's and may be in the listener's namespace, 0 not. */
static unsigned int fits(const struct listener_table *t, const struct listener *l,
			 const struct endpoint_place *place)
{
	bool v4 = address_is_v4(place->address), listener_v4 = address_is_v4(l->address);
	unsigned int sure = 2;

	if (l->machine != place->machine || l->port != place->port ||
	    l->transport != place->transport || (place->netns && l->netns != place->netns))
		return 0;
	if (!l->wildcard)
		return address_equal(l->address, place->address) ? LISTENER_FITS : 0;
	if (listener_v4 && !v4)
		return 0;
	if (!(place->netns && address_is_loopback(place->address)))
		sure = endpoint_address_in(t->endpoints, l->machine, l->netns, place->address);
	return sure ? 2 * sure - (listener_v4 != v4) : 0;
}

uint32_t listener_find(const struct listener_table *t, const struct endpoint_place *place)
{
	struct hashindex_cursor at = hashindex_begin(port_hash(t, place->machine, place->port));
	uint32_t i, found = ACTOR_NONE;
	unsigned int best = 0;

	while (best < LISTENER_FITS && hashindex_next(&t->by_port, &at, &i)) {
		unsigned int fit = fits(t, &t->listeners[i], place);

		if (fit > best) {
			best = fit;
			found = t->listeners[i].actor;
		}
	}
	return found;
}
