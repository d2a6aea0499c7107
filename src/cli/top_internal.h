/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of top's drawing share. */
#pragma once

#include "human.h"
#include "top_view.h"

/* A text of many lines, broken at blanks; each line is cleaned already. */
struct top_text {
	char **lines; /* owned, ended by NULL */
	int count;
};

/* Lines of at most width columns; what a line is broken into is indented as it is. 0, -ENOMEM. */
int top_text_wrap(struct top_text *ret, const char *text, int width);
void top_text_done(struct top_text *t);

/* The plain words of `why` for the selected row, and what top measured besides; NULL without
 * memory or row. Owned. */
char *top_details_write(const struct top_view *v);

/* "10 s"; "5 min (40 s so far)" where history is younger than the span. */
#define TOP_SPAN_SIZE (2 * HUMAN_NUMBER_SIZE + 16)
char *top_span_words(const struct top_view *v, char *buffer);

extern const char top_help_text[];

/* Writes at x as much as fits; returns where it ended. */
int top_put(struct top_screen *s, int y, int x, struct top_ink ink, const char *clean);
