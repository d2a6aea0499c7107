/* SPDX-License-Identifier: Apache-2.0 */
/* See flow.h. */
#include "server/flow.h"

#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/address.h"

/* Places beyond max: of two transports and roles, a share of the actors. */
#define COARSE_MIN 1024

int flow_table_init(struct flow_table *t, uint32_t max, uint64_t seed, struct actor_table *actors,
		    struct endpoint_table *endpoints)
{
	*t = (struct flow_table){.max = max, .seed = seed};
	t->actors = actors;
	t->endpoints = endpoints;
	t->flows =
		lru_new(max + COARSE_MIN + max / 16, sizeof(struct flow_id), sizeof(struct flow));
	return t->flows ? 0 : -ENOMEM;
}

void flow_table_done(struct flow_table *t)
{
	t->flows = lru_free(t->flows);
	hashindex_done(&t->by_pair);
	fresh_done(&t->fresh);
}

uint32_t flow_table_size(const struct flow_table *t)
{
	return lru_capacity(t->flows);
}

uint32_t flow_table_used(const struct flow_table *t)
{
	return lru_used(t->flows);
}

uint32_t flow_table_count(const struct flow_table *t)
{
	return lru_count(t->flows);
}

uint32_t flow_scope(const struct flow_id *id)
{
	bool own = address_is_loopback(id->local) || address_is_loopback(id->remote) ||
		   address_equal(id->local, id->remote);

	return own ? id->netns : 0;
}

static uint32_t hash_ends(const struct flow_table *t, const struct flow_id *id,
			  const uint8_t server[16], uint16_t port)
{
	struct {
		uint32_t machine, scope, port;
		uint8_t client[16], server[16];
	} pair = {.scope = flow_scope(id), .port = port};

	if (pair.scope)
		pair.machine = id->machine;
	memcpy(pair.client, id->role == MR_ROLE_CLIENT ? id->local : id->remote, 16);
	memcpy(pair.server, server, 16);
	return hashindex_hash(t->seed, &pair, sizeof(pair));
}

/* The same number for both ends of a connection, be they on one machine or on two. */
static uint32_t pair_hash(const struct flow_table *t, const struct flow_id *id)
{
	return hash_ends(t, id, id->role == MR_ROLE_CLIENT ? id->remote : id->local, id->port);
}

/* … as the client has it, if its agent does not see the translation; 0: there is none. */
static uint32_t asked_hash(const struct flow_table *t, const struct flow_id *id)
{
	uint32_t hash;

	if (id->role != MR_ROLE_SERVER || !id->via_port)
		return 0;
	hash = hash_ends(t, id, id->via, id->via_port);
	return hash ? hash : 1;
}

static bool is_elsewhere(const struct flow_table *t, const struct flow_id *id)
{
	return !endpoint_address_is_local(t->endpoints, id->machine, 0, id->remote);
}

/* Of two machines: what is remote to each must not be its own. */
bool flow_share_scope(const struct flow_table *t, const struct flow_id *a, const struct flow_id *b)
{
	if (flow_scope(a) != flow_scope(b))
		return false;
	return a->machine == b->machine ||
	       (!flow_scope(a) && is_elsewhere(t, a) && is_elsewhere(t, b));
}

/* Whether the client means the server: its address and port, or what it serves for. */
static bool is_meant(const struct flow_id *client, const struct flow_id *server)
{
	if (client->port == server->port && address_equal(client->remote, server->local))
		return true;
	return server->via_port == client->port && address_equal(client->remote, server->via);
}

static bool mirrors(const struct flow_table *t, const struct flow_id *a, const struct flow_id *b)
{
	const struct flow_id *client = a->role == MR_ROLE_CLIENT ? a : b;
	const struct flow_id *server = a->role == MR_ROLE_CLIENT ? b : a;

	return client->role != server->role && client->transport == server->transport &&
	       address_equal(client->local, server->remote) && is_meant(client, server) &&
	       flow_share_scope(t, client, server);
}

static bool next_candidate(const struct flow_table *t, struct flow_mirrors *at, uint32_t *ret)
{
	if (hashindex_next(&t->by_pair, &at->at, ret))
		return true;
	if (at->as_asked || !at->flow->asked_hash)
		return false;
	at->as_asked = true;
	at->at = hashindex_begin(at->flow->asked_hash);
	return hashindex_next(&t->by_pair, &at->at, ret);
}

bool flow_mirrors_next(const struct flow_table *t, struct flow_mirrors *at, uint32_t *ret)
{
	const struct flow_id *id = flow_id(t, at->flow);

	while (next_candidate(t, at, ret))
		if (mirrors(t, id, flow_id(t, flow_at(t, *ret))))
			return true;
	return false;
}

