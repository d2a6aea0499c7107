/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms as encode_histograms.c writes them. */
#include <errno.h>

#include "wire/decode_internal.h"
#include "wire/span.h"

/* Where in the columns of buckets we are. */
struct buckets {
	const Millrace__Histograms *m;
	size_t at;
};

/* The sum of what was read into the histogram. */
static int read_buckets(struct decoder *d, const char *name, struct buckets *in, size_t count,
			struct histogram *h, uint64_t *ret_sum)
{
	uint64_t index = mr_histogram_bucket(h->min);

	*ret_sum = 0;
	if (count > in->m->n_bucket - in->at)
		return decode_fail_length(d, name, "bucket", in->m->n_bucket, in->at + count);
	for (size_t i = 0; i < count; i++, index++, in->at++) {
		uint64_t skipped = in->m->skipped[in->at], values = in->m->bucket[in->at];

		if (i && skipped >= HISTOGRAM_BUCKETS)
			return decode_fail_value(d, name, "skipped", skipped,
						 HISTOGRAM_BUCKETS - 1);
		index += skipped;
		if (index >= HISTOGRAM_BUCKETS)
			return decode_fail_value(d, name, "skipped", index, HISTOGRAM_BUCKETS - 1);
		if (values > UINT32_MAX)
			return decode_fail_value(d, name, "bucket", values, UINT32_MAX);
		h->bucket[index] = (uint32_t)values;
		*ret_sum += values;
	}
	return 0;
}

static int read_histogram(struct decoder *d, const char *name, struct buckets *in,
			  const struct wire_histogram_row *row, struct histogram *h)
{
	uint64_t sum;
	int r;

	h->min = row->min;
	h->max = row->min + row->spread;
	r = read_buckets(d, name, in, row->buckets, h, &sum);
	h->count = sum + row->excess;
	h->sum = row->rest + h->count * h->min;
	return r;
}

static int read_plain(struct decoder *d, const char *name, const Millrace__Histograms *m,
		      struct histogram *const *rows, size_t count)
{
	struct buckets in = {.m = m};
	struct wire_histogram_row *from;
	size_t from_count;
	int r = decode_columns(d, &wire_histograms_kind, m, count, &from, &from_count);

	if (r)
		return r;
	if (from_count != count)
		return decode_fail(d, -EBADMSG, "%zu histograms %s for %zu rows", from_count, name,
				   count);
	if (!m)
		return 0;
	if (m->n_skipped != m->n_bucket)
		return decode_fail_length(d, name, "skipped", m->n_skipped, m->n_bucket);
	for (size_t i = 0; i < count && !r; i++)
		r = read_histogram(d, name, &in, &from[i], rows[i]);
	if (!r && in.at != m->n_bucket)
		r = decode_fail_length(d, name, "bucket", m->n_bucket, in.at);
	return r;
}

/* --- packed ---------------------------------------------------------------------------------- */

/* What is left of each column. */
struct packing {
	uint64_t *values, *min, *spread, *rest, *step, *inner;
};

/* How many rows have so many values and more. */
static size_t rows_with(const uint64_t *values, size_t count, uint64_t least)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += values[i] >= least;
	return n;
}

/* Counts, minima and maxima into the rows that have values; those that have none apart. */
static int read_bounds(struct decoder *d, const char *name, struct packing *p,
		       struct histogram *const *rows, size_t count, struct histogram **ret_odd)
{
	for (size_t i = 0; i < count; i++) {
		struct histogram *h = rows[i];
		uint64_t spread;

		h->count = p->values[i];
		if (!h->count) {
			*ret_odd++ = h;
			continue;
		}
		spread = h->count > 1 ? *p->spread++ : 0;
		if (*p->min > UINT32_MAX)
			return decode_fail_value(d, name, "min", *p->min, UINT32_MAX);
		if (spread > UINT32_MAX - *p->min)
			return decode_fail_value(d, name, "spread", spread, UINT32_MAX - *p->min);
		h->min = (uint32_t)*p->min++;
		h->max = h->min + (uint32_t)spread;
		h->sum = h->count * h->min + spread;
	}
	return 0;
}

