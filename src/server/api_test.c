/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: what an agent reports is what the API says, to the byte, under the names of the
 * interface; requests that wait for an agent end one way or the other; readers of the stream are
 * bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/api.h"
#include "server/server_for_test.h"

/* "connections.failed.refused" of an object. */
static const json_t *at(const json_t *object, const char *path)
{
	char name[64];

	while (*path) {
		size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		object = json_object_get(object, name);
		path += length + (path[length] == '.');
	}
	return object;
}

static long long number(const json_t *object, const char *path)
{
	const json_t *value = at(object, path);

	if (!json_is_integer(value))
		fail_msg("%s is not an integer", path);
	return json_integer_value(value);
}

static const char *text(const json_t *object, const char *path)
{
	const char *value = json_string_value(at(object, path));

	if (!value)
		fail_msg("%s is not text", path);
	return value;
}

static json_t *find(const json_t *list, const char *path, long long value)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (number(json_array_get(list, i), path) == value)
			return json_array_get(list, i);
	fail_msg("none has %s %lld", path, value);
	return NULL;
}

static void assert_redis(const json_t *edge, long long windows)
{
	assert_int_equal(number(edge, "bytes_to_server"), 1000 * windows);
	assert_int_equal(number(edge, "bytes_to_client"), 50000 * windows);
	assert_int_equal(number(edge, "segments_to_server"), 10 * windows);
	assert_int_equal(number(edge, "retransmits_to_server"), windows);
	assert_int_equal(number(edge, "connections.attempted"), 3 * windows);
	assert_int_equal(number(edge, "connections.opened"), 3 * windows);
	assert_int_equal(number(edge, "connections.closed"), 2 * windows);
	assert_int_equal(number(edge, "rtt_us.count"), 2 * windows);
	assert_int_equal(number(edge, "rtt_us.min"), 40);
	assert_int_equal(number(edge, "rtt_us.max"), 80);
	assert_int_equal(number(edge, "connect_us.max"), 55);
	assert_int_equal(number(edge, "server_view.retransmits_to_client"), 2 * windows);
	assert_int_equal(number(edge, "server_view.limited_us_to_client.send_buffer"),
			 1234 * windows);
}

static void test_graph(void **state)
{
	struct server_fixture *f = *state;
	json_t *graph;
	const json_t *edges, *edge;

	server_fixture_submit_and_wait(f);
	server_fixture_submit_and_wait(f);
	graph = server_fixture_get(f, "/api/v1/graph", 200);
	edges = at(graph, "edges");
	edge = find(edges, "port", 6379);
	assert_redis(edge, 2);
	assert_int_equal(number(edge, "connections.active"), 2);
	assert_string_equal(text(edge, "class"), "same_node");
	edge = find(edges, "port", 443);
	assert_int_equal(number(edge, "connections.failed.refused"), 4);
	assert_int_equal(number(edge, "connections.opened"), 0);
	assert_string_equal(text(edge, "class"), "external");
	assert_true(json_is_null(at(edge, "server_view")));
	assert_string_not_equal(text(edge, "health"), "ok");
	assert_int_equal(number(graph, "completeness.agents.reporting"), 1);
	assert_int_equal(number(graph, "completeness.unresolved_bytes"), 14);
	assert_true(json_number_value(at(graph, "completeness.covered.to")) -
			    json_number_value(at(graph, "completeness.covered.from")) >=
		    1);
	json_decref(graph);
}

static void test_filter_and_group(void **state)
{
	struct server_fixture *f = *state;
	json_t *graph;

	server_fixture_submit_and_wait(f);
	graph = server_fixture_get(f, "/api/v1/graph?filter=server%3Aredis%2A&group=process", 200);
	assert_string_equal(text(graph, "group"), "process");
	assert_int_equal(json_array_size(at(graph, "edges")), 1);
	assert_redis(json_array_get(at(graph, "edges"), 0), 1);
	json_decref(graph);
	graph = server_fixture_get(f, "/api/v1/graph?filter=port:1", 200);
	assert_int_equal(json_array_size(at(graph, "edges")), 0);
	json_decref(graph);
}

