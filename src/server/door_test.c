/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves, over real sockets: an agent's batches are taken once, and whatever else comes to the same
 * door (cut off, changed, too large, of another type or version, a bomb, without the header) is
 * refused with the status that is promised and counted, while the good agent's figures stay exact.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/api.h"
#include "server/server_for_test.h"
#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/exchange.h"
#include "wire/frame.h"

#define TYPE "Content-Type: " WIRE_CONTENT_TYPE "\r\n"

struct bytes {
	uint8_t *data; /* owned */
	size_t size;
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* The status of the answer; *ret, where wanted, gets all of it. */
static int post_with(struct server_fixture *f, const char *path, const char *headers,
		     const void *body, size_t size, struct client_reply *ret)
{
	struct client_reply reply;
	int status;

	client_post(f->port, path, headers, body, size, &reply);
	status = reply.status;
	if (ret)
		*ret = reply;
	else
		client_reply_done(&reply);
	return status;
}

static int post(struct server_fixture *f, const void *body, size_t size)
{
	char headers[128];

	snprintf(headers, sizeof(headers), TYPE WIRE_NOW_HEADER ": %lu\r\n", monotonic_ns());
	return post_with(f, "/api/v1/batches", headers, body, size, NULL);
}

static struct bytes encode(struct wire_batch *b)
{
	struct bytes bytes;

	assert_int_equal(wire_encode(b, &bytes.data, &bytes.size), 0);
	wire_batch_free(b);
	return bytes;
}

static struct bytes next_batch(struct server_fixture *f)
{
	return encode(server_fixture_batch(f, "two"));
}

static void take(struct server_fixture *f)
{
	struct bytes b = next_batch(f);

	assert_int_equal(post(f, b.data, b.size), 204);
	free(b.data);
}

static json_int_t intake_count(struct server_fixture *f, const char *name)
{
	json_t *root = server_fixture_get(f, "/api/v1/agents", 200);
	json_t *intake = json_object_get(json_object_get(root, "server"), "intake");
	json_int_t count = json_integer_value(json_object_get(intake, name));

	assert_true(json_is_integer(json_object_get(intake, name)));
	json_decref(root);
	return count;
}

/* Each batch carries 3 connections opened from web to redis. */
static void assert_batches(struct server_fixture *f, unsigned int count)
{
	json_t *root = server_fixture_get(f, "/api/v1/graph?from=-1h&filter=port:6379", 200);
	json_t *edges = json_object_get(root, "edges"), *connections;

	assert_int_equal(json_array_size(edges), count ? 1 : 0);
	connections = json_object_get(json_array_get(edges, 0), "connections");
	assert_int_equal(json_integer_value(json_object_get(connections, "opened")), 3 * count);
	json_decref(root);
}

static void test_taken_once(void **state)
{
	struct server_fixture *f = *state;
	struct bytes b = next_batch(f);
	int i;

	for (i = 0; i < 3; i++)
		assert_int_equal(post(f, b.data, b.size), 204);
	free(b.data);
	take(f);
	assert_batches(f, 2);
	assert_int_equal(intake_count(f, "taken"), 2);
	assert_int_equal(intake_count(f, "repeated"), 2);
}

static void test_headers(void **state)
{
	static const struct {
		const char *headers;
		int status;
	} cases[] = {
		{TYPE, 400},
		{TYPE WIRE_NOW_HEADER ": \r\n", 400},
		{TYPE WIRE_NOW_HEADER ": 0\r\n", 400},
		{TYPE WIRE_NOW_HEADER ": 12 \t3\r\n", 400},
		{TYPE WIRE_NOW_HEADER ": -5\r\n", 400},
		{TYPE WIRE_NOW_HEADER ": 0x10\r\n", 400},
		{TYPE WIRE_NOW_HEADER ": 99999999999999999999\r\n", 400},
		{TYPE WIRE_NOW_HEADER ": 1\r\n", 400}, /* before the window's end */
		{WIRE_NOW_HEADER ": 1\r\n", 415},
		{"Content-Type: application/json\r\n" WIRE_NOW_HEADER ": 1\r\n", 415},
		{"Content-Type: application/x-millrace2\r\n" WIRE_NOW_HEADER ": 1\r\n", 415},
	};
	struct server_fixture *f = *state;
	struct bytes b = next_batch(f);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
			post_with(f, "/api/v1/batches", cases[i].headers, b.data, b.size, NULL),
			cases[i].status);
	assert_int_equal(intake_count(f, "refused_header"), 8);
	assert_int_equal(post(f, b.data, b.size), 204);
	assert_batches(f, 1);
	free(b.data);
}

/* Cut off anywhere, and with a bit changed anywhere: the good batches between count, all of them.
 */
static void test_damaged(void **state)
{
	struct server_fixture *f = *state;
	struct bytes good = next_batch(f), b;
	unsigned int sent = 1, refused = 0;
	size_t at;

	assert_int_equal(post(f, good.data, good.size), 204);
	b = encode(server_fixture_batch(f, "two"));
	for (at = 0; at < b.size; at += 7, refused++)
		assert_int_equal(post(f, b.data, at), 400);
	for (at = 0; at < b.size; at += 11) {
		int status;

		b.data[at] ^= 1 << at % 8;
		status = post(f, b.data, b.size);
		b.data[at] ^= 1 << at % 8;
		/* the frame's checksum; or its size, which says too much */
		refused += status == 400 || status == 413;
		if (status == 400 || status == 413)
			continue;
		/* a bit of the frame that means nothing: what is in it is as it was */
		assert_int_equal(status, 204);
		sent++;
		free(b.data);
		b = next_batch(f);
	}
	assert_int_equal(post(f, b.data, b.size), 204);
	assert_batches(f, ++sent);
	assert_int_equal(intake_count(f, "refused_no_batch") + intake_count(f, "refused_too_large"),
			 refused);
	free(good.data);
	free(b.data);
}

