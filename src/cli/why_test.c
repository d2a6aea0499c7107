/* SPDX-License-Identifier: Apache-2.0 */
/* What `why` says of a known graph: each reason in its words, and the right thing to do next. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "example.h"
#include "human.h"
#include "why.h"

/* Takes the graph. */
static int explain_graph(json_t *json, const char *client, const char *server, char **ret_text,
			 struct error *ret_error)
{
	struct why_pair pair = {.client = client};
	struct graph g;
	char *name;
	size_t size;
	FILE *out = open_memstream(ret_text, &size);
	int r;

	assert_int_equal(graph_parse(&g, json), 0);
	assert_int_equal(why_split_server(server, &name, &pair.port), 0);
	pair.server = name;
	r = why_write(&g, &pair, out, ret_error);
	fclose(out);
	free(name);
	graph_done(&g);
	json_decref(json);
	return r;
}

static int explain(const char *client, const char *server, char **ret_text, struct error *ret_error)
{
	return explain_graph(example_graph(), client, server, ret_text, ret_error);
}

static void assert_says(const char *client, const char *server, const char *const *parts)
{
	struct error error = {0};
	char *text = NULL;

	assert_int_equal(explain(client, server, &text, &error), 0);
	for (; *parts; parts++)
		if (!strstr(text, *parts))
			fail_msg("\"%s\" is not in:\n%s", *parts, text);
	free(text);
}

#define SAYS(client, server, ...)                                                                  \
	assert_says(client, server, (const char *const[]){__VA_ARGS__, NULL})

static void refused(void **state)
{
	SAYS("curl", "web:81", "curl (process) -> web (service), port 81: fails (4 refused)",
	     "5 connections attempted, 0 opened", "5 of 5 attempts failed:",
	     "4 refused: an answer came at once that nobody listens there",
	     "1 given up by the client itself", "nobody known listens on port 81 of web now",
	     "what to do next: compare port 81 with where web listens (80, 443)");
}

static void refused_for_a_while(void **state)
{
	SAYS("process/evil", "web", "1 refused:", "first seen 4 min ago, idle in the last 5 min\n",
	     "what to do next: look at when web was started or restarted: it listens on port 80");
}

static void timed_out(void **state)
{
	SAYS("curl", "10.1.1.1", "2 timed out: no answer to any SYN", "1 pending: SYN sent",
	     "what to do next: look for a firewall or security group that drops port 443 between "
	     "curl and 10.1.1.1");
}

/* The example, where its hosts dropped something of this edge: of all, and of what the server saw.
 */
static void assert_says_of_drops(const char *client, const char *server, const char *drops,
				 const char *of_server, const char *const *parts)
{
	struct error error = {0};
	struct why_pair pair = {.client = client, .server = server, .port = -1};
	json_t *json = example_graph(), *edge;
	struct graph g;
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	json_array_foreach (json_object_get(json, "edges"), i, edge) {
		json_object_set_new(edge, "drops", json_loads(drops, 0, NULL));
		json_object_set_new(edge, "server_view", json_loads(of_server, 0, NULL));
	}
	assert_int_equal(graph_parse(&g, json), 0);
	assert_int_equal(why_write(&g, &pair, out, &error), 0);
	fclose(out);
	for (; *parts; parts++)
		if (!strstr(text, *parts))
			fail_msg("\"%s\" is not in:\n%s", *parts, text);
	graph_done(&g);
	json_decref(json);
	free(text);
}

static void dropped_by_its_own_host(void **state)
{
	static const char *const never[] = {
		"2 timed out: no answer to any SYN",
		"6 packets dropped on curl's own host by its firewall (NETFILTER_DROP)",
		"what to do next: look for the rule: nft list ruleset, iptables -S, on the host of "
		"curl: its firewall drops packets for port 443 itself",
		NULL};
	static const char *const some[] = {
		"3 packets dropped on web's own host by a queue of its network device (QDISC_DROP)",
		"1 packet dropped on db's own host by its network stack (OF_", NULL};

	assert_says_of_drops("curl", "10.1.1.1", "{\"NETFILTER_DROP\": 6}", "{}", never);
	assert_says_of_drops("web", "db", "{\"QDISC_DROP\": 3, \"OF_\\u001bX\": 1}",
			     "{\"drops\": {\"OF_\\u001bX\": 1}}", some);
}

