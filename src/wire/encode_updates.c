/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates, ascending by handle: a shape for each row, and the values column by column.
 *
 *     sort ─► shapes, how many of each part ─► counters · histograms · DNS · drops
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/encode_internal.h"

#define BIT(number) (UINT64_C(1) << (number))

struct updates {
	const struct wire_update **rows; /* ascending by handle */
	uint64_t *masks;
	size_t count;
	size_t have[WIRE_NUMBER_MAX + 1]; /* rows with this bit */
};

static int compare_keys(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Rows of one handle stay in their order. */
static int sort_rows(struct encoder *e, const struct wire_batch *b, struct updates *u)
{
	uint64_t *keys = arena_alloc(e->arena, b->update_count * sizeof(*keys));

	u->count = b->update_count;
	u->rows = arena_alloc(e->arena, u->count * sizeof(*u->rows));
	if (!keys || !u->rows)
		return -ENOMEM;
	for (size_t i = 0; i < u->count; i++)
		keys[i] = (uint64_t)b->updates[i].flow << 32 | i;
	qsort(keys, u->count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < u->count; i++)
		u->rows[i] = &b->updates[(uint32_t)keys[i]];
	return 0;
}

static bool histogram_is_set(const struct histogram *h)
{
	static const struct histogram none;

	return h && (h->count || memcmp(h, &none, sizeof(none)));
}

static uint64_t mask_of(const struct wire_update *u)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		if (u->counter[i])
			mask |= BIT(wire_counter_numbers.number[i]);
	if (histogram_is_set(u->rtt_us))
		mask |= BIT(WIRE_PART_RTT);
	if (histogram_is_set(u->connect_us))
		mask |= BIT(WIRE_PART_CONNECT);
	if (u->dns)
		mask |= BIT(WIRE_PART_DNS);
	if (u->drop_count)
		mask |= BIT(WIRE_PART_DROPS);
	return mask;
}

static int encode_shapes(struct encoder *e, struct updates *u, Millrace__Updates *m)
{
	struct intern shapes = {.arena = e->arena};

	u->masks = arena_alloc(e->arena, u->count * sizeof(*u->masks));
	m->shape = arena_alloc(e->arena, u->count * sizeof(*m->shape));
	if (!u->masks || !m->shape)
		return -ENOMEM;
	for (size_t i = 0; i < u->count; i++) {
		uint32_t index;
		int r;

		u->masks[i] = mask_of(u->rows[i]);
		r = intern_add(&shapes, &u->masks[i], sizeof(u->masks[i]), &index);
		if (r)
			return r;
		m->shape[i] = index;
		for (uint64_t left = u->masks[i]; left; left &= left - 1)
			u->have[__builtin_ctzll(left)]++;
	}
	m->n_shape = u->count;
	m->shapes = arena_alloc(e->arena, shapes.count * sizeof(*m->shapes));
	if (!m->shapes)
		return -ENOMEM;
	m->n_shapes = shapes.count;
	for (size_t i = 0; i < shapes.count; i++)
		memcpy(&m->shapes[i], shapes.pieces[i].data, sizeof(*m->shapes));
	return 0;
}

static int encode_counter_column(struct encoder *e, const struct updates *u, unsigned int place,
				 Millrace__Updates *m)
{
	uint8_t number = wire_counter_numbers.number[place];
	Millrace__Column *column;

	if (!u->have[number])
		return 0;
	column = arena_alloc(e->arena, sizeof(*column));
	if (!column)
		return -ENOMEM;
	millrace__column__init(column);
	column->number = number;
	column->value = arena_alloc(e->arena, u->have[number] * sizeof(*column->value));
	if (!column->value)
		return -ENOMEM;
	for (size_t i = 0; i < u->count; i++)
		if (u->rows[i]->counter[place])
			column->value[column->n_value++] = u->rows[i]->counter[place];
	m->counters[m->n_counters++] = column;
	return 0;
}

static int encode_counter_columns(struct encoder *e, const struct updates *u, Millrace__Updates *m)
{
	m->counters = arena_alloc(e->arena, MR_COUNTER_COUNT * sizeof(*m->counters));
	if (!m->counters)
		return -ENOMEM;
	for (unsigned int place = 0; place < MR_COUNTER_COUNT; place++) {
		int r = encode_counter_column(e, u, place, m);

		if (r)
			return r;
	}
	return 0;
}

