/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates by their shapes: each value of a column belongs to the next row whose shape has its bit,
 * and a column has exactly as many values as there are such rows.
 */
#include <errno.h>
#include <string.h>

#include "wire/decode_internal.h"
#include "wire/pack.h"

#define BIT(number) (UINT64_C(1) << (number))

struct updates {
	const Millrace__Updates *m;
	struct wire_update *rows;
	uint64_t *masks; /* bits that are not known here are gone */
	size_t count;
	size_t have[WIRE_NUMBER_MAX + 1]; /* rows with this bit */
};

static uint64_t known_bits(void)
{
	uint64_t mask = BIT(WIRE_PART_RTT) | BIT(WIRE_PART_CONNECT) | BIT(WIRE_PART_DNS) |
			BIT(WIRE_PART_DROPS);

	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++)
		mask |= BIT(wire_counter_numbers.number[i]);
	return mask;
}

static int read_shapes(struct decoder *d, struct updates *u)
{
	const Millrace__Updates *m = u->m;
	uint64_t known = known_bits();

	if (m->n_shapes > d->limits->shapes_max)
		return decode_fail(d, -E2BIG, "%zu shapes of updates, at most %u are taken",
				   m->n_shapes, d->limits->shapes_max);
	if (m->n_shape != u->count)
		return decode_fail_length(d, "updates", "shape", m->n_shape, u->count);
	u->masks = decode_alloc(d, d->messages, u->count, sizeof(*u->masks));
	if (!u->masks)
		return d->refused;
	for (size_t i = 0; i < u->count; i++) {
		if (m->shape[i] >= m->n_shapes)
			return decode_fail(d, -EBADMSG, "an update has shape %llu of %zu",
					   (unsigned long long)m->shape[i], m->n_shapes);
		u->masks[i] = m->shapes[m->shape[i]] & known;
		for (uint64_t left = u->masks[i]; left; left &= left - 1)
			u->have[__builtin_ctzll(left)]++;
	}
	return 0;
}

/* Differences as what they are differences of. seen: numbers of columns that were read. */
static int add_base(struct decoder *d, const struct updates *u, const Millrace__Column *column,
		    uint64_t seen, uint64_t *values)
{
	int base = wire_number_find(&wire_counter_numbers, column->follows);
	const uint64_t bit = BIT(column->number);

	if (base < 0 || !(seen & BIT(column->follows)))
		return decode_fail(d, -EBADMSG,
				   "counter %u of its updates follows from %llu, which "
				   "does not come before",
				   (unsigned int)column->number, (unsigned long long)column->follows);
	for (size_t i = 0; i < u->count; i++)
		if (u->masks[i] & bit) {
			*values = pack_unzigzag(*values) +
				  u->rows[i].counter[base] * column->scale / 16;
			values++;
		}
	return 0;
}

static int unpack_counter(struct decoder *d, const struct updates *u, Millrace__Column *column,
			  int place, uint64_t seen)
{
	int r = decode_packed(d, "updates", wire_counter_name((enum mr_counter)place),
			      &column->packed, u->have[column->number], &column->value);

	column->n_value = u->have[column->number];
	return r || !column->follows ? r : add_base(d, u, column, seen, column->value);
}

static int read_counter(struct decoder *d, struct updates *u, Millrace__Column *column, int place,
			uint64_t seen)
{
	int r = column->packed.len ? unpack_counter(d, u, column, place, seen) : 0;
	const uint64_t *value = column->value, bit = BIT(column->number);

	if (r)
		return r;
	if (column->n_value != u->have[column->number])
		return decode_fail_length(d, "updates", wire_counter_name((enum mr_counter)place),
					  column->n_value, u->have[column->number]);
	for (size_t i = 0; i < u->count; i++)
		if (u->masks[i] & bit)
			u->rows[i].counter[place] = *value++;
	return 0;
}

static int read_counters(struct decoder *d, struct updates *u)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < u->m->n_counters; i++) {
		Millrace__Column *column = u->m->counters[i];
		int r, place = wire_number_find(&wire_counter_numbers, column->number);

		if (place < 0)
			continue;
		if (seen & BIT(column->number))
			return decode_fail(d, -EBADMSG, "counter %u of its updates comes twice",
					   (unsigned int)column->number);
		r = read_counter(d, u, column, place, seen);
		seen |= BIT(column->number);
		if (r)
			return r;
	}
	for (unsigned int i = 0; i < MR_COUNTER_COUNT; i++) {
		uint8_t number = wire_counter_numbers.number[i];

		if (u->have[number] && !(seen & BIT(number)))
			return decode_fail_length(d, "updates",
						  wire_counter_name((enum mr_counter)i), 0,
						  u->have[number]);
	}
	return 0;
}

/* offset: of the histogram's pointer in an update. */
static int read_part(struct decoder *d, struct updates *u, enum wire_part part, const char *name,
		     const Millrace__Histograms *m, size_t offset)
{
	struct histogram **rows = decode_alloc(d, d->messages, u->have[part], sizeof(*rows));
	struct histogram *made =
		rows ? decode_alloc(d, d->arena, u->have[part], sizeof(*made)) : NULL;
	size_t n = 0;

	if (!made)
		return d->refused;
	for (size_t i = 0; i < u->count; i++) {
		if (!(u->masks[i] & BIT(part)))
			continue;
		rows[n] = &made[n];
		memcpy((char *)&u->rows[i] + offset, &rows[n++], sizeof(*rows));
	}
	return decode_histograms(d, name, m, rows, n);
}

