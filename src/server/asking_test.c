/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: what a reader asks goes to every agent with the reply to its next batch, once; the
 * answers make one; who does not answer is named; and nobody can answer who was not asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/server_for_test.h"
#include "wire/encode.h"
#include "wire/exchange.h"

#define TYPE "Content-Type: " WIRE_CONTENT_TYPE "\r\n"

static const char *const nodes[] = {"north", "south"};
static uint64_t sequences[2];

static int setup(void **state)
{
	memset(sequences, 0, sizeof(sequences));
	return server_fixture_setup_elsewhere(state);
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* The next window of an agent; what its reply asks. */
static struct wire_reply report(struct server_fixture *f, int agent)
{
	struct wire_reply requests = {.request_count = 0};
	struct wire_batch *b;
	struct client_reply reply;
	uint8_t *bytes;
	size_t size;
	char headers[128];

	f->sequence = sequences[agent]++;
	b = server_fixture_batch(f, nodes[agent]);
	assert_int_equal(wire_encode(b, &bytes, &size), 0);
	wire_batch_free(b);
	snprintf(headers, sizeof(headers), TYPE WIRE_NOW_HEADER ": %lu\r\n", monotonic_ns());
	client_post(f->port, "/api/v1/batches", headers, bytes, size, &reply);
	free(bytes);
	if (reply.status == 200)
		assert_int_equal(wire_reply_decode(reply.body,
						   reply.size - (size_t)(reply.body - reply.text),
						   &requests, NULL),
				 0);
	else
		assert_int_equal(reply.status, 204);
	client_reply_done(&reply);
	return requests;
}

static void answer(struct server_fixture *f, uint64_t id)
{
	struct wire_answer *a = server_fixture_answer(id);
	struct client_reply reply;
	uint8_t *bytes;
	size_t size;

	assert_int_equal(wire_answer_encode(a, &bytes, &size), 0);
	wire_answer_free(a);
	client_post(f->port, "/api/v1/answers", TYPE, bytes, size, &reply);
	assert_int_equal(reply.status, 204);
	client_reply_done(&reply);
	free(bytes);
}

/* A reader that asks and will read later. */
static int begin(struct server_fixture *f, const char *target)
{
	int fd = client_connect(f->port), size;
	char request[200];

	size = snprintf(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n",
			target, f->port);
	assert_int_equal(send(fd, request, size, 0), size);
	usleep(50000);
	return fd;
}

static json_t *end(int fd, int status)
{
	struct client_reply r = {0};
	json_t *root;

	client_read_all(fd, &r);
	close(fd);
	if (r.status != status)
		fail_msg("status %d, not %d: %s", r.status, status, r.text);
	root = json_loads(r.body, 0, NULL);
	client_reply_done(&r);
	assert_non_null(root);
	return root;
}

static size_t count(const json_t *root, const char *list)
{
	return json_array_size(json_object_get(root, list));
}

static void test_all_answer(void **state)
{
	struct server_fixture *f = *state;
	struct wire_reply north, south;
	json_t *root;
	int fd;

	report(f, 0);
	report(f, 1);
	fd = begin(f, "/api/v1/connections?limit=5");
	north = report(f, 0);
	south = report(f, 1);
	assert_int_equal(north.request_count, 1);
	assert_int_equal(south.request_count, 1);
	assert_false(north.sweep_now);
	assert_int_equal(north.requests[0].connections_max, 5);
	assert_int_not_equal(north.requests[0].id, south.requests[0].id);
	assert_int_equal(report(f, 0).request_count, 0); /* asked once */
	answer(f, north.requests[0].id);
	answer(f, north.requests[0].id); /* a second one counts for nothing */
	answer(f, north.requests[0].id + 1);
	answer(f, south.requests[0].id);
	root = end(fd, 200);
	assert_int_equal(count(root, "connections"), 5); /* of three each */
	assert_int_equal(json_integer_value(json_object_get(root, "total")), 6);
	assert_int_equal(count(root, "missing"), 0);
	json_decref(root);
}

static void test_one_is_silent(void **state)
{
	struct server_fixture *f = *state;
	struct wire_reply north;
	json_t *root, *missing;
	int fd;

	report(f, 0);
	report(f, 1);
	fd = begin(f, "/api/v1/connections?filter=server:redis*");
	north = report(f, 0);
	assert_int_equal(north.requests[0].connections_max, 25000);
	answer(f, north.requests[0].id);
	root = end(fd, 200);
	assert_int_equal(count(root, "connections"), 2);
	missing = json_object_get(root, "missing");
	assert_int_equal(json_array_size(missing), 1);
	assert_string_equal(json_string_value(json_array_get(missing, 0)), "south");
	json_decref(root);
	answer(f, north.requests[0].id); /* late: nobody waits any more */
}

static void test_nobody_answers(void **state)
{
	struct server_fixture *f = *state;

	json_decref(server_fixture_get(f, "/api/v1/connections", 503));
	json_decref(server_fixture_get(f, "/api/v1/verify?sweep=1", 503));
	report(f, 0);
	json_decref(server_fixture_get(f, "/api/v1/connections", 504));
}

static void test_one_node(void **state)
{
	struct server_fixture *f = *state;
	struct wire_reply south;
	json_t *root;
	int fd;

	report(f, 0);
	report(f, 1);
	json_decref(server_fixture_get(f, "/api/v1/connections?node=east", 404));
	fd = begin(f, "/api/v1/connections?node=south");
	assert_int_equal(report(f, 0).request_count, 0);
	south = report(f, 1);
	assert_int_equal(south.request_count, 1);
	answer(f, south.requests[0].id);
	root = end(fd, 200);
	assert_int_equal(count(root, "connections"), 3);
	json_decref(root);
}

/* What was on its way when the agent was told counts for nothing; two windows after that do. */
static void test_sweep(void **state)
{
	struct server_fixture *f = *state;
	json_t *root;
	int fd, i;

	report(f, 0);
	report(f, 1);
	fd = begin(f, "/api/v1/verify?sweep=1");
	assert_true(report(f, 0).sweep_now);
	assert_false(report(f, 0).sweep_now);
	assert_true(report(f, 1).sweep_now);
	for (i = 0; i < 2; i++) {
		report(f, 0);
		report(f, 1);
	}
	root = end(fd, 200);
	assert_int_equal(count(root, "agents"), 2);
	assert_int_equal(count(root, "missing"), 0);
	json_decref(root);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, server_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all_answer), TEST(test_one_is_silent), TEST(test_nobody_answers),
		TEST(test_one_node),   TEST(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
