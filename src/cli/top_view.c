/* SPDX-License-Identifier: Apache-2.0 */
#include "top_view.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "top_internal.h"

/* The groups that a plain host can tell; --group takes all that the API knows. */
static const char *const groups[] = {"workload", "process", "container", "instance", "node"};
static const double spans_s[] = {2, 10, 60, 300};

void top_view_done(struct top_view *v)
{
	top_table_done(&v->table);
}

static void clamp(struct top_view *v)
{
	size_t count = v->table.count, height = v->list_height > 0 ? (size_t)v->list_height : 1;

	if (v->selected >= count)
		v->selected = count ? count - 1 : 0;
	if (v->scroll > v->selected)
		v->scroll = v->selected;
	if (v->selected >= v->scroll + height)
		v->scroll = v->selected - height + 1;
	if (v->scroll && v->scroll + height > count)
		v->scroll = count > height ? count - height : 0;
}

static void remember_selected(struct top_view *v)
{
	const struct top_row *row = top_view_selected(v);

	snprintf(v->selected_id, sizeof(v->selected_id), "%s", row ? row->id : "");
}

/* Finds the selected edge in a new table or order; one that is gone leaves its place to the next.
 */
static void find_selected(struct top_view *v)
{
	bool follows = v->moved || v->mode == TOP_DETAILS;

	if (!follows)
		v->selected = 0;
	for (size_t i = 0; i < v->table.count && follows; i++)
		if (!strcmp(v->table.rows[i].id, v->selected_id))
			v->selected = i;
	clamp(v);
	if (v->mode != TOP_DETAILS)
		remember_selected(v);
}

static void arrange(struct top_view *v)
{
	top_table_sort(&v->table, v->sort, v->reverse);
	find_selected(v);
}

void top_view_take(struct top_view *v, struct top_table *table, uint32_t number)
{
	v->problem[0] = '\0';
	if (number != v->question.number || (v->paused && v->answered == number)) {
		top_table_done(table);
		return;
	}
	top_table_done(&v->table);
	v->table = *table;
	*table = (struct top_table){0};
	v->has_table = true;
	v->answered = number;
	snprintf(v->filter, sizeof(v->filter), "%s", v->question.filter);
	arrange(v);
}

static void ask_again(struct top_view *v)
{
	v->question.number++;
}

/* The filter goes back to what worked, and what was typed stays in the editor with the reason. */
static void refuse(struct top_view *v, const char *why)
{
	snprintf(v->refusal, sizeof(v->refusal), "%s", why);
	if (!v->editing) {
		v->editing = true;
		memcpy(v->edit, v->question.filter, sizeof(v->edit));
	}
	memcpy(v->question.filter, v->filter, sizeof(v->question.filter));
	ask_again(v);
}

void top_view_fail(struct top_view *v, const char *why, bool refused, uint32_t number, double now_s)
{
	if (number != v->question.number)
		return;
	if (refused && strcmp(v->question.filter, v->filter)) {
		refuse(v, why);
		return;
	}
	if (!v->problem[0])
		v->problem_since_s = now_s;
	snprintf(v->problem, sizeof(v->problem), "%s", why);
}

const struct top_row *top_view_selected(const struct top_view *v)
{
	return v->selected < v->table.count ? &v->table.rows[v->selected] : NULL;
}

static void move(struct top_view *v, long step)
{
	long to = (long)v->selected + step, last = (long)v->table.count - 1;

	v->selected = (size_t)(to < 0 ? 0 : to > last ? (last < 0 ? 0 : last) : to);
	v->moved = v->selected > 0;
	clamp(v);
	remember_selected(v);
}

static void scroll_text(struct top_view *v, long step)
{
	long last = v->text_lines - v->text_height, to = (long)v->text_scroll + step;

	v->text_scroll = (size_t)(to < 0 || last < 0 ? 0 : to > last ? last : to);
}

static bool move_by_key(struct top_view *v, int key)
{
	void (*by)(struct top_view *, long) = v->mode == TOP_LIST ? move : scroll_text;
	int page = v->mode == TOP_LIST ? v->list_height : v->text_height;

	page = page > 1 ? page - 1 : 1;
	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		return by(v, -1), true;
	case TOP_KEY_DOWN:
	case 'j':
		return by(v, 1), true;
	case TOP_KEY_PAGE_UP:
		return by(v, -page), true;
	case TOP_KEY_PAGE_DOWN:
	case ' ':
		return by(v, page), true;
	case TOP_KEY_HOME:
		return by(v, -(1l << 30)), true;
	case TOP_KEY_END:
		return by(v, 1l << 30), true;
	default:
		return false;
	}
}

static void next_sort(struct top_view *v, int step)
{
	v->sort = (enum top_sort)(((int)v->sort + step + TOP_SORT_COUNT) % TOP_SORT_COUNT);
	v->reverse = false;
	arrange(v);
}

