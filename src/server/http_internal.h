/* SPDX-License-Identifier: Apache-2.0 */
/* What http*.c share; nobody else includes it. */
#pragma once

#include <microhttpd.h>

#include "server/http.h"

enum http_class { HTTP_STRANGER, HTTP_READER, HTTP_AGENT, HTTP_CLASS_COUNT };

/* A connection, as long as it is open. */
struct http_peer {
	enum http_class class;
	/* while it is a stranger's */
	struct http_peer *previous, *next;
	struct MHD_Connection *connection;
	uint64_t began_ms; /* of the loop's clock */
	bool spoken; /* a request line has come */
	struct tls_credentials *credentials; /* of its session; NULL: plain HTTP */
	/* what its certificate gives it, as judged then by the CAs of that generation */
	unsigned int rights;
	uint64_t judged, judged_ms; /* generation + 1; 0: not yet */
};

struct http {
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	bool again;           /* libmicrohttpd has more to do, and nothing will wake it */
	unsigned int handles; /* of the loop, still to be closed */
	struct listen_address address;
	const struct http_route *routes;
	bool (*authorize)(void *userdata, struct http_request *r, const struct http_route *route);
	void *userdata;
	struct tls *tls; /* borrowed; NULL: plain HTTP */
	struct http_stats stats;
	unsigned int silent; /* connections of which no request has come yet */
	unsigned int peers[HTTP_CLASS_COUNT], peers_max[HTTP_CLASS_COUNT], connections_max;
	uv_timer_t body_timer;
	size_t bodies_size; /* bytes set aside */
	unsigned int bodies_max, body_ms, open_bodies;
	struct http_peer *strangers; /* a list */
	struct http_request *requests; /* all there are */
};

struct http_body {
	uint8_t *data; /* owned */
	size_t size, capacity;
	uint64_t deadline_ms; /* of the loop's clock; 0: none is being read */
	bool counted;         /* among those that are being read or held */
	bool open;            /* … of a route for anybody: bounded by connections */
	bool over;            /* of it more came than the route takes */
};

struct http_request {
	struct http *http;
	struct http_request *previous, *next;
	struct MHD_Connection *connection;
	struct MHD_Response *response; /* owned; set once answered */
	const struct http_route *route; /* NULL: no such */
	struct http_body body;
	unsigned int status;
	uint64_t now_ns;
	bool admitted, suspended, head, too_long;
	void (*on_gone)(void *userdata);
	void *gone_userdata;
	struct params params;
	char *query;			  /* in target; NULL: none */
	char target[PARAMS_TEXT_MAX + 1]; /* path and query as they came */
};

/* http.c: libmicrohttpd runs once more as soon as the loop is free. */
void http_run_again(struct http *h);

/* http_peer.c: whose a connection is, and how many of each there may be. */
void http_peer_init(struct http *h, unsigned int connections_max);
enum MHD_Result http_peer_accept(void *userdata, const struct sockaddr *address, socklen_t size);
void http_peer_notify(void *userdata, struct MHD_Connection *connection, void **socket_context,
		      enum MHD_ConnectionNotificationCode what);
void http_peer_speaks(struct http *h, struct MHD_Connection *connection);
/* The connection is of such a peer from now on. False: too many are already. */
bool http_peer_become(struct http_request *r, enum http_class class);
/* Ends strangers that have had their time; whether there are others. */
bool http_peer_end_strangers(struct http *h, uint64_t now_ms);

/* http_body.c: bodies within their bounds. */
int http_body_init(struct http *h, uv_loop_t *loop);
void http_body_watch(struct http *h); /* looks once a second for what takes too long */
bool http_body_comes(const struct http_request *r);
bool http_body_begin(struct http_request *r); /* false: refused, answered */
/* Takes a piece. False: far too much, end the connection. */
bool http_body_add(struct http_request *r, const char *data, size_t size);
bool http_body_end(struct http_request *r); /* false: refused, answered */
void http_body_free(struct http_request *r);

/* http_admit.c: by its headers; what is not admitted is answered. */
void http_admit(struct http_request *r, const char *method);
void http_refuse_method(struct http_request *r);
bool http_path_is_known(const struct http_request *r); /* by whatever method */
/* Refused before its body is read; the connection ends with the answer. */
void http_refuse(struct http_request *r, unsigned int status, const char *text);

/* http_reply.c: answers with just the headers that the response has. */
void http_reply_raw(struct http_request *r, unsigned int status, struct MHD_Response *response);

/* http_request.c: what libmicrohttpd calls; userdata is the struct http. */
void *http_on_target(void *userdata, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_on_request(void *userdata, struct MHD_Connection *connection, const char *path,
				const char *method, const char *version, const char *body,
				size_t *body_size, void **request);
void http_on_completed(void *userdata, struct MHD_Connection *connection, void **request,
		       enum MHD_RequestTerminationCode why);
