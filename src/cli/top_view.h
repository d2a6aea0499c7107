/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `millrace top` shows and how keys change it, without a terminal.
 *
 * The view holds the newest table and what the reader chose: order, group, filter, what is
 * selected, how far it is scrolled. Keys and answers come in, drawing goes out by a callback.
 * Clocks are given.
 *
 * A row is selected by the id of its edge, so the selection stays with it when the order changes;
 * until the reader moves it, it stays on the first row, whichever that is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "top_column.h"
#include "top_row.h"

/* A key is the character it types, or one of these. */
enum top_key {
	TOP_KEY_ENTER = '\n',
	TOP_KEY_ESCAPE = 27,
	TOP_KEY_CLEAR = 21, /* Ctrl-U */
	TOP_KEY_UP = 0x110000,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_BACKSPACE,
};

enum top_mode { TOP_LIST, TOP_DETAILS, TOP_HELP };

#define TOP_FILTER_SIZE  4097
#define TOP_GROUP_SIZE   128
#define TOP_PROBLEM_SIZE 512
#define TOP_ID_SIZE      1024

/* What to ask the server for; the source reads it, the view changes it. */
struct top_question {
	char group[TOP_GROUP_SIZE], filter[TOP_FILTER_SIZE];
	double span_s;
	uint32_t number; /* counts up with each change */
};

struct top_view {
	struct top_table table;
	bool has_table;
	enum top_sort sort;
	bool reverse;
	enum top_mode mode;
	struct top_question question;
	uint32_t answered;            /* the question that the table answers */
	char filter[TOP_FILTER_SIZE]; /* the last one that the server took */
	bool paused, quit;
	bool editing;
	char edit[TOP_FILTER_SIZE];
	char refusal[TOP_PROBLEM_SIZE]; /* why the filter was not taken */
	char problem[TOP_PROBLEM_SIZE]; /* why there is no answer; "": there is */
	double problem_since_s;
	bool moved;
	char selected_id[TOP_ID_SIZE];
	size_t selected, scroll, text_scroll;
	int list_height, text_height, text_lines; /* as last drawn */
};

/* Zero but for the question's fields, which the caller sets. */
void top_view_done(struct top_view *v);

/* An answer to this question came: takes the table over. Left out while paused, or if another
 * question was asked since. */
void top_view_take(struct top_view *v, struct top_table *table, uint32_t number);

/* No answer: why. refused: the server did not understand the question, so the one before stands. */
void top_view_fail(struct top_view *v, const char *why, bool refused, uint32_t number,
		   double now_s);

void top_view_key(struct top_view *v, int key);

/* The selected row; NULL: there is none. */
const struct top_row *top_view_selected(const struct top_view *v);

/* --- drawing -------------------------------------------------------------------------------- */

struct top_ink {
	enum table_colour colour;
	bool bold, reverse;
};

/* A line may be written in pieces, from the left to the right; texts are cleaned and fit. */
struct top_screen {
	int width, height;
	void (*put)(void *userdata, int y, int x, struct top_ink ink, const char *text);
	void *userdata;
	int cursor_y, cursor_x; /* set by drawing; -1: no cursor */
};

struct top_moment {
	double now_s;      /* unix seconds */
	const char *clock; /* the same for people: "14:02:11" */
	const char *server;
};

void top_view_draw(struct top_view *v, const struct top_moment *moment, struct top_screen *s);

/* The rows as text, all of them, with titles; width 0: without limit. 0, -ENOMEM. */
int top_write_text(const struct top_view *v, const struct table_style *style, FILE *out);
/* {"rows": […]} for programs; 0, -ENOMEM. */
int top_write_json(const struct top_view *v, FILE *out);
