/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of `millrace top`: a table of what each shows, how wide and how important it is.
 *
 * Pure. A layout takes columns by importance for as long as they fit, then gives what is left to
 * those that hold names, up to what their content needs. Figures keep their width, so that nothing
 * moves sideways from one second to the next.
 */
#pragma once

#include "table.h"
#include "top_row.h"

#define TOP_COLUMNS_MAX 24
#define TOP_CELL_SIZE   256 /* a longer name is cut by bytes before it is cut by columns */

struct top_cell {
	char text[TOP_CELL_SIZE]; /* cleaned */
	enum table_colour colour;
};

struct top_column {
	const char *title;
	enum top_sort sort; /* the key that orders by this column */
	int min, max;       /* width; equal: fixed */
	bool right;
	int rank; /* 0 is always shown; the larger, the sooner it is left out */
	void (*format)(const struct top_row *row, struct top_cell *ret);
};

extern const struct top_column top_columns[];
extern const size_t top_column_count;

struct top_layout {
	int width[TOP_COLUMNS_MAX]; /* by column; 0: not shown */
	int gap;
};

/* width 0: without limit, every column as wide as its content. */
void top_layout_choose(struct top_layout *ret, const struct top_table *t, int width);

/* A cell cut and filled to width, a cut one ends in a mark; at most width columns. The last cell of
 * a line of text leaves no blanks behind. */
void top_cell_fit(const char *clean, int width, bool right, bool fill, char *ret, size_t size);

/* A column's cell of a row; where a server's name is too long, its port stays. */
enum table_colour top_column_write(const struct top_column *c, const struct top_row *row, int width,
				   bool fill, char *ret, size_t size);
