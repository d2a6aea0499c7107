/* SPDX-License-Identifier: Apache-2.0 */
#include "server/masquerade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_ONE_IN 20 /* of datagrams: two agents' windows do not end together */

void masquerade_begin(struct masquerade *m, struct core *c, struct arena *arena)
{
	*m = (struct masquerade){.core = c};
	m->masked = vector_init(arena, sizeof(struct masked), 0);
}

void masquerade_done(struct masquerade *m)
{
	hashindex_done(&m->by_place);
}

static struct masked *at(const struct masquerade *m, uint32_t place)
{
	return vector_at(&m->masked, place);
}

/* --- clients --------------------------------------------------------------------------------- */

static uint32_t hash_of(const struct masquerade *m, const struct masked *key)
{
	struct {
		uint32_t machine, port;
		uint8_t address[16];
	} bytes = {key->any ? UINT32_MAX : key->machine,
		   (uint32_t)key->transport << 16 | key->port,
		   {0}};

	memcpy(bytes.address, key->address, 16);
	return hashindex_hash(m->core->flows.seed, &bytes, sizeof(bytes));
}

static bool is_same(const struct masked *a, const struct masked *b)
{
	return a->any == b->any && (a->any || a->machine == b->machine) && a->port == b->port &&
	       a->transport == b->transport && !memcmp(a->address, b->address, 16);
}

/* UINT32_MAX: there is none. */
static uint32_t find(const struct masquerade *m, const struct masked *key)
{
	struct hashindex_cursor cursor = hashindex_begin(hash_of(m, key));
	uint32_t place;

	while (hashindex_next(&m->by_place, &cursor, &place))
		if (is_same(at(m, place), key))
			return place;
	return UINT32_MAX;
}

static int put(struct masquerade *m, const struct masked *key, uint32_t *ret, bool *ret_new)
{
	struct masked *new;

	*ret = find(m, key);
	*ret_new = *ret == UINT32_MAX;
	if (!*ret_new)
		return 0;
	new = vector_push(&m->masked);
	if (!new)
		return -ENOMEM;
	*new = *key;
	*ret = (uint32_t)m->masked.count - 1;
	return hashindex_insert(&m->by_place, hash_of(m, key), *ret);
}

static void add_sums(struct masked *to, const struct folded *item)
{
	for (unsigned int part = 0; part < FOLD_PARTS; part++) {
		const struct sums *s = fold_sums(item, part);

		for (unsigned int i = 0; s && i < MR_COUNTER_COUNT; i++)
			to->counter[i] += s->counter[i];
	}
	to->active += item->active;
	to->pending += item->pending;
}

static bool is_mirrored(const struct core *c, const struct flow *f)
{
	struct flow_mirrors mirrors = flow_mirrors_begin(f);
	uint32_t other;

	return flow_mirrors_next(&c->flows, &mirrors, &other);
}

/* The server's agent must have had the time to tell of it. */
static bool is_overdue(const struct core *c, const struct flow *f, const struct ends *ends)
{
	return f->first_seen_ns <= coverage_end(&c->reporters[ends->server.reporter].coverage);
}

int masquerade_client(struct masquerade *m, uint32_t flow, const struct ends *ends, uint32_t bucket)
{
	const struct core *c = m->core;
	const struct flow *f = flow_at(&c->flows, flow);
	const struct flow_id *id = flow_id(&c->flows, f);
	struct masked key = {.port = id->port,
			     .transport = id->transport,
			     .machine = id->machine,
			     .bucket = bucket};
	uint32_t own, all;
	bool new, new_all;
	int r;

	if (id->coarse || !ends->server.actor || ends->server.machine == id->machine ||
	    is_mirrored(c, f) || !is_overdue(c, f, ends))
		return 0;
	memcpy(key.address, id->remote, 16);
	r = put(m, &key, &own, &new);
	key.any = true;
	if (!r)
		r = put(m, &key, &all, &new_all);
	if (r < 0)
		return r;
	at(m, own)->several |= at(m, own)->bucket != bucket;
	add_sums(at(m, own), c->range.by_flow[flow]);
	if (new) {
		at(m, own)->next = at(m, all)->next;
		at(m, all)->next = own + 1;
	}
	return 0;
}

/* --- servers --------------------------------------------------------------------------------- */

/* What its clients ask for: the server, or what it was translated from. */
static struct masked key_of(const struct flow_id *server)
{
	struct masked key = {.port = server->via_port ? server->via_port : server->port,
			     .transport = server->transport};

	memcpy(key.address, server->via_port ? server->via : server->local, 16);
	return key;
}

struct masked *masquerade_of(struct masquerade *m, const struct flow_id *server, uint32_t machine)
{
	struct masked key = key_of(server);
	uint32_t place;

	key.machine = machine;
	place = find(m, &key);
	return place == UINT32_MAX ? NULL : at(m, place);
}

