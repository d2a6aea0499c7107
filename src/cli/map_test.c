/* SPDX-License-Identifier: Apache-2.0 */
/* The tree and the Graphviz text of a known graph, letter by letter. */
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
#include "map.h"

static char *written(const json_t *json, bool dot)
{
	struct table_style style = {.width = 80};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct graph g;

	assert_int_equal(graph_parse(&g, json), 0);
	assert_int_equal(dot ? map_write_dot(&g, out) : map_write_text(&g, true, &style, out), 0);
	graph_done(&g);
	fclose(out);
	return text;
}

static void draws_the_tree(void **state)
{
	json_t *json = example_graph();
	char *text = written(json, false);

	assert_string_equal(
		text, "5 services, 4 dependencies, 136 MB in the last 5 min\n"
		      "client           to server  to client  open  new    rtt  health\n"
		      "curl  (process)\n"
		      "├─ 10.1.1.1:443          -          -     -    -      -  ✗ 2 timed out\n"
		      "└─ web:81                -          -     -    -      -  ✗ 4 refused\n"
		      "e\uFFFD[2Jv\uFFFDil\"\\  (process)\n"
		      "└─ web:80          +2.0 MB          -     1    1      -  ! 1 refused\n"
		      "web  (service, listens on 80, 443)\n"
		      "└─ db:5432          3.2 KB     136 MB     3   12  85 us  ✓ ok\n");
	free(text);
	json_decref(json);
}

/* "in the last 20780 days" is true of no figure. */
static void the_title_begins_where_history_does(void **state)
{
	json_t *json = example_graph();
	char *text;

	json_object_set_new(json, "from", json_real(0));
	json_object_set_new(json, "completeness",
			    json_pack("{s:{s:f, s:f}}", "covered", "from", 1250.0, "to", 1299.5));
	text = written(json, false);
	assert_non_null(strstr(text, " in the last 50 s\n"));
	free(text);
	json_decref(json);
}

#define UDP_GRAPH                                                                                  \
	"{\"from\": 1000.0, \"to\": 1300.0, \"group\": \"workload\", \"nodes\": ["                 \
	"{\"id\": \"service/unbound\", \"kind\": \"service\", \"name\": \"unbound\","              \
	" \"nodes\": [\"h\"], \"listeners\": [{\"transport\": \"tcp\", \"port\": 53},"             \
	" {\"transport\": \"udp\", \"port\": 53}]},"                                               \
	"{\"id\": \"process/dig\", \"kind\": \"process\", \"name\": \"dig\", \"listeners\": []}"   \
	"], \"edges\": [{\"client\": \"process/dig\", \"server\": \"service/unbound\","            \
	" \"transport\": \"udp\", \"port\": 53, \"health\": \"degraded\", \"connections\": null,"  \
	" \"bytes_to_server\": 4000, \"bytes_to_client\": 9000, \"datagrams_to_server\": 100,"     \
	" \"datagrams_to_client\": 90, \"datagrams_dropped_to_server\": 10}]}"

static void udp_has_no_connections(void **state)
{
	json_t *json = json_loads(UDP_GRAPH, 0, NULL);
	char *text = written(json, false);

	assert_string_equal(
		text, "2 services, 1 dependency, 13 KB in the last 5 min\n"
		      "client             to server  to client  open  new  rtt  health\n"
		      "dig  (process)\n"
		      "└─ unbound:53/udp     4.0 KB     9.0 KB     -    -    -  ! 10 dropped\n");
	free(text);
	json_decref(json);
}

static void nothing_is_said(void **state)
{
	struct table_style style = {0};
	struct graph g = {.from = 0, .to = 300};

	for (int filtered = 0; filtered <= 1; filtered++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(map_write_text(&g, filtered, &style, out), 0);
		fclose(out);
		assert_string_equal(text, filtered ? "nothing matches the filter\n"
						   : "0 services, 0 dependencies, 0 B in the last "
						     "5 min\n");
		free(text);
	}
}

static void keeps_to_80_columns(void **state)
{
	json_t *json = example_graph();
	char *text = written(json, false), *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		if (human_width(line) > 80)
			fail_msg("%d columns: %s", human_width(line), line);
	free(text);
	json_decref(json);
}

