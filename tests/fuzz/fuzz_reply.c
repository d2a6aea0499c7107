/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies and answers from anybody. The first byte says which of them the rest is, and whether it
 * is a frame or what is in one. What is taken goes out again, and comes back as the same bytes from
 * then on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/exchange.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(bool condition)
{
	if (!condition)
		abort();
}

static void hold_same(uint8_t *a, size_t a_size, uint8_t *b, size_t b_size)
{
	hold(a_size == b_size && !memcmp(a, b, a_size));
	free(a);
	free(b);
}

static void take_reply(const uint8_t *data, size_t size)
{
	struct wire_reply reply, back;
	struct error error = {""};
	uint8_t *once, *twice;
	size_t once_size, twice_size;
	int r = wire_reply_decode(data, size, &reply, &error);

	hold(r ? error.text[0] : !error.text[0]);
	if (r)
		return;
	hold(reply.request_count <= WIRE_REPLY_REQUESTS_MAX);
	hold(wire_reply_encode(&reply, &once, &once_size) == 0);
	hold(wire_reply_decode(once, once_size, &back, NULL) == 0);
	hold(wire_reply_encode(&back, &twice, &twice_size) == 0);
	hold_same(once, once_size, twice, twice_size);
}

static void take_answer(const uint8_t *data, size_t size)
{
	struct wire_answer *answer = NULL, *back = NULL;
	struct error error = {""};
	uint8_t *once, *twice;
	size_t once_size, twice_size;
	int r = wire_answer_decode(data, size, &answer, &error);

	hold(r ? !answer && error.text[0] : answer && !error.text[0]);
	if (r)
		return;
	hold(wire_answer_encode(answer, &once, &once_size) == 0);
	hold(wire_answer_decode(once, once_size, &back, NULL) == 0);
	hold(wire_answer_encode(back, &twice, &twice_size) == 0);
	hold_same(once, once_size, twice, twice_size);
	wire_answer_free(answer);
	wire_answer_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void (*take)(const uint8_t *data, size_t size);
	uint8_t *frame;
	size_t frame_size;

	if (!size)
		return 0;
	take = data[0] & 2 ? take_answer : take_reply;
	if (data[0] & 1) {
		hold(frame_pack(data + 1, size - 1, &frame, &frame_size) == 0);
		take(frame, frame_size);
		free(frame);
	} else {
		take(data + 1, size - 1);
	}
	return 0;
}
