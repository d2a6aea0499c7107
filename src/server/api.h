/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API: the table of routes, and what their handlers share. docs/openapi.yaml describes it and a
 * test holds the answers against that.
 *
 *     api.c          routes, ranges, filters
 *     api_wait.c     requests that are kept until agents have spoken
 *     api_emit.c     the core's records as JSON
 *     api_*.c        one file a route: parameters → query → JSON
 *
 * May use: http.h, query.h, emit.h. Knows no socket and no agent. Everything runs in the loop's
 * thread. Bounds: API_WAITS_MAX kept requests, API_STREAMS_MAX readers of the stream.
 */
#pragma once

#include <uv.h>

#include "base/arena.h"
#include "base/emit.h"
#include "server/auth.h"
#include "server/http.h"
#include "server/http_stream.h"
#include "server/inbox.h"
#include "server/intake.h"
#include "server/keep.h"
#include "server/past.h"
#include "server/query.h"
#include "server/server.h"

#define API_BATCH_SIZE_MAX (4u << 20) /* bytes; as the wire's limits have it */
#define API_WAITS_MAX	32
#define API_STREAMS_MAX 32

struct api;

/* An agent of whom something was asked, and what is still to come. */
struct api_asked {
	uint64_t id;       /* nobody else can guess it: whoever names it was asked */
	uint32_t agent;    /* its index */
	uint8_t batches;   /* so many more of its batches; 0: an answer */
	bool local;        /* the one in this process; its index may not be known yet */
	bool carried;      /* the request has gone out */
	bool done;
};

/* A request that is kept until agents have spoken. */
struct api_wait {
	struct http_request *request; /* NULL: free */
	uint64_t deadline_ms;	      /* of the loop's clock */
	char late[128];		      /* what is said if nobody has spoken by then */
	struct api_asked *asked;      /* owned; by agent */
	size_t asked_count, left;
	void (*finish)(struct api *a, struct api_wait *w); /* answers, with what there is */
	/* of connections, while they come in */
	struct filter *filter; /* owned */
	struct emit json;
	uint64_t limit, rows, total;
	uint32_t connections_max; /* asked of each */
};

struct api_subscriber {
	struct http_stream *stream; /* NULL: free */
	struct query_group group;
	struct filter *filter; /* owned */
	char *filter_text;     /* owned */
	bool buckets;
	struct http_frame *frame; /* of the window being sent; borrowed, only while it is sent */
};

/* Whom a question is for: the core, and what it holds of the range asked for; NULL: all of it. */
struct api_subject {
	struct core *core;
	const struct query_range *range;
};
typedef void (*api_answer_fn)(struct api *a, struct http_request *r,
			      const struct api_subject *subject);

/* Of those that wait until the past is read. */
struct api_question {
	struct api *api;
	api_answer_fn answer; /* NULL: free */
};

struct api {
	struct core *core;
	struct http *http;   /* set once it is open */
	struct inbox *inbox; /* for its losses */
	struct keep *keep;   /* what is kept on a disk */
	struct past *past;   /* NULL: nothing is */
	struct api_question questions[PAST_WAITERS_MAX];
	struct intake *intake;
	struct auth *auth;
	const struct server_config *config;
	uint64_t started_ns;
	uint32_t local_agent; /* its index, once it has reported; else UINT32_MAX */
	uv_timer_t wait_timer, stream_timer;
	struct api_wait waits[API_WAITS_MAX];
	struct api_subscriber subscribers[API_STREAMS_MAX];
	uint64_t streamed_ns;	  /* end of the last window that went to the stream */
	uint64_t stream_looked_ms;
	uint64_t streams_dropped; /* readers that were too slow */
};

extern const struct http_route api_routes[]; /* their userdata is a struct api */

void api_init(struct api *a, uv_loop_t *loop, struct core *core, struct inbox *inbox,
	      struct intake *intake, struct auth *auth, const struct server_config *config);
/* Forgets what waits (http_close() ends those requests) and closes its handles of the loop. */
void api_close(struct api *a);
/* After http_close(): what readers of the stream left behind. */
void api_done(struct api *a);

/* For http_config: who may ask what. */
bool api_authorize(void *userdata, struct http_request *r, const struct http_route *route);

/* The core has taken one in, of that agent; local: the one in this process. */
void api_on_batch(struct api *a, uint32_t agent, bool local);
/* False: nobody waits for it. */
bool api_on_answer(struct api *a, const struct wire_answer *answer);

/* --- for the handlers ----------------------------------------------------------------------- */

/* Parameters that several routes take. */
#define API_PARAM_FROM                                                                             \
	{                                                                                          \
		"from", PARAM_TIME, .fallback = "-5m", .help = "begin of the range, exclusive"     \
	}
#define API_PARAM_TO                                                                               \
	{                                                                                          \
		"to", PARAM_TIME, .fallback = "now", .help = "end of the range, inclusive"         \
	}
