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

static const json_t *flows; /* of the address that is asked about; NULL: none */

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
	assert_int_equal(why_split_server(server, &name, &pair), 0);
	pair.flows = flows;
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
	SAYS("web", "db:80",
	     "web did not try to reach db on port 80 in the last 5 min: no SYN and no "
	     "datagram left for it.\n");
	SAYS("web", "db:80/tcp", "on port 80/tcp in the last 5 min: no SYN left for it.\n");
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
		const char *transport;
	} good[] = {
		{"db", "db", -1, NULL},         {"db:5432", "db", 5432, NULL},
		{"db:53/udp", "db", 53, "udp"}, {"echo.py:9191/tcp", "echo.py", 9191, "tcp"},
		{"[::1]:80", "::1", 80, NULL},  {"[::1]:53/udp", "::1", 53, "udp"},
		{"[::1]", "::1", -1, NULL},     {"fe80::1", "fe80::1", -1, NULL},
		{":80", ":80", -1, NULL},       {"process/udp", "process/udp", -1, NULL},
	};
	static const char *const bad[] = {"db:x",    "db:65536",   "db:",        "db:53/",
					  "db:/udp", "db:53/icmp", "db:53/udp/", "db:000000053"};
	struct why_pair pair;
	char *server;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(why_split_server(good[i].typed, &server, &pair), 0);
		assert_string_equal(server, good[i].server);
		assert_string_equal(pair.server, good[i].server);
		assert_int_equal(pair.port, good[i].port);
		assert_string_equal(pair.transport ? pair.transport : "",
				    good[i].transport ? good[i].transport : "");
		free(server);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(why_split_server(bad[i], &server, &pair), -EINVAL);
}

/* The same of both forms: an unknown name is an error of each, and prints nothing. */
static void json_knows_what_text_knows(void **state)
{
	json_t *graph = example_graph();
	struct why_pair pair = {.client = "crul", .server = "web", .port = -1};
	struct error error = {0};
	char *text = NULL;
	json_t *answer;
	struct graph g;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(graph_parse(&g, graph), 0);
	assert_int_equal(why_write_json(&g, &pair, out, &error), -ENOENT);
	assert_non_null(strstr(error.text, "similar names: curl"));
	fflush(out);
	assert_string_equal(text, "");
	pair.client = "CURL";
	assert_int_equal(why_write_json(&g, &pair, out, &error), 0);
	fclose(out);
	answer = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(answer, "client")), 1);
	assert_int_equal(json_array_size(json_object_get(answer, "server")), 1);
	assert_int_equal(json_array_size(json_object_get(answer, "edges")), 1);
	json_decref(answer);
	graph_done(&g);
	json_decref(graph);
	free(text);
}

static void tell_of_transport(const char *server, bool found)
{
	json_t *json = unanswered_graph("ok", 0, 0);
	struct error error = {0};
	char *text = NULL;

	assert_int_equal(explain_graph(json, "web", server, &text, &error), 0);
	if (!strstr(text, "did not try") != found)
		fail_msg("%s: %s", server, text);
	free(text);
}

static void a_transport_is_compared(void **state)
{
	tell_of_transport("db:5432/tcp", true);
	tell_of_transport("db:5432/udp", false);
	tell_of_transport("db:5432", true);
}

/* Processes of curl failed: that is told of curl, below the first line, whatever the edge. */
static void events_come_below_and_are_of_all(void **state)
{
	static const char *const pairs[][2] = {{"curl", "web"}, {"curl", "db"}};

	for (size_t i = 0; i < 2; i++) {
		json_t *json = example_graph();
		struct error error = {0};
		char *text = NULL, *told;

		json_object_update_new(json_array_get(json_object_get(json, "nodes"), 2),
				       json_pack("{s:{s:i}, s:{s:f, s:s}}", "processes", "failed",
						 11, "last_event", "time", 1290.0, "text",
						 "curl exited with code 7"));
		assert_int_equal(explain_graph(json, pairs[i][0], pairs[i][1], &text, &error), 0);
		told = strstr(text, "\n  processes of curl, whatever for: failed 11 times, last: "
				    "curl exited with code 7, 10 s ago\n");
		if (!told)
			fail_msg("not told: %s", text);
		assert_true(strstr(told, "what to do next: ") != NULL);
		assert_int_equal(strncmp(text, "curl", 4), 0);
		free(text);
	}
}

