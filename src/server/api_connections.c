/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/v1/connections: live sockets, asked of the agents at that moment and stored nowhere.
 * Rows are written as answers come in, up to the limit, so that what waits stays small.
 */
#include <errno.h>

#include "server/api.h"
#include "server/api_params.h"

#define ANSWER_TIMEOUT_MS 3000
#define SOCKETS_MAX       50000 /* of all agents together, when a filter will choose among them */
#define SOCKETS_EACH_MIN  1000

const struct param_spec api_connections_params[] = {
	API_PARAM_FILTER,
	{"limit", PARAM_COUNT, .fallback = "1000", .min = 1, .max = 10000,
	 .help = "rows at most; total tells how many live sockets there are"},
	{"node", PARAM_TEXT, .help = "ask only the agent of this node"},
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

void api_connections_answer(struct api *a, struct api_wait *w, uint32_t agent,
			    const struct wire_answer *answer)
{
	struct arena *arena = arena_new();
	struct query_connections connections;
	size_t i;

	w->total += answer->total;
	if (!arena || query_connections(a->core, agent, answer, w->filter, arena, &connections) < 0)
		w->json.error = -ENOMEM;
	else
		for (i = 0; i < connections.connection_count && w->rows < w->limit; i++, w->rows++)
			emit_connection(&w->json, &connections.connections[i]);
	arena_free(arena);
}

static void finish(struct api *a, struct api_wait *w)
{
	struct emit json;

	emit_array_end(&w->json);
	emit_counter(&w->json, "total", w->total);
	api_wait_emit_missing(a, w, &w->json);
	emit_object_end(&w->json);
	json = w->json;
	emit_init(&w->json, 0);
	http_reply_json(api_wait_end(w), 200, &json);
}

void api_connections(void *userdata, struct http_request *r)
{
	const struct params *p = http_request_params(r);
	struct error error = {"filter: out of memory"};
	struct filter *filter = NULL;
	struct api *a = userdata;
	struct api_wait *w;

	if (filter_parse(&filter, params_text(p, "filter"), &error) < 0) {
		http_reply_error(r, 400, "%s", error.text);
		return;
	}
	w = api_wait_begin(a, r, params_text(p, "node"), 0);
	if (!w) {
		filter_free(filter);
		return;
	}
	w->filter = filter;
	w->limit = params_number(p, "limit");
	w->connections_max = (uint32_t)w->limit;
	if (params_text(p, "filter"))
		w->connections_max = SOCKETS_MAX / w->asked_count > SOCKETS_EACH_MIN
					     ? SOCKETS_MAX / w->asked_count
					     : SOCKETS_EACH_MIN;
	w->finish = finish;
	emit_init(&w->json, HTTP_ANSWER_MAX);
	emit_object_begin(&w->json, NULL);
	emit_array_begin(&w->json, "connections");
	api_wait_ask(a, w, ANSWER_TIMEOUT_MS);
}
