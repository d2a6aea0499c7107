/* SPDX-License-Identifier: Apache-2.0 */
/* See flow_table.h. */
#include "agent/flow_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lru.h"

#define FLOWS_MAX    65536
#define COARSE_SHARE 8 /* one in so many again is kept free for coarse flows */
#define PERMANENT    4 /* a transport and a role each */
#define IDLE_NS      600000000000ull
#define HANDLES      INT32_MAX /* above: those of merge.h */

struct flow_key {
	uint32_t actor, netns;
	uint8_t local[16], remote[16];
	uint16_t port;
	uint8_t role, coarse;
	uint8_t transport; /* enum mr_transport */
	uint8_t unresolved;
	uint16_t via_port;
	uint8_t via[16];
};

struct flow {
	uint64_t last_used_ns;
	uint64_t window; /* in which row is its */
	uint32_t row;
	uint32_t handle; /* 0: not defined in a batch yet */
	bool permanent;
};

struct flow_table {
	struct actors *actors; /* borrowed */
	struct lru *flows;
	uint32_t flows_max; /* without those kept for coarse flows */
	uint64_t window, lost_full;
	uint32_t handles;         /* given so far */
	size_t rows_before;       /* the last window's, a good guess for the next */
	struct wire_batch *batch; /* between begin and end */
	struct vector definitions, rows, retired;
};

/* The last resort, so that a fold never fails for want of a handle. */
static void put_permanent(struct flow_table *t, uint8_t transport, uint8_t role)
{
	const struct flow_key key = {.actor = actors_other(t->actors),
				     .role = role,
				     .coarse = 1,
				     .transport = transport};
	struct flow *flow = lru_put(t->flows, &key, NULL);

	flow->permanent = true;
}

int flow_table_new(struct flow_table **ret, struct actors *actors, uint32_t flows_max)
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->actors = actors;
	t->flows_max = flows_max ? flows_max : FLOWS_MAX;
	t->flows = lru_new(t->flows_max + t->flows_max / COARSE_SHARE + PERMANENT,
			   sizeof(struct flow_key), sizeof(struct flow));
	if (!t->flows) {
		flow_table_free(t);
		return -ENOMEM;
	}
	for (uint8_t transport = MR_TRANSPORT_TCP; transport <= MR_TRANSPORT_UDP; transport++) {
		put_permanent(t, transport, MR_ROLE_CLIENT);
		put_permanent(t, transport, MR_ROLE_SERVER);
	}
	*ret = t;
	return 0;
}

struct flow_table *flow_table_free(struct flow_table *t)
{
	if (!t)
		return NULL;
	lru_free(t->flows);
	free(t);
	return NULL;
}

void flow_table_begin(struct flow_table *t, struct wire_batch *batch)
{
	t->batch = batch;
	t->window++;
	t->definitions = vector_init(batch->arena, sizeof(struct wire_flow), 0);
	t->rows = vector_init(batch->arena, sizeof(struct wire_update),
			      t->rows_before + t->rows_before / 8);
	t->retired = vector_init(batch->arena, sizeof(uint32_t), 0);
}

static struct flow *flow_put(struct flow_table *t, const struct flow_key *key)
{
	bool is_new;
	struct flow *flow;

	if (!key->coarse && lru_count(t->flows) >= t->flows_max)
		return lru_get(t->flows, key);
	flow = lru_put(t->flows, key, &is_new);
	if (flow && is_new)
		actors_hold(t->actors, key->actor);
	return flow;
}

static void key_coarsen(struct flow_key *key)
{
	memset(key->local, 0, sizeof(key->local));
	memset(key->remote, 0, sizeof(key->remote));
	memset(key->via, 0, sizeof(key->via));
	key->port = key->via_port = 0;
	key->unresolved = 0;
	key->coarse = 1;
}

static struct flow *flow_find(struct flow_table *t, struct flow_key *key)
{
	struct flow *flow = flow_put(t, key);

	if (flow)
		return flow;
	t->lost_full++;
	key_coarsen(key);
	flow = flow_put(t, key);
	if (flow)
		return flow;
	key->actor = actors_other(t->actors);
	key->netns = 0;
	key->role = key->role == MR_ROLE_SERVER ? MR_ROLE_SERVER : MR_ROLE_CLIENT;
	key->transport = key->transport == MR_TRANSPORT_UDP ? MR_TRANSPORT_UDP : MR_TRANSPORT_TCP;
	return lru_get(t->flows, key);
}

