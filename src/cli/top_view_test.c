/* SPDX-License-Identifier: Apache-2.0 */
/* What top draws at several sizes, letter by letter, and what keys do to it. */
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
#include "top_view.h"

#define LINES_MAX 100

/* A sheet of paper: lines as they were written, and where the terminal would stand in each. */
struct paper {
	char lines[LINES_MAX][2048];
	int ends[LINES_MAX];
	int width, height;
	bool red, reverse[LINES_MAX];
};

static void put(void *userdata, int y, int x, struct top_ink ink, const char *text)
{
	struct paper *p = userdata;
	size_t used;

	assert_true(y >= 0 && y < p->height && x >= 0);
	assert_true(x >= p->ends[y]);
	assert_null(strchr(text, '\033'));
	while (p->ends[y] < x) {
		strcat(p->lines[y], " ");
		p->ends[y]++;
	}
	used = strlen(p->lines[y]);
	snprintf(p->lines[y] + used, sizeof(p->lines[y]) - used, "%s", text);
	p->ends[y] += human_width(text);
	if (p->ends[y] > p->width)
		fail_msg("line %d is %d columns wide: %s", y, p->ends[y], p->lines[y]);
	p->red |= ink.colour == TABLE_RED;
	p->reverse[y] |= ink.reverse;
}

static const struct top_moment moment = {.now_s = 1000, .clock = "14:02:11", .server = "http://x"};

static void draw(struct top_view *v, int width, int height, struct paper *ret)
{
	struct top_screen s = {.width = width, .height = height, .put = put, .userdata = ret};

	*ret = (struct paper){.width = width, .height = height};
	top_view_draw(v, &moment, &s);
	for (int y = 0; y < height; y++) {
		size_t used = strlen(ret->lines[y]);

		while (used && ret->lines[y][used - 1] == ' ')
			ret->lines[y][--used] = '\0';
	}
}

static bool drawn(const struct paper *p, const char *text)
{
	for (int y = 0; y < p->height; y++)
		if (strstr(p->lines[y], text))
			return true;
	return false;
}

static void print_all(const struct paper *p)
{
	for (int y = 0; y < p->height; y++)
		fprintf(stderr, "|%s\n", p->lines[y]);
}

static void assert_drawn(const struct paper *p, const char *text)
{
	if (drawn(p, text))
		return;
	print_all(p);
	fail_msg("nowhere: %s", text);
}

static void answer(struct top_view *v)
{
	struct top_table t;

	assert_int_equal(top_table_parse(&t, example_graph()), 0);
	top_view_take(v, &t, v->question.number);
}

static int set_up(void **state)
{
	struct top_view *v = calloc(1, sizeof(*v));

	snprintf(v->question.group, sizeof(v->question.group), "workload");
	v->question.span_s = 10;
	*state = v;
	return 0;
}

static int tear_down(void **state)
{
	top_view_done(*state);
	free(*state);
	return 0;
}

static void draws_80_columns(void **state)
{
	static const char *const expected[] = {
		"millrace  4 dependencies  ✗ 2 failing  ! 1 not well  ✓ 1 well           14:02:11",
		"last 10 s, by workload, ordered by traffic (most first)",
		"  client         server           to server to client  open     rtt health",
		"✓ web            db:5432             11 B/s  453 KB/s     3   85 us ok",
		"✗ curl           10.1.1.1:443             -         -     -       - 2 timed out",
		"✗ curl           web:81                   -         -     -       - 4 refused",
		("! e\uFFFD[2Jv\uFFFDil\"\\    web:80                   -         -     1       - "
		 "1 "
		 "refused"),
		"",
	};
	struct paper p;

	answer(*state);
	draw(*state, 80, 24, &p);
	for (int i = 0; i < 8; i++)
		assert_string_equal(p.lines[i], expected[i]);
	assert_true(p.red);
	assert_true(p.reverse[3] && !p.reverse[4]);
	assert_drawn(&p, "Enter details");
}

static void draws_200_columns(void **state)
{
	struct paper p;

	answer(*state);
	draw(*state, 200, 50, &p);
	assert_drawn(&p, "waits for");
	assert_drawn(&p, "2 timed out");
	assert_drawn(&p, "  network  ");
	assert_drawn(&p, "4 refused, 1 given up");
	assert_drawn(&p, "10 %");
}

