/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP inside the server's loop: libmicrohttpd parses, libuv waits, routes are a table.
 *
 *     bytes ─► libmicrohttpd ─► admit (Host, method, rights) ─► body ─► parameters ─► handler
 *
 * A handler answers now, or keeps the request and answers later: the connection is suspended until
 * then. Every request is answered exactly once; one that is kept stays valid until it is. Who may
 * ask is decided before a byte of a body is kept.
 *
 * What is not HTTP at all libmicrohttpd refuses by itself, in its own words. A method or a body that
 * the route does not take and a Host that is not ours are refused; no CORS. Bounds: connections by
 * whose they are (http_peer.c), bodies by size, number and time (http_body.c), PARAMS_TEXT_MAX bytes
 * of target, PARAMS_MAX parameters, HTTP_ANSWER_MAX bytes. All is called from the loop's thread.
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

/* Agents and readers have places of their own, so that neither keeps the other out; so has who has
 * not yet shown which it is. Fewer of each where the process may not open so many files. */
#define HTTP_AGENTS_MAX      2560
#define HTTP_READERS_MAX     512
#define HTTP_STRANGERS_MAX   1024
#define HTTP_CONNECTIONS_MAX (HTTP_AGENTS_MAX + HTTP_READERS_MAX + HTTP_STRANGERS_MAX)

/* Without a byte. An agent speaks once a window, which is 10 s at the most unless it was asked for. */
#define HTTP_IDLE_AGENT_S    120
#define HTTP_IDLE_READER_S   30
#define HTTP_IDLE_STRANGER_S 10

#define HTTP_BODIES_MAX      512 /* that are being read */
#define HTTP_BODIES_SIZE_MAX (64u << 20)
#define HTTP_BODY_MS         20000 /* from the headers to its last byte */
#define HTTP_ANSWER_MAX      (64u << 20)

struct MHD_Connection;
struct MHD_Response;
struct http;
struct http_request;
struct tls;

enum http_method { HTTP_GET, /* and HEAD */ HTTP_POST, HTTP_DELETE, HTTP_METHOD_COUNT };

enum http_right { HTTP_FOR_READERS, HTTP_FOR_AGENTS, HTTP_FOR_ANYBODY };

struct http_route {
	const char *path; /* may stand in several rows, one a method */
	const char *help;
	const struct param_spec *params; /* ends with a NULL name; NULL: none */
	void (*handle)(void *userdata, struct http_request *request);
	bool any_query; /* what stands behind '?' is the reader's own business */
	enum http_method method;
	enum http_right right;
	size_t body_size_max;     /* 0: takes none */
	const char *content_type; /* of the body */
};

struct http_config {
	int fd; /* listening; taken, also on failure */
	struct listen_address address;
	const struct http_route *routes; /* ends with a NULL path; borrowed */
	void *userdata;                  /* of the handlers */
	unsigned int connections_max;    /* 0: HTTP_CONNECTIONS_MAX */
	unsigned int bodies_max;         /* 0: HTTP_BODIES_MAX */
	unsigned int body_ms;            /* 0: HTTP_BODY_MS */
	struct tls *tls;                 /* NULL: plain HTTP; borrowed */
	/* Whether this request may be made; if not, it is answered. NULL: everybody may. */
	bool (*authorize)(void *userdata, struct http_request *r, const struct http_route *route);
};

struct http_stats {                 /* since it was opened */
	uint64_t requests, refused; /* refused: every answer of 400 and above */
	uint64_t crowded;	    /* connections and bodies refused for want of a place */
	uint64_t late;		    /* bodies that did not come in time */
	uint32_t connections;       /* gauges */
	uint32_t agents, readers, bodies;
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
uint64_t http_request_now_ms(const struct http_request *r); /* of the loop's clock */
const char *http_request_header(const struct http_request *r, const char *name); /* NULL: none */
const char *http_request_cookie(const struct http_request *r, const char *name); /* NULL: none */
/* Whether an Origin header names this server. */
bool http_request_origin_is_ours(const struct http_request *r, const char *origin);
unsigned int http_request_peer_rights(const struct http_request *r); /* by its certificate: tls.h */
void http_request_peer_address(const struct http_request *r, uint8_t ret[16]); /* IPv4 mapped */
/* Its whole body; *ret_size 0: there was none. Borrowed, until the request is answered or … */
const void *http_request_body(const struct http_request *r, size_t *ret_size);
void http_request_drop_body(struct http_request *r); /* … its memory is given back */

/* Answers; the request is gone for the caller. */
void http_reply_json(struct http_request *r, unsigned int status, struct emit *json); /* takes */
void http_reply_text(struct http_request *r, unsigned int status, const char *text);
__attribute__((format(printf, 3, 4))) void
http_reply_error(struct http_request *r, unsigned int status, const char *format, ...);
void http_reply_nothing(struct http_request *r, unsigned int status);
void http_reply_bytes(struct http_request *r, unsigned int status, const char *type, void *bytes,
		      size_t size); /* takes */
/* An error that goes away: says when to come again. */
void http_reply_again(struct http_request *r, unsigned int status, unsigned int seconds,
		      const char *text);
/* To an answer that was just given. */
void http_reply_add_header(struct http_request *r, const char *name, const char *value);
void http_reply(struct http_request *r, unsigned int status,
		struct MHD_Response *response); /* takes */

/* For answers that go on (http_stream.c). */
struct MHD_Connection *http_request_connection(struct http_request *r);
bool http_request_is_head(const struct http_request *r);
void http_request_suspend(struct http_request *r);
void http_request_resume(struct http_request *r);
/* Called when the request ends, however that comes. */
void http_request_on_gone(struct http_request *r, void (*on_gone)(void *userdata), void *userdata);