static void lists_tell_how_much_is_left_out(void **state)
{
	json_t *json = example_graph(), *edges = json_object_get(json, "edges");
	struct error error = {0};
	char *text = NULL;

	for (int i = 0; i < 11; i++)
		json_array_append_new(edges, json_pack("{s:s, s:s, s:i}", "client", "service/db",
						       "server", "external/10.1.1.1", "port", i));
	assert_int_equal(explain_graph(json, "db", "web:7", &text, &error), 0);
	assert_non_null(strstr(text, "10.1.1.1:6, 10.1.1.1:7 and 3 more\n"));
	free(text);
}

/* One address, two that listen there, an external that is asked for at it, and its true name. */
#define ADDRESSES                                                                                  \
	"{\"from\": 0, \"to\": 300, \"nodes\": ["                                                  \
	"{\"id\": \"process/curl\", \"name\": \"curl\", \"kind\": \"process\"},"                   \
	"{\"id\": \"service/web\", \"name\": \"web\", \"kind\": \"service\", \"listeners\": ["     \
	" {\"transport\": \"tcp\", \"port\": 8181, \"address\": \"0.0.0.0\"}]},"                   \
	"{\"id\": \"process/db\", \"name\": \"db\", \"kind\": \"process\", \"listeners\": ["       \
	" {\"transport\": \"tcp\", \"port\": 5432, \"address\": \"127.0.0.1\"}]},"                 \
	"{\"id\": \"external/127.0.0.1\", \"name\": \"127.0.0.1\", \"kind\": \"external\"},"       \
	"{\"id\": \"external/npm.example\", \"name\": \"npm.example\", \"kind\": \"external\","    \
	" \"addresses\": [\"203.0.113.80\", \"2001:db8::80\"]}], \"edges\": ["                     \
	"{\"client\": \"process/curl\", \"server\": \"service/web\", \"port\": 8181},"             \
	"{\"client\": \"process/curl\", \"server\": \"service/web\", \"port\": 8182,"              \
	" \"via\": \"10.96.0.1:80\"},"                                                             \
	"{\"client\": \"process/db\", \"server\": \"external/127.0.0.1\", \"port\": 9},"           \
	"{\"client\": \"service/web\", \"server\": \"external/npm.example\", \"port\": 443}]}"

#define ADDRESS_FLOWS                                                                              \
	"[{\"client\": {\"id\": \"process/curl\"}, \"server\": {\"id\": \"service/web\","          \
	" \"process\": \"python3\", \"address\": \"127.0.0.1\", \"port\": 8181}}]"

/* What is said of the pair, with what the flows know; owned. */
static char *explain_address(const char *client, const char *server, int expected)
{
	json_t *known = json_loads(ADDRESS_FLOWS, 0, NULL);
	struct error error = {0};
	char *text = NULL;

	flows = known;
	assert_int_equal(
		explain_graph(json_loads(ADDRESSES, 0, NULL), client, server, &text, &error),
		expected);
	flows = NULL;
	json_decref(known);
	return text;
}

