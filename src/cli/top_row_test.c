/* SPDX-License-Identifier: Apache-2.0 */
/* Rows from a known graph: figures a second, who waits for what, order, columns by width. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "example.h"
#include "human.h"
#include "top_column.h"
#include "top_row.h"

static struct top_table parsed(void)
{
	struct top_table t;

	assert_int_equal(top_table_parse(&t, example_graph()), 0);
	return t;
}

static const struct top_row *row_of(const struct top_table *t, const char *server)
{
	for (size_t i = 0; i < t->count; i++)
		if (!strcmp(t->rows[i].server, server))
			return &t->rows[i];
	fail_msg("no row to %s", server);
	return NULL;
}

static void makes_rates_of_sums(void **state)
{
	struct top_table t = parsed();
	const struct top_row *db = row_of(&t, "db:5432");

	/* the range is 300 s long and nobody told the windows' length */
	assert_int_equal(t.count, 4);
	assert_true(t.covered_s == 300);
	assert_true(db->to_server == 3200.0 / 300 && db->to_client == 136000000.0 / 300);
	assert_true(db->opened == 12.0 / 300);
	assert_true(db->rtt_p50 == 85 && db->rtt_p95 == 120);
	assert_true(t.to_client == db->to_client);
	assert_int_equal(t.level_count[0] + t.level_count[1] + t.level_count[2], 4);
	assert_int_equal(t.level_count[2], 2);
	top_table_done(&t);
}

/* The one edge was last seen at 990.9: a filter's edges may be quiet. */
static json_t *windows(double from, double to, double covered_from, double covered_to,
		       double window)
{
	return json_pack("{s:f, s:f, s:[{s:s}], s:[{s:s, s:s, s:f, s:i}], s:{s:f, s:{s:f, s:f}}}",
			 "from", from, "to", to, "nodes", "id", "a", "edges", "client", "a",
			 "server", "a", "last_seen", 990.9, "bytes_to_server", 1000, "completeness",
			 "window_s", window, "covered", "from", covered_from, "to", covered_to);
}

static void assert_near(double value, double expected, const char *what)
{
	if (value < expected - 1e-6 || value > expected + 1e-6)
		fail_msg("%s: %f, not %f", what, value, expected);
}

/* What ended in the range counts, however the range lies between the ends of windows, and whichever
 * edges moved. */