static void draws_any_size(void **state)
{
	static const int sizes[][2] = {{1, 1}, {2, 3}, {10, 4}, {20, 5}, {33, 100}, {400, 10}};
	static const char keys[] = {'?', 'q', '\n', 'q', '/', 27, 'j', 'k'};
	struct paper p;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		draw(*state, sizes[i][0], sizes[i][1], &p); /* before an answer, too */
		for (size_t k = 0; k < sizeof(keys); k++) {
			top_view_key(*state, keys[k]);
			draw(*state, sizes[i][0], sizes[i][1], &p);
		}
	}
	answer(*state);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (size_t k = 0; k < sizeof(keys); k++) {
			top_view_key(*state, keys[k]);
			draw(*state, sizes[i][0], sizes[i][1], &p);
		}
}

static void selection_stays_with_its_row(void **state)
{
	struct top_view *v = *state;

	answer(v);
	assert_string_equal(top_view_selected(v)->server, "db:5432");
	top_view_key(v, 'w'); /* worst first: not moved yet, so the first row is selected */
	assert_int_equal(v->selected, 0);
	assert_string_equal(top_view_selected(v)->server, "10.1.1.1:443");
	top_view_key(v, TOP_KEY_END);
	assert_int_equal(v->selected, 3);
	assert_string_equal(top_view_selected(v)->server, "db:5432");
	top_view_key(v, TOP_KEY_DOWN);
	assert_int_equal(v->selected, 3);
	top_view_key(v, TOP_KEY_PAGE_UP);
	top_view_key(v, TOP_KEY_HOME);
	assert_int_equal(v->selected, 0);
	top_view_key(v, TOP_KEY_UP);
	assert_int_equal(v->selected, 0);
}

static void scrolls_to_the_selected(void **state)
{
	struct top_view *v = *state;
	struct paper p;

	answer(v);
	draw(v, 80, 6, &p); /* room for two rows */
	assert_drawn(&p, "db:5432");
	top_view_key(v, TOP_KEY_END);
	draw(v, 80, 6, &p);
	assert_false(drawn(&p, "db:5432"));
	assert_true(p.reverse[4]);
	draw(v, 80, 24, &p); /* a larger terminal shows all again */
	assert_drawn(&p, "db:5432");
}

static void details_are_the_words_of_why(void **state)
{
	struct top_view *v = *state;
	struct paper p;

	answer(v);
	top_view_key(v, TOP_KEY_ENTER);
	draw(v, 60, 40, &p);
	assert_drawn(&p, "web (service) -> db (service), port 5432: works");
	assert_drawn(&p, "what to do next: ");
	answer(v); /* it goes on */
	draw(v, 60, 40, &p);
	assert_drawn(&p, "what to do next: ");
	top_view_key(v, 'q');
	assert_int_equal(v->mode, TOP_LIST);
	assert_false(v->quit);
	top_view_key(v, 'q');
	assert_true(v->quit);
}

static void type(struct top_view *v, const char *text)
{
	for (; *text; text++)
		top_view_key(v, *text);
}

static void filter_is_edited(void **state)
{
	struct top_view *v = *state;
	struct paper p;

	answer(v);
	type(v, "/client:webq");
	top_view_key(v, 0xe9);
	draw(v, 80, 24, &p);
	assert_drawn(&p, "filter: client:webqé");
	top_view_key(v, TOP_KEY_BACKSPACE);
	top_view_key(v, 127);
	assert_string_equal(v->edit, "client:web");
	top_view_key(v, TOP_KEY_ENTER);
	assert_string_equal(v->question.filter, "client:web");
	assert_int_equal(v->question.number, 1);
	assert_false(v->quit);
	top_view_key(v, '/');
	top_view_key(v, TOP_KEY_CLEAR);
	top_view_key(v, TOP_KEY_ESCAPE);
	assert_string_equal(v->question.filter, "client:web");
}

