/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a running millrace takes of its host, over time: memory of its own, of its maps in the
 * kernel, and descriptors; and whether that grows.
 *
 * Growth is the middle of the last quarter of the samples less the middle of the first, warm-up
 * left out: a leak is in all late samples, a burst is not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millrace.h"

#define WATCH_SAMPLES_MAX 4096

struct watch_sample {
	int64_t resident; /* bytes */
	int64_t history; /* bytes of it that are the last hour's windows, by the server's account */
	int64_t maps;    /* bytes of BPF maps, by the kernel's account */
	int64_t descriptors;
	int64_t flows, actors; /* that the server knows */
};

struct watch {
	const struct millrace *millrace;
	uint64_t next_ns;
	size_t count;
	struct watch_sample samples[WATCH_SAMPLES_MAX];
};

/* Takes a sample when one is due: each interval_ms. */
void watch_step(struct watch *w, unsigned int interval_ms);

enum watch_figure { WATCH_OWN, WATCH_MAPS, WATCH_DESCRIPTORS, WATCH_FLOWS };
/* Of a figure, WATCH_OWN is resident less history; the share at the start is left out. */
int64_t watch_growth(const struct watch *w, enum watch_figure figure, double warm_up);
int64_t watch_most(const struct watch *w, enum watch_figure figure);
/* At eight moments from the start to the end, in units, for people. */
void watch_write(const struct watch *w, enum watch_figure figure, int64_t unit, char *text,
		 size_t size);
const struct watch_sample *watch_last(const struct watch *w);