static void test_other_body(void **state)
{
	struct server_fixture *f = *state;
	struct bytes b;

	take(f);
	f->sequence--;
	b = next_batch(f); /* another window under a sequence that was taken */
	assert_int_equal(post(f, b.data, b.size), 422);
	free(b.data);
	assert_int_equal(intake_count(f, "refused_other_body"), 1);
	take(f);
	assert_batches(f, 2);
}

static void test_asks_for_definitions(void **state)
{
	struct server_fixture *f = *state;
	struct wire_batch *definitions = server_fixture_batch(f, "two"); /* the first has them */
	struct bytes b = next_batch(f), d;

	assert_int_equal(post(f, b.data, b.size), 409);
	definitions->sequence = 2;
	definitions->definitions = true;
	definitions->window_start_ns = definitions->window_end_ns = 0;
	definitions->update_count = definitions->event_count = 0;
	d = encode(definitions);
	assert_int_equal(post(f, d.data, d.size), 204);
	assert_int_equal(post(f, b.data, b.size), 204);
	assert_batches(f, 1);
	assert_int_equal(intake_count(f, "asked_definitions"), 1);
	free(b.data);
	free(d.data);
}

static void test_lives_and_names(void **state)
{
	struct server_fixture *f = *state;
	struct wire_batch *batch;
	struct bytes b;

	take(f);
	f->sequence = 0;
	batch = server_fixture_batch(f, "two");
	batch->boot_id = "22222222-2222-3333-4444-555555555555";
	b = encode(batch);
	assert_int_equal(post(f, b.data, b.size), 403);
	free(b.data);
	f->sequence = 0;
	batch = server_fixture_batch(f, "two");
	batch->started_ns = 0;
	b = encode(batch);
	assert_int_equal(post(f, b.data, b.size), 410);
	free(b.data);
	take(f);
	assert_batches(f, 2);
}

/* A frame that says little and holds much, or says much. */
static void test_bombs(void **state)
{
	struct server_fixture *f = *state;
	size_t size = 64u << 20;
	uint8_t *content = calloc(1, size), *frame;
	size_t frame_size;

	assert_int_equal(frame_pack(content, size, &frame, &frame_size), 0);
	assert_true(frame_size < API_BATCH_SIZE_MAX);
	assert_int_equal(post(f, frame, frame_size), 413);
	free(frame);
	assert_int_equal(frame_pack(content, 16u << 20, &frame, &frame_size), 0);
	assert_int_equal(post(f, frame, frame_size), 400); /* it fits, and is nothing */
	free(frame);
	assert_int_equal(post(f, content, API_BATCH_SIZE_MAX + 1), 413);
	free(content);
	take(f);
	assert_batches(f, 1);
}

static void test_other_schema(void **state)
{
	static const uint8_t version_7[] = {0x08, 0x07}; /* field 1 is the version */
	struct server_fixture *f = *state;
	size_t frame_size;
	uint8_t *frame;

	assert_int_equal(frame_pack(version_7, sizeof(version_7), &frame, &frame_size), 0);
	assert_int_equal(post(f, frame, frame_size), 422);
	free(frame);
	assert_int_equal(intake_count(f, "refused_schema"), 1);
}

static void test_answers_nobody_awaits(void **state)
{
	struct wire_answer answer = {.id = 7};
	struct server_fixture *f = *state;
	struct bytes b;

	assert_int_equal(wire_answer_encode(&answer, &b.data, &b.size), 0);
	assert_int_equal(post_with(f, "/api/v1/answers", TYPE, b.data, b.size, NULL), 204);
	assert_int_equal(post_with(f, "/api/v1/answers", TYPE, b.data, b.size - 1, NULL), 400);
	assert_int_equal(post_with(f, "/api/v1/answers", TYPE, "", 0, NULL), 400);
	assert_int_equal(intake_count(f, "refused_answers"), 3);
	free(b.data);
}

/* `up` takes none: a process of the machine could else pose as a newer life of its agent. */
static void test_takes_no_agents(void **state)
{
	struct server_fixture *f = *state, alone = {.port = 0};
	struct server_config config = {.listen = "127.0.0.1:0", .version = "test"};
	struct bytes b = next_batch(f);

	assert_int_equal(server_open(&alone.server, &config, NULL), 0);
	assert_int_equal(server_start(alone.server), 0);
	alone.port = server_port(alone.server);
	assert_int_equal(post(&alone, b.data, b.size), 403);
	json_decref(server_fixture_get(&alone, "/api/v1/graph", 200));
	server_free(alone.server);
	free(b.data);
}

static void test_bounds_agree(void **state)
{
	assert_int_equal(API_BATCH_SIZE_MAX, wire_limits_default.compressed_size_max);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_fixture_setup, server_fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds_agree),
		TEST(test_taken_once),
		TEST(test_headers),
		TEST(test_damaged),
		TEST(test_other_body),
		TEST(test_asks_for_definitions),
		TEST(test_lives_and_names),
		TEST(test_bombs),
		TEST(test_other_schema),
		TEST(test_answers_nobody_awaits),
		TEST(test_takes_no_agents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
