/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches from anybody. The first byte says whether the rest is a frame, or what is in one. What is
 * taken goes out again, and comes back as the same bytes from then on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(bool condition)
{
	if (!condition)
		abort();
}

static struct wire_batch *decode(const uint8_t *data, size_t size)
{
	struct wire_limits limits = wire_limits_default;
	struct wire_batch *b = NULL;
	struct error error = {""};
	int r;

	limits.memory_size_max = 8u << 20;
	r = wire_decode(data, size, &limits, &b, &error);
	hold(r ? !b && error.text[0] : b && !error.text[0]);
	return b;
}

static struct wire_batch *decode_content(const uint8_t *content, size_t size)
{
	struct wire_batch *b;
	uint8_t *frame;
	size_t frame_size;

	hold(frame_pack(content, size, &frame, &frame_size) == 0);
	b = decode(frame, frame_size);
	free(frame);
	return b;
}

static void hold_lasting(const struct wire_batch *b)
{
	uint8_t *once, *twice;
	size_t once_size, twice_size;
	struct wire_batch *back = NULL;

	hold(wire_encode(b, &once, &once_size) == 0);
	hold(wire_decode(once, once_size, NULL, &back, NULL) == 0);
	hold(wire_encode(back, &twice, &twice_size) == 0);
	hold(once_size == twice_size && !memcmp(once, twice, once_size));
	wire_batch_free(back);
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_batch *b;

	if (!size)
		return 0;
	b = data[0] & 1 ? decode_content(data + 1, size - 1) : decode(data + 1, size - 1);
	if (b)
		hold_lasting(b);
	wire_batch_free(b);
	return 0;
}
