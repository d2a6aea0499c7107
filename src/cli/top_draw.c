/* SPDX-License-Identifier: Apache-2.0 */
/* Draws a view: two lines about all of it, titles, rows, and one line of keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "top_internal.h"

#define LINE_SIZE          8192
#define HEAD_LINES         3 /* two lines and the titles */
#define NOTICE_LINES_MAX   4
#define PROBLEM_HEAD_WIDTH 42 /* "no answer for 47 min, trying again: ", and some */

static const struct top_ink plain = {TABLE_PLAIN, false, false};
static const struct top_ink bold = {TABLE_PLAIN, true, false};
static const struct top_ink dim = {TABLE_DIM, false, false};

int top_put(struct top_screen *s, int y, int x, struct top_ink ink, const char *clean)
{
	char text[LINE_SIZE];
	int width = human_width(clean), room = s->width - x;

	if (room <= 0 || y < 0 || y >= s->height)
		return x;
	width = width < room ? width : room;
	top_cell_fit(clean, room, false, false, text, sizeof(text));
	s->put(s->userdata, y, x, ink, text);
	return x + width;
}

static int put_hostile(struct top_screen *s, int y, int x, struct top_ink ink, const char *text)
{
	char *clean = human_clean(text);

	x = top_put(s, y, x, ink, clean ? clean : "?");
	free(clean);
	return x;
}

static int put_level(const struct top_view *v, struct top_screen *s, int x, int level)
{
	static const char *const signs[][2] = {{"✓", "+"}, {"!", "!"}, {"✗", "x"}};
	static const char *const words[] = {"well", "not well", "failing"};
	static const enum table_colour colours[] = {TABLE_GREEN, TABLE_YELLOW, TABLE_RED};
	char text[64];

	if (!v->table.level_count[level])
		return x;
	snprintf(text, sizeof(text), "  %s %zu %s", signs[level][!human_unicode()],
		 v->table.level_count[level], words[level]);
	return top_put(s, 0, x, (struct top_ink){colours[level], level == 2, false}, text);
}

static void draw_totals(const struct top_view *v, const struct top_moment *m, struct top_screen *s)
{
	char text[160], to_server[HUMAN_NUMBER_SIZE], to_client[HUMAN_NUMBER_SIZE];
	int x = top_put(s, 0, 0, bold, "millrace"), clock = s->width - human_width(m->clock);

	snprintf(text, sizeof(text), "  %zu dependenc%s", v->table.count,
		 v->table.count == 1 ? "y" : "ies");
	x = top_put(s, 0, x, plain, text);
	for (int level = 2; level >= 0; level--)
		x = put_level(v, s, x, level);
	snprintf(text, sizeof(text), "  %s to servers, %s to clients",
		 human_rate(to_server, v->table.to_server),
		 human_rate(to_client, v->table.to_client));
	if (x + human_width(text) < clock)
		top_put(s, 0, x, plain, text);
	if (x < clock)
		top_put(s, 0, clock, dim, m->clock);
}

/* Then it has lines of its own: its end says what to do. */
static bool problem_is_long(const struct top_view *v, int width)
{
	return human_width(v->problem) + PROBLEM_HEAD_WIDTH > width;
}

static void draw_problem(const struct top_view *v, const struct top_moment *m, struct top_screen *s)
{
	const struct top_ink red = {TABLE_RED, true, false};
	double gone_s = m->now_s - v->problem_since_s;
	char text[TOP_PROBLEM_SIZE + 64], span[HUMAN_NUMBER_SIZE];

	snprintf(text, sizeof(text), "no answer for %s, trying again%s%s",
		 human_span(span, gone_s > 0 ? gone_s : 0),
		 problem_is_long(v, s->width) ? "" : ": ",
		 problem_is_long(v, s->width) ? "" : v->problem);
	put_hostile(s, 1, 0, red, text);
}

static const char *order_words(const struct top_view *v)
{
	if (v->sort == TOP_SORT_CLIENT || v->sort == TOP_SORT_SERVER)
		return v->reverse ? "z to a" : "a to z";
	if (v->sort == TOP_SORT_HEALTH)
		return v->reverse ? "best first" : "worst first";
	return v->reverse ? "least first" : "most first";
}

