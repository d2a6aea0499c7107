/* SPDX-License-Identifier: Apache-2.0 */
/* The other answers of the API as text: flows, connections, events, agents, and the ten lines of
 * `up`. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "agents.h"
#include "connections.h"
#include "events.h"
#include "example.h"
#include "flows.h"
#include "human.h"
#include "start.h"

#define FLOW(time)                                                                                 \
	"{\"time\": " time ", \"client\": {\"address\": \"10.0.0.1\", \"workload\": \"web\","      \
	" \"process\": \"nginx\"}, \"server\": {\"address\": \"fe80::2\", \"port\": 5432,"         \
	" \"workload\": \"db\", \"process\": \"db\"}, \"bytes_to_server\": 1200,"                  \
	" \"bytes_to_client\": 0, \"adopted_bytes_to_client\": 5000000,"                           \
	" \"retransmits_to_server\": 1, \"retransmits_to_client\": 4, \"connections\": "           \
	"{\"opened\": 3, \"active\": 1,"                                                           \
	" \"failed\": {\"refused\": 2, \"other\": 1}}, \"rtt_us\": {\"count\": 1, \"p50\": 40},"   \
	" \"server_view\": {\"retransmits_to_client\": 4}}"

static char *text;
static size_t text_size;

static FILE *memory(void)
{
	free(text);
	text = NULL;
	return open_memstream(&text, &text_size);
}

static int write_flows(const char *json_text, bool with_time, double after)
{
	json_t *json = json_loads(json_text, 0, NULL);
	FILE *out = memory();
	int r = flows_write(json, with_time, after, &(struct table_style){0}, out);

	fclose(out);
	json_decref(json);
	return r;
}

static void flows_are_rows(void **state)
{
	assert_int_equal(write_flows("{\"flows\": [" FLOW("5.5") "], \"total\": 1}", false, 0), 0);
	assert_string_equal(
		text,
		"client       address   server  address:port    to server  to client  new  open"
		"  failed  again    rtt\n"
		"web (nginx)  10.0.0.1  db      [fe80::2]:5432     1.2 KB    +5.0 MB    3     1"
		"       3      5  40 us\n");
}

static void flows_tell_what_was_cut(void **state)
{
	assert_int_equal(write_flows("{\"flows\": [" FLOW("1") "], \"total\": 9}", false, 0), 0);
	assert_non_null(strstr(text, "1 of 9 flows are shown"));
}

static void following_shows_each_window_once(void **state)
{
	json_t *json = json_loads("{\"flows\": [" FLOW("5.25") "," FLOW("6.25") "]}", 0, NULL);

	setenv("TZ", "UTC", 1);
	tzset();
	assert_true(flows_latest(json, 0) == 6.25);
	assert_true(flows_latest(json, 9) == 9);
	json_decref(json);
	assert_int_equal(
		write_flows("{\"flows\": [" FLOW("5.25") "," FLOW("6.25") "]}", true, 5.25), 0);
	assert_null(strstr(text, "00:00:05.250"));
	assert_non_null(strstr(text, "00:00:06.250"));
	assert_int_equal(write_flows("{\"flows\": [" FLOW("5.25") "]}", true, 5.25), 0);
	assert_string_equal(text, "");
}

static void other_answers_are_refused(void **state)
{
	json_t *empty = json_object();
	FILE *out;

	assert_int_equal(write_flows("{}", false, 0), -EPROTO);
	assert_int_equal(write_flows("[]", false, 0), -EPROTO);
	out = memory();
	assert_int_equal(connections_write(empty, false, 0, &(struct table_style){0}, out),
			 -EPROTO);
	assert_int_equal(agents_write(empty, &(struct table_style){0}, out), -EPROTO);
	assert_int_equal(start_write("u", empty, empty, out), -EPROTO);
	assert_int_equal(start_write("u", NULL, NULL, out), -EPROTO);
	fclose(out);
	json_decref(empty);
}

static void write_connections(bool filtered, uint32_t limit)
{
	json_t *json = json_loads(
		"{\"connections\": [{\"state\": \"established\", \"seen_by\": \"client\","
		" \"client\": {\"address\": \"10.0.0.1\", \"port\": 40000, \"workload\": \"web\"},"
		" \"server\": {\"address\": \"10.0.0.2\", \"port\": 80, \"workload\": \"db\"},"
		" \"pid\": 77, \"rtt_us\": 1500, \"cwnd\": 10, \"ssthresh\": 2147483647,"
		" \"age_ms\": null, \"delivery_rate\": 3000000}], \"total\": 4}",
		0, NULL);
	FILE *out = memory();

	assert_int_equal(connections_write(json, filtered, limit, &(struct table_style){0}, out),
			 0);
	fclose(out);
	json_decref(json);
}

static void connections_show_what_ss_shows(void **state)
{
	write_connections(false, 0);
	assert_non_null(strstr(text, "established  web     10.0.0.1:40000  db      10.0.0.2:80"));
	assert_non_null(strstr(text, "client    77  1.5 ms    -    10         -"));
	assert_non_null(strstr(text, "3.0 MB/s"));
	assert_non_null(strstr(text, "\n1 of 4 live sockets\n"));
}

static void connections_tell_what_was_cut(void **state)
{
	write_connections(false, 1);
	assert_non_null(strstr(text, "\n1 of 4 live sockets are shown; --limit shows more\n"));
	write_connections(true, 2);
	assert_non_null(strstr(text, "\n1 of 4 live sockets matches the filter\n"));
	write_connections(true, 1);
	assert_non_null(strstr(text, "\nthe first 1 that match the filter, of 4 live sockets; "
				     "--limit shows more\n"));
}

#define AGENTS                                                                                     \
	"{\"agents\": [{\"node\": \"host\", \"reporting\": true, \"version\": \"0.1.0\","          \
	" \"hooks\": \"sock_ops\", \"window_s\": 1.0, \"window_wanted_s\": 0.05,"                  \
	" \"batches\": 12, \"cost\": {\"agent_cores\": 0.0008, \"kernel_cores\": 0.001, "          \
	"\"cpus\": 2, \"cpu_budget_percent\": 0.1},"                                               \
	" \"losses\": [{\"cause\": \"slots_full\", \"help\": \"no slot\", \"count\": 3},"          \
	" {\"cause\": \"dropped\", \"help\": \"gone\", \"count\": 0}]}],"                          \
	" \"server\": {\"flows\": 5}, \"completeness\": {\"share\": 0.999}}"

static void agents_tell_cost_and_losses(void **state)
{
	json_t *json = json_loads(AGENTS, 0, NULL);
	FILE *out = memory();

	assert_int_equal(agents_write(json, &(struct table_style){0}, out), 0);
	fclose(out);
	json_decref(json);
	assert_non_null(strstr(text, "host: reporting\n"));
	assert_non_null(strstr(text, "1.0 s (asked for: 50 ms), 12 sent"));
	assert_non_null(strstr(
		text,
		"0.040 % of the machine's CPU in the agent (budget 0.1 %), 0.050 % in the kernel"));
	assert_non_null(strstr(text, "3 slots_full: no slot\n"));
	assert_null(strstr(text, "dropped"));
	assert_non_null(strstr(text, "complete: 99.900 %"));
}

/* With several agents each is a line, and what one of them never told is said. */
static void agents_are_a_table(void **state)
{
	json_t *json = json_loads(
		"{\"agents\": [{\"node\": \"web-1\", \"reporting\": true, \"status\": "
		"\"reporting\","
		" \"zone\": \"eu-1a\", \"lag_s\": 0.4, \"window_s\": 1.0, \"version\": \"0.2\","
		" \"losses\": [{\"cause\": \"slots_full\", \"help\": \"\", \"count\": 3}]},"
		" {\"node\": \"db-1\", \"reporting\": false, \"status\": \"gone\","
		" \"lag_s\": 700, \"coverage\": \"/a.slice\"}], \"server\": {},"
		" \"completeness\": {\"share\": 1, \"gaps\": [{\"node\": \"db-1\","
		" \"from\": 100, \"to\": 130}]}}",
		0, NULL);
	FILE *out = memory();

	assert_int_equal(agents_write(json, &(struct table_style){0}, out), 0);
	fclose(out);
	json_decref(json);
	assert_non_null(strstr(text, "web-1  eu-1a  reporting"));
	assert_non_null(strstr(text, "db-1   -      gone"));
	assert_non_null(strstr(text, "/a.slice\n"));
	assert_non_null(strstr(text, "gap: db-1 told nothing of 30 s\n"));
}

