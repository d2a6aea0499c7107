/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/series: counters over time. A step without any window is a gap: null, not 0. */
#include "server/api.h"
#include "server/api_params.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECOND      UINT64_C(1000000000)
#define STEPS_USUAL 300

const struct param_spec api_series_params[] = {
	API_PARAM_FROM,
	API_PARAM_TO,
	{"step", PARAM_SPAN, .min = SECOND, .max = 86400 * SECOND,
	 .help = "length of a step; not given: about 300 steps"},
	API_PARAM_FILTER,
	API_PARAM_GROUP,
	{"counters", PARAM_TEXT,
	 .help = "names, separated by commas; not given: "
		 "bytes_to_server,bytes_to_client,opened,retransmits_to_server,"
		 "retransmits_to_client"},
	{"by", PARAM_CHOICE, .fallback = "total", .choices = "total|edge",
	 .help = "one line of all, or a line per edge"},
	{"edge", PARAM_TEXT,
	 .help = "only the edge of this id, as the graph of the same group names it"},
	{"rtt", PARAM_FLAG, .fallback = "0", .help = "1: histograms of round-trip times too"},
	{"limit", PARAM_COUNT, .fallback = "100", .min = 1, .max = 1000, .help = "lines at most"},
	{0},
};

static int find_counter(const char *name, size_t length)
{
	int i;

	for (i = 0; i < MR_COUNTER_COUNT; i++)
		if (!strncmp(wire_counter_name(i), name, length) && !wire_counter_name(i)[length])
			return i;
	return -EINVAL;
}

/* "a,b" as a set of bits. */
static int parse_counters(const char *text, uint64_t *ret, struct error *ret_error)
{
	uint64_t counters = 0;
	size_t length;
	int counter;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		counter = find_counter(text, length);
		if (counter < 0)
			return error_set(
				ret_error, counter,
				"counters: '%.*s' is none: expected names such as "
				"bytes_to_server,opened,failed_refused,retransmits_to_client",
				(int)(length < 60 ? length : 60), text);
		counters |= UINT64_C(1) << counter;
		if (!text[length])
			break;
	}
	*ret = counters;
	return 0;
}

static int parse_request(struct query_series_request *request, const struct params *p,
			 struct error *ret_error)
{
	const char *counters = params_text(p, "counters");
	int r = query_group_parse(&request->group, params_text(p, "group"), ret_error);

	if (r < 0)
		return r;
	request->step_ns = params_number(p, "step");
	request->by_edge = params_number(p, "by");
	request->edge = params_text(p, "edge");
	request->rtt = params_number(p, "rtt");
	request->limit = params_number(p, "limit");
	return counters ? parse_counters(counters, &request->counters, ret_error) : 0;
}

static void emit_values(struct emit *e, const struct query_series *s,
			const struct query_series_line *line)
{
	size_t counter, step;

	emit_object_begin(e, "values");
	for (counter = 0; counter < s->counter_count; counter++) {
		emit_array_begin(e, wire_counter_name(s->counters[counter]));
		for (step = 0; step < s->step_count; step++) {
			if (s->covered[step])
				emit_counter(e, NULL,
					     line->values[step * s->counter_count + counter]);
			else
				emit_null(e, NULL);
		}
		emit_array_end(e);
	}
	emit_object_end(e);
}

static void emit_line(struct emit *e, const struct query_series *s,
		      const struct query_series_line *line)
{
	size_t step;

	emit_object_begin(e, NULL);
	emit_string(e, "edge", line->edge);
	emit_string(e, "client", line->client);
	emit_string(e, "server", line->server);
	emit_integer(e, "port", line->port);
	emit_values(e, s, line);
	if (line->rtt_us) {
		emit_array_begin(e, "rtt_us");
		for (step = 0; step < s->step_count; step++)
			api_emit_histogram(e, NULL, &line->rtt_us[step], false);
		emit_array_end(e);
	}
	emit_object_end(e);
}

static void emit_series(struct emit *e, const struct api *a, const struct query_series *s)
{
	size_t i;

	emit_object_begin(e, NULL);
	emit_seconds(e, "from", s->from_ns);
	emit_seconds(e, "to", s->from_ns + s->step_count * s->step_ns);
	emit_seconds(e, "step", s->step_ns);
	emit_integer(e, "steps", (int64_t)s->step_count);
	emit_array_begin(e, "lines");
	for (i = 0; i < s->line_count; i++)
		emit_line(e, s, &s->lines[i]);
	emit_array_end(e);
	emit_array_begin(e, "merged");
	for (i = 0; i < s->step_count; i++)
		if (s->merged[i])
			emit_integer(e, NULL, (int64_t)i);
	emit_array_end(e);
	emit_counter(e, "total", s->total);
	api_emit_completeness(e, a, &s->completeness);
	emit_object_end(e);
}

/* What was read in slots has no shorter steps than those. */
static uint64_t step_of(const struct query_series_request *request, uint64_t resolution_ns)
{
	uint64_t span = request->range.to_ns - request->range.from_ns;
	uint64_t step = request->step_ns ? request->step_ns : span / STEPS_USUAL;

	if (!resolution_ns)
		return request->step_ns;
	return step ? (step + resolution_ns - 1) / resolution_ns * resolution_ns : resolution_ns;
}

static void answer(struct api *a, struct http_request *r, const struct api_subject *subject)
{
	struct query_series_request request = {0};
	struct query_series series;
	struct api_query q;
	struct error error;
	int result;

	if (api_query_begin_ranged(&q, r, subject) < 0)
		return;
	request.range = q.range;
	request.filter = q.filter;
	request.now_ns = q.now_ns;
	if (parse_request(&request, http_request_params(r), &error) < 0) {
		api_query_refuse(&q, error.text);
		return;
	}
	request.step_ns = step_of(&request, core_resolution_ns(subject->core));
	result = query_series(subject->core, &request, q.arena, &series);
	if (result == -EINVAL) {
		api_query_refuse(&q, "step: expected from 1 to 10000 steps between from and to");
		return;
	}
	if (result == -E2BIG) {
		api_query_refuse(&q, "limit: so many lines of so many steps are over 32 MiB: "
				     "expected fewer lines, longer steps, or no rtt");
		return;
	}
	if (!result)
		emit_series(&q.json, a, &series);
	api_query_end(&q, result);
}

void api_series(void *userdata, struct http_request *r)
{
	api_ask(userdata, r, PAST_STEPS, answer);
}
