/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd without threads of its own: its epoll descriptor is watched by the loop, its
 * timeouts are a timer of the loop. It calls on_request twice for each request, and once more after
 * a suspended connection was resumed; on_completed frees the request.
 */
#include "server/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

struct http {
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	bool again; /* libmicrohttpd has more to do, and nothing will wake it */
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

/* --- the loop ------------------------------------------------------------------------------ */

static void run(struct http *h);

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	run(poll->data);
}

static void run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	h->again = false;
	MHD_run(h->daemon);
	if (h->again)
		uv_timer_start(&h->timer, on_timer, 0, 0);
	else if (MHD_get_timeout(h->daemon, &timeout_ms) == MHD_YES)
		uv_timer_start(&h->timer, on_timer, timeout_ms, 0);
	else
		uv_timer_stop(&h->timer);
}

static void run_again(struct http *h)
{
	h->again = true;
	uv_timer_start(&h->timer, on_timer, 0, 0);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http *h = handle->data;

	if (!--h->handles)
		free(h);
}

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
	run_again(r->http); /* takes effect in the next run only */
}

/* --- answers ------------------------------------------------------------------------------- */

void http_reply(struct http_request *r, unsigned int status, struct MHD_Response *response)
{
	static const char *const headers[][2] = {
		{MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
		{"X-Content-Type-Options", "nosniff"},
	};
	size_t i;

	for (i = 0; response && i < sizeof(headers) / sizeof(*headers); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	r->response = response;
	r->status = status;
	r->http->stats.refused += status >= 400;
	http_request_resume(r);
}

static struct MHD_Response *response_of(char *owned, size_t size, const char *type)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer_with_free_callback(size, owned, free);

	if (!response) {
		free(owned);
		return NULL;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	return response;
}

void http_reply_json(struct http_request *r, unsigned int status, struct emit *json)
{
	size_t size;
	char *text;
	int error = emit_take(json, &text, &size);

	if (error == -E2BIG)
		http_reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR,
				 "the answer is larger than %u MiB; ask for less: a shorter range, "
				 "a filter, a limit",
				 HTTP_ANSWER_MAX >> 20);
	else if (error < 0)
		http_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory; ask for less");
	else
		http_reply(r, status, response_of(text, size, "application/json"));
}

void http_reply_text(struct http_request *r, unsigned int status, const char *text)
{
	char *copy = strdup(text);

	http_reply(r, status,
		   copy ? response_of(copy, strlen(copy), "text/plain; charset=utf-8") : NULL);
}

void http_reply_error(struct http_request *r, unsigned int status, const char *format, ...)
{
	char text[1024];
	struct emit e;
	size_t size;
	char *json;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	emit_init(&e, 16384);
	emit_object_begin(&e, NULL);
	emit_string(&e, "error", text);
	emit_object_end(&e);
	if (emit_take(&e, &json, &size) < 0)
		http_reply(r, status, NULL);
	else
		http_reply(r, status, response_of(json, size, "application/json"));
}

/* --- requests ------------------------------------------------------------------------------ */

static uint64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Called with the target as it came, before anything else of a request is looked at. */
static void *on_target(void *userdata, const char *target, struct MHD_Connection *connection)
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
	r->next = h->requests;
	if (r->next)
		r->next->previous = r;
	h->requests = r;
	return r;
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *request;

	if (!r)
		return;
	if (r->on_gone)
		r->on_gone(r->gone_userdata);
	if (r->response)
		MHD_destroy_response(r->response);
	*(r->previous ? &r->previous->next : &r->http->requests) = r->next;
	if (r->next)
		r->next->previous = r->previous;
	free(r);
	*request = NULL;
}

static void on_connection(void *userdata, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http *h = userdata;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		h->stats.connections++;
		return;
	}
	if (h->stats.connections-- == HTTP_CONNECTIONS_MAX)
		run_again(h); /* it does not listen while there are so many, until it runs again */
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

static bool has_body(struct http_request *r)
{
	const char *length = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length && strcmp(length, "0")) ||
	       MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
					   MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Refused before its body is read; the connection ends with the answer. */
