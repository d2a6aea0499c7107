/* SPDX-License-Identifier: Apache-2.0 */
/* Batches recorded when their version of the schema was made say today what they said then. */
#include "recorded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/decode.h"
#include "wire/sample_for_test.h"

static const char *directory;

static struct wire_batch *read_recording(const char *version)
{
	static uint8_t data[65536];
	struct error error = {""};
	struct wire_batch *b;
	char path[4096];
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.batch", directory, version);
	f = fopen(path, "rb");
	assert_non_null(f);
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	if (wire_decode(data, size, NULL, &b, &error))
		fail_msg("%s", error.text);
	return b;
}

static void hold_same(const struct wire_batch *then, const struct wire_batch *now)
{
	const char *difference = sample_difference(then, now);

	if (difference)
		fail_msg("%s is not what was recorded", difference);
}

/* What it had no words for is not known. */
static void version_1_says_what_it_said(void **state)
{
	struct wire_batch *then = recorded_1(), *now = read_recording("1");

	hold_same(then, now);
	assert_string_equal(now->zone, "");
	assert_int_equal(now->windows + now->definitions + now->covers_changed, 0);
	assert_int_equal(now->cover_count + now->retired_actor_count, 0);
	assert_int_equal(now->updates[1].counter[MR_BYTES_TO_SERVER], 0 - 22000ull);
	assert_int_equal(now->loss[WIRE_LOSS_QUEUE_FULL], 2200);
	wire_batch_free(then);
	wire_batch_free(now);
}

static void place_and_coverage_are_what_they_were(void **state)
{
	struct wire_batch *then = recorded_1_place(), *now = read_recording("1-place");

	hold_same(then, now);
	assert_string_equal(now->zone, "eu-west-1a");
	assert_int_equal(now->windows, 3600);
	assert_int_equal(now->cover_count, 3);
	assert_int_equal(now->loss[WIRE_LOSS_PENDING_FULL], 2400);
	wire_batch_free(then);
	wire_batch_free(now);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_says_what_it_said),
		cmocka_unit_test(place_and_coverage_are_what_they_were),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	directory = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
