/* SPDX-License-Identifier: Apache-2.0 */
/* Replies and answers come back as they went out, and hostile ones are refused with a reason. */
#include "wire/exchange.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/hostile_for_test.h"
#include "wire/sample_for_test.h"

static struct wire_reply some_reply(void)
{
	struct wire_reply reply = {.sweep_now = true, .request_count = WIRE_REPLY_REQUESTS_MAX};

	for (unsigned int i = 0; i < WIRE_REPLY_REQUESTS_MAX; i++)
		reply.requests[i] = (struct wire_request){UINT64_MAX - i, UINT32_MAX - i};
	return reply;
}

static struct hostile_bytes encode_reply(const struct wire_reply *reply)
{
	struct hostile_bytes ret;

	assert_int_equal(wire_reply_encode(reply, &ret.data, &ret.size), 0);
	return ret;
}

static struct hostile_bytes encode_answer(const struct wire_answer *answer)
{
	struct hostile_bytes ret;

	assert_int_equal(wire_answer_encode(answer, &ret.data, &ret.size), 0);
	return ret;
}

static void hold_reply(const struct wire_reply *reply)
{
	struct hostile_bytes frame = encode_reply(reply);
	struct wire_reply back;
	struct error error = {""};

	assert_int_equal(wire_reply_decode(frame.data, frame.size, &back, &error), 0);
	assert_int_equal(back.sweep_now, reply->sweep_now);
	assert_int_equal(back.request_count, reply->request_count);
	for (size_t i = 0; i < back.request_count; i++) {
		assert_int_equal(back.requests[i].id, reply->requests[i].id);
		assert_int_equal(back.requests[i].connections_max,
				 reply->requests[i].connections_max);
	}
	free(frame.data);
}

static void a_reply_comes_back(void **state)
{
	struct wire_reply reply = some_reply();

	hold_reply(&reply);
	reply.sweep_now = false;
	reply.request_count = 1;
	hold_reply(&reply);
	reply.request_count = 0;
	hold_reply(&reply);
}

static void a_reply_has_a_bound(void **state)
{
	struct wire_reply reply = some_reply();
	uint8_t *data;
	size_t size;

	reply.request_count++;
	assert_int_equal(wire_reply_encode(&reply, &data, &size), -EINVAL);
}

static void every_answer_comes_back(void **state)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct wire_answer *a = sample_answer(seed, 40), *back;
		struct hostile_bytes frame = encode_answer(a);
		struct error error = {""};
		const char *difference;

		assert_int_equal(wire_answer_decode(frame.data, frame.size, &back, &error), 0);
		difference = sample_answer_difference(a, back);
		if (difference)
			fail_msg("%s came back differently", difference);
		wire_answer_free(back);
		wire_answer_free(a);
		free(frame.data);
	}
}

/* A content that follows the schema more or less, in a frame. */
static void hold_reply_refused(const uint8_t *content, size_t size, int code, const char *reason)
{
	struct hostile_bytes frame = hostile_frame(content, size);
	struct wire_reply reply;
	struct error error = {""};

	assert_int_equal(wire_reply_decode(frame.data, frame.size, &reply, &error), code);
	if (!strstr(error.text, reason) || !strstr(error.text, "cannot read a reply"))
		fail_msg("\"%s\" does not say \"%s\"", error.text, reason);
	free(frame.data);
}

static void hostile_replies_are_refused(void **state)
{
	static const uint8_t another[] = {0x08, 2}, none[] = {0x10, 1}, cut[] = {0x08, 1, 0x1a, 9};
	static const uint8_t uneven[] = {0x08, 1, 0x1a, 2, 1, 2, 0x22, 1, 5};
	static const uint8_t above[] = {0x08, 1, 0x1a, 1, 1, 0x22, 5, 0x80, 0x80, 0x80, 0x80, 0x10};
	uint8_t many[4 + 33] = {0x08, 1, 0x1a, 33}, *bomb = calloc(1, 1u << 20);

	hold_reply_refused(another, sizeof(another), -EPROTONOSUPPORT, "version 2");
	hold_reply_refused(none, sizeof(none), -EBADMSG, "does not begin with a version");
	hold_reply_refused(cut, sizeof(cut), -EBADMSG, "does not follow the schema");
	hold_reply_refused(uneven, sizeof(uneven), -EBADMSG, "has 1 values for 2 rows");
	hold_reply_refused(above, sizeof(above), -EBADMSG, "holds 4294967296");
	hold_reply_refused(many, sizeof(many), -E2BIG, "33 requests, at most 32");
	hold_reply_refused(bomb, 1u << 20, -E2BIG, "unpacks to 1048576 bytes");
	free(bomb);
}

/* Cut anywhere, any bit flipped: refused with a reason, or read for what it then says. */
static void damaged_answers_never_go_wrong(void **state)
{
	struct wire_answer *a = sample_answer(4, 6);
	struct hostile_bytes frame = encode_answer(a), content = hostile_content(frame);
	unsigned int refused = 0;

	for (size_t bit = 0; bit < content.size * 8; bit += 3) {
		struct hostile_bytes bad;
		struct wire_answer *back = NULL;
		struct error error = {""};
		bool cut = bit % 2;

		content.data[bit / 8] ^= (uint8_t)(cut ? 0 : 1u << bit % 8);
		bad = hostile_frame(content.data, cut ? bit / 8 : content.size);
		content.data[bit / 8] ^= (uint8_t)(cut ? 0 : 1u << bit % 8);
		if (wire_answer_decode(bad.data, bad.size, &back, &error)) {
			assert_true(!back && strstr(error.text, "cannot read an answer: "));
			refused++;
		}
		wire_answer_free(back);
		free(bad.data);
	}
	assert_true(refused > content.size);
	free(content.data);
	free(frame.data);
	wire_answer_free(a);
}

/* 70,000 rows that take no bytes at all. */
static void an_answer_has_a_bound(void **state)
{
	static const uint8_t content[] = {0x08, 1, 0x3a, 4, 0x08, 0xf0, 0xa2, 4};
	struct hostile_bytes frame = hostile_frame(content, sizeof(content));
	struct wire_answer *a = NULL;
	struct error error = {""};

	assert_int_equal(wire_answer_decode(frame.data, frame.size, &a, &error), -E2BIG);
	assert_non_null(strstr(error.text, "70000 connections, at most 65536"));
	free(frame.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_comes_back),
		cmocka_unit_test(a_reply_has_a_bound),
		cmocka_unit_test(every_answer_comes_back),
		cmocka_unit_test(hostile_replies_are_refused),
		cmocka_unit_test(damaged_answers_never_go_wrong),
		cmocka_unit_test(an_answer_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
