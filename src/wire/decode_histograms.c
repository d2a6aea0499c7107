/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms as encode_histograms.c writes them. */
#include <errno.h>

#include <linux/types.h>

#include "../../bpf/histogram.h"
#include "wire/decode_internal.h"

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

int decode_histograms(struct decoder *d, const char *name, const Millrace__Histograms *m,
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