#define API_PARAM_FILTER                                                                           \
	{                                                                                          \
		"filter", PARAM_TEXT,                                                              \
			.help = "only what matches: client:NAME server:NAME port:N !…"           \
	}
#define API_PARAM_GROUP                                                                            \
	{                                                                                          \
		"group", PARAM_TEXT, .fallback = "workload",                                       \
				     .help = "what a node is: workload, instance, process, "       \
					     "container, namespace, node, zone, "                  \
					     "region, cluster or label:K"                          \
	}
#define API_PARAM_BUCKETS                                                                          \
	{                                                                                          \
		"buckets", PARAM_FLAG, .fallback = "0", .help = "1: histograms with their buckets" \
	}

/* What a query needs and gives, for as long as a handler runs. */
struct api_query {
	struct http_request *request;
	struct arena *arena;
	struct query_range range;
	struct filter *filter;
	struct emit json;
	uint64_t now_ns;
};

/* Arena and, where the route has them, range and filter. On failure the request is answered. */
int api_query_begin(struct api_query *q, struct http_request *request);
int api_query_begin_ranged(struct api_query *q, struct http_request *request,
			   const struct api_subject *subject);
/* Has the question answered by the core that remembers that range, now or when it is read. */
void api_ask(struct api *a, struct http_request *r, enum past_mode mode, api_answer_fn answer);
/* Answers with q's JSON if r is 0, with an error otherwise, and frees what q holds. */
void api_query_end(struct api_query *q, int r);
void api_query_refuse(struct api_query *q, const char *text); /* 400, instead of api_query_end() */

/* What shall ride on the reply to this agent's batch; false: nothing. */
struct wire_reply;
bool api_take_requests(struct api *a, uint32_t agent, struct wire_reply *ret);

/* --- requests that wait for agents (api_wait.c) --------------------------------------------- */

void api_wait_init(struct api *a, uv_loop_t *loop);
void api_wait_close(struct api *a);
void api_wait_on_batch(struct api *a, uint32_t agent, bool local);

/*
 * Keeps a request and asks all agents that report, or the one of that node; NULL: no such can be
 * asked, or too many requests wait, and it is answered. batches: wait for so many of each once it
 * has heard of it, else for an answer. The caller sets the rest and calls api_wait_ask().
 */
struct api_wait *api_wait_begin(struct api *a, struct http_request *request, const char *node,
				uint8_t batches);
void api_wait_ask(struct api *a, struct api_wait *w, uint64_t timeout_ms);
/* The nodes that have not spoken. */
void api_wait_emit_missing(const struct api *a, const struct api_wait *w, struct emit *e);

/* Forgets the wait and gives the request back, to be answered. */
struct http_request *api_wait_end(struct api_wait *w);

/* connections: false: null, where there are none (UDP). */
void api_emit_measures(struct emit *e, const struct query_measures *m, bool connections,
		       bool buckets);
void api_emit_view(struct emit *e, const struct query_measures *m, bool connections,
		   bool buckets); /* NULL: null */
bool api_has_connections(const char *transport);
void api_emit_histogram(struct emit *e, const char *key, const struct histogram *h, bool buckets);
void api_emit_endpoint(struct emit *e, const char *key, const struct query_endpoint *end,
		       bool with_port);
void api_emit_completeness(struct emit *e, const struct api *a, const struct query_completeness *c);
void api_emit_losses(struct emit *e, const char *key, const struct query_loss *losses,
		     size_t count);
void api_emit_agent_name(struct emit *e, const struct query_agent *agent, uint64_t now_ns);
void api_emit_happenings(struct emit *e, const struct query_happenings *h);
void api_emit_netns(struct emit *e, const struct query_agent *agent);
void api_emit_store(struct emit *e, const struct api *a); /* "store": null without one */
void api_emit_graph(struct emit *e, const struct api *a, const struct query_graph_request *request,
		    const struct query_graph *graph, bool buckets);

/* The handlers, and what they do when an agent has spoken. */
void api_healthz(void *userdata, struct http_request *r);
void api_graph(void *userdata, struct http_request *r);
void api_flows(void *userdata, struct http_request *r);
void api_series(void *userdata, struct http_request *r);
void api_agents(void *userdata, struct http_request *r);
void api_events(void *userdata, struct http_request *r);
void api_connections(void *userdata, struct http_request *r);
void api_connections_answer(struct api *a, struct api_wait *w, uint32_t agent,
			    const struct wire_answer *answer);
void api_batches(void *userdata, struct http_request *r);
void api_answers(void *userdata, struct http_request *r);
void api_session_get(void *userdata, struct http_request *r);
void api_session_post(void *userdata, struct http_request *r);
void api_session_delete(void *userdata, struct http_request *r);
void api_verify(void *userdata, struct http_request *r);
void api_stream(void *userdata, struct http_request *r);
void api_stream_window(struct api *a);
void api_stream_keep_alive(struct api *a);
void api_stream_done(struct api *a);
