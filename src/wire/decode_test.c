/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a frame: cut, flipped, beyond a limit, of another age. It is refused with its reason,
 * or read for what it says. */
#include "wire/decode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/hostile_for_test.h"
#include "wire/sample_for_test.h"

/* Behind the checksum: whoever makes a frame can put anything in it. */
static void cut_content_never_goes_wrong(void **state)
{
	struct wire_batch *b = hostile_batch(), *back;
	struct hostile_bytes frame = hostile_encode(b), content = hostile_content(frame), cut;
	unsigned int refused = 0;
	struct error error;

	for (size_t size = 0; size < content.size; size++) {
		cut = hostile_frame(content.data, size);
		refused += hostile_decode(cut.data, cut.size, NULL, &back, &error) != 0;
		wire_batch_free(back);
		free(cut.data);
	}
	assert_true(refused > content.size * 9 / 10);
	free(content.data);
	free(frame.data);
	wire_batch_free(b);
}

static void flipped_content_never_goes_wrong(void **state)
{
	struct wire_batch *b = hostile_batch(), *back, *again;
	struct hostile_bytes frame = hostile_encode(b), content = hostile_content(frame), flipped;
	struct error error;

	for (size_t bit = 0; bit < content.size * 8; bit += 11) {
		content.data[bit / 8] ^= 1u << bit % 8;
		flipped = hostile_frame(content.data, content.size);
		if (!hostile_decode(flipped.data, flipped.size, NULL, &back, &error)) {
			struct hostile_bytes of_back = hostile_encode(back);

			assert_int_equal(
				hostile_decode(of_back.data, of_back.size, NULL, &again, &error),
				0);
			wire_batch_free(again);
			free(of_back.data);
		}
		wire_batch_free(back);
		free(flipped.data);
		content.data[bit / 8] ^= 1u << bit % 8;
	}
	free(content.data);
	free(frame.data);
	wire_batch_free(b);
}

static void each_limit_holds(void **state)
{
	struct wire_batch *b = hostile_batch(), *back;
	struct hostile_bytes frame = hostile_encode(b);
	struct wire_limits l[17];
	const char *reasons[17] = {"bytes, at most 100",
				   "unpacks to",
				   "of memory",
				   "strings",
				   "strings has",
				   "addresses",
				   "actors",
				   "flows",
				   "retired",
				   "updates",
				   "names",
				   "listeners",
				   "events",
				   "netns",
				   "shapes",
				   "covers"};
	struct error error;

	for (size_t i = 0; i < 17; i++)
		l[i] = wire_limits_default;
	l[0].compressed_size_max = 100;
	l[1].content_size_max = 100;
	l[2].memory_size_max = 4000;
	l[3].strings_max = 1;
	l[4].string_size_max = 1;
	l[5].addresses_max = 0;
	l[6].actors_max = l[7].flows_max = l[8].retired_max = l[9].updates_max = 0;
	l[10].names_max = l[11].listeners_max = l[12].events_max = l[13].netns_max = 0;
	l[14].shapes_max = 0;
	l[15].covers_max = 0;
	for (size_t i = 0; i < 16; i++)
		hostile_hold_refused(frame.data, frame.size, &l[i], -E2BIG, reasons[i]);
	l[16].handle_max = 0;
	hostile_hold_refused(frame.data, frame.size, &l[16], -EBADMSG, "at most 0 makes sense");
	assert_int_equal(hostile_decode(frame.data, frame.size, NULL, &back, &error), 0);
	wire_batch_free(back);
	free(frame.data);
	wire_batch_free(b);
}

/* However much memory there may be, none is taken beyond it: from nothing to enough, in steps. */
static void memory_stays_within_its_budget(void **state)
{
	struct wire_batch *b = sample_window(3, 1000, 300, true), *back;
	struct hostile_bytes frame = hostile_encode(b);
	struct wire_limits limits = wire_limits_default;
	struct error error;
	int r = -E2BIG;

	for (limits.memory_size_max = 0; r; limits.memory_size_max += 4096) {
		r = hostile_decode(frame.data, frame.size, &limits, &back, &error);
		if (r)
			assert_int_equal(r, -E2BIG);
		assert_true(limits.memory_size_max < 2u << 20);
	}
	assert_null(sample_difference(b, back));
	wire_batch_free(back);
	free(frame.data);
	wire_batch_free(b);
}