static void refused_filter_is_explained(void **state)
{
	struct top_view *v = *state;
	struct paper p;

	answer(v);
	type(v, "/port:x");
	top_view_key(v, TOP_KEY_ENTER);
	top_view_fail(v, "cannot ask: \"x\" is no port\033[2J", true, v->question.number, 1);
	draw(v, 80, 24, &p);
	assert_drawn(&p, "cannot ask: \"x\" is no port");
	assert_drawn(&p, "filter: port:x");
	assert_string_equal(v->question.filter, "");
	assert_true(v->table.count == 4); /* the old one stands */
	top_view_key(v, TOP_KEY_BACKSPACE);
	type(v, "80");
	top_view_key(v, TOP_KEY_ENTER);
	answer(v);
	draw(v, 80, 24, &p);
	assert_drawn(&p, ", only port:80");
}

static void says_how_young_history_is(void **state)
{
	struct top_view *v = *state;
	json_t *json = example_graph();
	struct top_table t;
	struct paper p;

	v->question.span_s = 300;
	json_object_set_new(json, "completeness",
			    json_pack("{s:f, s:{s:f, s:f}}", "window_s", 1.0, "covered", "from",
				      1259.5, "to", 1299.5));
	assert_int_equal(top_table_parse(&t, json), 0);
	top_view_take(v, &t, v->question.number);
	draw(v, 80, 24, &p);
	assert_drawn(&p, "last 5 min (40 s so far), by ");
	assert_drawn(&p, "(most first)");
	top_view_key(v, 't'); /* 2 s, and not yet answered */
	draw(v, 80, 24, &p);
	assert_drawn(&p, "last 2 s, by ");
}

/* The end of a message is what to do. */
static void a_long_message_is_whole(void **state)
{
	static const char refused[] = "cannot ask http://127.0.0.1:7070: cannot read filter: "
				      "port:abc: expected a port, 1 to 65535";
	static const char gone[] = "cannot ask http://127.0.0.1:7070: nothing answers there; start "
				   "it with `millrace up` or name it with --server URL";
	struct top_view *v = *state;
	struct paper p;

	answer(v);
	type(v, "/port:abc");
	top_view_key(v, TOP_KEY_ENTER);
	top_view_fail(v, refused, true, v->question.number, 1);
	draw(v, 80, 24, &p);
	assert_drawn(&p, "cannot ask http://127.0.0.1:7070: cannot read filter: port:abc:");
	assert_drawn(&p, "1 to 65535");
	assert_drawn(&p, "filter: port:abc");
	assert_drawn(&p, "db:5432");
	draw(v, 80, 2, &p); /* no room for it */
	assert_drawn(&p, "filter: port:abc");
	top_view_key(v, TOP_KEY_ESCAPE);
	top_view_fail(v, gone, false, v->question.number, 995);
	draw(v, 80, 24, &p);
	assert_drawn(&p, "no answer for 5 s, trying again");
	assert_drawn(&p, "--server URL");
	assert_drawn(&p, "Enter details");
	draw(v, 200, 24, &p);
	assert_drawn(&p, "trying again: cannot ask http://127.0.0.1:7070");
}

static void a_long_filter_shows_its_end(void **state)
{
	struct top_view *v = *state;
	struct paper p;

	answer(v);
	type(v, "/");
	for (int i = 0; i < 5000; i++)
		top_view_key(v, 'a');
	type(v, "z");
	assert_int_equal(strlen(v->edit), TOP_FILTER_SIZE - 1);
	top_view_key(v, TOP_KEY_BACKSPACE);
	type(v, "z");
	draw(v, 40, 10, &p);
	assert_int_equal(p.lines[9][strlen(p.lines[9]) - 1], 'z');
}

static void says_when_the_server_is_gone(void **state)
{
	struct top_view *v = *state;
	struct paper p;

	answer(v);
	top_view_fail(v, "cannot ask http://x: nothing answers there", false, 0, 995);
	top_view_fail(v, "cannot ask http://x: nothing answers there", false, 0, 999);
	draw(v, 100, 24, &p);
	assert_drawn(&p, "no answer for 5 s, trying again: cannot ask http://x");
	assert_drawn(&p, "db:5432"); /* what was known stays */
	answer(v);
	draw(v, 100, 24, &p);
	assert_false(drawn(&p, "no answer"));
}

