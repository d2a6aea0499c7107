/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many bytes an update takes on the wire, and how long it takes to encode and to decode.
 *
 *     wire-size [KNOWN MOVING]   windows that are made up (src/wire/window_for_test.c says how):
 *                                "first" defines all flows known, "usual" none, "plain" is usual
 *                                without histograms and waiting times
 *     wire-size FILE...          batches as agents sent them
 *
 * The rest is what a batch takes whatever moved: who says it, its costs, its namespaces' sums.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/sample_for_test.h"

#define WINDOWS 50

struct sums {
	double updates, batches, wire, rest, encode_us, decode_us;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static size_t rest_size(const struct wire_batch *b)
{
	struct wire_batch rest = *b;
	uint8_t *data;
	size_t size;

	rest.update_count = rest.flow_count = rest.actor_count = 0;
	if (wire_encode(&rest, &data, &size))
		return 0;
	free(data);
	return size;
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
	s->rest += (double)rest_size(b);
	s->updates += (double)b->update_count;
	s->batches++;
	free(data);
	if (!r)
		wire_batch_free(back);
	return r;
}

static void print(const char *name, const struct sums *s)
{
	printf("%-8s %6.1f updates a batch: %7.0f bytes a batch (%.0f the rest), %5.2f an update, "
	       "%5.2f without the rest; %.2f us to encode, %.2f to decode an update\n",
	       name, s->updates / s->batches, s->wire / s->batches, s->rest / s->batches,
	       s->wire / s->updates, (s->wire - s->rest) / s->updates, s->encode_us / s->updates,
	       s->decode_us / s->updates);
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
	print(name, &s);
	return 0;
}

static int add_file(const char *path, struct sums *s)
{
	static uint8_t data[1 << 22];
	struct error error = {""};
	FILE *f = fopen(path, "rb");
	struct wire_batch *b;
	size_t size;
	int r;

	if (!f) {
		fprintf(stderr, "cannot open %s: %m\n", path);
		return -1;
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	r = wire_decode(data, size, NULL, &b, &error);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", path, error.text);
		return r;
	}
	r = add(b, s);
	wire_batch_free(b);
	return r;
}

static int measure_files(char **paths, int count)
{
	struct sums s = {0};

	for (int i = 0; i < count; i++)
		if (add_file(paths[i], &s))
			return 1;
	print("recorded", &s);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int known = 1000, moving = 300;

	if (argc > 1 && (argc != 3 || !atoi(argv[1])))
		return measure_files(argv + 1, argc - 1);
	if (argc == 3) {
		known = (unsigned int)atoi(argv[1]);
		moving = (unsigned int)atoi(argv[2]);
	}
	if (!moving || moving > known) {
		fprintf(stderr, "usage: %s [KNOWN MOVING | FILE...], MOVING of 1 to KNOWN\n",
			argv[0]);
		return 2;
	}
	return measure("first", known, moving, true, false) ||
	       measure("usual", known, moving, false, false) ||
	       measure("plain", known, moving, false, true);
}
