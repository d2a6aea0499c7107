/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a batch as this build encodes it, for a new version's recording and for the fuzzers'
 * seeds.
 *
 *     record 1 | 1-place | SEED [--content] >FILE
 *     record answer SEED | reply [--content] >FILE
 *
 * 1, 1-place: the content of that recording; SEED (from 2): a made-up batch. --content: what is in
 * the frame. A recording that is there stays as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorded.h"
#include "wire/encode.h"
#include "wire/exchange.h"
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

static int encode_batch(struct wire_batch *b, uint8_t **ret, size_t *ret_size)
{
	int r = b ? wire_encode(b, ret, ret_size) : -1;

	wire_batch_free(b);
	return r;
}

static int encode_answer(uint64_t seed, uint8_t **ret, size_t *ret_size)
{
	struct wire_answer *a = sample_answer(seed, 4);
	int r = wire_answer_encode(a, ret, ret_size);

	wire_answer_free(a);
	return r;
}

static int encode(int argc, char **argv, uint8_t **ret, size_t *ret_size)
{
	static const struct wire_reply reply = {true, {{1, 1000}, {UINT64_MAX, UINT32_MAX}}, 2};

	if (!strcmp(argv[1], "1"))
		return encode_batch(recorded_1(), ret, ret_size);
	if (!strcmp(argv[1], "1-place"))
		return encode_batch(recorded_1_place(), ret, ret_size);
	if (!strcmp(argv[1], "reply"))
		return wire_reply_encode(&reply, ret, ret_size);
	if (!strcmp(argv[1], "answer") && argc > 2)
		return encode_answer(strtoul(argv[2], NULL, 10), ret, ret_size);
	return encode_batch(sample_batch(strtoul(argv[1], NULL, 10), 3), ret, ret_size);
}

int main(int argc, char **argv)
{
	uint8_t *data;
	size_t size;
	int r;

	if (argc < 2) {
		fprintf(stderr,
			"usage: %s 1 | 1-place | SEED | answer SEED | reply [--content] >FILE\n",
			argv[0]);
		return 2;
	}
	if (encode(argc, argv, &data, &size)) {
		fprintf(stderr, "cannot encode %s: out of memory\n", argv[1]);
		return 1;
	}
	if (!strcmp(argv[argc - 1], "--content"))
		r = write_content(data, size);
	else
		r = fwrite(data, 1, size, stdout) == size ? 0 : -1;
	free(data);
	return r ? 1 : 0;
}
