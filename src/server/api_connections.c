/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/connections: live sockets, asked of the agent at that moment and stored nowhere. */
#include "server/api.h"
#include "server/api_params.h"

#define ANSWER_TIMEOUT_MS 3000
#define SOCKETS_MAX       50000 /* asked for when a filter will choose among them */

const struct param_spec api_connections_params[] = {
	API_PARAM_FILTER,
	{"limit", PARAM_COUNT, .fallback = "1000", .min = 1, .max = 10000,
	 .help = "rows at most; total tells how many live sockets there are"},
	{0},
};

static void emit_figures(struct emit *e, const struct wire_connection *c)
{
	emit_integer(e, "pid", c->pid);
	emit_integer(e, "netns", c->netns);
	emit_integer(e, "rtt_us", c->rtt_us);
	emit_integer(e, "rttvar_us", c->rttvar_us);
	emit_integer(e, "min_rtt_us", c->min_rtt_us);
	emit_integer(e, "cwnd", c->cwnd);
	emit_integer(e, "ssthresh", c->ssthresh);
	emit_integer(e, "mss", c->mss);
	emit_integer(e, "unacked_segments", c->unacked_segments);
	emit_integer(e, "retransmits", c->retransmits);
	emit_counter(e, "bytes_sent", c->bytes_sent);
	emit_counter(e, "bytes_received", c->bytes_received);
	emit_counter(e, "bytes_acked", c->bytes_acked);
	emit_integer(e, "segments_sent", c->segments_sent);
	emit_integer(e, "segments_received", c->segments_received);
	if (c->pacing_rate == UINT64_MAX || c->pacing_rate == UINT32_MAX)
		emit_null(e, "pacing_rate"); /* without limit */
	else
		emit_counter(e, "pacing_rate", c->pacing_rate);
	emit_counter(e, "delivery_rate", c->delivery_rate);
	if (c->age_ms)
		emit_integer(e, "age_ms", c->age_ms);
	else
		emit_null(e, "age_ms"); /* older than the agent */
	emit_integer(e, "last_send_ms", c->last_send_ms);
	emit_integer(e, "last_receive_ms", c->last_receive_ms);
}

static void emit_connection(struct emit *e, const struct query_connection *c)
{
	emit_object_begin(e, NULL);
	api_emit_endpoint(e, "client", &c->client, true);
	api_emit_endpoint(e, "server", &c->server, true);
	emit_string(e, "transport", c->transport);
	emit_string(e, "seen_by", c->seen_by);
	emit_string(e, "state", c->state);
	emit_figures(e, c->wire);
	emit_object_end(e);
}

void api_connections_answer(struct api *a, struct api_wait *w, const struct wire_answer *answer)
{
	struct filter *filter = w->filter;
	struct query_connections connections;
	struct api_query q;
	uint64_t limit = w->limit;
	size_t i;
	int result;

	w->filter = NULL;
	if (api_query_begin(&q, api_wait_end(w)) < 0) {
		filter_free(filter);
		return;
	}
	q.filter = filter;
	result = query_connections(a->core, answer, filter, q.arena, &connections);
	if (!result) {
		emit_object_begin(&q.json, NULL);
		emit_array_begin(&q.json, "connections");
		for (i = 0; i < connections.connection_count && i < limit; i++)
			emit_connection(&q.json, &connections.connections[i]);
		emit_array_end(&q.json);
		emit_counter(&q.json, "total", connections.total);
		emit_object_end(&q.json);
	}
	api_query_end(&q, result);
}

void api_connections(void *userdata, struct http_request *r)
{
	const struct params *p = http_request_params(r);
	struct error error = {"filter: out of memory"};
	struct filter *filter = NULL;
	struct wire_request request;
	struct api *a = userdata;
	struct api_wait *w;

	if (!a->config->request) {
		http_reply_error(r, 503, "no agent can be asked for live connections here");
		return;
	}
	if (filter_parse(&filter, params_text(p, "filter"), &error) < 0) {
		http_reply_error(r, 400, "%s", error.text);
		return;
	}
	w = api_wait_add(a, r, ANSWER_TIMEOUT_MS);
	if (!w) {
		filter_free(filter);
		return;
	}
	w->answer_id = ++a->last_answer_id;
	w->late = "the agent did not answer within 3 s; see /api/v1/agents";
	w->filter = filter;
	w->limit = params_number(p, "limit");
	request = (struct wire_request){.id = w->answer_id, .connections_max = w->limit};
	if (params_text(p, "filter"))
		request.connections_max = SOCKETS_MAX;
	a->config->request(a->config->userdata, &request);
}