/* How many numbers the last two columns have. */
static void count_between(struct histogram *const *rows, size_t count, size_t *ret_steps,
			  size_t *ret_inner)
{
	*ret_steps = *ret_inner = 0;
	for (size_t i = 0; i < count; i++) {
		const struct histogram *h = rows[i];
		struct span s = span_of(h->min, h->max);

		if (h->count <= 2)
			continue;
		if (span_has_steps(s, h->count))
			*ret_steps += h->count - 2;
		else
			*ret_inner += s.high - s.low;
	}
}

static int read_steps(struct decoder *d, const char *name, struct packing *p, struct span s,
		      struct histogram *h)
{
	uint64_t at = s.low;

	for (uint64_t left = h->count - 2; left; left--, p->step++) {
		if (*p->step > s.high - at)
			return decode_fail_value(d, name, "step", *p->step, s.high - at);
		at += *p->step;
		h->bucket[at]++;
	}
	return 0;
}

static int read_inner(struct decoder *d, const char *name, struct packing *p, struct span s,
		      struct histogram *h)
{
	uint64_t left = h->count - 2;

	for (unsigned int i = s.low; i < s.high; i++, p->inner++) {
		if (*p->inner > left || *p->inner > UINT32_MAX - 1)
			return decode_fail_value(d, name, "inner", *p->inner, left);
		h->bucket[i] += (uint32_t)*p->inner;
		left -= *p->inner;
	}
	if (left > UINT32_MAX - 2)
		return decode_fail_value(d, name, "values", left, UINT32_MAX - 2);
	h->bucket[s.high] += (uint32_t)left;
	return 0;
}

static int read_between(struct decoder *d, const char *name, struct packing *p, struct histogram *h)
{
	struct span s = span_of(h->min, h->max);

	if (!h->count)
		return 0;
	h->bucket[s.low]++;
	h->bucket[s.high] += h->count > 1;
	if (h->count <= 2)
		return 0;
	h->sum += *p->rest++;
	return span_has_steps(s, h->count) ? read_steps(d, name, p, s, h)
					   : read_inner(d, name, p, s, h);
}

static int unpack_bounds(struct decoder *d, const char *name, const Millrace__Histograms *m,
			 size_t count, struct packing *p)
{
	int r = decode_packed(d, name, "values", &m->values_packed, count, &p->values);

	if (r)
		return r;
	r = decode_packed(d, name, "min", &m->min_packed, rows_with(p->values, count, 1), &p->min);
	r = r ? r
	      : decode_packed(d, name, "spread", &m->spread_packed, rows_with(p->values, count, 2),
			      &p->spread);
	return r ? r
		 : decode_packed(d, name, "rest", &m->rest_packed, rows_with(p->values, count, 3),
				 &p->rest);
}

static int read_packed(struct decoder *d, const char *name, const Millrace__Histograms *m,
		       struct histogram *const *rows, size_t count)
{
	struct histogram **odd = decode_alloc(d, d->messages, count, sizeof(struct histogram *));
	size_t steps, inner;
	struct packing p;
	int r = odd ? unpack_bounds(d, name, m, count, &p) : d->refused;

	r = r ? r : read_bounds(d, name, &p, rows, count, odd);
	if (r)
		return r;
	count_between(rows, count, &steps, &inner);
	r = decode_packed(d, name, "step", &m->step_packed, steps, &p.step);
	r = r ? r : decode_packed(d, name, "inner", &m->inner_packed, inner, &p.inner);
	for (size_t i = 0; i < count && !r; i++)
		r = read_between(d, name, &p, rows[i]);
	return r ? r : read_plain(d, name, m, odd, count - rows_with(p.values, count, 1));
}

int decode_histograms(struct decoder *d, const char *name, const Millrace__Histograms *m,
		      struct histogram *const *rows, size_t count)
{
	return m && m->values_packed.len && count ? read_packed(d, name, m, rows, count)
						  : read_plain(d, name, m, rows, count);
}
