/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, and what handlers share; see api.h. */
#include "server/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/api_params.h"
#include "server/page.h"
#include "wire/exchange.h"

#define KEEP_ALIVE_MS    15000
#define SESSION_BODY_MAX 4096

#define PAGE_ROUTE(path, help)                                                                     \
	{                                                                                          \
		path, help, NULL, api_page, true, .right = HTTP_FOR_ANYBODY                        \
	}

/* What agents send. */
#define POST_ROUTE(path, help, handler)                                                            \
	{                                                                                          \
		path, help, NULL, handler, .method = HTTP_POST, .right = HTTP_FOR_AGENTS,          \
					   .body_size_max = API_BATCH_SIZE_MAX,                    \
					   .content_type = WIRE_CONTENT_TYPE                       \
	}

static void api_page(void *userdata, struct http_request *r);
static void api_index(void *userdata, struct http_request *r);

const struct http_route api_routes[] = {
	PAGE_ROUTE("/", "the page, for a browser"),
	PAGE_ROUTE("/assets/app.js", "its code"),
	PAGE_ROUTE("/assets/app.css", "its style"),
	PAGE_ROUTE("/assets/icon.svg", "its icon"),
	PAGE_ROUTE("/assets/licenses.txt", "whose work is in it"),
	{"/api/v1", "this list", NULL, api_index},
	{"/healthz", "200 while the server works, and can keep what it is told", NULL, api_healthz, .right = HTTP_FOR_ANYBODY},
	{"/api/v1/graph", "who talks to whom: nodes and edges", api_graph_params, api_graph},
	{"/api/v1/flows", "the joined table, a row per flow", api_flows_params, api_flows},
	{"/api/v1/connections", "live sockets, asked of the agent", api_connections_params,
	 api_connections},
	{"/api/v1/events", "what became of processes and containers", api_events_params,
	 api_events},
	{"/api/v1/series", "counters over time", api_series_params, api_series},
	{"/api/v1/agents", "agents: cost, lag, losses", NULL, api_agents},
	{"/api/v1/stream", "server-sent events: the graph of each window", api_stream_params,
	 api_stream},
	{"/api/v1/verify", "our sums by network namespace", api_verify_params, api_verify},
	POST_ROUTE("/api/v1/batches", "agents: a window", api_batches),
	POST_ROUTE("/api/v1/answers", "agents: live sockets that were asked for", api_answers),
	{"/api/v1/session", "whether one must sign in, and has", NULL, api_session_get,
	 .right = HTTP_FOR_ANYBODY},
	{"/api/v1/session", "signs in, on the page", NULL, api_session_post, .method = HTTP_POST,
	 .right = HTTP_FOR_ANYBODY, .body_size_max = SESSION_BODY_MAX,
	 .content_type = "application/json"},
	{"/api/v1/session", "signs out", NULL, api_session_delete, .method = HTTP_DELETE,
	 .right = HTTP_FOR_ANYBODY},
	{0},
};

static void api_page(void *userdata, struct http_request *r)
{
	page_reply(r, http_request_path(r));
}

static void api_index(void *userdata, struct http_request *r)
{
	const struct http_route *route;
	char text[4096];
	size_t used = snprintf(text, sizeof(text),
			       "millrace: which programs talk to which, and what it costs.\n\n");

	for (route = api_routes; route->path && used < sizeof(text); route++)
		used += snprintf(text + used, sizeof(text) - used, "%-22s %s\n", route->path,
				 route->help);
	http_reply_text(r, 200, text);
}

bool api_authorize(void *userdata, struct http_request *r, const struct http_route *route)
{
	struct api *a = userdata;

	if (route->right != HTTP_FOR_AGENTS || a->config->auth.takes_agents)
		return auth_allows(a->auth, r, route);
	http_reply_error(r, 403,
			 "this server shows its own machine only: start `millrace server` for "
			 "agents on others");
	return false;
}

/* --- queries -------------------------------------------------------------------------------- */

int api_query_begin(struct api_query *q, struct http_request *request)
{
	*q = (struct api_query){.request = request, .now_ns = http_request_now_ns(request)};
	q->arena = arena_new();
	if (!q->arena) {
		http_reply_error(request, 503, "out of memory; ask for less");
		return -ENOMEM;
	}
	emit_init(&q->json, HTTP_ANSWER_MAX);
	return 0;
}

static void release(struct api_query *q)
{
	q->arena = arena_free(q->arena);
	q->filter = filter_free(q->filter);
	emit_done(&q->json);
}

void api_query_refuse(struct api_query *q, const char *text)
{
	http_reply_error(q->request, 400, "%s", text);
	release(q);
}

int api_query_begin_ranged(struct api_query *q, struct http_request *request,
			   const struct api_subject *subject)
{
	const struct params *p = http_request_params(request);
	struct error error = {"filter: out of memory"};
	const char *text;
	int r = api_query_begin(q, request);

	if (r < 0)
		return r;
	q->range.from_ns = params_number(p, "from");
	q->range.to_ns = params_number(p, "to");
	if (q->range.from_ns > q->range.to_ns) {
		api_query_refuse(q, "from is later than to: expected from before to");
		return -EINVAL;
	}
	if (subject->range)
		q->range = *subject->range;
	text = params_text(p, "filter");
	if (text && *text) /* without one, who only listens is shown too */
		r = filter_parse(&q->filter, text, &error);
	if (r < 0)
		api_query_refuse(q, error.text);
	return r;
}

void api_query_end(struct api_query *q, int r)
{
	if (r == -ENOMEM)
		http_reply_error(q->request, 503, "out of memory; ask for less");
	else if (r < 0)
		http_reply_error(q->request, 500, "the query failed: %s", strerror(-r));
	else
		http_reply_json(q->request, 200, &q->json);
	release(q);
}

void api_on_batch(struct api *a, uint32_t agent, bool local)
{
	api_wait_on_batch(a, agent, local);
	api_stream_window(a);
}

/* --- life ----------------------------------------------------------------------------------- */

static void on_stream_timer(uv_timer_t *timer)
{
	api_stream_keep_alive(timer->data);
}

void api_init(struct api *a, uv_loop_t *loop, struct core *core, struct inbox *inbox,
	      struct intake *intake, struct auth *auth, const struct server_config *config)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*a = (struct api){.core = core,
			  .inbox = inbox,
			  .intake = intake,
			  .auth = auth,
			  .config = config,
			  .local_agent = UINT32_MAX};
	a->started_ns = now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
	a->streamed_ns = a->started_ns;
	uv_timer_init(loop, &a->stream_timer);
	a->stream_timer.data = a;
	api_wait_init(a, loop);
	uv_timer_start(&a->stream_timer, on_stream_timer, KEEP_ALIVE_MS, KEEP_ALIVE_MS);
}

void api_close(struct api *a)
{
	api_wait_close(a);
	uv_close((uv_handle_t *)&a->stream_timer, NULL);
}

void api_done(struct api *a)
{
	api_stream_done(a);
}