/* Ranges that touch count every window once. */
static void test_ranges(void **state)
{
	struct server_fixture *f = *state;
	json_t *first, *second, *all;
	char target[200];

	server_fixture_submit_and_wait(f);
	usleep(20000);
	first = server_fixture_get(f, "/api/v1/graph?filter=port:6379", 200);
	usleep(20000);
	server_fixture_submit_and_wait(f);
	snprintf(target, sizeof(target), "/api/v1/graph?filter=port:6379&from=%.6f",
		 json_real_value(at(first, "to")));
	second = server_fixture_get(f, target, 200);
	all = server_fixture_get(f, "/api/v1/graph?filter=port:6379", 200);
	assert_int_equal(number(json_array_get(at(first, "edges"), 0), "bytes_to_server"), 1000);
	assert_int_equal(number(json_array_get(at(second, "edges"), 0), "bytes_to_server"), 1000);
	assert_int_equal(number(json_array_get(at(all, "edges"), 0), "bytes_to_server"), 2000);
	json_decref(first);
	json_decref(second);
	json_decref(all);
}

static void test_flows(void **state)
{
	struct server_fixture *f = *state;
	json_t *flows;
	const json_t *row;

	server_fixture_submit_and_wait(f);
	server_fixture_submit_and_wait(f);
	flows = server_fixture_get(f, "/api/v1/flows?filter=port:6379", 200);
	assert_int_equal(number(flows, "total"), 1);
	row = json_array_get(at(flows, "flows"), 0);
	assert_redis(row, 2);
	assert_string_equal(text(row, "client.process"), "nginx");
	assert_string_equal(text(row, "client.unit"), "nginx.service");
	assert_string_equal(text(row, "client.address"), "127.0.0.1");
	assert_string_equal(text(row, "server.process"), "redis-server");
	assert_int_equal(number(row, "server.port"), 6379);
	assert_int_equal(number(row, "server.pid"), 102);
	assert_null(at(row, "client.port"));
	assert_string_equal(text(row, "seen_by"), "client");
	json_decref(flows);
	flows = server_fixture_get(f, "/api/v1/flows?filter=port:6379&view=ends&per=window", 200);
	assert_int_equal(number(flows, "total"), 4);
	json_decref(flows);
}

/* No byte of a hostile name reaches the answer as it was. */
static void test_hostile_names(void **state)
{
	struct server_fixture *f = *state;
	struct client_reply r;
	size_t i, length;

	server_fixture_submit_and_wait(f);
	client_get(f->port, "/api/v1/flows", &r);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body, "vil"));
	for (i = 0; r.body[i]; i += length) {
		length = emit_utf8_length(r.body + i, strlen(r.body + i));
		assert_int_not_equal(length, 0);
		assert_true((unsigned char)r.body[i] >= 0x20 && r.body[i] != 0x7f);
	}
	client_reply_done(&r);
}

static void test_series(void **state)
{
	struct server_fixture *f = *state;
	json_t *series;
	const json_t *values;
	long long sum = 0, gaps = 0;
	size_t i;

	server_fixture_submit_and_wait(f);
	server_fixture_submit_and_wait(f);
	series = server_fixture_get(f, "/api/v1/series?from=-20s&step=1s&counters=opened", 200);
	values = at(json_array_get(at(series, "lines"), 0), "values.opened");
	assert_int_equal(json_array_size(values), number(series, "steps"));
	assert_in_range(json_array_size(values), 20, 22);
	for (i = 0; i < json_array_size(values); i++) {
		gaps += json_is_null(json_array_get(values, i));
		sum += json_integer_value(json_array_get(values, i));
	}
	assert_int_equal(sum, 6);
	assert_in_range(gaps, 17, 21); /* no agent then: a gap, not a zero */
	json_decref(series);
}

