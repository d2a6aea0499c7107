/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "bench.h"

static FILE *rows;
static char command[64];

void report_begin(const char *directory, const char *line)
{
	char path[512];

	snprintf(command, sizeof(command), "`bench/run %s`", line);
	snprintf(path, sizeof(path), "%s/%s.rows", directory, line);
	rows = fopen(path, "we");
	if (!rows)
		bench_die("write %s: %m", path);
}

void report_end(void)
{
	fclose(rows);
	rows = NULL;
}

static bool reaches(const struct promise *p, double value, double limit)
{
	return p->at_least ? value >= limit : value <= limit;
}

static const char *verdict(const struct promise *p, double value)
{
	if (!p)
		return "";
	if (!reaches(p, value, p->limit))
		return "**no**";
	return reaches(p, value, p->stretch) ? "yes, and the stretch" : "yes";
}

void report_row(const char *what, const struct promise *p, double value, const char *format, ...)
{
	const char *promise = p ? p->text : "";
	char measured[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(measured, sizeof(measured), format, ap);
	va_end(ap);
	printf("%s | %s | %s | %s\n", what, measured, promise, verdict(p, value));
	fprintf(rows, "| %s | %s | %s | %s | %s |\n", what, measured, promise, verdict(p, value),
		command);
	fflush(NULL);
}

void report_note(const char *format, ...)
{
	va_list ap;

	fputs("  ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}
