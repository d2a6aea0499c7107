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
#include "wire/pack.h"

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
	if (u->count >= ENCODE_PACKED_MIN) {
		int r = encode_packed(e, m->shape, u->count, &m->shape_packed);

		if (r)
			return r;
	} else {
		m->n_shape = u->count;
	}
	m->shapes = arena_alloc(e->arena, shapes.count * sizeof(*m->shapes));
	if (!m->shapes)
		return -ENOMEM;
	m->n_shapes = shapes.count;
	for (size_t i = 0; i < shapes.count; i++)
		memcpy(&m->shapes[i], shapes.pieces[i].data, sizeof(*m->shapes));
	return 0;
}

/* What a counter often follows from: connections are closed as they are opened. */
static const struct {
	uint8_t place, base;
} bases[] = {
	{MR_ATTEMPTED, MR_OPENED},
	{MR_CLOSED, MR_OPENED},
	{MR_SEGMENTS_TO_SERVER, MR_OPENED},
	{MR_SEGMENTS_TO_CLIENT, MR_SEGMENTS_TO_SERVER},
	{MR_DATAGRAMS_TO_CLIENT, MR_DATAGRAMS_TO_SERVER},
};

/* The values of the rows that have it, and what their base counters are. */
static void read_counter(const struct updates *u, unsigned int place, unsigned int base,
			 uint64_t *ret_values, uint64_t *ret_bases)
{
	size_t n = 0;

	for (size_t i = 0; i < u->count; i++) {
		if (!u->rows[i]->counter[place])
			continue;
		ret_bases[n] = u->rows[i]->counter[base];
		ret_values[n++] = u->rows[i]->counter[place];
	}
}

/* In sixteenths; what lies out of the usual gives a bad one, which costs bytes and nothing else. */
static uint64_t scale_of(const uint64_t *values, const uint64_t *of_base, size_t count)
{
	double sum = 0, base = 0;

	for (size_t i = 0; i < count; i++) {
		sum += (double)values[i];
		base += (double)of_base[i];
	}
	return base > 0 && sum / base < 65536 ? (uint64_t)(16 * sum / base + 0.5) : 0;
}

static int encode_differences(struct encoder *e, const uint64_t *values, const uint64_t *of_base,
			      size_t count, uint8_t base, Millrace__Column *ret)
{
	uint64_t *differences = arena_alloc(e->arena, count * sizeof(*differences));
	uint64_t scale = scale_of(values, of_base, count);

	if (!differences)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		differences[i] = pack_zigzag(values[i] - of_base[i] * scale / 16);
	ret->follows = wire_counter_numbers.number[base];
	ret->scale = scale;
	return encode_packed(e, differences, count, &ret->packed);
}

/* Whichever is smaller. */
static int encode_values(struct encoder *e, const struct updates *u, unsigned int place,
			 Millrace__Column *column)
{
	size_t count = u->have[column->number];
	uint64_t *values = arena_alloc(e->arena, count * sizeof(*values));
	uint64_t *of_base = arena_alloc(e->arena, count * sizeof(*of_base));
	Millrace__Column other = *column;
	int r;

	if (!values || !of_base)
		return -ENOMEM;
	read_counter(u, place, place, values, of_base);
	if (count < ENCODE_PACKED_MIN) {
		column->value = values;
		column->n_value = count;
		return 0;
	}
	r = encode_packed(e, values, count, &column->packed);
	for (size_t i = 0; !r && i < sizeof(bases) / sizeof(*bases); i++) {
		if (bases[i].place != place)
			continue;
		read_counter(u, place, bases[i].base, values, of_base);
		r = encode_differences(e, values, of_base, count, bases[i].base, &other);
		if (!r && other.packed.len + 3 < column->packed.len)
			*column = other;
	}
	return r;
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
	m->counters[m->n_counters++] = column;
	return encode_values(e, u, place, column);
}

/* Bases come before what follows from them. */
static const uint8_t first_places[] = {MR_OPENED, MR_SEGMENTS_TO_SERVER, MR_DATAGRAMS_TO_SERVER};

static bool comes_first(unsigned int place)
{
	return memchr(first_places, (int)place, sizeof(first_places));
}

static int encode_counter_columns(struct encoder *e, const struct updates *u, Millrace__Updates *m)
{
	int r = 0;

	m->counters = arena_alloc(e->arena, MR_COUNTER_COUNT * sizeof(*m->counters));
	if (!m->counters)
		return -ENOMEM;
	for (size_t i = 0; !r && i < sizeof(first_places); i++)
		r = encode_counter_column(e, u, first_places[i], m);
	for (unsigned int place = 0; !r && place < MR_COUNTER_COUNT; place++)
		if (!comes_first(place))
			r = encode_counter_column(e, u, place, m);
	return r;
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
	m->count = u->count;
	for (size_t i = 0; i < u->count; i++)
		m->flow[i] = (int64_t)u->rows[i]->flow - (i ? u->rows[i - 1]->flow : 0);
	if (u->count >= ENCODE_PACKED_MIN)
		return encode_packed(e, (const uint64_t *)m->flow, u->count, &m->flow_packed);
	m->n_flow = u->count;
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
