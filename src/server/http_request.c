/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a request. libmicrohttpd calls http_on_target, then http_on_request with its headers,
 * for each piece of its body, once behind it, and once more after a suspended connection was
 * resumed; http_on_completed frees it.
 */
#include "server/http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

void http_request_suspend(struct http_request *r)
{
	r->suspended = true;
	MHD_suspend_connection(r->connection);
}

void http_request_resume(struct http_request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->connection);
	http_run_again(r->http); /* takes effect in the next run only */
}

static uint64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Called with the target as it came, before anything else of a request is looked at. */
void *http_on_target(void *userdata, const char *target, struct MHD_Connection *connection)
{
	struct http_request *r = calloc(1, sizeof(*r));
	struct http *h = userdata;

	if (!r)
		return NULL;
	r->http = h;
	r->connection = connection;
	r->now_ns = wall_clock_ns();
	r->too_long = strlen(target) > PARAMS_TEXT_MAX;
	if (!r->too_long)
		strcpy(r->target, target);
	h->stats.requests++;
	http_peer_speaks(h, connection);
	r->next = h->requests;
	if (r->next)
		r->next->previous = r;
	h->requests = r;
	return r;
}

void http_on_completed(void *userdata, struct MHD_Connection *connection, void **request,
		       enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *request;

	if (!r)
		return;
	if (r->on_gone)
		r->on_gone(r->gone_userdata);
	if (r->response)
		MHD_destroy_response(r->response);
	http_body_free(r);
	*(r->previous ? &r->previous->next : &r->http->requests) = r->next;
	if (r->next)
		r->next->previous = r->previous;
	free(r);
	*request = NULL;
}

static void dispatch(struct http_request *r)
{
	static const struct param_spec none[] = {{0}};
	const struct http_route *route = r->route;
	struct error error;

	if (!route && http_path_is_known(r)) {
		http_refuse_method(r);
		return;
	}
	if (!route) {
		http_reply_error(r, MHD_HTTP_NOT_FOUND,
				 "nothing at %.200s: expected a path listed at /api/v1", r->target);
		return;
	}
	if (!http_body_end(r))
		return;
	if (params_parse(&r->params, route->params ? route->params : none,
			 route->any_query ? NULL : r->query, r->now_ns, &error) < 0)
		http_reply_error(r, MHD_HTTP_BAD_REQUEST, "%s", error.text);
	else
		route->handle(r->http->userdata, r);
}

enum MHD_Result http_on_request(void *userdata, struct MHD_Connection *connection, const char *path,
				const char *method, const char *version, const char *body,
				size_t *body_size, void **request)
{
	struct http_request *r = *request;
	bool resumed = r && r->status;

	if (!r)
		return MHD_NO; /* no memory */
	if (!r->admitted) {
		http_admit(r, method);
		if (!r->status)
			return MHD_YES; /* comes again */
	} else if (*body_size) {
		size_t size = *body_size;

		*body_size = 0;
		return http_body_add(r, body, size) ? MHD_YES : MHD_NO;
	} else if (!resumed) {
		dispatch(r);
	}
	if (!r->status) { /* kept by its handler */
		http_request_suspend(r);
		return MHD_YES;
	}
	return r->response ? MHD_queue_response(connection, r->status, r->response) : MHD_NO;
}

const char *http_request_path(const struct http_request *r)
{
	return r->target;
}

const struct params *http_request_params(const struct http_request *r)
{
	return &r->params;
}

uint64_t http_request_now_ns(const struct http_request *r)
{
	return r->now_ns;
}

struct MHD_Connection *http_request_connection(struct http_request *r)
{
	return r->connection;
}

void http_request_on_gone(struct http_request *r, void (*on_gone)(void *userdata), void *userdata)
{
	r->on_gone = on_gone;
	r->gone_userdata = userdata;
}

const char *http_request_header(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *http_request_cookie(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);
}

uint64_t http_request_now_ms(const struct http_request *r)
{
	return uv_now(r->http->timer.loop);
}

bool http_request_origin_is_ours(const struct http_request *r, const char *origin)
{
	const char *const schemes[] = {"https://", "http://"};
	size_t i, size;

	/* without TLS of our own somebody before us may do it */
	for (i = 0; i < (r->http->tls ? 1 : 2); i++) {
		size = strlen(schemes[i]);
		if (!strncasecmp(origin, schemes[i], size))
			return listen_is_ours(&r->http->address, origin + size);
	}
	return false;
}

const void *http_request_body(const struct http_request *r, size_t *ret_size)
{
	*ret_size = r->body.size;
	return r->body.size ? r->body.data : (const void *)"";
}

void http_request_drop_body(struct http_request *r)
{
	http_body_free(r);
}

bool http_request_is_head(const struct http_request *r)
{
	return r->head;
}
