/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that are cut, flipped, too much or not what they say: none is opened beyond what it may
 * hold. */
#include "wire/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "wire/hostile_for_test.h"
#include "wire/sample_for_test.h"

static void a_cut_frame_is_refused(void **state)
{
	struct wire_batch *b = hostile_batch();
	struct hostile_bytes frame = hostile_encode(b);

	for (size_t size = 0; size < frame.size; size++)
		hostile_hold_refused(frame.data, size, NULL, -EBADMSG, "frame");
	free(frame.data);
	wire_batch_free(b);
}

static void a_flipped_bit_is_seen_or_means_nothing(void **state)
{
	struct wire_batch *b = hostile_batch(), *back;
	struct hostile_bytes frame = hostile_encode(b);
	unsigned int refused = 0;
	struct error error;

	for (size_t bit = 0; bit < frame.size * 8; bit++) {
		frame.data[bit / 8] ^= 1u << bit % 8;
		if (hostile_decode(frame.data, frame.size, NULL, &back, &error))
			refused++;
		else
			assert_null(sample_difference(b, back));
		wire_batch_free(back);
		frame.data[bit / 8] ^= 1u << bit % 8;
	}
	assert_true(refused > frame.size * 8 / 100 * 99);
	free(frame.data);
	wire_batch_free(b);
}

static struct hostile_bytes compress(const void *data, size_t size, int states_size)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	struct hostile_bytes ret = {malloc(ZSTD_compressBound(size)), 0};

	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, states_size);
	ret.size = ZSTD_compress2(context, ret.data, ZSTD_compressBound(size), data, size);
	ZSTD_freeCCtx(context);
	assert_false(ZSTD_isError(ret.size));
	return ret;
}

static void a_bomb_is_not_opened(void **state)
{
	const size_t size = wire_limits_default.content_size_max + 1;
	uint8_t *zeros = calloc(1, size);
	struct hostile_bytes bomb = compress(zeros, size, 1);

	assert_true(bomb.size < 2000);
	hostile_hold_refused(bomb.data, bomb.size, NULL, -E2BIG, "unpacks to 16777217 bytes");
	free(bomb.data);
	bomb = compress(zeros, size - 1, 1);
	hostile_hold_refused(bomb.data, bomb.size, NULL, -EBADMSG, "version");
	free(bomb.data);
	free(zeros);
}

/* Where a frame of that size holds 4 bytes of it (RFC 8878, 3.1.1.1). */
static void a_frame_that_lies_about_its_size_is_refused(void **state)
{
	uint8_t *zeros = calloc(1, 200000);
	const uint32_t sizes[] = {199999, 200001, 1000, 16u << 20};

	for (size_t i = 0; i < 4; i++) {
		struct hostile_bytes frame = compress(zeros, 200000, 1);
		uint64_t states;

		memcpy(frame.data + 5, &sizes[i], 4);
		assert_int_equal(frame_measure(frame.data, frame.size, &states), 0);
		assert_int_equal(states, sizes[i]);
		hostile_hold_refused(frame.data, frame.size, NULL, -EBADMSG, "damaged");
		free(frame.data);
	}
	free(zeros);
}

static void only_one_frame_that_states_its_size_is_read(void **state)
{
	static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};
	struct wire_batch *b = hostile_batch();
	struct hostile_bytes frame = hostile_encode(b), content = hostile_content(frame),
			     sizeless = compress(content.data, content.size, 0);
	uint8_t *two = malloc(2 * frame.size);

	hostile_hold_refused(sizeless.data, sizeless.size, NULL, -EBADMSG, "one zstd frame");
	hostile_hold_refused(skippable, sizeof(skippable), NULL, -EBADMSG, "one zstd frame");
	memcpy(two, frame.data, frame.size);
	memcpy(two + frame.size, frame.data, frame.size);
	hostile_hold_refused(two, 2 * frame.size, NULL, -EBADMSG, "one zstd frame");
	hostile_hold_refused(two, frame.size + 1, NULL, -EBADMSG, "one zstd frame");
	free(two);
	free(sizeless.data);
	free(content.data);
	free(frame.data);
	wire_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_frame_is_refused),
		cmocka_unit_test(a_flipped_bit_is_seen_or_means_nothing),
		cmocka_unit_test(a_bomb_is_not_opened),
		cmocka_unit_test(a_frame_that_lies_about_its_size_is_refused),
		cmocka_unit_test(only_one_frame_that_states_its_size_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