static void refuse(struct http_request *r, unsigned int status, const char *text)
{
	http_reply_error(r, status, "%s", text);
	if (r->response)
		MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (r->response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r->response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
}

static void admit(struct http_request *r, const char *method)
{
	const struct listen_address *a = &r->http->address;
	char text[200];

	r->admitted = true;
	r->head = !strcmp(method, MHD_HTTP_METHOD_HEAD);
	if (!host_is_ours(r)) {
		snprintf(text, sizeof(text),
			 "this Host is not served here: expected %s:%u or localhost:%u", a->host,
			 a->port, a->port);
		refuse(r, MHD_HTTP_MISDIRECTED_REQUEST, text);
	} else if (!r->head && strcmp(method, MHD_HTTP_METHOD_GET)) {
		refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed: expected GET or HEAD");
	} else if (has_body(r)) {
		refuse(r, MHD_HTTP_BAD_REQUEST, "request with a body: expected none");
	} else if (r->too_long) {
		snprintf(text, sizeof(text), "request target too long: expected at most %d bytes",
			 PARAMS_TEXT_MAX);
		refuse(r, MHD_HTTP_URI_TOO_LONG, text);
	}
}

static const struct http_route *find_route(const struct http *h, const char *path)
{
	const struct http_route *route;

	for (route = h->routes; route->path; route++)
		if (!strcmp(route->path, path))
			return route;
	return NULL;
}

static void dispatch(struct http_request *r)
{
	static const struct param_spec none[] = {{0}};
	const struct http_route *route;
	struct error error;
	char *query = strchr(r->target, '?');

	if (query)
		*query++ = '\0';
	route = find_route(r->http, r->target);
	if (!route) {
		http_reply_error(r, MHD_HTTP_NOT_FOUND,
				 "nothing at %.200s: expected a path listed at /", r->target);
		return;
	}
	if (params_parse(&r->params, route->params ? route->params : none, query, r->now_ns,
			 &error) < 0)
		http_reply_error(r, MHD_HTTP_BAD_REQUEST, "%s", error.text);
	else
		route->handle(r->http->userdata, r);
}

static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection,
				  const char *path, const char *method, const char *version,
				  const char *body, size_t *body_size, void **request)
{
	struct http_request *r = *request;
	bool resumed = r && r->status;

	if (!r)
		return MHD_NO; /* no memory */
	if (!r->admitted) {
		admit(r, method);
		if (!r->status)
			return MHD_YES; /* comes again */
	} else if (!resumed) {
		dispatch(r);
	}
	if (!r->status) { /* kept by its handler */
		http_request_suspend(r);
		return MHD_YES;
	}
	return r->response ? MHD_queue_response(connection, r->status, r->response) : MHD_NO;
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

bool http_request_is_head(const struct http_request *r)
{
	return r->head;
}

/* --- open, close --------------------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct http *h, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
				h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
				on_target, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS_MAX,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)HTTP_IDLE_S,
				MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static int watch(struct http *h, uv_loop_t *loop)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int r = info ? uv_poll_init(loop, &h->poll, info->epoll_fd) : -EINVAL;

	if (r < 0)
		return r;
	h->handles = 2;
	h->poll.data = h->timer.data = h;
	uv_timer_init(loop, &h->timer);
	return uv_poll_start(&h->poll, UV_READABLE, on_poll);
}

int http_open(struct http **ret, uv_loop_t *loop, const struct http_config *config,
	      struct error *ret_error)
{
	struct http *h = calloc(1, sizeof(*h));
	int r;

	if (!h) {
		close(config->fd);
		return error_set(ret_error, -ENOMEM, "cannot start HTTP: out of memory");
	}
	h->address = config->address;
	h->routes = config->routes;
	h->userdata = config->userdata;
	h->daemon = start_daemon(h, config->fd);
	if (!h->daemon) {
		close(config->fd);
		free(h);
		return error_set(ret_error, -EIO,
				 "cannot start HTTP: libmicrohttpd gave no daemon");
	}
	r = watch(h, loop);
	if (r < 0) {
		http_close(h);
		return error_set(ret_error, r, "cannot start HTTP: %s", uv_strerror(r));
	}
	*ret = h;
	return 0;
}

void http_stats(const struct http *h, struct http_stats *ret)
{
	*ret = h->stats;
}

struct http *http_close(struct http *h)
{
	struct http_request *r;

	if (!h)
		return NULL;
	for (r = h->requests; r; r = r->next)
		http_request_resume(r); /* libmicrohttpd cannot stop while one is suspended */
	if (h->handles)
		uv_close((uv_handle_t *)&h->poll, on_handle_closed);
	MHD_stop_daemon(h->daemon);
	if (h->handles)
		uv_close((uv_handle_t *)&h->timer, on_handle_closed);
	else
		free(h);
	return NULL;
}
