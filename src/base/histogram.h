/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms with exponential buckets (OpenTelemetry's, scale 2) that merge exactly: the merge of
 * two windows is the histogram of both, and a percentile is never an average of percentiles.
 * Buckets are those of bpf/histogram.h; this is the user-space form.
 */
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 96
#define HISTOGRAM_SCALE 2

struct histogram {
	uint64_t sum, count; /* an all-zero histogram is an empty one */
	uint32_t min, max;   /* exact; meaningless while count is 0 */
	uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint32_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The value at quantile q (0..1): the middle of its bucket, held between min and max; 0 if empty. */
double histogram_quantile(const struct histogram *h, double q);

/* Bounds of a bucket: values v with lower <= v < upper. */
double histogram_bucket_lower(unsigned int bucket);
double histogram_bucket_upper(unsigned int bucket);
