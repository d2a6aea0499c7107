/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"

#define COLUMN_GAP 2
#define LEFT_OUT   (-1) /* the width of a column that is not shown */

struct cell {
	char *text; /* cleaned, owned */
	int width;
	enum table_colour colour;
	bool line;
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	struct cell *cells; /* row after row; a line is one cell */
	size_t cell_count, cell_capacity;
	size_t filled; /* cells of the row that is being filled */
	bool out_of_memory;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *t = count <= TABLE_COLUMNS_MAX ? calloc(1, sizeof(*t)) : NULL;

	if (t) {
		t->columns = columns;
		t->column_count = count;
	}
	return t;
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->cell_count; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
	return NULL;
}

static struct cell *append(struct table *t, enum table_colour colour, const char *text)
{
	struct cell *cell;

	if (t->cell_count == t->cell_capacity) {
		size_t capacity = t->cell_capacity ? t->cell_capacity * 2 : 256;
		struct cell *cells = reallocarray(t->cells, capacity, sizeof(*cells));

		if (!cells) {
			t->out_of_memory = true;
			return NULL;
		}
		t->cells = cells;
		t->cell_capacity = capacity;
	}
	cell = &t->cells[t->cell_count];
	*cell = (struct cell){.text = human_clean(text), .colour = colour};
	if (!cell->text) {
		t->out_of_memory = true;
		return NULL;
	}
	cell->width = human_width(cell->text);
	t->cell_count++;
	return cell;
}

void table_cell_coloured(struct table *t, enum table_colour colour, const char *text)
{
	if (!t->out_of_memory && append(t, colour, text))
		t->filled = (t->filled + 1) % t->column_count;
}

void table_cell(struct table *t, const char *text)
{
	table_cell_coloured(t, TABLE_PLAIN, text);
}

void table_line(struct table *t, enum table_colour colour, const char *text)
{
	struct cell *cell = t->out_of_memory ? NULL : append(t, colour, text);

	if (cell)
		cell->line = true;
}

bool table_is_empty(const struct table *t)
{
	return t->cell_count == 0;
}

static void measure(const struct table *t, int *widths)
{
	size_t column = 0;

	for (size_t i = 0; i < t->column_count; i++)
		widths[i] = human_width(t->columns[i].title);
	for (size_t i = 0; i < t->cell_count; i++) {
		if (t->cells[i].line)
			continue;
		if (widths[column] < t->cells[i].width)
			widths[column] = t->cells[i].width;
		column = (column + 1) % t->column_count;
	}
}

/* The column that gives way next; -1: none may any more. */
static int widest(const struct table *t, const int *widths)
{
	int found = -1;

	for (size_t i = 0; i < t->column_count; i++) {
		int min = t->columns[i].shrink_min;

		if (min && widths[i] > min && (found < 0 || widths[i] > widths[found]))
			found = (int)i;
	}
	return found;
}

static int total_width(const struct table *t, const int *widths)
{
	int total = -COLUMN_GAP;

	for (size_t i = 0; i < t->column_count; i++)
		total += widths[i] == LEFT_OUT ? 0 : widths[i] + COLUMN_GAP;
	return total;
}

/* Whether that was enough. */
static bool shrink(const struct table *t, int *widths, int available)
{
	int total = total_width(t, widths), column;

	while (total > available && (column = widest(t, widths)) >= 0) {
		widths[column]--;
		total--;
	}
	return total <= available;
}

/* The column that is missed least; -1: all that are left stay. */
static int least(const struct table *t, const int *widths)
{
	int found = -1;

	for (size_t i = 0; i < t->column_count; i++) {
		int rank = t->columns[i].leave_out;

		if (rank && widths[i] != LEFT_OUT &&
		    (found < 0 || rank < t->columns[found].leave_out))
			found = (int)i;
	}
	return found;
}

static void fit(const struct table *t, int *widths, int available)
{
	int full[TABLE_COLUMNS_MAX], column;

	memcpy(full, widths, sizeof(full));
	while (!shrink(t, widths, available) && (column = least(t, widths)) >= 0) {
		full[column] = LEFT_OUT;
		memcpy(widths, full, sizeof(full));
	}
}