/* offset: of the histogram's pointer in an update. */
static int encode_part(struct encoder *e, const struct updates *u, enum wire_part part,
		       size_t offset, Millrace__Histograms **ret)
{
	const struct histogram **rows;
	size_t n = 0;

	if (!u->have[part])
		return 0;
	rows = arena_alloc(e->arena, u->have[part] * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < u->count; i++)
		if (u->masks[i] & BIT(part))
			memcpy(&rows[n++], (const char *)u->rows[i] + offset, sizeof(*rows));
	return encode_histograms(e, rows, n, ret);
}

static int encode_dns(struct encoder *e, const struct updates *u, Millrace__Dns **ret)
{
	const struct histogram **latencies;
	const uint64_t **counters;
	Millrace__Dns *m;
	size_t n = 0;
	int r;

	if (!u->have[WIRE_PART_DNS])
		return 0;
	latencies = arena_alloc(e->arena, u->have[WIRE_PART_DNS] * sizeof(*latencies));
	counters = arena_alloc(e->arena, u->have[WIRE_PART_DNS] * sizeof(*counters));
	m = arena_alloc(e->arena, sizeof(*m));
	if (!latencies || !counters || !m)
		return -ENOMEM;
	millrace__dns__init(m);
	for (size_t i = 0; i < u->count; i++) {
		if (!u->rows[i]->dns)
			continue;
		latencies[n] = &u->rows[i]->dns->latency_us;
		counters[n++] = u->rows[i]->dns->counter;
	}
	*ret = m;
	m->count = n;
	r = encode_counters(e, &wire_dns_numbers, counters, n, &m->n_counters, &m->counters);
	return r ? r : encode_histograms(e, latencies, n, &m->latency_us);
}

static int encode_drops(struct encoder *e, const struct updates *u, Millrace__Updates *m)
{
	size_t rows = u->have[WIRE_PART_DROPS];

	m->drop_kinds = arena_alloc(e->arena, rows * sizeof(*m->drop_kinds));
	m->drop_reason = arena_alloc(e->arena, rows * WIRE_DROPS_MAX * sizeof(*m->drop_reason));
	m->drop_count = arena_alloc(e->arena, rows * WIRE_DROPS_MAX * sizeof(*m->drop_count));
	if (!m->drop_kinds || !m->drop_reason || !m->drop_count)
		return -ENOMEM;
	for (size_t i = 0; i < u->count; i++) {
		const struct wire_update *row = u->rows[i];

		if (!row->drop_count)
			continue;
		if (row->drop_count > WIRE_DROPS_MAX)
			return -EINVAL;
		m->drop_kinds[m->n_drop_kinds++] = row->drop_count;
		for (uint32_t k = 0; k < row->drop_count; k++) {
			int r = encode_string(e, row->drops[k].reason,
					      &m->drop_reason[m->n_drop_reason++]);

			if (r)
				return r;
			m->drop_count[m->n_drop_count++] = row->drops[k].count;
		}
	}
	return 0;
}

static int encode_handles(struct encoder *e, const struct updates *u, Millrace__Updates *m)
{
	m->flow = arena_alloc(e->arena, u->count * sizeof(*m->flow));
	if (!m->flow)
		return -ENOMEM;
	m->count = m->n_flow = u->count;
	for (size_t i = 0; i < u->count; i++)
		m->flow[i] = (int64_t)u->rows[i]->flow - (i ? u->rows[i - 1]->flow : 0);
	return 0;
}

int encode_updates(struct encoder *e, const struct wire_batch *b, Millrace__Updates **ret)
{
	Millrace__Updates *m = arena_alloc(e->arena, sizeof(*m));
	struct updates u = {0};
	int r = m ? sort_rows(e, b, &u) : -ENOMEM;

	if (r)
		return r;
	millrace__updates__init(m);
	r = encode_handles(e, &u, m);
	r = r ? r : encode_shapes(e, &u, m);
	r = r ? r : encode_counter_columns(e, &u, m);
	r = r ? r
	      : encode_part(e, &u, WIRE_PART_RTT, offsetof(struct wire_update, rtt_us), &m->rtt_us);
	r = r ? r
	      : encode_part(e, &u, WIRE_PART_CONNECT, offsetof(struct wire_update, connect_us),
			    &m->connect_us);
	r = r ? r : encode_dns(e, &u, &m->dns);
	r = r ? r : encode_drops(e, &u, m);
	*ret = m;
	return r;
}