static void sort_by(struct top_view *v, enum top_sort sort)
{
	v->reverse = v->sort == sort && !v->reverse;
	v->sort = sort;
	arrange(v);
}

static void next_group(struct top_view *v)
{
	size_t count = sizeof(groups) / sizeof(*groups), next = 0;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(groups[i], v->question.group))
			next = (i + 1) % count;
	snprintf(v->question.group, sizeof(v->question.group), "%s", groups[next]);
	v->moved = false;
	ask_again(v);
}

static void next_span(struct top_view *v)
{
	double next = spans_s[0];

	for (size_t i = sizeof(spans_s) / sizeof(*spans_s); i-- > 0;)
		if (spans_s[i] > v->question.span_s)
			next = spans_s[i];
	v->question.span_s = next;
	ask_again(v);
}

static void begin_edit(struct top_view *v)
{
	v->editing = true;
	v->refusal[0] = '\0';
	memcpy(v->edit, v->question.filter, sizeof(v->edit));
}

static void show_details(struct top_view *v)
{
	if (!top_view_selected(v))
		return;
	v->mode = TOP_DETAILS;
	v->text_scroll = 0;
	remember_selected(v);
}

static void show_help(struct top_view *v)
{
	v->mode = TOP_HELP;
	v->text_scroll = 0;
}

static void leave(struct top_view *v)
{
	if (v->mode == TOP_DETAILS)
		v->moved = v->selected > 0;
	v->mode = TOP_LIST;
	v->text_scroll = 0;
}

static void edit_type(struct top_view *v, int key)
{
	size_t used = strlen(v->edit);
	char bytes[8];
	mbstate_t state = {0};
	size_t size = wcrtomb(bytes, (wchar_t)key, &state);

	if (size == (size_t)-1 || used + size >= sizeof(v->edit))
		return;
	memcpy(v->edit + used, bytes, size);
	v->edit[used + size] = '\0';
}

static void edit_erase(struct top_view *v)
{
	size_t used = strlen(v->edit);

	while (used && ((unsigned char)v->edit[used - 1] & 0xc0) == 0x80)
		used--;
	v->edit[used ? used - 1 : 0] = '\0';
}

static void edit_take(struct top_view *v)
{
	v->editing = false;
	v->refusal[0] = '\0';
	v->mode = TOP_LIST;
	memcpy(v->question.filter, v->edit, sizeof(v->question.filter));
	ask_again(v);
}

static void key_edit(struct top_view *v, int key)
{
	if (key == TOP_KEY_ENTER || key == '\r')
		edit_take(v);
	else if (key == TOP_KEY_ESCAPE)
		v->editing = false;
	else if (key == TOP_KEY_BACKSPACE || key == 127 || key == 8)
		edit_erase(v);
	else if (key == TOP_KEY_CLEAR)
		v->edit[0] = '\0';
	else if (key >= ' ' && key < TOP_KEY_UP)
		edit_type(v, key);
}

static void toggle_pause(struct top_view *v)
{
	v->paused = !v->paused;
	if (!v->paused)
		ask_again(v);
}

/* Keys that mean the same in every mode; false: not one of them. */
static bool key_anywhere(struct top_view *v, int key)
{
	if (key == '?' || key == 'h')
		return v->mode == TOP_HELP ? leave(v) : show_help(v), true;
	if (key == 'p')
		return toggle_pause(v), true;
	if (key == '/')
		return begin_edit(v), true;
	return move_by_key(v, key);
}

static void key_list(struct top_view *v, int key)
{
	switch (key) {
	case TOP_KEY_ENTER:
	case '\r':
		return show_details(v);
	case TOP_KEY_RIGHT:
	case '>':
	case 's':
		return next_sort(v, 1);
	case TOP_KEY_LEFT:
	case '<':
	case 'S':
		return next_sort(v, -1);
	case 'r':
		v->reverse = !v->reverse;
		return arrange(v);
	case 'g':
		return next_group(v);
	case 't':
		return next_span(v);
	case 'b':
		return sort_by(v, TOP_SORT_TRAFFIC);
	case 'w':
		return sort_by(v, TOP_SORT_HEALTH);
	case 'q':
		v->quit = true;
		return;
	default:
		return;
	}
}

void top_view_key(struct top_view *v, int key)
{
	if (v->editing)
		key_edit(v, key);
	else if (key_anywhere(v, key))
		return;
	else if (v->mode == TOP_LIST)
		key_list(v, key);
	else if (key == 'q' || key == TOP_KEY_ESCAPE || key == TOP_KEY_ENTER || key == '\r' ||
		 key == TOP_KEY_LEFT || key == TOP_KEY_BACKSPACE)
		leave(v);
}