static void print_spaces(FILE *out, int count)
{
	while (count-- > 0)
		fputc(' ', out);
}

static void print_coloured(FILE *out, const struct table_style *style, enum table_colour colour,
			   const char *text, size_t size)
{
	static const char *const codes[] = {
		[TABLE_PLAIN] = "",       [TABLE_GREEN] = "\033[32m", [TABLE_YELLOW] = "\033[33m",
		[TABLE_RED] = "\033[31m", [TABLE_BOLD] = "\033[1m",   [TABLE_DIM] = "\033[2m",
	};
	bool coloured = style->colour && colour != TABLE_PLAIN;

	if (coloured)
		fputs(codes[colour], out);
	fwrite(text, 1, size, out);
	if (coloured)
		fputs("\033[0m", out);
}

/* What a cell that is cut keeps of its end; "" where there is no room for both. */
static const char *tail_of(const struct cell *cell, const struct table_column *column, int width)
{
	const char *tail = column->port ? strrchr(cell->text, ':') : NULL;

	return tail && human_width(tail) + 1 < width ? tail : "";
}

/* Cuts to the column and fills it up; the last column leaves no blanks behind. */
static void print_cell(FILE *out, const struct table_style *style, const struct cell *cell,
		       int width, const struct table_column *column, bool last)
{
	size_t size = strlen(cell->text);
	const char *mark = "", *tail = "";
	int shown = cell->width;

	if (shown > width) {
		int rest;

		mark = human_unicode() ? "…" : "~";
		tail = tail_of(cell, column, width);
		rest = 1 + human_width(tail);
		size = human_fit(cell->text, width - rest, &shown);
		shown += rest;
	}
	if (column->right)
		print_spaces(out, width - shown);
	print_coloured(out, style, cell->colour, cell->text, size);
	fputs(mark, out);
	if (*tail)
		print_coloured(out, style, cell->colour, tail, strlen(tail));
	if (!column->right && !last)
		print_spaces(out, width - shown);
}

static void print_row(const struct table *t, const struct table_style *style, FILE *out,
		      const struct cell *row, const int *widths)
{
	size_t last = t->column_count - 1;

	while (last && widths[last] == LEFT_OUT)
		last--;
	for (size_t i = 0; i <= last; i++) {
		if (widths[i] == LEFT_OUT)
			continue;
		print_cell(out, style, &row[i], widths[i], &t->columns[i], i == last);
		print_spaces(out, i == last ? 0 : COLUMN_GAP);
	}
	fputc('\n', out);
}

static void print_titles(const struct table *t, const struct table_style *style, FILE *out,
			 const int *widths)
{
	struct cell row[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < t->column_count; i++)
		row[i] = (struct cell){.text = (char *)t->columns[i].title,
				       .width = human_width(t->columns[i].title),
				       .colour = TABLE_DIM};
	print_row(t, style, out, row, widths);
}

/* Takes over the widths of the tables before; whether these are not enough any more. */
static bool keep(const struct table *t, int *widths, int *kept)
{
	bool grew = false;

	for (size_t i = 0; i < t->column_count && kept; i++) {
		grew |= widths[i] > kept[i];
		widths[i] = kept[i] = widths[i] > kept[i] ? widths[i] : kept[i];
	}
	return grew || !kept;
}

int table_print(const struct table *t, const struct table_style *style, FILE *out)
{
	int widths[TABLE_COLUMNS_MAX] = {0};
	bool titles;

	if (t->out_of_memory)
		return -ENOMEM;
	measure(t, widths);
	titles = keep(t, widths, style->kept);
	if (style->width)
		fit(t, widths, style->width);
	if (titles)
		print_titles(t, style, out, widths);
	for (size_t i = 0; i < t->cell_count;) {
		const struct cell *cell = &t->cells[i];

		if (cell->line) {
			print_coloured(out, style, cell->colour, cell->text, strlen(cell->text));
			fputc('\n', out);
			i++;
		} else if (t->cell_count - i >= t->column_count) {
			print_row(t, style, out, cell, widths);
			i += t->column_count;
		} else {
			break;
		}
	}
	return 0;
}
