/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many bytes an update takes on the wire, beside the struct under zstd; and how long it takes.
 *
 *     wire-size [KNOWN MOVING]
 *
 * The windows are made up (src/wire/window_for_test.c says how): "first" defines all flows known,
 * "usual" none, "plain" is usual without histograms and waiting times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <zstd.h>

#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/sample_for_test.h"

#define WINDOWS 50

struct sums {
	double wire, structs, encode_us, decode_us;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static size_t struct_size(const struct wire_batch *b)
{
	size_t size = b->update_count * sizeof(*b->updates), z;
	void *to = malloc(ZSTD_compressBound(size));

	z = to ? ZSTD_compress(to, ZSTD_compressBound(size), b->updates, size, 3) : 0;
	free(to);
	return z;
}

static int add(const struct wire_batch *b, struct sums *s)
{
	double begin_us = now_us(), middle_us;
	struct wire_batch *back;
	uint8_t *data;
	size_t size;
	int r = wire_encode(b, &data, &size);

	if (r)
		return r;
	middle_us = now_us();
	r = wire_decode(data, size, NULL, &back, NULL);
	s->decode_us += now_us() - middle_us;
	s->encode_us += middle_us - begin_us;
	s->wire += (double)size;
	s->structs += (double)struct_size(b);
	free(data);
	if (!r)
		wire_batch_free(back);
	return r;
}

static void strip(struct wire_batch *b)
{
	for (size_t i = 0; i < b->update_count; i++) {
		b->updates[i].rtt_us = b->updates[i].connect_us = NULL;
		b->updates[i].counter[MR_BUSY_TO_SERVER] = 0;
	}
}

static int measure(const char *name, unsigned int known, unsigned int moving, bool defined,
		   bool plain)
{
	double updates = (double)moving * WINDOWS;
	struct sums s = {0};

	for (uint64_t seed = 0; seed < WINDOWS; seed++) {
		struct wire_batch *b = sample_window(seed, known, moving, defined);
		int r;

		if (plain)
			strip(b);
		r = add(b, &s);
		wire_batch_free(b);
		if (r)
			return r;
	}
	printf("%-6s %6u flows, %5u move: %7.0f bytes a batch, %5.2f an update (struct under zstd "
	       "%5.2f); %5.2f us to encode, %5.2f to decode an update\n",
	       name, known, moving, s.wire / WINDOWS, s.wire / updates, s.structs / updates,
	       s.encode_us / updates, s.decode_us / updates);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int known = argc > 2 ? (unsigned int)atoi(argv[1]) : 1000;
	unsigned int moving = argc > 2 ? (unsigned int)atoi(argv[2]) : 300;

	if (!moving || moving > known) {
		fprintf(stderr, "usage: %s [KNOWN MOVING], MOVING of 1 to KNOWN\n", argv[0]);
		return 2;
	}
	return measure("first", known, moving, true, false) ||
	       measure("usual", known, moving, false, false) ||
	       measure("plain", known, moving, false, true);
}