static void pause_keeps_what_is_shown(void **state)
{
	struct top_view *v = *state;
	struct top_table empty = {0};
	struct paper p;

	answer(v);
	top_view_key(v, 'p');
	top_view_take(v, &empty, v->question.number);
	draw(v, 80, 24, &p);
	assert_drawn(&p, "paused");
	assert_drawn(&p, "db:5432");
	top_view_key(v, 'p');
	top_view_take(v, &empty, v->question.number);
	draw(v, 80, 24, &p);
	assert_false(drawn(&p, "db:5432"));
	assert_drawn(&p, "no connection was used");
}

static void answers_to_old_questions_are_left_out(void **state)
{
	struct top_view *v = *state;
	struct top_table t;
	uint32_t old = v->question.number;

	top_view_key(v, 'g');
	assert_string_equal(v->question.group, "process");
	assert_int_equal(top_table_parse(&t, example_graph()), 0);
	top_view_take(v, &t, old);
	assert_false(v->has_table);
	answer(v);
	assert_true(v->has_table);
	top_view_key(v, 't');
	assert_true(v->question.span_s == 60);
	top_view_key(v, 't');
	top_view_key(v, 't');
	assert_true(v->question.span_s == 2);
}

static void order_goes_both_ways(void **state)
{
	struct top_view *v = *state;
	struct paper p;

	answer(v);
	for (int i = 0; i < TOP_SORT_COUNT; i++)
		top_view_key(v, '>');
	assert_int_equal(v->sort, TOP_SORT_TRAFFIC);
	top_view_key(v, TOP_KEY_LEFT);
	assert_int_equal(v->sort, TOP_SORT_HEALTH);
	top_view_key(v, 'r');
	draw(v, 80, 24, &p);
	assert_drawn(&p, "ordered by health (best first)");
	assert_string_equal(v->table.rows[0].server, "db:5432");
}

static void help_names_every_column(void **state)
{
	struct paper p;

	top_view_key(*state, '?');
	draw(*state, 100, 60, &p);
	for (size_t i = 0; i < top_column_count; i++)
		assert_drawn(&p, top_columns[i].title);
	top_view_key(*state, 'h');
	assert_int_equal(((struct top_view *)*state)->mode, TOP_LIST);
}

static char *written(struct top_view *v, int width, bool json)
{
	struct table_style style = {.width = width};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(json ? top_write_json(v, out) : top_write_text(v, &style, out), 0);
	fclose(out);
	return text;
}

static void writes_text(void **state)
{
	char *text, *rest, *line;

	answer(*state);
	text = written(*state, 80, false);
	assert_non_null(strstr(text, "4 dependencies, 11 B/s to servers, 453 KB/s to clients"));
	for (rest = text; (line = strsep(&rest, "\n"));)
		assert_true(human_width(line) <= 80);
	free(text);
	text = written(*state, 0, false);
	assert_non_null(strstr(text, "4 refused, 1 given up\n"));
	assert_null(strchr(text, '\033'));
	free(text);
}

static void writes_json(void **state)
{
	char *text;
	json_t *json, *row;

	answer(*state);
	text = written(*state, 0, true);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	row = json_array_get(json_object_get(json, "rows"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "client")), "web");
	assert_float_equal(json_number_value(json_object_get(row, "bytes_to_server_per_s")),
			   3200.0 / 300, 1e-6);
	assert_string_equal(json_string_value(json_object_get(row, "waits_for")), "network");
	row = json_array_get(json_object_get(json, "rows"), 1);
	assert_true(json_is_null(json_object_get(row, "rtt_us_p50")));
	assert_true(json_number_value(
			    json_object_get(json_object_get(row, "failed"), "timed_out")) == 2);
	json_decref(json);
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(draws_80_columns),
		TEST(draws_200_columns),
		TEST(draws_any_size),
		TEST(selection_stays_with_its_row),
		TEST(scrolls_to_the_selected),
		TEST(details_are_the_words_of_why),
		TEST(filter_is_edited),
		TEST(refused_filter_is_explained),
		TEST(says_how_young_history_is),
		TEST(a_long_message_is_whole),
		TEST(a_long_filter_shows_its_end),
		TEST(says_when_the_server_is_gone),
		TEST(pause_keeps_what_is_shown),
		TEST(answers_to_old_questions_are_left_out),
		TEST(order_goes_both_ways),
		TEST(help_names_every_column),
		TEST(writes_text),
		TEST(writes_json),
	};

	human_init();
	human_set_unicode(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
