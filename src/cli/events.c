/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See events.h. Following asks every second for what came since the newest shown. Several of one
 * kind within ten seconds are one row with a count, so a row that grew is shown again.
 */
#include "events.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "field.h"
#include "follow.h"
#include "human.h"
#include "output.h"

static void write_event(const json_t *e, FILE *out)
{
	time_t at = (time_t)field_number(e, "time");
	char clock[32] = "?";
	struct tm tm;

	if (localtime_r(&at, &tm))
		strftime(clock, sizeof(clock), "%F %T", &tm);
	fprintf(out, "%s  ", clock);
	human_print(out, field_text(e, "text"));
	fprintf(out, "  (%s ", field_text(e, "who.kind"));
	human_print(out, field_text(e, "who.workload"));
	fprintf(out, ", pid %.0f)\n", field_number(e, "who.pid"));
}

static void write_sums(const json_t *json, const char *what, FILE *out)
{
	const json_t *c = field_get(json, what);

	if (field_number(c, "started") == 0 && field_number(c, "exited") == 0)
		return;
	fprintf(out,
		"%s: %.0f started, %.0f of them again; %.0f ended, %.0f of them failed, %.0f "
		"killed\n",
		what, field_number(c, "started"), field_number(c, "restarted"),
		field_number(c, "exited"), field_number(c, "failed"), field_number(c, "killed"));
}

int events_write(const json_t *json, double after, bool all, FILE *out)
{
	const json_t *events = field_array(json, "events");

	if (!events)
		return -EPROTO;
	for (size_t i = json_array_size(events); i--;)
		if (field_number(json_array_get(events, i), "time") > after)
			write_event(json_array_get(events, i), out);
	if (!all)
		return 0;
	write_sums(json, "processes", out);
	write_sums(json, "containers", out);
	if (!json_array_size(events))
		fputs("nothing started or ended that has a socket\n", out);
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
	int r = client_get(a->server, "/api/v1/events", query, &answer, ret_error);

	if (r < 0)
		return r;
	if (a->json)
		client_print_json(&answer);
	else
		r = output_result(events_write(answer.json, 0, true, stdout), a->server, ret_error);
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
	r = client_get(a->server, "/api/v1/events", query, &answer, ret_error);
	if (r < 0)
		return r;
	r = a->json ? print_lines(answer.json, *after)
		    : events_write(answer.json, *after, false, stdout);
	*after = events_latest(answer.json, *after);
	client_answer_done(&answer);
	return output_result(r, a->server, ret_error);
}

int events_run(const struct arguments *a, struct error *ret_error)
{
	return client_exit_code(a->follow ? follow_run(a, poll_once, NULL, ret_error)
					  : once(a, ret_error));
}