static void escapes_for_graphviz(void **state)
{
	json_t *json = example_graph();
	char *text = written(json, true);

	assert_non_null(strstr(text, "[label=\"e\uFFFD[2Jv\uFFFDil\\\"\\\\\"]"));
	assert_non_null(strstr(text, "color=red"));
	assert_null(strchr(text, '\033'));
	free(text);
	json_decref(json);
}

static void same_names_show_their_ids(void **state)
{
	json_t *json = json_loads("{\"nodes\": [{\"id\": \"service/a\", \"name\": \"a\"},"
				  "{\"id\": \"process/a\", \"name\": \"a\"},"
				  "{\"id\": \"x\", \"name\": \"fe80::1\"}],"
				  "\"edges\": []}",
				  0, NULL);
	struct graph g;
	char *label;

	assert_int_equal(graph_parse(&g, json), 0);
	label = graph_label(&g.nodes[0], 80);
	assert_string_equal(label, "process/a:80");
	free(label);
	label = graph_label(&g.nodes[2], 80);
	assert_string_equal(label, "[fe80::1]:80");
	free(label);
	graph_done(&g);
	json_decref(json);
}

static void refuses_what_is_no_graph(void **state)
{
	static const char *const bad[] = {"[]", "{}", "{\"nodes\": 1, \"edges\": []}"};
	struct graph g;

	for (size_t i = 0; i < 3; i++) {
		json_t *json = json_loads(bad[i], 0, NULL);

		assert_int_equal(graph_parse(&g, json), -EPROTO);
		json_decref(json);
	}
}

static void survives_wrong_types(void **state)
{
	json_t *json =
		json_loads("{\"from\": [], \"to\": null, \"nodes\": [1, null, {\"id\": 3},"
			   "{\"id\": \"a\", \"name\": {}, \"listeners\": [1, {}]}], \"edges\":"
			   "[[], {\"client\": \"a\", \"server\": \"a\", \"port\": \"x\","
			   "\"connections\": [], \"health\": 9}]}",
			   0, NULL);
	char *text = written(json, false);

	assert_non_null(strstr(text, "1 service, 1 dependency, "));
	free(text);
	json_decref(json);
}

/* Which of several zones, what only carries others, what stands in for a silent agent. */
static void tells_zones_carriers_and_silence(void **state)
{
	json_t *json = json_loads(
		"{\"from\": 0, \"to\": 300, \"nodes\": [{\"id\": \"a\", \"name\": \"web\"},"
		" {\"id\": \"b\", \"name\": \"db\"}], \"edges\": ["
		"{\"client\": \"a\", \"server\": \"b\", \"port\": 80, \"bytes_to_server\": 7,"
		" \"client_zone\": \"z1\", \"server_zone\": \"z2\", \"provisional\": true},"
		"{\"client\": \"a\", \"server\": \"b\", \"port\": 80, \"bytes_to_server\": 5,"
		" \"client_zone\": \"z2\", \"server_zone\": \"z2\"},"
		"{\"client\": \"a\", \"server\": \"b\", \"port\": 81, \"bytes_to_server\": 100,"
		" \"carrier\": \"sidecar\"}],"
		" \"completeness\": {\"agents\": {\"expected\": 3, \"reporting\": 1}}}",
		0, NULL);
	char *text = written(json, false);

	assert_non_null(strstr(text, "3 dependencies, 12 B in the last 5 min\n"));
	assert_non_null(strstr(text, "2 of 3 agents silent: millrace agents tells which\n"));
	assert_non_null(strstr(text, "db:80 (z1 > z2)"));
	assert_non_null(strstr(text, "db:80 (z2 > z2)"));
	assert_non_null(strstr(text, "ok, provisional"));
	assert_non_null(strstr(text, "ok, sidecar"));
	free(text);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_the_tree),
		cmocka_unit_test(tells_zones_carriers_and_silence),
		cmocka_unit_test(the_title_begins_where_history_does),
		cmocka_unit_test(udp_has_no_connections),
		cmocka_unit_test(nothing_is_said),
		cmocka_unit_test(keeps_to_80_columns),
		cmocka_unit_test(escapes_for_graphviz),
		cmocka_unit_test(same_names_show_their_ids),
		cmocka_unit_test(refuses_what_is_no_graph),
		cmocka_unit_test(survives_wrong_types),
	};

	human_init();
	human_set_unicode(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