static void test_agents(void **state)
{
	struct server_fixture *f = *state;
	json_t *root;
	const json_t *agent;
	size_t i, found = 0;

	server_fixture_submit_and_wait(f);
	root = server_fixture_get(f, "/api/v1/agents", 200);
	agent = json_array_get(at(root, "agents"), 0);
	assert_string_equal(text(agent, "node"), "one");
	assert_string_equal(text(agent, "hooks"), "sock_ops");
	assert_int_equal(number(agent, "sockets"), 12);
	assert_int_equal(number(json_array_get(at(agent, "netns"), 0), "baseline_passive_opens"),
			 200);
	assert_int_equal(json_array_size(at(agent, "losses")), WIRE_LOSS_COUNT);
	for (i = 0; i < WIRE_LOSS_COUNT; i++) {
		const json_t *loss = json_array_get(at(agent, "losses"), i);

		assert_true(*text(loss, "help"));
		found += !strcmp(text(loss, "cause"), "flows_full") && number(loss, "count") == 1;
	}
	assert_int_equal(found, 1);
	assert_int_equal(number(root, "server.queue.batches_dropped"), 0);
	json_decref(root);
}

static void test_connections(void **state)
{
	struct server_fixture *f = *state;
	json_t *root;
	const json_t *row;

	server_fixture_submit_and_wait(f);
	root = server_fixture_get(f, "/api/v1/connections?limit=7", 200);
	assert_int_equal(f->asked_max, 7);
	assert_int_equal(number(root, "total"), 3);
	row = find(at(root, "connections"), "pid", 101);
	assert_string_equal(text(row, "state"), "established");
	assert_string_equal(text(row, "client.process"), "nginx");
	assert_int_equal(number(row, "client.port"), 40000);
	assert_int_equal(number(row, "server.port"), 6379);
	assert_int_equal(number(row, "rtt_us"), 50);
	assert_int_equal(number(row, "age_ms"), 1500);
	row = find(at(root, "connections"), "pid", 102);
	assert_string_equal(text(row, "seen_by"), "server");
	assert_true(json_is_null(at(row, "age_ms")));
	row = find(at(root, "connections"), "pid", 109);
	assert_string_equal(text(row, "client.process"), "curl");
	assert_string_equal(text(row, "state"), "syn_sent");
	json_decref(root);
}

/* More than may wait: those are told at once; the others when the agent's time is over. */
static void test_silent_agent(void **state)
{
	struct server_fixture *f = *state;
	int fds[API_WAITS_MAX], size, i;
	struct client_reply r = {0};
	char request[128];
	json_t *root;

	f->answering = SILENT;
	size = snprintf(request, sizeof(request),
			"GET /api/v1/connections HTTP/1.1\r\nHost: localhost:%u\r\n"
			"Connection: close\r\n\r\n",
			f->port);
	for (i = 0; i < API_WAITS_MAX; i++) {
		fds[i] = client_connect(f->port);
		assert_int_equal(send(fds[i], request, size, 0), size);
	}
	usleep(100000);
	root = server_fixture_get(f, "/api/v1/connections", 503);
	json_decref(root);
	for (i = 0; i < API_WAITS_MAX; i++) {
		client_read_all(fds[i], &r);
		assert_int_equal(r.status, 504);
		client_reply_done(&r);
		close(fds[i]);
	}
	f->answering = ANSWERS;
	json_decref(server_fixture_get(f, "/api/v1/connections", 200));
}

static void test_verify(void **state)
{
	struct server_fixture *f = *state;
	json_t *root;

	root = server_fixture_get(f, "/api/v1/verify?sweep=1", 200);
	assert_int_equal(f->sweeps, 1);
	assert_int_equal(number(json_array_get(at(root, "agents"), 0), "sequence"), 2);
	json_decref(root);
	root = server_fixture_get(f, "/api/v1/verify", 200);
	assert_int_equal(f->sweeps, 1);
	json_decref(root);
}

static int open_stream(struct server_fixture *f, const char *query, struct client_reply *r)
{
	int fd = client_connect(f->port), size;
	char request[200];

	size = snprintf(request, sizeof(request),
			"GET /api/v1/stream%s HTTP/1.0\r\nHost: localhost:%u\r\n\r\n", query,
			f->port);
	assert_int_equal(send(fd, request, size, 0), size);
	*r = (struct client_reply){0};
	client_read_until(fd, r, "\n\n"); /* a comment, or an error */
	return fd;
}