static void draw_choices(const struct top_view *v, struct top_screen *s)
{
	char text[LINE_SIZE], span[TOP_SPAN_SIZE];
	int x = 0;

	if (v->paused)
		x = top_put(s, 1, x, (struct top_ink){TABLE_YELLOW, true, true}, "paused");
	snprintf(text, sizeof(text), "%slast %s, by %s, ordered by %s (%s)", x ? "  " : "",
		 top_span_words(v, span), v->question.group, top_sort_names[v->sort],
		 order_words(v));
	x = put_hostile(s, 1, x, plain, text);
	if (v->question.filter[0]) {
		x = top_put(s, 1, x, plain, ", only ");
		put_hostile(s, 1, x, bold, v->question.filter);
	}
}

static int fill_reversed(struct top_screen *s, int y, int x, int count)
{
	char blanks[LINE_SIZE / 8];

	if (count <= 0)
		return x;
	snprintf(blanks, sizeof(blanks), "%*s", count, "");
	return top_put(s, y, x, (struct top_ink){TABLE_PLAIN, false, true}, blanks);
}

static bool orders(const struct top_view *v, const struct top_column *c)
{
	if (v->sort == TOP_SORT_TRAFFIC)
		return c->sort == TOP_SORT_TO_SERVER || c->sort == TOP_SORT_TO_CLIENT;
	return c->sort == v->sort;
}

static void draw_titles(const struct top_view *v, const struct top_layout *l, int y,
			struct top_screen *s)
{
	int x = 0;

	for (size_t i = 0; i < top_column_count; i++) {
		const struct top_column *c = &top_columns[i];
		struct top_ink ink = {TABLE_PLAIN, orders(v, c), true};
		char text[TOP_CELL_SIZE];

		if (!l->width[i])
			continue;
		top_cell_fit(c->title, l->width[i], c->right, true, text, sizeof(text));
		x = top_put(s, y, x, ink, text);
		x = fill_reversed(s, y, x, l->gap);
	}
	fill_reversed(s, y, x, s->width - x);
}

static void draw_row(const struct top_view *v, const struct top_layout *l, size_t index, int y,
		     struct top_screen *s)
{
	bool selected = index == v->selected;
	int x = 0;

	for (size_t i = 0; i < top_column_count; i++) {
		char text[TOP_CELL_SIZE * 2];
		struct top_ink ink = {.reverse = selected};

		if (!l->width[i])
			continue;
		ink.colour = top_column_write(&top_columns[i], &v->table.rows[index], l->width[i],
					      true, text, sizeof(text));
		if (v->problem[0])
			ink.colour = TABLE_DIM;
		x = top_put(s, y, x, ink, text);
		x = selected ? fill_reversed(s, y, x, l->gap) : x + l->gap;
	}
	if (selected)
		fill_reversed(s, y, x, s->width - x);
}

static void draw_empty(const struct top_view *v, struct top_screen *s)
{
	if (!v->has_table)
		top_put(s, HEAD_LINES, 0, plain, "waiting for the first answer");
	else if (v->question.filter[0])
		top_put(s, HEAD_LINES, 0, plain,
			"nothing matches the filter; / changes it, t takes a longer time");
	else
		top_put(s, HEAD_LINES, 0, plain,
			"no connection was used in this time; t takes a longer time");
}

static void draw_list(struct top_view *v, struct top_screen *s)
{
	struct top_layout layout;

	v->list_height = s->height - HEAD_LINES;
	if (v->list_height < 1)
		v->list_height = 1;
	if (v->selected >= v->scroll + (size_t)v->list_height)
		v->scroll = v->selected - (size_t)v->list_height + 1;
	if (v->scroll && v->scroll + (size_t)v->list_height > v->table.count)
		v->scroll = v->table.count > (size_t)v->list_height
				    ? v->table.count - (size_t)v->list_height
				    : 0;
	top_layout_choose(&layout, &v->table, s->width);
	draw_titles(v, &layout, HEAD_LINES - 1, s);
	for (int i = 0; i < v->list_height && v->scroll + (size_t)i < v->table.count; i++)
		draw_row(v, &layout, v->scroll + (size_t)i, HEAD_LINES + i, s);
	if (!v->table.count)
		draw_empty(v, s);
}

