/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the table: "name | measured | promise | held?" on stdout, and as Markdown in
 * DIRECTORY/LINE.rows, from which docs/overhead.md is put together.
 */
#pragma once

#include <stdbool.h>

struct promise {
	const char *text; /* "≤ 3.0 µs (1.5)" */
	double limit, stretch;
	bool at_least; /* else at most */
};

/* Rows that follow go to this line's file, which begins anew. */
void report_begin(const char *directory, const char *line);
void report_end(void);

/* value is held against the promise; NULL: a figure without one. */
void report_row(const char *what, const struct promise *p, double value, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* What explains the rows; on stdout only. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
