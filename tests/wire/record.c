/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a batch as this build encodes it, for a new version's recording and for the fuzzers'
 * seeds.
 *
 *     record 1 | SEED [--content] >FILE
 *
 * 1: the content of version 1's recording; SEED (from 2): a made-up batch. --content: what is in
 * the frame. A recording that is there stays as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorded.h"
#include "wire/encode.h"
#include "wire/frame.h"
#include "wire/sample_for_test.h"

static int write_content(const uint8_t *data, size_t size)
{
	uint64_t content_size;
	uint8_t *content;
	int r = frame_measure(data, size, &content_size);

	content = r ? NULL : malloc(content_size);
	if (!content)
		return -1;
	r = frame_unpack(data, size, content, content_size);
	if (!r && fwrite(content, 1, content_size, stdout) != content_size)
		r = -1;
	free(content);
	return r;
}

int main(int argc, char **argv)
{
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	struct wire_batch *b;
	uint8_t *data;
	size_t size;
	int r;

	if (!seed) {
		fprintf(stderr, "usage: %s 1 | SEED [--content] >FILE\n", argv[0]);
		return 2;
	}
	b = seed == 1 ? recorded_1() : sample_batch(seed, 3);
	if (!b || wire_encode(b, &data, &size)) {
		fprintf(stderr, "cannot encode batch %lu: out of memory\n", seed);
		return 1;
	}
	if (argc > 2 && !strcmp(argv[2], "--content"))
		r = write_content(data, size);
	else
		r = fwrite(data, 1, size, stdout) == size ? 0 : -1;
	free(data);
	wire_batch_free(b);
	return r ? 1 : 0;
}