static void assert_address_says(const char *client, const char *server, const char *part)
{
	char *text = explain_address(client, server, 0);

	if (strncmp(text, part, strlen(part)) != 0 && !strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
	free(text);
}

static void addresses_are_those_of_servers(void **state)
{
	assert_address_says("curl", "127.0.0.1:8181",
			    "curl (process) -> web (service), port 8181: works\n");
	assert_address_says("curl", "127.0.0.1", "-> web (service), port 8181");
	assert_address_says("curl", "::ffff:127.0.0.1", "-> web (service), port 8181");
	assert_address_says("db", "127.0.0.1", "db (process) -> 127.0.0.1 (external), port 9");
	assert_address_says("web", "203.0.113.80", "-> npm.example (external), port 443");
	assert_address_says("web", "[2001:DB8:0::80]:443", "-> npm.example (external), port 443");
	assert_address_says("curl", "10.96.0.1:80", "-> web (service), port 8182");
	assert_address_says("curl", "10.96.0.1", "-> web (service), port 8182");
}

static void an_address_of_others_is_not_said_to_be_untried(void **state)
{
	static const char *const pairs[][3] = {
		{"curl", "127.0.0.1:5432", "  127.0.0.1 belongs to db\n"},
		{"web", "127.0.0.1", "  127.0.0.1 belongs to db, web\n"},
		{"curl", "203.0.113.80", "  203.0.113.80 belongs to npm.example\n"},
	};

	for (size_t i = 0; i < 3; i++) {
		char *text = explain_address(pairs[i][0], pairs[i][1], 0);

		assert_non_null(strstr(text, "did not try to reach"));
		assert_non_null(strstr(text, "as far as was seen\n"));
		assert_null(strstr(text, "no SYN"));
		if (!strstr(text, pairs[i][2]))
			fail_msg("\"%s\" is not in:\n%s", pairs[i][2], text);
		free(text);
	}
	assert_address_says("db", "10.96.0.1:81/udp", "  10.96.0.1 is used by curl (port 8182)\n");
	assert_address_says("curl", "127.0.0.1:10",
			    "127.0.0.1 is used by curl (port 8181), db (port 9)");
	free(explain_address("web", "203.0.113.8", -ENOENT)); /* the beginning of another's */
	assert_address_says("web", "203.0.113.80:80",
			    "did not try to reach 203.0.113.80 on port 80");
	assert_address_says(
		"web", "127.0.0.1:8181/udp",
		"web did not try to reach 127.0.0.1 on port 8181/udp in the last 5 min: "
		"no datagram left for it.\n");
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
		"\"answers\": 6, \"timeouts\": 1, \"errors\": {\"nxdomain\": 2, \"servfail\": 1, "
		"\"odd\": 1}, "
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
	assert_non_null(strstr(
		text, "  7 queries for names, 6 answered, 1 never answered; 2: no such name, "
		      "1: server failed, 1: odd\n"));
	assert_non_null(strstr(text, "  an answer takes 850 us in the middle, 1.5 ms at most\n"));
	assert_non_null(strstr(text, "what to do next: look at ns.example and the path to it"));
	graph_done(&g);
	json_decref(json);
	free(text);
}

/* Two names, of which one does not exist: four queries, and no figures to be content with. */
static void queries_are_no_names(void **state)
{
	json_t *json = json_loads(
		"{\"nodes\": [{\"id\": \"a\"}, {\"id\": \"x\"}], \"edges\": [{\"client\": \"a\", "
		"\"server\": \"x\", \"port\": 53, \"transport\": \"udp\", \"dns\": {\"queries\": "
		"4, "
		"\"answers\": 4, \"errors\": {\"nxdomain\": 2}}}]}",
		0, NULL);
	struct error error = {0};
	char *text = NULL;

	assert_int_equal(explain_graph(json, "a", "x:53/udp", &text, &error), 0);
	assert_non_null(strstr(text, "  4 queries for names, 4 answered, 0 never answered; 2: no "
				     "such name\n"));
	assert_non_null(
		strstr(text, "what to do next: nothing, unless all the names that a asks "));
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
		cmocka_unit_test(queries_are_no_names),
		cmocka_unit_test(splits_ports),
		cmocka_unit_test(json_knows_what_text_knows),
		cmocka_unit_test(a_transport_is_compared),
		cmocka_unit_test(events_come_below_and_are_of_all),
		cmocka_unit_test(lists_tell_how_much_is_left_out),
		cmocka_unit_test(addresses_are_those_of_servers),
		cmocka_unit_test(an_address_of_others_is_not_said_to_be_untried),
		cmocka_unit_test(a_full_queue_is_blamed_before_a_firewall),
		cmocka_unit_test(an_attempt_under_way_is_no_fault),
	};

	human_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
