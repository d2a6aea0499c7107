/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `millrace flows`, once or following.
 *
 * Following asks every second for the windows that ended since the newest one shown. A window may
 * come late or be cut to microseconds in its time, so the question overlaps by that one and rows
 * that were shown are left out: none is missed, none comes twice.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "flows.h"
#include "follow.h"
#include "output.h"

#define FOLLOW_LIMIT "100000"

static int write_once(const json_t *json, bool filtered)
{
	const json_t *flows = json_object_get(json, "flows");
	struct table_style style = output_style();

	if (filtered && json_is_array(flows) && !json_array_size(flows)) {
		puts("nothing matches the filter");
		return 0;
	}
	return flows_write(json, false, 0, &style, stdout);
}

static int once(const struct arguments *a, struct error *ret_error)
{
	struct client_answer answer;
	char limit[16];
	struct client_parameter query[] = {
		CLIENT_RANGE(a), {"limit", a->limit ? limit : NULL}, {.name = NULL}};
	int r;

	snprintf(limit, sizeof(limit), "%u", a->limit);
	r = client_get(&a->server, "/api/v1/flows", query, &answer, ret_error);
	if (r < 0)
		return r;
	if (a->json)
		client_print_json(&answer);
	else
		r = output_result(write_once(answer.json, a->filter), a->server.url, ret_error);
	client_answer_done(&answer);
	return r;
}

/* One answer a line, so that a program can read line by line. */
static int print_line(const json_t *json, double after)
{
	json_t *flows = json_object_get(json, "flows"), *flow;

	for (size_t i = 0; i < json_array_size(flows); i++) {
		flow = json_array_get(flows, i);
		if (json_number_value(json_object_get(flow, "time")) <= after)
			continue;
		if (json_dumpf(flow, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) < 0)
			return -ENOMEM;
		fputc('\n', stdout);
	}
	return 0;
}

static int poll_once(const struct arguments *a, void *kept, double *after, struct error *ret_error)
{
	struct table_style style = output_style();
	struct client_answer answer;
	char from[32];
	struct client_parameter query[] = {{"from", from},
					   {"filter", a->filter},
					   {"per", "window"},
					   {"limit", FOLLOW_LIMIT},
					   {.name = NULL}};
	int r;

	snprintf(from, sizeof(from), *after > 0 ? "%.6f" : "-5s", *after);
	r = client_get(&a->server, "/api/v1/flows", query, &answer, ret_error);
	if (r < 0)
		return r;
	style.kept = kept;
	r = a->json ? print_line(answer.json, *after)
		    : flows_write(answer.json, true, *after, &style, stdout);
	*after = flows_latest(answer.json, *after);
	client_answer_done(&answer);
	return output_result(r, a->server.url, ret_error);
}

int flows_run(const struct arguments *a, struct error *ret_error)
{
	int kept[TABLE_COLUMNS_MAX] = {0};

	return client_exit_code(a->follow ? follow_run(a, poll_once, kept, ret_error)
					  : once(a, ret_error));
}