static int learn_home(struct flow_table *t, const struct flow_id *id, uint64_t now_ns,
		      struct flow *f)
{
	struct endpoint_key key = {.machine = id->machine, .netns = id->netns, .actor = ACTOR_NONE};

	memcpy(key.address, id->local, 16);
	return endpoint_acquire(t->endpoints, &key, id->reporter, now_ns, &f->home);
}

static int learn_bound(struct flow_table *t, const struct flow_id *id, uint64_t now_ns,
		       struct flow *f)
{
	struct endpoint_key key = {.machine = id->machine, .netns = id->netns, .actor = id->actor};

	if (id->role != MR_ROLE_SERVER)
		return 0;
	key.port = id->port;
	key.transport = id->transport;
	memcpy(key.address, id->local, 16);
	return endpoint_acquire(t->endpoints, &key, id->reporter, now_ns, &f->bound);
}

/* Redirected to a port of its own namespace: what is listened to there is served by another. */
static int learn_taken_over(struct flow_table *t, const struct flow_id *id, uint64_t now_ns,
			    struct flow *f)
{
	struct endpoint_key key = {.machine = id->machine, .netns = id->netns, .actor = id->actor};

	if (!f->asked_hash ||
	    (!address_equal(id->via, id->local) &&
	     endpoint_address_in(t->endpoints, id->machine, id->netns, id->via) < 2))
		return 0;
	key.port = id->via_port;
	key.transport = id->transport;
	return endpoint_acquire(t->endpoints, &key, id->reporter, now_ns, &f->taken_over);
}

static int learn_hashes(struct flow_table *t, struct flow *f)
{
	uint32_t i = lru_index(t->flows, f);
	int r = hashindex_insert(&t->by_pair, f->pair_hash, i);

	if (!r && f->asked_hash)
		r = hashindex_insert(&t->by_pair, f->asked_hash, i);
	return r;
}

/* What a new flow tells about addresses. On failure the caller forgets what there is. */
static int learn(struct flow_table *t, struct flow *f, const struct flow_id *id, uint64_t now_ns)
{
	int r;

	r = learn_home(t, id, now_ns, f);
	if (!r)
		r = learn_bound(t, id, now_ns, f);
	if (!r)
		r = learn_taken_over(t, id, now_ns, f);
	if (!r)
		r = learn_hashes(t, f);
	return r;
}

static void forget(struct flow_table *t, struct flow *f)
{
	const struct flow_id *id = flow_id(t, f);

	if (!id->coarse) {
		hashindex_remove(&t->by_pair, f->pair_hash, lru_index(t->flows, f));
		if (f->asked_hash)
			hashindex_remove(&t->by_pair, f->asked_hash, lru_index(t->flows, f));
		t->count--;
	}
	endpoint_release(t->endpoints, f->home);
	endpoint_release(t->endpoints, f->bound);
	endpoint_release(t->endpoints, f->taken_over);
	actor_release(t->actors, id->actor);
	lru_remove(t->flows, f);
}

static int begin(struct flow_table *t, struct flow *f, const struct flow_id *id, uint64_t now_ns)
{
	int r = 0;

	f->bound = f->home = f->taken_over = ENDPOINT_NONE;
	f->first_seen_ns = now_ns;
	f->permanent = ++t->last_permanent << 1 | (id->role == MR_ROLE_CLIENT);
	fresh_add(&t->fresh, lru_index(t->flows, f));
	actor_reference(t->actors, id->actor);
	if (!id->coarse) {
		f->pair_hash = pair_hash(t, id);
		f->asked_hash = asked_hash(t, id);
		t->count++;
		r = learn(t, f, id, now_ns);
	}
	if (r < 0)
		forget(t, f);
	return r;
}

int flow_acquire(struct flow_table *t, const struct flow_id *id, uint64_t now_ns, uint32_t *ret)
{
	struct flow *f = lru_get(t->flows, id);
	int r;

	if (!f) {
		if (!id->coarse && t->count >= t->max)
			return -ENOSPC;
		f = lru_put(t->flows, id, NULL);
		if (!f)
			return -ENOSPC;
		r = begin(t, f, id, now_ns);
		if (r < 0)
			return r;
	}
	f->references++;
	*ret = lru_index(t->flows, f);
	return 0;
}

void flow_release(struct flow_table *t, uint32_t i)
{
	flow_at(t, i)->references--;
}

void flow_table_forget(struct flow_table *t, uint64_t oldest_ns)
{
	struct flow *f = lru_oldest(t->flows), *next;

	for (; f; f = next) {
		next = lru_newer(t->flows, f);
		if (!f->references && f->active <= 0 && f->pending <= 0 &&
		    f->last_seen_ns < oldest_ns)
			forget(t, f);
	}
}
