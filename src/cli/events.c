/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See events.h. Following asks every second for what came since the newest shown. Several of one
 * kind within ten seconds are one row with a count, so a row that grew is shown again. Rows stand
 * by when the first of them was: what started must not stand below its own end.
 */
#include "events.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "field.h"
#include "follow.h"
#include "human.h"
#include "output.h"

static double first_time(const json_t *e)
{
	double first = field_number(e, "first");

	return first > 0 ? first : field_number(e, "time");
}

static void write_event(const json_t *e, FILE *out)
{
	time_t at = (time_t)first_time(e);
	char clock[32] = "?";
	struct tm tm;

	if (localtime_r(&at, &tm))
		strftime(clock, sizeof(clock), "%F %T", &tm);
	fprintf(out, "%s  ", clock);
	human_print(out, field_text(e, "text"));
	if (!strcmp(field_text(e, "scope"), "agent")) { /* its text names the node */
		fputc('\n', out);
		return;
	}
	fprintf(out, "  (%s ", field_text(e, "who.kind"));
	human_print(out, field_text(e, "who.workload"));
	fprintf(out, ", pid %.0f)\n", field_number(e, "who.pid"));
}

static void write_count(double count, const char *what, FILE *out)
{
	if (count > 0)
		fprintf(out, ", %.0f %s", count, what);
}

static void write_sums(const json_t *json, const char *what, FILE *out)
{
	const json_t *c = field_get(json, what);

	if (field_number(c, "started") == 0 && field_number(c, "exited") == 0)
		return;
	fprintf(out, "%s: %.0f started", what, field_number(c, "started"));
	write_count(field_number(c, "restarted"), "of them again", out);
	fprintf(out, "; %.0f ended", field_number(c, "exited"));
	write_count(field_number(c, "failed"), "failed", out);
	write_count(field_number(c, "killed"), "killed", out);
	fputc('\n', out);
}

/* The answer has the newest first; of rows that began at one time the one that ended first. */
static int by_first(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	double first = first_time(x) - first_time(y);
	double last = field_number(x, "time") - field_number(y, "time");

	return first ? (first > 0 ? 1 : -1) : (last > 0) - (last < 0);
}

static int write_rows(const json_t *events, double after, FILE *out)
{
	size_t count = 0;
	const json_t **rows = calloc(json_array_size(events) + 1, sizeof(json_t *));

	if (!rows)
		return -ENOMEM;
	for (size_t i = json_array_size(events); i--;)
		if (field_number(json_array_get(events, i), "time") > after)
			rows[count++] = json_array_get(events, i);
	qsort(rows, count, sizeof(*rows), by_first);
	for (size_t i = 0; i < count; i++)
		write_event(rows[i], out);
	free(rows);
	return 0;
}

int events_write(const json_t *json, double after, FILE *out)
{
	const json_t *events = field_array(json, "events");

	return events ? write_rows(events, after, out) : -EPROTO;
}

int events_write_all(const json_t *json, bool filtered, FILE *out)
{
	int r = events_write(json, 0, out);

	if (r < 0)
		return r;
	write_sums(json, "processes", out);
	write_sums(json, "containers", out);
	if (!json_array_size(field_array(json, "events")))
		fputs(filtered ? "nothing that matches the filter started or ended\n"
			       : "nothing started or ended that has a socket\n",
		      out);
	return 0;
}

double events_latest(const json_t *json, double after)
{
	double newest = field_number(json_array_get(field_array(json, "events"), 0), "time");

	return newest > after ? newest : after;
}

static int once(const struct arguments *a, struct error *ret_error)
{
	const struct client_parameter query[] = {CLIENT_RANGE(a), {.name = NULL}};
	struct client_answer answer;
	int r = client_get(&a->server, "/api/v1/events", query, &answer, ret_error);

	if (r < 0)
		return r;
	if (a->json)
		client_print_json(&answer);
	else
		r = output_result(events_write_all(answer.json, a->filter != NULL, stdout),
				  a->server.url, ret_error);
	client_answer_done(&answer);
	return r;
}

/* One event a line, so that a program can read line by line. */
static int print_lines(const json_t *json, double after)
{
	const json_t *events = field_array(json, "events");

	for (size_t i = json_array_size(events); i--;) {
		const json_t *e = json_array_get(events, i);

		if (field_number(e, "time") <= after)
			continue;
		if (json_dumpf(e, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) < 0)
			return -ENOMEM;
		fputc('\n', stdout);
	}
	return 0;
}

static int poll_once(const struct arguments *a, void *unused, double *after,
		     struct error *ret_error)
{
	char from[32] = "-5s";
	const struct client_parameter query[] = {
		{"from", from}, {"filter", a->filter}, {"limit", "100000"}, {.name = NULL}};
	struct client_answer answer;
	int r;

	(void)unused;
	if (*after > 0)
		snprintf(from, sizeof(from), "%.6f", *after);
	r = client_get(&a->server, "/api/v1/events", query, &answer, ret_error);
	if (r < 0)
		return r;
	r = a->json ? print_lines(answer.json, *after) : events_write(answer.json, *after, stdout);
	*after = events_latest(answer.json, *after);
	client_answer_done(&answer);
	return output_result(r, a->server.url, ret_error);
}

int events_run(const struct arguments *a, struct error *ret_error)
{
	return client_exit_code(a->follow ? follow_run(a, poll_once, NULL, ret_error)
					  : once(a, ret_error));
}