static void draw_text(struct top_view *v, const char *text, struct top_screen *s)
{
	struct top_text t;

	if (top_text_wrap(&t, text, s->width) < 0)
		return;
	v->text_lines = t.count;
	v->text_height = s->height - HEAD_LINES;
	if (v->text_height < 1)
		v->text_height = 1;
	if ((int)v->text_scroll > t.count - v->text_height)
		v->text_scroll = t.count > v->text_height ? (size_t)(t.count - v->text_height) : 0;
	for (int i = 0; i < v->text_height && (int)v->text_scroll + i < t.count; i++)
		top_put(s, HEAD_LINES + i, 0, plain, t.lines[(int)v->text_scroll + i]);
	top_text_done(&t);
}

static void draw_body(struct top_view *v, struct top_screen *s)
{
	char *details;

	if (v->mode == TOP_HELP) {
		draw_text(v, top_help_text, s);
	} else if (v->mode == TOP_DETAILS) {
		details = top_details_write(v);
		draw_text(v, details ? details : "out of memory", s);
		free(details);
	} else {
		draw_list(v, s);
	}
}

/* Shows the end of what is typed, where the cursor is. */
static void draw_editor(const struct top_view *v, struct top_screen *s)
{
	const char *at = v->edit;
	char *clean;
	int y = s->height - 1, x;

	x = top_put(s, y, 0, bold, "filter: ");
	clean = human_clean(v->edit);
	if (!clean)
		return;
	for (at = clean; human_width(at) > s->width - x - 1 && *at;) {
		int width;
		size_t step = human_fit(at, 1, &width);

		at += step ? step : 1;
		while (((unsigned char)*at & 0xc0) == 0x80)
			at++;
	}
	x = top_put(s, y, x, plain, at);
	s->cursor_y = y;
	s->cursor_x = x < s->width ? x : s->width - 1;
	if (!*clean)
		top_put(s, y, x + 1, dim, " client:web !port:443   Enter takes it, Escape leaves");
	free(clean);
}

static void draw_keys(const struct top_view *v, struct top_screen *s)
{
	static const char *const keys[] = {
		[TOP_LIST] = ("Enter details  / filter  s order  g group  t time  p pause  ? help  "
			      "q quit"),
		[TOP_DETAILS] = "up, down scroll  p pause  ? help  q back",
		[TOP_HELP] = "up, down scroll  q back",
	};

	if (v->editing)
		draw_editor(v, s);
	else
		top_put(s, s->height - 1, 0, dim, keys[v->mode]);
}

static const char *notice_of(const struct top_view *v, int width)
{
	if (v->editing && v->refusal[0])
		return v->refusal;
	return v->problem[0] && problem_is_long(v, width) ? v->problem : NULL;
}

/* Why a filter was refused or no answer comes, in whole; returns how many lines that takes. */
static int draw_notice(const struct top_view *v, struct top_screen *s)
{
	const char *notice = notice_of(v, s->width);
	struct top_text t;
	int lines;

	if (!notice || top_text_wrap(&t, notice, s->width) < 0)
		return 0;
	lines = t.count < NOTICE_LINES_MAX ? t.count : NOTICE_LINES_MAX;
	lines = lines < s->height - 1 ? lines : s->height - 1;
	for (int i = 0; i < lines; i++)
		top_put(s, s->height - 1 - lines + i, 0, (struct top_ink){TABLE_RED, true, false},
			t.lines[i]);
	top_text_done(&t);
	return lines;
}

/* The last lines are for keys or the editor, and above them for what went wrong. */
void top_view_draw(struct top_view *v, const struct top_moment *m, struct top_screen *s)
{
	struct top_screen upper = *s;

	upper.height -= 1 + draw_notice(v, s);
	s->cursor_y = s->cursor_x = -1;
	draw_totals(v, m, &upper);
	if (v->problem[0])
		draw_problem(v, m, &upper);
	else
		draw_choices(v, &upper);
	draw_body(v, &upper);
	draw_keys(v, s);
}
