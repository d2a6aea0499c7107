/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd without threads of its own: its epoll descriptor is watched by the loop, its
 * timeouts are a timer of the loop.
 */
#include "server/http_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/tls.h"

static void run(struct http *h);

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	run(poll->data);
}

/*
 * libmicrohttpd 0.9.75 takes a connection in the middle of its TLS handshake for one that it could
 * read from at any moment, and would run without a pause until the peer goes on. What really comes
 * wakes us by on_poll() at once; so while there may be such connections, it pauses.
 */
static uint64_t pause_ms(const struct http *h)
{
	if (!h->tls || !h->silent)
		return 0;
	return h->silent < 20 ? 2 : h->silent < 500 ? h->silent / 10 : 50;
}

static void run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	h->again = false;
	MHD_run(h->daemon);
	if (h->again)
		uv_timer_start(&h->timer, on_timer, 0, 0);
	else if (MHD_get_timeout(h->daemon, &timeout_ms) == MHD_YES)
		uv_timer_start(&h->timer, on_timer, timeout_ms ? timeout_ms : pause_ms(h), 0);
	else
		uv_timer_stop(&h->timer);
}

void http_run_again(struct http *h)
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

static struct MHD_Daemon *start_daemon(struct http *h, int fd)
{
	/* each connection gets credentials of its own (http_peer.c): these only satisfy it */
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, h->tls ? (void *)tls_certificate_pem(h->tls) : NULL},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, h->tls ? (void *)tls_key_pem(h->tls) : NULL},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem *more = h->tls ? tls : &tls[3];

	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (h->tls ? MHD_USE_TLS : 0), 0,
		http_peer_accept, h, http_on_request, h, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_URI_LOG_CALLBACK, http_on_target, h, MHD_OPTION_NOTIFY_COMPLETED,
		http_on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, http_peer_notify, h,
		MHD_OPTION_CONNECTION_LIMIT, h->connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)HTTP_IDLE_AGENT_S, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
		more, MHD_OPTION_END);
}

static int watch(struct http *h, uv_loop_t *loop)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int r = info ? uv_poll_init(loop, &h->poll, info->epoll_fd) : -EINVAL;

	if (r < 0)
		return r;
	h->handles = 3;
	h->poll.data = h->timer.data = h;
	uv_timer_init(loop, &h->timer);
	http_body_init(h, loop);
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
	h->tls = config->tls;
	h->authorize = config->authorize;
	h->userdata = config->userdata;
	h->bodies_max = config->bodies_max ? config->bodies_max : HTTP_BODIES_MAX;
	h->body_ms = config->body_ms ? config->body_ms : HTTP_BODY_MS;
	http_peer_init(h, config->connections_max);
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
	ret->agents = h->peers[HTTP_AGENT];
	ret->readers = h->peers[HTTP_READER];
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
	if (!h->handles) {
		free(h);
		return NULL;
	}
	uv_close((uv_handle_t *)&h->timer, on_handle_closed);
	uv_close((uv_handle_t *)&h->body_timer, on_handle_closed);
	return NULL;
}
