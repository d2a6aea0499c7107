/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: docs/openapi.yaml and the server say the same. Every route and parameter of the tables is
 * there and nothing else; real answers, with hostile text in them, hold against the schemas.
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
#include "server/schema_for_test.h"
#include "server/server_for_test.h"

static json_t *document;

static const json_t *resolve(const json_t *part)
{
	const char *reference = json_string_value(json_object_get(part, "$ref"));

	return reference ? schema_resolve(document, reference) : part;
}

/* --- the tables ------------------------------------------------------------------------------ */

static size_t count_params(const struct param_spec *specs)
{
	size_t n = 0;

	for (; specs && specs[n].name; n++)
		;
	return n;
}

static const struct param_spec *find_param(const struct param_spec *specs, const char *name)
{
	for (; specs && specs->name; specs++)
		if (!strcmp(specs->name, name))
			return specs;
	fail_msg("openapi has parameter %s, the route does not", name);
	return NULL;
}

/* "a|b" of an enum; a default or a bound as text. */
static void as_text(const json_t *value, char *ret, size_t size)
{
	size_t i, used = 0;

	ret[0] = '\0';
	if (json_is_string(value))
		snprintf(ret, size, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(ret, size, "%lld", (long long)json_integer_value(value));
	for (i = 0; i < json_array_size(value); i++)
		used += snprintf(ret + used, size - used, "%s%s", i ? "|" : "",
				 json_string_value(json_array_get(value, i)));
}

static void compare_param(const struct param_spec *spec, const json_t *param)
{
	const json_t *schema = json_object_get(param, "schema");
	char text[200];

	assert_string_equal(json_string_value(json_object_get(param, "in")), "query");
	as_text(json_object_get(schema, "default"), text, sizeof(text));
	assert_string_equal(text, spec->fallback ? spec->fallback : "");
	if (spec->kind == PARAM_CHOICE) {
		as_text(json_object_get(schema, "enum"), text, sizeof(text));
		assert_string_equal(text, spec->choices);
	}
	if (spec->kind == PARAM_COUNT) {
		assert_int_equal(json_integer_value(json_object_get(schema, "minimum")), spec->min);
		assert_int_equal(json_integer_value(json_object_get(schema, "maximum")), spec->max);
	}
}

static void test_routes_and_parameters(void **state)
{
	const json_t *paths = json_object_get(document, "paths");
	static const char *const methods[] = {"get", "post", "delete"};
	const struct http_route *route;
	size_t operations = 0, routes = 0, i;
	const char *path;
	json_t *item;

	json_object_foreach((json_t *)paths, path, item)
		operations += json_object_size(item);
	for (route = api_routes; route->path; route++, routes++) {
		const json_t *operation = json_object_get(json_object_get(paths, route->path),
							  methods[route->method]);
		const json_t *params = json_object_get(operation, "parameters");
		const json_t *body = json_object_get(operation, "requestBody");

		if (!operation)
			fail_msg("openapi lacks %s %s", methods[route->method], route->path);
		assert_int_equal(route->body_size_max > 0, body != NULL);
		if (body && !json_object_get(json_object_get(body, "content"), route->content_type))
			fail_msg("openapi: the body of %s is no %s", route->path,
				 route->content_type);
		assert_int_equal(json_array_size(params), count_params(route->params));
		for (i = 0; i < json_array_size(params); i++) {
			const json_t *param = resolve(json_array_get(params, i));
			const char *name = json_string_value(json_object_get(param, "name"));

			compare_param(find_param(route->params, name), param);
		}
	}
	assert_int_equal(operations, routes);
}

/* --- answers --------------------------------------------------------------------------------- */

static const json_t *answer_schema(const char *path, const char *status, const char *type)
{
	const json_t *part = json_object_get(json_object_get(document, "paths"), path);

	part = json_object_get(json_object_get(json_object_get(part, "get"), "responses"), status);
	part = json_object_get(json_object_get(resolve(part), "content"), type);
	part = json_object_get(part, "schema");
	if (!part)
		fail_msg("openapi lacks %s of %s", status, path);
	return part;
}

static void assert_conforms(const char *path, const char *status, const char *type,
			    const json_t *value)
{
	struct error error;

	if (schema_check(document, answer_schema(path, status, type), value, &error) < 0)
		fail_msg("%s: %s", path, error.text);
}

/* Asks and compares; how many of `list` the answer has. */
static size_t ask(struct server_fixture *f, const char *target, int status, const char *list)
{
	json_t *root = server_fixture_get(f, target, status);
	char path[100], code[8];
	size_t size;

	snprintf(path, sizeof(path), "%.*s", (int)strcspn(target, "?"), target);
	snprintf(code, sizeof(code), "%d", status);
	assert_conforms(path, code, "application/json", root);
	size = json_array_size(json_object_get(root, list));
	json_decref(root);
	return size;
}

static void test_empty_server(void **state)
{
	struct server_fixture *f = *state;

	assert_int_equal(ask(f, "/api/v1/graph", 200, "edges"), 0);
	assert_int_equal(ask(f, "/api/v1/flows", 200, "flows"), 0);
	ask(f, "/api/v1/series", 200, "lines");
	assert_int_equal(ask(f, "/api/v1/events", 200, "events"), 0);
	assert_int_equal(ask(f, "/api/v1/agents", 200, "agents"), 0);
	assert_int_equal(ask(f, "/api/v1/verify", 200, "agents"), 0);
}

static void test_answers(void **state)
{
	struct server_fixture *f = *state;

	server_fixture_submit_and_wait(f);
	server_fixture_submit_and_wait(f);
	assert_true(ask(f, "/api/v1/graph", 200, "edges") >= 2);
	assert_true(ask(f, "/api/v1/graph?buckets=1&group=process&from=-1h", 200, "nodes") >= 3);
	assert_true(ask(f, "/api/v1/graph?group=node", 200, "nodes") >= 1);
	assert_true(ask(f, "/api/v1/flows?buckets=1", 200, "flows") >= 2);
	assert_true(ask(f, "/api/v1/flows?view=ends&per=window", 200, "flows") >= 3);
	assert_int_equal(ask(f, "/api/v1/flows?limit=1", 200, "flows"), 1);
	assert_int_equal(ask(f, "/api/v1/series?rtt=1", 200, "lines"), 1);
	assert_true(ask(f, "/api/v1/series?by=edge&step=10s&rtt=1&counters=opened,failed_refused",
			200, "lines") >= 2);
	assert_int_equal(ask(f, "/api/v1/events", 200, "events"), 2);
	assert_int_equal(ask(f, "/api/v1/events?filter=redis*", 200, "events"), 1);
	assert_int_equal(ask(f, "/api/v1/events?limit=1", 200, "events"), 1);
	assert_int_equal(ask(f, "/api/v1/agents", 200, "agents"), 1);
	assert_int_equal(ask(f, "/api/v1/connections", 200, "connections"), 3);
	assert_int_equal(ask(f, "/api/v1/connections?filter=server:redis*", 200, "connections"), 2);
	assert_int_equal(ask(f, "/api/v1/verify?sweep=1", 200, "agents"), 1);
	assert_int_equal(f->sweeps, 1);
}

static void test_errors(void **state)
{
	static const char *const wrong[] = {
		"/api/v1/graph?from=yesterday",    "/api/v1/graph?group=nonsense",
		"/api/v1/graph?from=now&to=-5m",   "/api/v1/graph?filter=%28%28%28:",
		"/api/v1/graph?buckets=2",         "/api/v1/flows?view=sideways",
		"/api/v1/flows?limit=0",           "/api/v1/flows?group=process",
		"/api/v1/connections?from=-5m",    "/api/v1/connections?filter=nokey:x",
		"/api/v1/series?from=1e999",       "/api/v1/series?step=0",
		"/api/v1/series?step=1s&from=-1d", "/api/v1/series?counters=bytes",
		"/api/v1/series?counters=",        "/api/v1/series?counters=opened,,closed",
		"/api/v1/stream?group=x",          "/api/v1/stream?filter=nokey:x",
		"/api/v1/verify?sweep=yes",        "/api/v1/events?limit=0",
		"/api/v1/events?filter=port:80",   "/api/v1/events?filter=redis%20!protocol:tcp",
	};
	struct server_fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ask(f, wrong[i], 400, "");
	f->answering = SILENT;
	ask(f, "/api/v1/connections", 504, "");
}

static void test_stream(void **state)
{
	struct server_fixture *f = *state;
	struct client_reply r = {0};
	int fd = client_connect(f->port), size;
	char request[100], *data;
	json_t *graph;

	size = snprintf(request, sizeof(request),
			"GET /api/v1/stream HTTP/1.0\r\nHost: localhost:%u\r\n\r\n", f->port);
	assert_int_equal(send(fd, request, size, 0), size);
	assert_int_equal(client_read_until(fd, &r, "\n\n"), 0);
	server_fixture_submit(f);
	assert_int_equal(client_read_until(fd, &r, "event: graph\ndata: "), 0);
	assert_int_equal(client_read_until(fd, &r, "}\n\n"), 0);
	data = strstr(r.text, "data: ") + 6;
	*strchr(data, '\n') = '\0';
	graph = json_loads(data, 0, NULL);
	assert_conforms("/api/v1/stream", "200", "text/event-stream", graph);
	assert_true(json_array_size(json_object_get(graph, "edges")) >= 2);
	json_decref(graph);
	client_reply_done(&r);
	close(fd);
}

/* The schema is not so loose that it passes anything: each of these changes must be noticed. */
static void test_schema_notices(void **state)
{
	struct server_fixture *f = *state;
	const json_t *schema = answer_schema("/api/v1/graph", "200", "application/json");
	json_t *root, *edge;
	struct error error;

	server_fixture_submit_and_wait(f);
	root = server_fixture_get(f, "/api/v1/graph", 200);
	edge = json_array_get(json_object_get(root, "edges"), 0);
	assert_int_equal(schema_check(document, schema, root, &error), 0);
	json_object_set_new(edge, "port", json_string("80"));
	assert_true(schema_check(document, schema, root, &error) < 0);
	assert_string_equal(error.text, ".edges[0].port: wrong type");
	json_object_set_new(edge, "port", json_integer(65536));
	assert_true(schema_check(document, schema, root, &error) < 0);
	json_object_set_new(edge, "port", json_integer(80));
	json_object_set_new(edge, "colour", json_integer(1));
	assert_true(schema_check(document, schema, root, &error) < 0);
	assert_string_equal(error.text, ".edges[0]: 'colour' is not in the schema");
	json_object_del(edge, "colour");
	json_object_set_new(edge, "health", json_string("fine"));
	assert_true(schema_check(document, schema, root, &error) < 0);
	json_object_set_new(edge, "health", json_string("ok"));
	json_object_set_new(edge, "server_view", json_object());
	assert_true(schema_check(document, schema, root, &error) < 0);
	json_object_set_new(edge, "server_view", json_null());
	assert_int_equal(schema_check(document, schema, root, &error), 0);
	json_object_del(edge, "bytes_to_server");
	assert_true(schema_check(document, schema, root, &error) < 0);
	json_decref(root);
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_fixture_setup, server_fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes_and_parameters),
		TEST(test_empty_server),
		TEST(test_answers),
		TEST(test_errors),
		TEST(test_stream),
		TEST(test_schema_notices),
	};
	struct error error;
	int failed;

	document = schema_load_yaml(argv[1], &error);
	if (!document) {
		print_error("%s\n", error.text);
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(document);
	return failed;
}
