/* SPDX-License-Identifier: Apache-2.0 */
/* What http*.c share; nobody else includes it. */
#pragma once

#include <microhttpd.h>

#include "server/http.h"

struct http {
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	bool again;           /* libmicrohttpd has more to do, and nothing will wake it */
	unsigned int handles; /* of the loop, still to be closed */
	struct listen_address address;
	const struct http_route *routes;
	void *userdata;
	struct http_stats stats;
	struct http_request *requests; /* all there are */
};

struct http_request {
	struct http *http;
	struct http_request *previous, *next;
	struct MHD_Connection *connection;
	struct MHD_Response *response; /* owned; set once answered */
	unsigned int status;
	uint64_t now_ns;
	bool admitted, suspended, head, too_long;
	void (*on_gone)(void *userdata);
	void *gone_userdata;
	struct params params;
	char target[PARAMS_TEXT_MAX + 1]; /* path and query as they came */
};

/* http.c: libmicrohttpd runs once more as soon as the loop is free. */
void http_run_again(struct http *h);

/* http_reply.c: answers with just the headers that the response has. */
void http_reply_raw(struct http_request *r, unsigned int status, struct MHD_Response *response);

/* http_request.c: what libmicrohttpd calls; userdata is the struct http. */
void *http_on_target(void *userdata, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_on_request(void *userdata, struct MHD_Connection *connection, const char *path,
				const char *method, const char *version, const char *body,
				size_t *body_size, void **request);
void http_on_completed(void *userdata, struct MHD_Connection *connection, void **request,
		       enum MHD_RequestTerminationCode why);