static int flow_define(struct flow_table *t, struct flow *flow)
{
	const struct flow_key *key = lru_key(t->flows, flow);
	struct wire_flow *wire = vector_push(&t->definitions);

	if (!wire)
		return -ENOMEM;
	flow->handle = t->handles = t->handles % HANDLES + 1;
	wire->handle = flow->handle;
	wire->actor = actors_number(t->actors, key->actor);
	wire->transport =
		key->transport == MR_TRANSPORT_UDP ? WIRE_TRANSPORT_UDP : WIRE_TRANSPORT_TCP;
	wire->role = key->role;
	wire->coarse = key->coarse;
	wire->port = key->port;
	wire->netns = key->netns;
	memcpy(wire->local, key->local, sizeof(wire->local));
	memcpy(wire->remote, key->remote, sizeof(wire->remote));
	wire->unresolved = key->unresolved;
	wire->via_port = key->via_port;
	memcpy(wire->via, key->via, sizeof(wire->via));
	return 0;
}

/* The flow's row in this window. */
static struct wire_update *flow_row(struct flow_table *t, struct flow *flow)
{
	struct wire_update *row;

	if (flow->window == t->window)
		return vector_at(&t->rows, flow->row);
	if (!flow->handle && flow_define(t, flow) < 0)
		return NULL;
	row = vector_push(&t->rows);
	if (!row)
		return NULL;
	row->flow = flow->handle;
	flow->window = t->window;
	flow->row = (uint32_t)(t->rows.count - 1);
	return row;
}

static bool has_samples(const struct mr_histogram *h)
{
	return h->min_inverted != 0;
}

/* The row's histograms for what the record has. */
static int make_histograms(struct flow_table *t, struct wire_update *row,
			   const struct mr_flow_value *value)
{
	struct arena *arena = t->batch->arena;

	if (has_samples(&value->rtt_us) && !wire_histogram(arena, &row->rtt_us))
		return -ENOMEM;
	if (has_samples(&value->connect_us) && !wire_histogram(arena, &row->connect_us))
		return -ENOMEM;
	return 0;
}

static void fold_histogram(struct histogram *into, const struct mr_histogram *from)
{
	uint32_t min = ~from->min_inverted;

	if (!has_samples(from))
		return;
	if (!into->count || min < into->min)
		into->min = min;
	if (from->max > into->max)
		into->max = from->max;
	into->sum += from->sum;
	for (unsigned int i = 0; i < MR_HISTOGRAM_BUCKETS; i++) {
		into->bucket[i] += from->bucket[i];
		into->count += from->bucket[i];
	}
}

static struct flow_key key_of(const struct mr_flow_key *from, const struct flow_nat *nat,
			      uint32_t actor)
{
	struct flow_key key = {.actor = actor,
			       .netns = from->netns,
			       .port = from->port,
			       .role = from->role,
			       .coarse = from->coarse != 0,
			       .transport = from->transport};

	memcpy(key.local, from->local, sizeof(key.local));
	memcpy(key.remote, from->remote, sizeof(key.remote));
	if (!nat || key.coarse)
		return key;
	key.unresolved = nat->unresolved;
	key.via_port = nat->via_port;
	memcpy(key.via, nat->via, sizeof(key.via));
	return key;
}

int flow_table_fold(struct flow_table *t, const struct mr_flow_key *key,
		    const struct mr_flow_value *value, const struct flow_nat *nat, uint32_t actor,
		    uint64_t now_ns)
{
	struct flow_key wanted = key_of(key, nat, actor);
	struct flow *flow = flow_find(t, &wanted);
	struct wire_update *row = flow_row(t, flow);

	if (!row || make_histograms(t, row, value) < 0)
		return -ENOMEM;
	flow->last_used_ns = now_ns;
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		row->counter[i] += value->counter[i];
	fold_histogram(row->rtt_us, &value->rtt_us);
	fold_histogram(row->connect_us, &value->connect_us);
	return 0;
}