static void up_prints_ten_lines(void **state)
{
	json_t *graph = example_graph(), *agents = json_loads(AGENTS, 0, NULL);
	FILE *out = memory();
	int lines = 0;

	assert_int_equal(start_write("http://127.0.0.1:7070", graph, agents, out), 0);
	fclose(out);
	json_decref(graph);
	json_decref(agents);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, START_LINES);
	assert_non_null(strstr(text, "services:     5, of which 2 listen\n"));
	assert_non_null(strstr(text, "dependencies: 4, over 4 open connections\n"));
	assert_non_null(strstr(text,
			       "wrong now:    2 failing, 1 degraded; first curl -> 10.1.1.1:443 "
			       "(2 timed out)\n"));
	assert_non_null(strstr(text, "costs:        0.040 % of this machine's CPU"));
	assert_non_null(strstr(text, "page:         http://127.0.0.1:7070/ "));
}

static void up_names_the_largest_loss(void **state)
{
	json_t *graph = example_graph();
	FILE *out = memory();

	json_object_set_new(graph, "completeness",
			    json_pack("{s:f, s:{s:i, s:i}}", "share", 0.5, "lost", "dropped", 2,
				      "slots_full", 20));
	assert_int_equal(start_write("u", graph, NULL, out), 0);
	json_object_set_new(graph, "completeness", json_pack("{s:f, s:{}}", "share", 1.0, "lost"));
	assert_int_equal(start_write("u", graph, NULL, out), 0);
	fclose(out);
	json_decref(graph);
	assert_non_null(strstr(text, " % of what happened is in the numbers, "
				     "22 losses, most of them slots_full\n"));
	assert_non_null(strstr(text, "complete:     100 % of what happened is in the numbers, "
				     "0 losses\n"));
}

