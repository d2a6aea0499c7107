/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP inside the server's loop: libmicrohttpd parses, libuv waits, routes are a table.
 *
 *     bytes ─► libmicrohttpd ─► admit (Host, method, no body) ─► route, parameters ─► handler
 *
 * A handler answers now, or keeps the request and answers later: the connection is suspended until
 * then. Every request is answered exactly once; one that is kept stays valid until it is.
 *
 * What is not HTTP at all libmicrohttpd refuses by itself, in its own words.
 * GET and HEAD only; a Host that is not ours is refused; no CORS. Bounds: HTTP_CONNECTIONS_MAX,
 * HTTP_IDLE_S, PARAMS_TEXT_MAX bytes of target, PARAMS_MAX parameters, HTTP_ANSWER_MAX bytes.
 * Everything is called from the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/emit.h"
#include "base/error.h"
#include "server/listen.h"
#include "server/params.h"

#define HTTP_CONNECTIONS_MAX 128
#define HTTP_IDLE_S          30
#define HTTP_ANSWER_MAX      (64u << 20)

struct MHD_Connection;
struct MHD_Response;
struct http;
struct http_request;

struct http_route {
	const char *path;
	const char *help;
	const struct param_spec *params; /* ends with a NULL name; NULL: none */
	void (*handle)(void *userdata, struct http_request *request);
	bool any_query; /* what stands behind '?' is the reader's own business */
};

struct http_config {
	int fd; /* listening; taken, also on failure */
	struct listen_address address;
	const struct http_route *routes; /* ends with a NULL path; borrowed */
	void *userdata;                  /* of the handlers */
};

struct http_stats {                 /* since it was opened */
	uint64_t requests, refused; /* refused: every answer of 400 and above */
	uint32_t connections;       /* gauge */
};

int http_open(struct http **ret, uv_loop_t *loop, const struct http_config *config,
	      struct error *ret_error);

/* Ends every connection; requests that were kept are freed without an answer. The loop must run
 * once more to let its handles go. Always NULL; accepts NULL. */
struct http *http_close(struct http *h);

void http_stats(const struct http *h, struct http_stats *ret);

const struct params *http_request_params(const struct http_request *r);
const char *http_request_path(const struct http_request *r); /* of its route */
uint64_t http_request_now_ns(const struct http_request *r); /* wall clock when it arrived */

/* Answers; the request is gone for the caller. */
void http_reply_json(struct http_request *r, unsigned int status, struct emit *json); /* takes */
void http_reply_text(struct http_request *r, unsigned int status, const char *text);
__attribute__((format(printf, 3, 4))) void
http_reply_error(struct http_request *r, unsigned int status, const char *format, ...);
void http_reply(struct http_request *r, unsigned int status,
		struct MHD_Response *response); /* takes */

/* For answers that go on (http_stream.c). */
struct MHD_Connection *http_request_connection(struct http_request *r);
bool http_request_is_head(const struct http_request *r);
void http_request_suspend(struct http_request *r);
void http_request_resume(struct http_request *r);
/* Called when the request ends, however that comes. */
void http_request_on_gone(struct http_request *r, void (*on_gone)(void *userdata), void *userdata);