static json_t *next_event(int fd, struct client_reply *r)
{
	char *data;
	json_t *graph;

	client_reply_done(r);
	assert_int_equal(client_read_until(fd, r, "}\n\n"), 0);
	data = strstr(r->text, "event: graph\ndata: ");
	assert_non_null(data);
	graph = json_loads(data + 19, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(graph);
	return graph;
}

/* Each event has its window and no other; readers get what they asked for. */
static void test_stream(void **state)
{
	struct server_fixture *f = *state;
	struct client_reply all, some;
	int fd_all = open_stream(f, "", &all);
	int fd_some = open_stream(f, "?filter=port:443", &some), i;
	const json_t *edge;
	double to = 0;
	json_t *graph;

	for (i = 0; i < 3; i++) {

		usleep(20000);
		server_fixture_submit(f);
		graph = next_event(fd_all, &all);
		edge = find(at(graph, "edges"), "port", 6379);
		assert_redis(edge, 1);
		assert_int_equal(number(edge, "connections.active"), i + 1); /* a gauge */
		assert_true(!i || json_real_value(at(graph, "from")) == to);
		to = json_real_value(at(graph, "to"));
		json_decref(graph);
		graph = next_event(fd_some, &some);
		assert_int_equal(json_array_size(at(graph, "edges")), 1);
		json_decref(graph);
	}
	client_reply_done(&all);
	client_reply_done(&some);
	close(fd_all);
	close(fd_some);
}

static void test_stream_is_bounded(void **state)
{
	struct server_fixture *f = *state;
	struct client_reply r;
	int fds[API_STREAMS_MAX], i;
	json_t *root;

	for (i = 0; i < API_STREAMS_MAX; i++) {
		fds[i] = open_stream(f, "", &r);
		assert_int_equal(r.status, 200);
		client_reply_done(&r);
	}
	json_decref(server_fixture_get(f, "/api/v1/stream", 503));
	for (i = 0; i < API_STREAMS_MAX; i++)
		close(fds[i]);
	server_fixture_submit(f); /* writing to them shows that they have gone */
	usleep(100000);
	server_fixture_submit(f);
	for (i = 0; i < 100; i++) {
		root = server_fixture_get(f, "/api/v1/agents", 200);
		if (!number(root, "server.http.stream_subscribers"))
			break;
		json_decref(root);
		usleep(20000);
	}
	assert_int_equal(number(root, "server.http.stream_subscribers"), 0);
	json_decref(root);
}

static void test_plain_pages(void **state)
{
	struct server_fixture *f = *state;
	const struct http_route *route;
	struct client_reply r;

	client_get(f->port, "/api/v1", &r);
	assert_int_equal(r.status, 200);
	for (route = api_routes; route->path; route++)
		assert_non_null(strstr(r.body, route->path));
	client_reply_done(&r);
	client_get(f->port, "/?edge=a%7Cb&whatever", &r); /* the page reads that, not we */
	assert_int_equal(r.status, 200);
	client_reply_done(&r);
	client_get(f->port, "/healthz", &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "ok\n");
	client_reply_done(&r);
}

/* Stopped in the middle of everything, and never started: both end clean (ASan tells). */
static void test_stop(void **state)
{
	struct server_fixture *f = *state;
	struct server_config config = f->config;
	struct server *other;
	struct client_reply r;
	struct error error;
	char listen[40];
	int fd;

	f->answering = SILENT;
	fd = open_stream(f, "", &r);
	client_reply_done(&r);
	assert_true(send(fd, "GET", 3, 0) == 3);
	server_fixture_submit(f);
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", f->port);
	config.listen = listen;
	assert_true(server_open(&other, &config, &error) < 0);
	assert_non_null(strstr(error.text, "address already in use"));
	config.listen = "0.0.0.0:0";
	assert_true(server_open(&other, &config, &error) < 0);
	config.listen = "[::1]:0";
	if (!server_open(&other, &config, &error))
		server_free(other);
	f->server = server_free(f->server);
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_fixture_setup, server_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_graph),         TEST(test_filter_and_group),
		TEST(test_ranges),        TEST(test_flows),
		TEST(test_hostile_names), TEST(test_series),
		TEST(test_agents),        TEST(test_connections),
		TEST(test_silent_agent),  TEST(test_verify),
		TEST(test_stream),        TEST(test_stream_is_bounded),
		TEST(test_plain_pages),   TEST(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
