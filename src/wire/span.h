/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a histogram's values travel packed (wire/millrace.proto, Histograms): what both directions
 * must agree on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "../../bpf/histogram.h"
#include "base/histogram.h"

/* The buckets of min and max. */
struct span {
	unsigned int low, high;
};

static inline struct span span_of(uint32_t min, uint32_t max)
{
	return (struct span){mr_histogram_bucket(min), mr_histogram_bucket(max)};
}

/* Of three values and more: whether those between are told one by one, else by bucket. */
static inline bool span_has_steps(struct span s, uint64_t values)
{
	return values - 2 <= s.high - s.low;
}