bool masquerade_home(const struct masquerade *m, const struct flow_id *server, uint32_t *ret)
{
	const struct endpoint_table *t = &m->core->endpoints;
	struct endpoint_home home;
	bool several = false;

	if (endpoint_home(t, server->machine, server->remote, &home) ||
	    !endpoint_home_elsewhere(t, server->machine, server->remote, &home, &several))
		return false;
	*ret = home.machine;
	return true;
}

/* --- what remains ---------------------------------------------------------------------------- */

/* A flow from nobody's address, with all that it has, and who may be behind it. */
struct suspect {
	struct unmasked *out;
	uint32_t all; /* the place of its server's clients */
	struct masked has;
	uint64_t distance; /* in bytes, of what is missing */
};

static uint64_t bytes_of(const struct masked *m)
{
	return m->counter[MR_BYTES_TO_SERVER] + m->counter[MR_BYTES_TO_CLIENT];
}

/* Clients of all machines that no flow of their own machine explains. */
static void sum_missing(const struct masquerade *m, uint32_t all, struct masked *ret)
{
	bool first = true;

	*ret = (struct masked){.bucket = PLAN_NONE};
	for (uint32_t next = at(m, all)->next; next; next = at(m, next - 1)->next) {
		const struct masked *own = at(m, next - 1);

		if (own->explained)
			continue;
		ret->several |= own->several || (!first && own->bucket != ret->bucket);
		ret->bucket = own->bucket;
		first = false;
		for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
			ret->counter[i] += own->counter[i];
		ret->active += own->active;
		ret->pending += own->pending;
	}
}

/* Takes what it can from both, and tells which share of the flow's own remains. */
static double take(uint64_t *missing, uint64_t *has)
{
	uint64_t all = *has, taken;

	if ((int64_t)*missing <= 0 || (int64_t)*has <= 0)
		return 1;
	taken = *missing < *has ? *missing : *has;
	*missing -= taken;
	*has -= taken;
	return (double)*has / (double)all;
}

static bool has_something(const struct masked *left, const struct masked *had)
{
	uint64_t datagrams =
		left->counter[MR_DATAGRAMS_TO_SERVER] + left->counter[MR_DATAGRAMS_TO_CLIENT];
	uint64_t before =
		had->counter[MR_DATAGRAMS_TO_SERVER] + had->counter[MR_DATAGRAMS_TO_CLIENT];

	return left->active > 0 || (int64_t)left->counter[MR_OPENED] > 0 ||
	       (int64_t)left->counter[MR_ADOPTED] > 0 || datagrams * NOISE_ONE_IN > before;
}

static int unmask(struct suspect *s, struct masked *missing, struct arena *arena)
{
	struct plan_kept *kept = arena_alloc(arena, sizeof(*kept));
	struct masked had = s->has;

	if (!kept)
		return -ENOMEM;
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		kept->counter[i] = take(&missing->counter[i], &s->has.counter[i]);
	kept->active = take((uint64_t *)&missing->active, (uint64_t *)&s->has.active);
	kept->pending = take((uint64_t *)&missing->pending, (uint64_t *)&s->has.pending);
	s->out->kept = kept;
	s->out->nothing = !has_something(&s->has, &had);
	s->out->bucket = missing->several ? PLAN_NONE : missing->bucket;
	return 0;
}

static int closest_first(const void *a, const void *b)
{
	const struct suspect *x = a, *y = b;

	if (x->all != y->all)
		return x->all < y->all ? -1 : 1;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return (x->out->flow > y->out->flow) - (x->out->flow < y->out->flow);
}

static size_t collect(struct masquerade *m, struct vector *flows, struct suspect *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < flows->count; i++) {
		struct unmasked *u = vector_at(flows, i);
		const struct flow *f = flow_at(&m->core->flows, u->flow);
		struct suspect s = {.out = u};
		struct masked missing, key = key_of(flow_id(&m->core->flows, f));

		key.any = true;
		s.all = find(m, &key);
		if (s.all == UINT32_MAX)
			continue;
		sum_missing(m, s.all, &missing);
		if (missing.bucket == PLAN_NONE && !bytes_of(&missing) && !missing.active)
			continue;
		add_sums(&s.has, m->core->range.by_flow[u->flow]);
		s.distance = bytes_of(&missing) > bytes_of(&s.has)
				     ? bytes_of(&missing) - bytes_of(&s.has)
				     : bytes_of(&s.has) - bytes_of(&missing);
		ret[count++] = s;
	}
	return count;
}

int masquerade_settle(struct masquerade *m, struct vector *flows, struct arena *arena)
{
	struct suspect *suspects;
	struct masked missing;
	size_t count;
	int r = 0;

	if (!m->masked.count || !flows->count)
		return 0;
	suspects = arena_alloc(arena, flows->count * sizeof(*suspects));
	if (!suspects)
		return -ENOMEM;
	count = collect(m, flows, suspects);
	if (count)
		qsort(suspects, count, sizeof(*suspects), closest_first);
	for (size_t i = 0; !r && i < count; i++) {
		if (!i || suspects[i].all != suspects[i - 1].all)
			sum_missing(m, suspects[i].all, &missing);
		r = unmask(&suspects[i], &missing, arena);
	}
	return r;
}