static int read_dns_rows(struct decoder *d, const Millrace__Dns *m, struct wire_dns *dns)
{
	struct histogram **latencies = decode_alloc(d, d->messages, m->count, sizeof(*latencies));
	uint64_t **counters =
		latencies ? decode_alloc(d, d->messages, m->count, sizeof(*counters)) : NULL;
	int r;

	if (!counters)
		return d->refused;
	for (size_t i = 0; i < m->count; i++) {
		latencies[i] = &dns[i].latency_us;
		counters[i] = dns[i].counter;
	}
	r = decode_counters(d, "dns", &wire_dns_numbers, m->counters, m->n_counters, counters,
			    m->count);
	return r ? r : decode_histograms(d, "dns.latency_us", m->latency_us, latencies, m->count);
}

static int read_dns(struct decoder *d, struct updates *u)
{
	const Millrace__Dns *m = u->m->dns;
	size_t count = u->have[WIRE_PART_DNS];
	struct wire_dns *dns;

	if ((m ? m->count : 0) != count)
		return decode_fail_length(d, "updates", "dns", m ? m->count : 0, count);
	if (!count)
		return 0;
	dns = decode_alloc(d, d->arena, count, sizeof(*dns));
	if (!dns)
		return d->refused;
	for (size_t i = 0, n = 0; i < u->count; i++)
		if (u->masks[i] & BIT(WIRE_PART_DNS))
			u->rows[i].dns = &dns[n++];
	return read_dns_rows(d, m, dns);
}

static int read_drops_of(struct decoder *d, const Millrace__Updates *m, size_t at, uint64_t kinds,
			 struct wire_update *row)
{
	if (!kinds || kinds > WIRE_DROPS_MAX)
		return decode_fail_value(d, "updates", "drop_kinds", kinds, WIRE_DROPS_MAX);
	if (kinds > m->n_drop_reason - at)
		return decode_fail_length(d, "updates", "drop_reason", m->n_drop_reason,
					  at + kinds);
	row->drops = decode_alloc(d, d->arena, kinds, sizeof(*row->drops));
	if (!row->drops)
		return d->refused;
	for (row->drop_count = 0; row->drop_count < kinds; row->drop_count++) {
		struct wire_drop *drop = &row->drops[row->drop_count];
		int r = decode_string(d, "updates.drop_reason", m->drop_reason[at], &drop->reason);

		if (r)
			return r;
		drop->count = m->drop_count[at++];
	}
	return 0;
}

static int read_drops(struct decoder *d, struct updates *u)
{
	const Millrace__Updates *m = u->m;
	size_t n = 0, at = 0;

	if (m->n_drop_kinds != u->have[WIRE_PART_DROPS])
		return decode_fail_length(d, "updates", "drop_kinds", m->n_drop_kinds,
					  u->have[WIRE_PART_DROPS]);
	if (m->n_drop_count != m->n_drop_reason)
		return decode_fail_length(d, "updates", "drop_count", m->n_drop_count,
					  m->n_drop_reason);
	for (size_t i = 0; i < u->count; i++) {
		int r;

		if (!(u->masks[i] & BIT(WIRE_PART_DROPS)))
			continue;
		r = read_drops_of(d, m, at, m->drop_kinds[n], &u->rows[i]);
		if (r)
			return r;
		at += m->drop_kinds[n++];
	}
	if (at != m->n_drop_reason)
		return decode_fail_length(d, "updates", "drop_reason", m->n_drop_reason, at);
	return 0;
}

/* As if they had come plain. */
static int unpack_rows(struct decoder *d, Millrace__Updates *m)
{
	uint64_t *flow;
	int r = 0;

	if (!m || m->count > d->limits->updates_max) /* decode_columns says so */
		return 0;
	if (m->flow_packed.len) {
		r = decode_packed(d, "updates", "flow", &m->flow_packed, m->count, &flow);
		m->flow = (int64_t *)flow;
		m->n_flow = m->count;
	}
	if (!r && m->shape_packed.len) {
		r = decode_packed(d, "updates", "shape", &m->shape_packed, m->count, &m->shape);
		m->n_shape = m->count;
	}
	return r;
}

int decode_updates(struct decoder *d, Millrace__Updates *m, struct wire_batch *b)
{
	struct updates u = {.m = m};
	int r = unpack_rows(d, m);

	if (r)
		return r;
	r = decode_columns(d, &wire_update_kind, m, d->limits->updates_max, &u.rows, &u.count);

	if (r || !m)
		return r;
	r = read_shapes(d, &u);
	r = r ? r : read_counters(d, &u);
	r = r ? r
	      : read_part(d, &u, WIRE_PART_RTT, "rtt_us", m->rtt_us,
			  offsetof(struct wire_update, rtt_us));
	r = r ? r
	      : read_part(d, &u, WIRE_PART_CONNECT, "connect_us", m->connect_us,
			  offsetof(struct wire_update, connect_us));
	r = r ? r : read_dns(d, &u);
	r = r ? r : read_drops(d, &u);
	b->updates = u.rows;
	b->update_count = u.count;
	return r;
}
