/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a merge: one for each flow, or a coarse one; see merge.h. */
#include <errno.h>
#include <string.h>

#include "wire/merge_internal.h"

#define COARSE_PER_ACTOR 4 /* transports times roles */

struct coarse_key {
	uint32_t actor;
	uint8_t transport, role, pad[2];
};

static uint32_t rows_max(const struct wire_merge *m)
{
	return m->limits.rows_max + COARSE_PER_ACTOR * (m->limits.actors_max + 1);
}

int merge_rows_open(struct wire_merge *m)
{
	m->rows = vector_init(m->batch->arena, sizeof(struct wire_update), 0);
	m->by_flow = lru_new(rows_max(m), sizeof(uint32_t), sizeof(uint32_t));
	m->by_coarse = lru_new(rows_max(m) - m->limits.rows_max, sizeof(struct coarse_key),
			       sizeof(uint32_t));
	return m->by_flow && m->by_coarse ? 0 : -ENOMEM;
}

void merge_rows_close(struct wire_merge *m)
{
	lru_free(m->by_flow);
	lru_free(m->by_coarse);
}

bool merge_has_row(const struct wire_merge *m, uint32_t flow)
{
	return lru_get(m->by_flow, &flow);
}

static struct wire_update *row_new(struct wire_merge *m, uint32_t flow)
{
	struct wire_update *row = vector_push(&m->rows);
	uint32_t *index = row ? lru_put(m->by_flow, &flow, NULL) : NULL;

	if (!index) {
		m->rows.count -= row != NULL;
		return NULL;
	}
	*index = (uint32_t)(m->rows.count - 1);
	row->flow = flow;
	return row;
}

/* Gone again with the batch: the next one that needs it defines another. */
static int coarse_define(struct wire_merge *m, const struct coarse_key *key, uint32_t handle)
{
	const struct wire_flow flow = {.handle = handle,
				       .actor = key->actor,
				       .transport = key->transport,
				       .role = key->role,
				       .coarse = true};
	uint32_t *retired = vector_push(&m->retired);
	int r = retired ? definitions_put_flow(m->fresh, &flow) : -ENOMEM;

	if (r < 0)
		m->retired.count -= retired != NULL;
	else
		*retired = handle;
	return r;
}

static struct wire_update *coarse_row(struct wire_merge *m, const struct wire_flow *of)
{
	const struct coarse_key key = {
		.actor = of->actor, .transport = of->transport, .role = of->role};
	uint32_t *handle = lru_get(m->by_coarse, &key), *index;

	if (handle) {
		index = lru_get(m->by_flow, handle);
		return index ? vector_at(&m->rows, *index) : row_new(m, *handle);
	}
	if (coarse_define(m, &key, m->coarse_handles) < 0)
		return NULL;
	handle = lru_put(m->by_coarse, &key, NULL);
	if (!handle)
		return NULL;
	*handle = m->coarse_handles++;
	return row_new(m, *handle);
}

/* A flow's own row if it has one or there is room, else a coarse one. */
static struct wire_update *find_row(struct wire_merge *m, uint32_t handle)
{
	const uint32_t *index = lru_get(m->by_flow, &handle);
	const struct wire_flow *flow;

	if (index)
		return vector_at(&m->rows, *index);
	flow = definitions_flow(m->fresh, handle);
	if (!flow)
		flow = definitions_flow(m->told, handle);
	if (!flow)
		return NULL;
	if (m->fine_rows < m->limits.rows_max) {
		m->fine_rows++;
		return row_new(m, handle);
	}
	m->lost_full++;
	return coarse_row(m, flow);
}

static int add_histogram(struct wire_merge *m, struct histogram **into,
			 const struct histogram *from)
{
	if (!from)
		return 0;
	if (*into) {
		histogram_merge(*into, from);
		return 0;
	}
	*into = arena_copy(m->batch->arena, from, sizeof(*from));
	return *into ? 0 : -ENOMEM;
}

static int add_dns(struct wire_merge *m, struct wire_update *row, const struct wire_dns *from)
{
	struct wire_dns *sum = (struct wire_dns *)row->dns; /* the arena's own, see below */

	if (!from)
		return 0;
	if (!sum) {
		row->dns = arena_copy(m->batch->arena, from, sizeof(*from));
		return row->dns ? 0 : -ENOMEM;
	}
	for (unsigned int i = 0; i < WIRE_DNS_COUNT; i++)
		sum->counter[i] += from->counter[i];
	histogram_merge(&sum->latency_us, &from->latency_us);
	return 0;
}

/* The row's cell for a reason; the last one is for all that found no other. */
static struct wire_drop *find_drop(struct wire_merge *m, struct wire_update *row,
				   const char *reason)
{
	struct wire_drop *drop;
	uint32_t i;

	if (!row->drops)
		row->drops = arena_alloc(m->batch->arena, WIRE_DROPS_MAX * sizeof(*row->drops));
	if (!row->drops)
		return NULL;
	for (i = 0; i < row->drop_count; i++)
		if (!strcmp(row->drops[i].reason, reason))
			return &row->drops[i];
	if (i == WIRE_DROPS_MAX)
		return &row->drops[i - 1];
	drop = &row->drops[i];
	if (i == WIRE_DROPS_MAX - 1)
		reason = "~other";
	drop->count = 0;
	drop->reason = arena_strdup(m->batch->arena, reason);
	row->drop_count += drop->reason != NULL;
	return drop->reason ? drop : NULL;
}

static int add_drops(struct wire_merge *m, struct wire_update *row, const struct wire_update *u)
{
	for (uint32_t i = 0; i < u->drop_count; i++) {
		struct wire_drop *drop = find_drop(m, row, u->drops[i].reason);

		if (!drop)
			return -ENOMEM;
		drop->count += u->drops[i].count;
	}
	return 0;
}

void merge_add_row(struct wire_merge *m, const struct wire_update *u)
{
	struct wire_update *row = find_row(m, u->flow);
	int r;

	if (!row) {
		m->lost_rows++;
		return;
	}
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		row->counter[i] += u->counter[i];
	r = add_histogram(m, &row->rtt_us, u->rtt_us);
	r |= add_histogram(m, &row->connect_us, u->connect_us);
	r |= add_dns(m, row, u->dns);
	r |= add_drops(m, row, u);
	m->lost_rows += r != 0;
}
