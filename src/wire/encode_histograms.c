/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms without what follows from the rest of them: one value costs its minimum and three
 * small numbers. Whatever a histogram holds, agreeing with itself or not, comes back as it was.
 */
#include <errno.h>

#include <linux/types.h>

#include "../../bpf/histogram.h"
#include "wire/encode_internal.h"

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

int encode_histograms(struct encoder *e, const struct histogram *const *rows, size_t count,
		      Millrace__Histograms **ret)
{
	struct wire_histogram_row *to = arena_alloc(e->arena, count * sizeof(*to));
	Millrace__Histograms *m = arena_alloc(e->arena, sizeof(*m));
	size_t buckets = 0;

	if (!to || !m)
		return -ENOMEM;
	millrace__histograms__init(m);
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
	*ret = m;
	return encode_columns(e, &wire_histograms_kind, to, count, m);
}
