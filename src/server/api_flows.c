/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/flows: the joined table, a row per flow and range or window. */
#include "server/api.h"
#include "server/api_params.h"

const struct param_spec api_flows_params[] = {
	API_PARAM_FROM,
	API_PARAM_TO,
	API_PARAM_FILTER,
	{"view", PARAM_CHOICE, .fallback = "joined", .choices = "joined|ends",
	 .help = "joined: every connection once; ends: the rows as each end reported them"},
	{"per", PARAM_CHOICE, .fallback = "range", .choices = "range|window",
	 .help = "a row per flow, or per flow and window"},
	{"limit", PARAM_COUNT, .fallback = "1000", .min = 1, .max = 100000,
	 .help = "rows at most; total tells how many there are"},
	API_PARAM_BUCKETS,
	{0},
};

static void emit_flow(struct emit *e, const struct query_flow *flow, bool buckets)
{
	bool connections = api_has_connections(flow->transport);

	emit_object_begin(e, NULL);
	emit_seconds(e, "time", flow->time_ns);
	emit_number(e, "window_s", flow->window_s);
	api_emit_endpoint(e, "client", &flow->client, false);
	api_emit_endpoint(e, "server", &flow->server, true);
	emit_string(e, "transport", flow->transport);
	emit_string(e, "seen_by", flow->seen_by);
	emit_boolean(e, "coarse", flow->coarse);
	emit_boolean(e, "unresolved", flow->unresolved);
	emit_string(e, "via", flow->via);
	emit_integer(e, "netns", flow->netns);
	emit_seconds(e, "first_seen", flow->first_seen_ns);
	api_emit_measures(e, &flow->measures, connections, buckets);
	api_emit_view(e, flow->server_view, connections, buckets);
	emit_object_end(e);
}

static void emit_flows(struct emit *e, const struct api *a, const struct query_range *range,
		       const struct query_flows *flows, const struct params *p)
{
	size_t i;

	emit_object_begin(e, NULL);
	emit_seconds(e, "from", range->from_ns);
	emit_seconds(e, "to", range->to_ns);
	emit_string(e, "view", params_text(p, "view"));
	emit_string(e, "per", params_text(p, "per"));
	emit_array_begin(e, "flows");
	for (i = 0; i < flows->flow_count; i++)
		emit_flow(e, &flows->flows[i], params_number(p, "buckets"));
	emit_array_end(e);
	emit_counter(e, "total", flows->total);
	api_emit_completeness(e, a, &flows->completeness);
	emit_object_end(e);
}

static void answer(struct api *a, struct http_request *r, const struct api_subject *subject)
{
	const struct params *p = http_request_params(r);
	struct query_flows_request request;
	struct query_flows flows;
	struct api_query q;
	int result;

	if (api_query_begin_ranged(&q, r, subject) < 0)
		return;
	request = (struct query_flows_request){
		.range = q.range,
		.view = params_number(p, "view") ? QUERY_VIEW_ENDS : QUERY_VIEW_JOINED,
		.per_window = params_number(p, "per"),
		.filter = q.filter,
		.limit = params_number(p, "limit"),
		.now_ns = q.now_ns,
	};
	result = query_flows(subject->core, &request, q.arena, &flows);
	if (!result)
		emit_flows(&q.json, a, &q.range, &flows, p);
	api_query_end(&q, result);
}

void api_flows(void *userdata, struct http_request *r)
{
	api_ask(userdata, r, params_number(http_request_params(r), "per") ? PAST_STEPS : PAST_SUMS, answer);
}
