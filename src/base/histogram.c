/* SPDX-License-Identifier: Apache-2.0 */
/* See histogram.h. */
#include "base/histogram.h"

#include <math.h>

#include <linux/types.h>

#include "../../bpf/histogram.h"

_Static_assert(HISTOGRAM_BUCKETS == MR_HISTOGRAM_BUCKETS, "one layout, kernel and user space");

void histogram_add(struct histogram *h, uint32_t value)
{
	if (!h->count || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->sum += value;
	h->count++;
	h->bucket[mr_histogram_bucket(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (!from->count)
		return;
	if (!into->count || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->sum += from->sum;
	into->count += from->count;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
}

double histogram_bucket_lower(unsigned int bucket)
{
	return bucket ? exp2(bucket / (double)(1 << HISTOGRAM_SCALE)) : 0;
}

double histogram_bucket_upper(unsigned int bucket)
{
	return bucket + 1 < HISTOGRAM_BUCKETS ? histogram_bucket_lower(bucket + 1) : INFINITY;
}

double histogram_quantile(const struct histogram *h, double q)
{
	double rank = q * (double)h->count, seen = 0, middle = h->max;
	unsigned int i;

	if (!h->count)
		return 0;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (h->bucket[i] && seen >= rank)
			break;
	}
	if (i + 1 < HISTOGRAM_BUCKETS)
		middle = sqrt(fmax(histogram_bucket_lower(i), 1) * histogram_bucket_upper(i));
	return fmin(fmax(middle, h->min), h->max);
}