#define EVENT(time, text)                                                                          \
	"{\"time\": " time ", \"text\": \"" text "\", \"who\": {\"kind\": \"process\","            \
	" \"workload\": \"redis\", \"pid\": 7}}"
#define EVENTS                                                                                     \
	"{\"events\": [" EVENT("20.5", "redis \\u001b[2J restarted") "," EVENT(                    \
		"10.5",                                                                            \
		"redis was killed by signal 9 (SIGKILL)") "], \"total\": 2,"                       \
							  " \"processes\": {\"started\": 1, "      \
							  "\"restarted\": 1, \"exited\": 1, "      \
							  "\"failed\": 0,"                         \
							  " \"killed\": 1, \"out_of_memory\": 0}}"

enum which { NEWER, ALL, FILTERED };

static int write_events(const char *json_text, double after, enum which which)
{
	json_t *json = json_loads(json_text, 0, NULL);
	FILE *out = memory();
	int r = which == NEWER ? events_write(json, after, out)
			       : events_write_all(json, which == FILTERED, out);

	fclose(out);
	json_decref(json);
	return r;
}

static void events_are_lines(void **state)
{
	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(write_events(EVENTS, 0, ALL), 0);
	assert_null(strchr(text, '\033'));
	assert_ptr_equal(strstr(text, "1970-01-01 00:00:10  redis was killed by signal 9 (SIGKILL)"
				      "  (process redis, pid 7)\n1970-01-01 00:00:20  redis"),
			 text);
	assert_non_null(strstr(text, "processes: 1 started, 1 of them again; 1 ended, 1 killed\n"));
	assert_null(strstr(text, "containers:"));
	assert_int_equal(write_events(EVENTS, 10.5, NEWER), 0);
	assert_ptr_equal(strstr(text, "1970-01-01 00:00:20"), text);
	assert_int_equal(write_events("{\"events\": []}", 0, ALL), 0);
	assert_string_equal(text, "nothing started or ended that has a socket\n");
	assert_int_equal(write_events("{\"events\": []}", 0, FILTERED), 0);
	assert_string_equal(text, "nothing that matches the filter started or ended\n");
	assert_int_equal(write_events("{}", 0, ALL), -EPROTO);
	assert_int_equal(write_events("{}", 0, NEWER), -EPROTO);
}

/* Rows of several: what started first stands first, though others of the row came later. */
static void events_stand_by_when_they_began(void **state)
{
	assert_int_equal(
		write_events("{\"events\": [{\"time\": 19, \"first\": 10, \"text\": \"x "
			     "started, 4 times\"}, {\"time\": 15, \"first\": 11, \"text\": "
			     "\"x exited, 2 times\"}]}",
			     0, ALL),
		0);
	assert_ptr_equal(strstr(text, "1970-01-01 00:00:10  x started"), text);
	assert_non_null(strstr(text, "\n1970-01-01 00:00:11  x exited"));
	assert_int_equal(write_events("{\"events\": [{\"time\": 5, \"text\": \"a\"}], "
				      "\"processes\": {\"started\": 2}}",
				      0, ALL),
			 0);
	assert_non_null(strstr(text, "\nprocesses: 2 started; 0 ended\n"));
}

static int clean_up(void **state)
{
	free(text);
	text = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_rows),
		cmocka_unit_test(flows_tell_what_was_cut),
		cmocka_unit_test(following_shows_each_window_once),
		cmocka_unit_test(other_answers_are_refused),
		cmocka_unit_test(connections_show_what_ss_shows),
		cmocka_unit_test(connections_tell_what_was_cut),
		cmocka_unit_test(events_are_lines),
		cmocka_unit_test(events_stand_by_when_they_began),
		cmocka_unit_test(agents_tell_cost_and_losses),
		cmocka_unit_test(agents_are_a_table),
		cmocka_unit_test(up_prints_ten_lines),
		cmocka_unit_test(up_names_the_largest_loss),
	};

	human_init();
	human_set_unicode(true);
	return cmocka_run_group_tests(tests, NULL, clean_up);
}
