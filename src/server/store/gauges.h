/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is open of each flow at the end of what has been rolled up, by reporter: how many
 * connections are there, and how many wait. What stands at 0 is not there at all.
 *
 * On the disk: how many · (flow, more than the one before · zigzag active · zigzag pending)…
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/row.h"

struct gauge {
	uint64_t flow;
	int64_t active, pending;
};

/* Sorted by flow. */
struct gauge_list {
	struct gauge *items; /* owned */
	size_t count, capacity;
};

void gauge_list_done(struct gauge_list *l);
int gauge_list_push(struct gauge_list *l, uint64_t flow, int64_t active, int64_t pending);
/* The lowest bit of a flow's number says its role. */
int gauge_list_push_sums(struct gauge_list *l, uint64_t flow, const struct sums *s);
/* into = a + b, without what comes to 0. */
int gauge_list_sum(const struct gauge_list *a, const struct gauge_list *b, struct gauge_list *into);

int gauge_list_write(const struct gauge_list *l, struct row_writer *w);
int gauge_list_read(struct gauge_list *l, const void *bytes, size_t size); /* -EUCLEAN */