/* A counter, a loss, a figure of a namespace that this side has no name for. */
static void from_a_newer_agent(Millrace__Batch *m)
{
	static uint64_t values[256], loss_number[64], loss[64], shapes[256];
	static Millrace__Column column = MILLRACE__COLUMN__INIT, *counters[64], *ours[64];
	size_t i;

	column = (Millrace__Column){PROTOBUF_C_MESSAGE_INIT(&millrace__column__descriptor), 60,
				    m->updates->count, values};
	for (i = 0; i < m->updates->n_shapes; i++)
		shapes[i] = m->updates->shapes[i] | UINT64_C(1) << 60 | UINT64_C(1) << 5;
	m->updates->shapes = shapes;
	memcpy(counters, m->updates->counters, m->updates->n_counters * sizeof(*counters));
	counters[m->updates->n_counters++] = &column;
	m->updates->counters = counters;
	memcpy(ours, m->netns->ours, m->netns->n_ours * sizeof(*ours));
	ours[m->netns->n_ours++] = &column;
	m->netns->ours = ours;
	memcpy(loss_number, m->loss_number, m->n_loss * sizeof(*loss));
	memcpy(loss, m->loss, m->n_loss * sizeof(*loss));
	loss_number[m->n_loss_number++] = UINT64_MAX;
	loss[m->n_loss++] = 5;
	m->loss_number = loss_number;
	m->loss = loss;
}

static void numbers_not_known_here_are_skipped(void **state)
{
	struct wire_batch *b = hostile_batch(), *back;
	struct hostile_bytes frame = hostile_change(b, from_a_newer_agent);
	struct error error;

	assert_int_equal(hostile_decode(frame.data, frame.size, NULL, &back, &error), 0);
	assert_null(sample_difference(b, back));
	wire_batch_free(back);
	free(frame.data);
	wire_batch_free(b);
}

/* Field 900 with 3 bytes, field 901 with a number. */
static void fields_not_known_here_are_skipped(void **state)
{
	static const uint8_t newer[] = {0xa2, 0x38, 3, 'n', 'e', 'w', 0xa8, 0x38, 42};
	struct wire_batch *b = hostile_batch(), *back;
	struct hostile_bytes frame = hostile_encode(b), content = hostile_content(frame), longer;
	struct error error;

	content.data = realloc(content.data, content.size + sizeof(newer));
	memcpy(content.data + content.size, newer, sizeof(newer));
	longer = hostile_frame(content.data, content.size + sizeof(newer));
	assert_int_equal(hostile_decode(longer.data, longer.size, NULL, &back, &error), 0);
	assert_null(sample_difference(b, back));
	wire_batch_free(back);
	free(longer.data);
	free(content.data);
	free(frame.data);
	wire_batch_free(b);
}

/* An older agent says less: what it does not say is 0 or "". */
static void what_is_not_said_is_nothing(void **state)
{
	static const uint8_t content[] = {0x08, 1, 0x72, 2, 0x08, 3}; /* version 1, three flows */
	struct hostile_bytes frame = hostile_frame(content, sizeof(content));
	struct wire_batch *b;
	struct error error;

	assert_int_equal(hostile_decode(frame.data, frame.size, NULL, &b, &error), 0);
	assert_string_equal(b->node, "");
	assert_string_equal(b->status.hooks, "");
	assert_int_equal(b->flow_count, 3);
	assert_int_equal(b->flows[2].handle + b->flows[2].port + b->flows[2].remote[15], 0);
	assert_int_equal(b->update_count, 0);
	wire_batch_free(b);
	free(frame.data);
}

/* The same message again and again is merged into one, which costs memory each time. */
static void messages_without_end_are_refused(void **state)
{
	enum { TIMES = 200000 };
	const uint8_t once[] = {0x72, 8, 0x08, 1, 0x12, 4, 2, 2, 2, 2};
	uint8_t *content = malloc(2 + TIMES * sizeof(once));
	struct wire_limits limits = wire_limits_default;
	struct hostile_bytes frame;

	content[0] = 0x08;
	content[1] = 1;
	for (size_t i = 0; i < TIMES; i++)
		memcpy(content + 2 + i * sizeof(once), once, sizeof(once));
	limits.memory_size_max = 32u << 20;
	frame = hostile_frame(content, 2 + TIMES * sizeof(once));
	hostile_hold_refused(frame.data, frame.size, &limits, -E2BIG, "of memory");
	free(frame.data);
	free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_content_never_goes_wrong),
		cmocka_unit_test(flipped_content_never_goes_wrong),
		cmocka_unit_test(each_limit_holds),
		cmocka_unit_test(memory_stays_within_its_budget),
		cmocka_unit_test(numbers_not_known_here_are_skipped),
		cmocka_unit_test(fields_not_known_here_are_skipped),
		cmocka_unit_test(what_is_not_said_is_nothing),
		cmocka_unit_test(messages_without_end_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