int flow_table_fold_dns(struct flow_table *t, const struct mr_flow_key *key,
			const struct wire_dns *figures, const struct flow_nat *nat, uint32_t actor,
			uint64_t now_ns)
{
	struct flow_key wanted = key_of(key, nat, actor);
	struct flow *flow = flow_find(t, &wanted);
	struct wire_update *row = flow_row(t, flow);
	struct wire_dns *sum = row ? arena_alloc(t->batch->arena, sizeof(*sum)) : NULL;

	if (!sum)
		return -ENOMEM;
	flow->last_used_ns = now_ns;
	*sum = *figures;
	for (unsigned int i = 0; i < WIRE_DNS_COUNT && row->dns; i++)
		sum->counter[i] += row->dns->counter[i];
	if (row->dns)
		histogram_merge(&sum->latency_us, &row->dns->latency_us);
	row->dns = sum;
	return 0;
}

/* The row's cell for a reason; the last one is for all that found no other. */
static struct wire_drop *row_drop(struct flow_table *t, struct wire_update *row, const char *reason)
{
	uint32_t i;

	if (!row->drops)
		row->drops = arena_alloc(t->batch->arena, WIRE_DROPS_MAX * sizeof(*row->drops));
	if (!row->drops)
		return NULL;
	for (i = 0; i < row->drop_count; i++)
		if (!strcmp(row->drops[i].reason, reason))
			return &row->drops[i];
	if (i == WIRE_DROPS_MAX)
		return &row->drops[i - 1];
	if (i == WIRE_DROPS_MAX - 1)
		reason = "~other";
	row->drops[i] = (struct wire_drop){arena_strdup(t->batch->arena, reason), 0};
	if (!row->drops[i].reason)
		return NULL;
	row->drop_count++;
	return &row->drops[i];
}

uint32_t flow_table_get(struct flow_table *t, const struct mr_flow_key *key, uint32_t actor)
{
	struct flow_key wanted = key_of(key, NULL, actor);

	return lru_index(t->flows, flow_find(t, &wanted)) + 1;
}

int flow_table_drop(struct flow_table *t, uint32_t place, const char *reason, uint64_t count,
		    uint64_t now_ns)
{
	struct flow *flow = lru_at(t->flows, place - 1);
	struct wire_update *row = flow_row(t, flow);
	struct wire_drop *drop = row ? row_drop(t, row, reason) : NULL;

	if (!drop)
		return -ENOMEM;
	flow->last_used_ns = now_ns;
	drop->count += count;
	return 0;
}

static bool has_ends(const struct flow_key *k, const struct mr_flow_key *wanted)
{
	return k->port == wanted->port && k->role == wanted->role && !k->coarse &&
	       k->transport == wanted->transport && !memcmp(k->local, wanted->local, 16) &&
	       !memcmp(k->remote, wanted->remote, 16);
}

uint32_t flow_table_search(const struct flow_table *t, const struct mr_flow_key *wanted,
			   size_t count, bool *ret_here)
{
	uint32_t found = 0;
	bool here = false;

	for (struct flow *flow = lru_oldest(t->flows); flow; flow = lru_newer(t->flows, flow)) {
		const struct flow_key *k = lru_key(t->flows, flow);

		for (size_t i = 0; i < count; i++) {
			if (!has_ends(k, &wanted[i]) || (here && k->netns != wanted[i].netns))
				continue;
			found = lru_index(t->flows, flow) + 1;
			here = k->netns == wanted[i].netns;
		}
	}
	*ret_here = here;
	return found;
}

static void retire_idle(struct flow_table *t, uint64_t now_ns)
{
	for (struct flow *flow = lru_oldest(t->flows), *next; flow; flow = next) {
		uint32_t *handle;

		next = lru_newer(t->flows, flow);
		if (flow->permanent)
			continue;
		if (now_ns - flow->last_used_ns <= IDLE_NS)
			break;
		if (flow->handle) {
			handle = vector_push(&t->retired);
			if (!handle)
				break;
			*handle = flow->handle;
		}
		actors_release(t->actors,
			       ((const struct flow_key *)lru_key(t->flows, flow))->actor);
		lru_remove(t->flows, flow);
	}
}

void flow_table_end(struct flow_table *t, uint64_t now_ns)
{
	struct wire_batch *b = t->batch;

	retire_idle(t, now_ns);
	b->flows = t->definitions.items;
	b->flow_count = t->definitions.count;
	b->updates = t->rows.items;
	b->update_count = t->rows.count;
	b->retired = t->retired.items;
	b->retired_count = t->retired.count;
	t->rows_before = t->rows.count;
	t->batch = NULL;
}

uint64_t flow_table_lost_full(const struct flow_table *t)
{
	return t->lost_full;
}
