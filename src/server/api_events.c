/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/events: what became of processes and containers. */
#include "server/api.h"
#include "server/api_params.h"

const struct param_spec api_events_params[] = {
	{"from", PARAM_TIME, .fallback = "-1h", .help = "begin of the range, exclusive"},
	API_PARAM_TO,
	API_PARAM_FILTER,
	{"limit", PARAM_COUNT, .fallback = "1000", .min = 1, .max = 100000,
	 .help = "rows at most, the newest first; total tells how many there are"},
	{0},
};

static void emit_counts(struct emit *e, const char *key, const struct event_counts *c)
{
	emit_object_begin(e, key);
	emit_counter(e, "started", c->started);
	emit_counter(e, "restarted", c->restarted);
	emit_counter(e, "exited", c->exited);
	emit_counter(e, "failed", c->failed);
	emit_counter(e, "killed", c->killed);
	emit_counter(e, "out_of_memory", c->oom);
	emit_object_end(e);
}

void api_emit_happenings(struct emit *e, const struct query_happenings *h)
{
	emit_counts(e, "processes", &h->processes);
	emit_counts(e, "containers", &h->containers);
	if (!h->last) {
		emit_null(e, "last_event");
		return;
	}
	emit_object_begin(e, "last_event");
	emit_seconds(e, "time", h->last_ns);
	emit_string(e, "text", h->last);
	emit_object_end(e);
}

static void emit_event(struct emit *e, const struct query_event *event)
{
	emit_object_begin(e, NULL);
	emit_seconds(e, "time", event->last_ns);
	emit_seconds(e, "first", event->first_ns);
	emit_string(e, "scope", event->scope);
	emit_string(e, "kind", event->kind);
	emit_counter(e, "count", event->count);
	emit_integer(e, "code", event->code);
	emit_integer(e, "signal", event->signal);
	emit_boolean(e, "out_of_memory", event->oom);
	emit_boolean(e, "worker", event->worker);
	api_emit_endpoint(e, "who", &event->who, false);
	emit_string(e, "text", event->text);
	emit_object_end(e);
}

static void answer(struct api *a, struct http_request *r, const struct api_subject *subject)
{
	struct query_events_request request;
	struct query_events events;
	struct api_query q;
	size_t i;
	int result;

	if (api_query_begin_ranged(&q, r, subject) < 0)
		return;
	if (filter_needs_edge(q.filter)) {
		api_query_refuse(&q, "cannot filter events by address:, port:, protocol:, class: or "
				     "carrier:, which processes do not have: expected client:, "
				     "server:, either:, process:, container:, node: or zone:");
		return;
	}
	request = (struct query_events_request){
		.range = q.range,
		.filter = q.filter,
		.limit = params_number(http_request_params(r), "limit"),
		.now_ns = q.now_ns,
	};
	result = query_events(subject->core, &request, q.arena, &events);
	if (!result) {
		emit_object_begin(&q.json, NULL);
		emit_seconds(&q.json, "from", q.range.from_ns);
		emit_seconds(&q.json, "to", q.range.to_ns);
		emit_array_begin(&q.json, "events");
		for (i = 0; i < events.event_count; i++)
			emit_event(&q.json, &events.events[i]);
		emit_array_end(&q.json);
		emit_counter(&q.json, "total", events.total);
		emit_counts(&q.json, "processes", &events.processes);
		emit_counts(&q.json, "containers", &events.containers);
		api_emit_completeness(&q.json, a, &events.completeness);
		emit_object_end(&q.json);
	}
	api_query_end(&q, result);
}

void api_events(void *userdata, struct http_request *r)
{
	api_ask(userdata, r, PAST_SUMS, answer);
}