/* The example's data base, which has turned 7 away, now with attempts that nobody answers. */
static json_t *unanswered_graph(const char *health, int pending, int timed_out)
{
	json_t *json = example_graph();
	json_t *edge = json_array_get(json_object_get(json, "edges"), 0);
	json_t *connections = json_object_get(edge, "connections");

	json_object_set_new(edge, "health", json_string(health));
	json_object_set_new(connections, "pending", json_integer(pending));
	json_object_set_new(json_object_get(connections, "failed"), "timed_out",
			    json_integer(timed_out));
	return json;
}

static void a_full_queue_is_blamed_before_a_firewall(void **state)
{
	static const int unanswered[][2] = {{1, 0}, {0, 2}, {3, 4}};
	struct error error = {0};
	char *text = NULL;

	for (size_t i = 0; i < 3; i++) {
		json_t *json = unanswered_graph("failing", unanswered[i][0], unanswered[i][1]);

		assert_int_equal(explain_graph(json, "web", "db", &text, &error), 0);
		assert_non_null(strstr(text, "7 connections turned away"));
		assert_non_null(strstr(text, "what to do next: make db accept faster"));
		free(text);
	}
}

static void an_attempt_under_way_is_no_fault(void **state)
{
	json_t *json = unanswered_graph("ok", 1, 0);
	struct error error = {0};
	char *text = NULL;

	json_object_clear(json_array_get(json_object_get(json, "nodes"), 1)); /* no listener */
	json_object_update_new(
		json_array_get(json_object_get(json, "nodes"), 1),
		json_pack("{s:s, s:s, s:s}", "id", "service/db", "kind", "service", "name", "db"));
	assert_int_equal(explain_graph(json, "web", "db", &text, &error), 0);
	assert_non_null(strstr(text, "1 pending: SYN sent"));
	assert_null(strstr(text, "firewall or security group"));
	free(text);
}

static void works_but_loses_and_waits(void **state)
{
	SAYS("web", "db", "port 5432: works\n",
	     "12 connections attempted, 12 opened, 9 closed, 3 open",
	     "first seen 4 min ago, last 1 s ago", "3.2 KB to db, 136 MB to web",
	     "round trip 85 us in the middle", "100 segments sent again (10 %)",
	     "db had data to send for 1.0 s; of that it waited 40 % for web to read",
	     "db listens on port 5432 of 127.0.0.1, 3 of 128 waiting to be accepted",
	     "7 connections turned away", "what to do next: make db accept faster");
}

static void nothing_was_tried(void **state)
{
	SAYS("web", "10.1.1.1", "web did not try to reach 10.1.1.1 in the last 5 min",
	     "web talks to db:5432", "10.1.1.1 is used by curl (port 443)",
	     "what to do next: look into web's configuration");
	SAYS("web", "db:80", "web did not try to reach db on port 80");
}

static void the_last_line_is_what_to_do(void **state)
{
	static const char *const pairs[][2] = {
		{"curl", "web"},
		{"web", "db"},
		{"db", "web"},
		{"CURL", "Web"},
	};

	for (size_t i = 0; i < 4; i++) {
		struct error error = {0};
		char *text = NULL, *last;

		assert_int_equal(explain(pairs[i][0], pairs[i][1], &text, &error), 0);
		text[strlen(text) - 1] = '\0';
		last = strrchr(text, '\n');
		assert_non_null(last);
		assert_int_equal(strncmp(last, "\nwhat to do next: ", 18), 0);
		free(text);
	}
}

static void assert_unknown(const char *client, const char *server, const char *part)
{
	struct error error = {0};
	char *text = NULL;

	assert_int_equal(explain(client, server, &text, &error), -ENOENT);
	if (!strstr(error.text, part))
		fail_msg("\"%s\" is not in: %s", part, error.text);
	assert_string_equal(text, "");
	free(text);
}

