/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms without what follows from the rest of them: one value costs its minimum, and three
 * small numbers where few come and so are not packed. Whatever a histogram holds, agreeing with
 * itself or not, comes back as it was.
 */
#include <errno.h>

#include "base/vector.h"
#include "wire/encode_internal.h"
#include "wire/span.h"

static struct wire_histogram_row row_of(const struct histogram *h)
{
	struct wire_histogram_row row = {
		.min = h->min,
		.spread = h->max - h->min,
		.rest = h->sum - h->count * h->min,
		.excess = h->count,
	};

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		row.buckets += h->bucket[i] > 0;
		row.excess -= h->bucket[i];
	}
	return row;
}

static void write_buckets(const struct histogram *h, Millrace__Histograms *m)
{
	uint64_t expected = mr_histogram_bucket(h->min);

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		m->skipped[m->n_skipped++] = i - expected;
		m->bucket[m->n_bucket++] = h->bucket[i];
		expected = i + 1;
	}
}

/* As they are: what agrees with itself, and what does not. */
static int encode_plain(struct encoder *e, const struct histogram *const *rows, size_t count,
			Millrace__Histograms *m)
{
	struct wire_histogram_row *to = arena_alloc(e->arena, count * sizeof(*to));
	size_t buckets = 0;

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		to[i] = row_of(rows[i]);
		buckets += to[i].buckets;
	}
	m->skipped = arena_alloc(e->arena, buckets * sizeof(*m->skipped));
	m->bucket = arena_alloc(e->arena, buckets * sizeof(*m->bucket));
	if (!m->skipped || !m->bucket)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		write_buckets(rows[i], m);
	return encode_columns(e, &wire_histograms_kind, to, count, m);
}

/* --- packed ---------------------------------------------------------------------------------- */

/* Whether all that is not told follows from what is. */
static bool is_regular(const struct histogram *h)
{
	struct span s = span_of(h->min, h->max);
	uint64_t total = 0;

	if (!h->count || h->min > h->max || !h->bucket[s.low] || !h->bucket[s.high])
		return false;
	for (unsigned int i = s.low; i <= s.high; i++)
		total += h->bucket[i];
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (h->bucket[i] && (i < s.low || i > s.high))
			return false;
	if (total != h->count)
		return false;
	if (h->count == 1)
		return h->min == h->max && h->sum == h->min;
	return h->count > 2 || h->sum == (uint64_t)h->min + h->max;
}

struct packing {
	struct vector values, min, spread, rest, step, inner, odd;
};

static int push(struct vector *v, uint64_t number)
{
	uint64_t *item = vector_push(v);

	if (!item)
		return -ENOMEM;
	*item = number;
	return 0;
}

/* Values of a bucket but min and max themselves. */
static uint32_t between(const struct histogram *h, struct span s, unsigned int bucket)
{
	return h->bucket[bucket] - (bucket == s.low) - (bucket == s.high);
}

static int push_steps(struct packing *p, const struct histogram *h, struct span s)
{
	unsigned int at = s.low;
	int r = 0;

	for (unsigned int i = s.low; i <= s.high; i++)
		for (uint32_t left = between(h, s, i); !r && left; left--, at = i)
			r = push(&p->step, i - at);
	return r;
}

static int push_inner(struct packing *p, const struct histogram *h, struct span s)
{
	int r = 0;

	for (unsigned int i = s.low; !r && i < s.high; i++)
		r = push(&p->inner, between(h, s, i));
	return r;
}

static int push_regular(struct packing *p, const struct histogram *h)
{
	uint32_t spread = h->max - h->min;
	struct span s = span_of(h->min, h->max);
	int r = push(&p->values, h->count);

	r = r ? r : push(&p->min, h->min);
	if (!r && h->count > 1)
		r = push(&p->spread, spread);
	if (r || h->count <= 2)
		return r;
	r = push(&p->rest, h->sum - h->count * h->min - spread);
	if (r)
		return r;
	return span_has_steps(s, h->count) ? push_steps(p, h, s) : push_inner(p, h, s);
}

static int push_odd(struct packing *p, const struct histogram *h)
{
	const struct histogram **item = vector_push(&p->odd);

	if (!item)
		return -ENOMEM;
	*item = h;
	return push(&p->values, 0);
}

static int write_packed(struct encoder *e, const struct packing *p, Millrace__Histograms *m)
{
	const struct {
		const struct vector *from;
		ProtobufCBinaryData *to;
	} columns[] = {
		{&p->values, &m->values_packed}, {&p->min, &m->min_packed},
		{&p->spread, &m->spread_packed}, {&p->rest, &m->rest_packed},
		{&p->step, &m->step_packed},     {&p->inner, &m->inner_packed},
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(columns) / sizeof(*columns); i++)
		r = encode_packed(e, columns[i].from->items, columns[i].from->count, columns[i].to);
	return r;
}

static int encode_all_packed(struct encoder *e, const struct histogram *const *rows, size_t count,
			     Millrace__Histograms *m)
{
	struct packing p;
	struct vector *each[] = {&p.values, &p.min, &p.spread, &p.rest, &p.step, &p.inner};
	int r = 0;

	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++)
		*each[i] = vector_init(e->arena, sizeof(uint64_t), count);
	p.odd = vector_init(e->arena, sizeof(struct histogram *), 0);
	for (size_t i = 0; !r && i < count; i++)
		r = is_regular(rows[i]) ? push_regular(&p, rows[i]) : push_odd(&p, rows[i]);
	r = r ? r : write_packed(e, &p, m);
	return r ? r : encode_plain(e, p.odd.items, p.odd.count, m);
}

int encode_histograms(struct encoder *e, const struct histogram *const *rows, size_t count,
		      Millrace__Histograms **ret)
{
	Millrace__Histograms *m = *ret = arena_alloc(e->arena, sizeof(*m));

	if (!m)
		return -ENOMEM;
	millrace__histograms__init(m);
	return count < ENCODE_PACKED_MIN ? encode_plain(e, rows, count, m)
					 : encode_all_packed(e, rows, count, m);
}