static void rates_are_over_whole_windows(void **state)
{
	static const struct {
		double from, to, covered_from, covered_to, covered;
		const char *what;
	} cases[] = {
		{990.5, 1000.9, 990.0, 1000.0, 10, "ends at 991 … 1000"},
		{990.01, 1000.9, 990.0, 1000.0, 10, "begins right after an end"},
		{989.99, 1000.9, 989.0, 1000.0, 11, "990, too"},
		{990.0003, 1000.9, 989.0, 1000.0, 11, "jitter does not take one away"},
		{990.5, 1000.9, 989.6, 1000.0, 10, "another agent's windows end in between"},
		{900, 1000.9, 997.0, 1000.0, 3, "history begins later"},
		{990.5, 1000.9, 0, 0, 10.4, "no window: the range is all we know"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct top_table t;
		json_t *json = windows(cases[i].from, cases[i].to, cases[i].covered_from,
				       cases[i].covered_to, 1);

		assert_int_equal(top_table_parse(&t, json), 0);
		assert_near(t.covered_s, cases[i].covered, cases[i].what);
		assert_near(t.to_server, 1000 / cases[i].covered, cases[i].what);
		top_table_done(&t);
	}
}

/* A range begins in the middle of a window, so that jitter changes nothing. */
static void ranges_are_off_the_ends(void **state)
{
	static const struct {
		struct top_phase phase;
		double span, later, begin;
		const char *what;
	} cases[] = {
		{{1000.4, 1000, 1}, 10, 0, 990.5, "asked at once: ten windows, 991 … 1000"},
		{{1000.4, 1000, 1}, 10, 1, 991.5, "a second later there is one more"},
		{{1000.4, 1000, 1}, 10, 0.999, 991.5, "nearly a second"},
		{{1000.4, 1000, 1}, 2, 1, 999.5, "two windows"},
		{{1000.4, 1000, 1}, 1, 0, 999.5, "the newest window"},
		{{1000.4, 1000, 1}, 1, 1, 999.5, "never later than what is known to be there"},
		{{1000.4, 1000, 1}, 2, 30, 999.5, "nor after a long wait"},
		{{1000.4, 1000, 3}, 1, 1, 998.5, "windows of 3 s: at least one"},
		{{1000.04, 1000, 0.05}, 1, 1, 999.975, "windows of 50 ms: twenty later ones"},
		{{1000, 985, 1}, 10, 1, 0, "nothing new for long"},
		{{1000, 0, 0}, 10, 1, 0, "nothing known"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_near(top_range_begin(&cases[i].phase, cases[i].span, cases[i].later),
			    cases[i].begin, cases[i].what);
}

/* The edges of a filter were quiet for long; where the windows lie is known all the same. */
static void phase_is_of_the_answer(void **state)
{
	struct top_table t;

	assert_int_equal(top_table_parse(&t, windows(990.5, 1000.4, 990, 1000, 1)), 0);
	assert_near(top_range_begin(&t.phase, 10, 1), 991.5, "begin");
	top_table_done(&t);
}

static void a_span_holds_a_window(void **state)
{
	assert_true(top_span_holds_window(1, 1) && top_span_holds_window(1, 1.05));
	assert_true(top_span_holds_window(1, 0)); /* no agent, no window */
	assert_false(top_span_holds_window(1, 2));
}

static void few_new_connections_are_not_rounded_up(void **state)
{
	static const struct {
		double opened;
		const char *text;
	} cases[] = {{0, "-"},     {0.0003, "<0.1"}, {0.0999, "<0.1"},
		     {0.1, "0.1"}, {9.9, "9.9"},     {10, "10"}};
	struct top_table t = parsed();
	struct top_row row = t.rows[0];
	const struct top_column *c = top_columns;

	while (strcmp(c->title, "new/s"))
		c++;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[64];

		row.opened = cases[i].opened;
		top_column_write(c, &row, 4, false, text, sizeof(text));
		assert_string_equal(text + strspn(text, " "), cases[i].text);
	}
	top_table_done(&t);
}

static void tells_what_a_sender_waits_for(void **state)
{
	static const struct {
		const char *limited;
		enum top_wait wait;
		double share;
	} cases[] = {
		{"\"limited_us_to_server\": {\"busy\": 1e6, \"receive_window\": 6e5}",
		 TOP_WAIT_SERVER, 0.6},
		{"\"limited_us_to_client\": {\"busy\": 1e6, \"receive_window\": 6e5}",
		 TOP_WAIT_CLIENT, 0.6},
		{"\"limited_us_to_client\": {\"busy\": 1e6, \"send_buffer\": 8e5}", TOP_WAIT_BUFFER,
		 0.8},
		{"\"limited_us_to_server\": {\"busy\": 1e6, \"send_buffer\": 1e5}",
		 TOP_WAIT_NETWORK, 0.9},
		{"\"limited_us_to_server\": {\"busy\": 100, \"send_buffer\": 100}", TOP_WAIT_NONE,
		 0},
		/* the direction with more to send is told */
		{"\"limited_us_to_server\": {\"busy\": 1e6, \"send_buffer\": 1e6}, "
		 "\"limited_us_to_client\": {\"busy\": 4e6, \"receive_window\": 4e6}",
		 TOP_WAIT_CLIENT, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[512];
		struct top_table t;

		snprintf(text, sizeof(text),
			 "{\"from\": 0, \"to\": 10, \"nodes\": [{\"id\": \"a\"}], \"edges\": "
			 "[{\"client\": \"a\", \"server\": \"a\", %s}]}",
			 cases[i].limited);
		assert_int_equal(top_table_parse(&t, json_loads(text, 0, NULL)), 0);
		assert_int_equal(t.rows[0].wait, cases[i].wait);
		assert_true(t.rows[0].wait_share > cases[i].share - 1e-9 &&
			    t.rows[0].wait_share < cases[i].share + 1e-9);
		top_table_done(&t);
	}
}

static void names_are_cleaned(void **state)
{
	struct top_table t = parsed();
	const struct top_row *web = row_of(&t, "web:80");

	assert_string_equal(web->client, "e\uFFFD[2Jv\uFFFDil\"\\");
	top_table_done(&t);
}

static void udp_is_told(void **state)
{
	json_t *json =
		json_loads("{\"nodes\": [{\"id\": \"::1\"}], \"edges\": [{\"client\": \"::1\","
			   "\"server\": \"::1\", \"port\": 53, \"transport\": \"udp\"}]}",
			   0, NULL);
	struct top_table t;

	assert_int_equal(top_table_parse(&t, json), 0);
	assert_string_equal(t.rows[0].server, "[::1]:53/udp");
	top_table_done(&t);
}

static void orders_by_each_key(void **state)
{
	static const struct {
		const char *key;
		bool reverse;
		const char *first;
	} cases[] = {
		{"traffic", false, "db:5432"},      {"traffic", true, "10.1.1.1:443"},
		{"client", false, "10.1.1.1:443"},  {"client", true, "db:5432"},
		{"server", false, "10.1.1.1:443"},  {"server", true, "web:81"},
		{"to-server", false, "db:5432"},    {"to-client", false, "db:5432"},
		{"open", false, "db:5432"},         {"new", false, "db:5432"},
		{"rtt", false, "db:5432"},          {"retransmits", false, "db:5432"},
		{"failed", false, "web:81"},        {"waits", false, "db:5432"},
		{"health", false, "10.1.1.1:443"},  {"health", true, "db:5432"},
		{"connect", false, "10.1.1.1:443"},
	};
	struct top_table t = parsed();

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum top_sort sort;

		assert_int_equal(top_sort_parse(cases[i].key, &sort), 0);
		top_table_sort(&t, sort, cases[i].reverse);
		if (strcmp(t.rows[0].server, cases[i].first))
			fail_msg("%s%s: %s is first, not %s", cases[i].key,
				 cases[i].reverse ? " reversed" : "", t.rows[0].server,
				 cases[i].first);
	}
	top_table_done(&t);
}

static void refuses_other_keys(void **state)
{
	enum top_sort sort;

	assert_int_equal(top_sort_parse("speed", &sort), -EINVAL);
	assert_int_equal(top_sort_parse("", &sort), -EINVAL);
}

static int layout_width(const struct top_layout *l)
{
	int total = -l->gap;

	for (size_t i = 0; i < top_column_count; i++)
		total += l->width[i] ? l->width[i] + l->gap : 0;
	return total;
}

static bool shows(const struct top_layout *l, const char *title)
{
	for (size_t i = 0; i < top_column_count; i++)
		if (!strcmp(top_columns[i].title, title))
			return l->width[i] > 0;
	fail_msg("no column %s", title);
	return false;
}

static void columns_come_by_importance(void **state)
{
	struct top_table t = parsed();
	struct top_layout l;
	int columns_before = 0;

	for (int width = 33; width <= 300; width++) {
		int columns = 0;

		top_layout_choose(&l, &t, width);
		for (size_t i = 0; i < top_column_count; i++)
			columns += l.width[i] > 0;
		if (layout_width(&l) > width)
			fail_msg("%d columns used of %d", layout_width(&l), width);
		if (columns < columns_before && width != 120)
			fail_msg("fewer columns at %d", width);
		columns_before = columns;
	}
	top_layout_choose(&l, &t, 80);
	assert_true(shows(&l, "client") && shows(&l, "server") && shows(&l, "to server") &&
		    shows(&l, "to client") && shows(&l, "open") && shows(&l, "rtt") &&
		    shows(&l, "health"));
	assert_false(shows(&l, "waits for"));
	top_layout_choose(&l, &t, 200);
	for (size_t i = 0; i < top_column_count; i++)
		assert_true(l.width[i] > 0);
	top_table_done(&t);
}

static void cells_are_cut_and_filled(void **state)
{
	static const struct {
		const char *text;
		int width;
		bool right, fill;
		const char *expected;
	} cases[] = {
		{"abc", 5, false, true, "abc  "},
		{"abc", 5, true, true, "  abc"},
		{"abc", 5, false, false, "abc"},
		{"abcdef", 5, false, true, "abcd…"},
		{"日本語", 5, false, true, "日本…"},
		{"日本語", 4, false, true, "日… "}, /* half a character is none */
		{"日本語", 6, false, true, "日本語"},
		{"e\u0301e\u0301e\u0301", 3, false, true, "e\u0301e\u0301e\u0301"},
		{"", 2, true, true, "  "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[64];

		top_cell_fit(cases[i].text, cases[i].width, cases[i].right, cases[i].fill, text,
			     sizeof(text));
		assert_string_equal(text, cases[i].expected);
	}
}

static void failures_of_udp_are_told(void **state)
{
	json_t *json = json_loads("{\"nodes\": [{\"id\": \"a\"}], \"edges\": [{\"client\": \"a\","
				  "\"server\": \"a\", \"port\": 53, \"transport\": \"udp\","
				  "\"connections\": null, \"datagrams_dropped_to_server\": 3,"
				  "\"dns\": {\"timeouts\": 2}}]}",
				  0, NULL);
	struct top_table t;
	char text[64];

	assert_int_equal(top_table_parse(&t, json), 0);
	top_column_write(&top_columns[top_column_count - 1], &t.rows[0], 40, false, text,
			 sizeof(text));
	assert_string_equal(text, "3 dropped, 2 names without answer");
	top_table_done(&t);
}

/* "[2001:…]:443" is of use, "[2001:db8:1…" is not. */
static void a_port_is_not_cut_off(void **state)
{
	struct top_table t = parsed();
	struct top_row row = *row_of(&t, "db:5432");
	char text[64];

	row.server = "recommendation.py:18085";
	top_column_write(&top_columns[2], &row, 16, true, text, sizeof(text));
	assert_string_equal(text, "recommend…:18085");
	row.server = "name-without-port-but-long";
	top_column_write(&top_columns[2], &row, 16, true, text, sizeof(text));
	assert_string_equal(text, "name-without-po…");
	top_table_done(&t);
}

static void refuses_what_is_no_graph(void **state)
{
	struct top_table t;

	assert_int_equal(top_table_parse(&t, json_loads("{}", 0, NULL)), -EPROTO);
	assert_int_equal(top_table_parse(&t, json_loads("[1]", 0, NULL)), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_rates_of_sums),
		cmocka_unit_test(rates_are_over_whole_windows),
		cmocka_unit_test(ranges_are_off_the_ends),
		cmocka_unit_test(phase_is_of_the_answer),
		cmocka_unit_test(a_span_holds_a_window),
		cmocka_unit_test(few_new_connections_are_not_rounded_up),
		cmocka_unit_test(tells_what_a_sender_waits_for),
		cmocka_unit_test(names_are_cleaned),
		cmocka_unit_test(udp_is_told),
		cmocka_unit_test(orders_by_each_key),
		cmocka_unit_test(refuses_other_keys),
		cmocka_unit_test(columns_come_by_importance),
		cmocka_unit_test(cells_are_cut_and_filled),
		cmocka_unit_test(failures_of_udp_are_told),
		cmocka_unit_test(a_port_is_not_cut_off),
		cmocka_unit_test(refuses_what_is_no_graph),
	};

	human_init();
	human_set_unicode(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
