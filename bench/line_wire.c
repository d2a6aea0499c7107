/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that a batch takes for an update, before HTTP and TLS: windows of a company B's node as the
 * cluster is made of (cluster_node.h), and those made up with more noise than most services have
 * (src/wire/window_for_test.c).
 */
#include <stdlib.h>

#include "bench.h"
#include "cluster_node.h"
#include "report.h"
#include "wire/encode.h"
#include "wire/sample_for_test.h"

#define BATCHES 50

struct sums {
	double bytes, updates, rest;
};

static double size_of(const struct wire_batch *b)
{
	uint8_t *data;
	size_t size;

	if (wire_encode(b, &data, &size))
		bench_die("encode a batch: out of memory");
	free(data);
	return (double)size;
}

static void add(struct sums *s, struct wire_batch *b)
{
	s->bytes += size_of(b);
	s->updates += (double)b->update_count;
	b->update_count = 0;
	s->rest += size_of(b);
	wire_batch_free(b);
}

static void tell(const char *what, const struct sums *s)
{
	static const struct promise promise = {"≤ 8 bytes (stretch 4)", 8, 4, false};

	report_row(what, &promise, s->bytes / s->updates,
		   "%.2f bytes; %.2f without the %.0f of a batch in which nothing moves",
		   s->bytes / s->updates, (s->bytes - s->rest) / s->updates,
		   s->rest * 1.0 / BATCHES);
}

static void strip(struct wire_batch *b)
{
	for (size_t i = 0; i < b->update_count; i++) {
		b->updates[i].rtt_us = b->updates[i].connect_us = NULL;
		b->updates[i].counter[MR_BUSY_TO_SERVER] = 0;
	}
}

void line_wire(const struct bench *b)
{
	const struct cluster cluster = {1000};
	struct sums company = {0}, usual = {0}, plain = {0};

	for (unsigned int i = 0; i < BATCHES; i++) {
		struct wire_batch *stripped = sample_window(i, 1000, 300, false);

		add(&company, cluster_batch(&cluster, 1 + i, 2 + i));
		add(&usual, sample_window(i, 1000, 300, false));
		strip(stripped);
		add(&plain, stripped);
	}
	tell("an update on the wire: node of company B", &company);
	tell("… made-up window, noisy", &usual);
	tell("… the same without round trips and waiting", &plain);
}