static void unknown_names(void **state)
{
	assert_unknown("crul", "web", "no client named \"crul\" was seen; similar names: curl");
	assert_unknown("web", "dbb", "no server named \"dbb\" was seen; similar names: db");
	assert_unknown("zzzzzzzz", "web", "millrace map lists the names");
}

static void hostile_names(void **state)
{
	struct error error = {0};
	char *text = NULL;

	assert_int_equal(explain("e\033[2J", "web", &text, &error), 0);
	assert_null(strchr(text, '\033'));
	free(text);
}

static void splits_ports(void **state)
{
	static const struct {
		const char *typed, *server;
		int port;
	} good[] = {
		{"db", "db", -1},           {"db:5432", "db", 5432}, {"[::1]:80", "::1", 80},
		{"fe80::1", "fe80::1", -1}, {":80", ":80", -1},
	};
	char *server;
	int port;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(why_split_server(good[i].typed, &server, &port), 0);
		assert_string_equal(server, good[i].server);
		assert_int_equal(port, good[i].port);
		free(server);
	}
	assert_int_equal(why_split_server("db:x", &server, &port), -EINVAL);
	assert_int_equal(why_split_server("db:65536", &server, &port), -EINVAL);
	assert_int_equal(why_split_server("db:", &server, &port), -EINVAL);
}

static void names_are_told(void **state)
{
	json_t *json = json_loads(
		"{\"nodes\": [{\"id\": \"a\"}, {\"id\": \"x\", \"name\": \"ns.example\", "
		"\"listeners\": [{\"transport\": \"tcp\", \"port\": 53, \"queue_max\": 256}, "
		"{\"transport\": \"udp\", \"port\": 53}], \"addresses\": [\"10.0.0.1\", "
		"\"10.0.0.2\"]}], \"edges\": [{\"client\": \"a\", "
		"\"server\": \"x\", \"port\": 53, \"transport\": \"udp\", "
		"\"datagrams_to_server\": 7, \"datagrams_to_client\": 6, \"dns\": {\"queries\": 7, "
		"\"answers\": 6, \"timeouts\": 1, \"errors\": {\"nxdomain\": 2, \"servfail\": 1}, "
		"\"latency_us\": {\"count\": 6, \"p50\": 850, \"max\": 1500}}}]}",
		0, NULL);
	struct why_pair pair = {.client = "a", .server = "ns.example", .port = -1};
	struct error error = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct graph g;

	assert_int_equal(graph_parse(&g, json), 0);
	assert_int_equal(why_write(&g, &pair, out, &error), 0);
	fclose(out);
	assert_non_null(strstr(text, "  7 datagrams to ns.example, 6 to a\n"));
	assert_non_null(strstr(text, "port 53/udp: works"));
	assert_non_null(strstr(text, "  ns.example listens on port 53/udp\n"));
	assert_null(strstr(text, "waiting to be accepted"));
	assert_non_null(strstr(text, "asked for; it is 10.0.0.1, 10.0.0.2\n"));
	assert_non_null(strstr(text,
			       "  7 names asked for, 6 answered, 1 never answered; nxdomain 2, "
			       "servfail 1\n"));
	assert_non_null(strstr(text, "  a name takes 850 us in the middle, 1.5 ms at most\n"));
	assert_non_null(strstr(text, "what to do next: look at ns.example and the path to it"));
	graph_done(&g);
	json_decref(json);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(refused_for_a_while),
		cmocka_unit_test(timed_out),
		cmocka_unit_test(dropped_by_its_own_host),
		cmocka_unit_test(works_but_loses_and_waits),
		cmocka_unit_test(nothing_was_tried),
		cmocka_unit_test(the_last_line_is_what_to_do),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(names_are_told),
		cmocka_unit_test(splits_ports),
		cmocka_unit_test(a_full_queue_is_blamed_before_a_firewall),
		cmocka_unit_test(an_attempt_under_way_is_no_fault),
	};

	human_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
