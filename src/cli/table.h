/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aligned columns for a terminal.
 *
 * Cells are cleaned on the way in, so that no caller can forget it. Widths follow the content;
 * where the output has a width, columns that may shrink give way, the widest first, and cut cells
 * end in a mark; where that is not enough, columns that may are left out, one by one. A line row
 * stands across the columns and takes no part in their widths.
 *
 * Limits: 24 columns. Running out of memory is remembered and told by table_print().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 24

enum table_colour { TABLE_PLAIN, TABLE_GREEN, TABLE_YELLOW, TABLE_RED, TABLE_BOLD, TABLE_DIM };

struct table_column {
	const char *title;
	bool right;     /* numbers stand to the right */
	int shrink_min; /* may shrink to this; 0: may not */
	int leave_out;  /* 1 is left out first where there is no room, then 2 …; 0: never */
	bool port;      /* a cell that is cut keeps its end from the last ':' on */
};

struct table_style {
	int width; /* of the output; 0: without limit */
	bool colour;
	int *kept; /* for tables that follow each other: widths so far, TABLE_COLUMNS_MAX of them;
		    * titles are printed again only when one grew. NULL: a table of its own */
};

struct table;

struct table *table_new(const struct table_column *columns, size_t count); /* borrows columns */
struct table *table_free(struct table *t);                                 /* always NULL */

/* The next cell of the row that is being filled; rows fill from the left and end by themselves. */
void table_cell(struct table *t, const char *text);
void table_cell_coloured(struct table *t, enum table_colour colour, const char *text);

/* A row that is one line; between rows only. */
void table_line(struct table *t, enum table_colour colour, const char *text);

bool table_is_empty(const struct table *t);                                         /* no row yet */
int table_print(const struct table *t, const struct table_style *style, FILE *out); /* 0, -ENOMEM */
