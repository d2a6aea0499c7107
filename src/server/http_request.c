/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a request. libmicrohttpd calls http_on_target, then http_on_request with its headers,
 * for each piece of its body, once behind it, and once more after a suspended connection was
 * resumed; http_on_completed frees it.
 */
#include "server/http_internal.h"

#include <stdio.h>
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

struct hosts {
	const char *value;
	unsigned int count;
};

static enum MHD_Result count_host(void *userdata, enum MHD_ValueKind kind, const char *key,
				  const char *value)
{
	struct hosts *hosts = userdata;

	if (!strcasecmp(key, MHD_HTTP_HEADER_HOST)) {
		hosts->value = value;
		hosts->count++;
	}
	return MHD_YES;
}

static bool host_is_ours(struct http_request *r)
{
	struct hosts hosts = {0};

	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_host, &hosts);
	return hosts.count == 1 && hosts.value && listen_is_ours(&r->http->address, hosts.value);
}

static const char *const method_names[HTTP_METHOD_COUNT] = {"GET", "POST", "DELETE"};

void http_refuse(struct http_request *r, unsigned int status, const char *text)
{
	http_reply_error(r, status, "%s", text);
	http_reply_add_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
}

static void refuse_host(struct http_request *r)
{
	const struct listen_address *a = &r->http->address;
	char text[200];

	snprintf(text, sizeof(text), "this Host is not served here: expected %s:%u or localhost:%u",
		 a->host, a->port, a->port);
	http_refuse(r, MHD_HTTP_MISDIRECTED_REQUEST, text);
}

/* What the path takes; of one that is not there as if it took GET. */
static void refuse_method(struct http_request *r)
{
	bool takes[HTTP_METHOD_COUNT] = {false}, any = false;
	char allow[64] = "", text[128];
	const struct http_route *route;
	char *end = allow;
	size_t i;

	for (route = r->http->routes; route->path; route++)
		if (!strcmp(route->path, r->target))
			takes[route->method] = any = true;
	takes[HTTP_GET] |= !any;
	for (i = 0; i < HTTP_METHOD_COUNT; i++)
		if (takes[i])
			end += sprintf(end, "%s%s", end > allow ? ", " : "",
				       i == HTTP_GET ? "GET, HEAD" : method_names[i]);
	snprintf(text, sizeof(text), "method not allowed: expected %s",
		 strcmp(allow, "GET, HEAD") ? allow : "GET or HEAD");
	http_refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED, text);
	http_reply_add_header(r, MHD_HTTP_HEADER_ALLOW, allow);
}

/* NULL: none. */
static const struct http_route *find_route(const struct http *h, const char *path,
					   const char *method)
{
	const struct http_route *route;

	for (route = h->routes; route->path; route++)
		if (!strcmp(route->path, path) && !strcmp(method_names[route->method], method))
			return route;
	return NULL;
}

/* It comes from somebody who may: from now on it holds one of their places. */
static bool take_place(struct http_request *r)
{
	bool agent = r->route->right == HTTP_FOR_AGENTS;

	if (r->route->right == HTTP_FOR_ANYBODY ||
	    http_peer_become(r, agent ? HTTP_AGENT : HTTP_READER))
		return true;
	http_refuse(r, agent ? MHD_HTTP_TOO_MANY_REQUESTS : MHD_HTTP_SERVICE_UNAVAILABLE,
		    agent ? "too many agents are connected already; try again later"
			  : "too many readers are connected already; try again later");
	http_reply_add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "10");
	return false;
}

static bool is_allowed(struct http_request *r)
{
	struct http *h = r->http;

	return !r->route || !h->authorize || h->authorize(h->userdata, r, r->route);
}

/* What the headers alone decide. */
static void admit(struct http_request *r, const char *method)
{
	char text[120];

	r->admitted = true;
	r->head = !strcmp(method, MHD_HTTP_METHOD_HEAD);
	r->query = strchr(r->target, '?');
	if (r->query)
		*r->query++ = '\0';
	r->route = find_route(r->http, r->target, r->head ? MHD_HTTP_METHOD_GET : method);
	if (!host_is_ours(r)) {
		refuse_host(r);
	} else if (!r->route && !r->head && strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
		refuse_method(r);
	} else if (!is_allowed(r)) {
		http_reply_add_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	} else if (http_body_comes(r) && (!r->route || !r->route->body_size_max)) {
		http_refuse(r, MHD_HTTP_BAD_REQUEST, "request with a body: expected none");
	} else if (r->too_long) {
		snprintf(text, sizeof(text), "request target too long: expected at most %d bytes",
			 PARAMS_TEXT_MAX);
		http_refuse(r, MHD_HTTP_URI_TOO_LONG, text);
	} else if (r->route && take_place(r) && http_body_comes(r)) {
		http_body_begin(r);
	}
}

static bool path_is_known(const struct http_request *r)
{
	const struct http_route *route;

	for (route = r->http->routes; route->path; route++)
		if (!strcmp(route->path, r->target))
			return true;
	return false;
}

static void dispatch(struct http_request *r)
{
	static const struct param_spec none[] = {{0}};
	const struct http_route *route = r->route;
	struct error error;

	if (!route && path_is_known(r)) {
		refuse_method(r);
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
		admit(r, method);
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
	const char *scheme = r->http->tls ? "https://" : "http://";

	return !strncasecmp(origin, scheme, strlen(scheme)) &&
	       listen_is_ours(&r->http->address, origin + strlen(scheme));
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
