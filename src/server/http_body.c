/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of requests: gathered whole, within the route's bound and the bounds of all that are held
 * at a time, and within HTTP_BODY_MS. What says its size beforehand is refused beforehand.
 */
#include "server/http_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define TIMER_MS   1000
#define FIRST_SIZE 16384 /* of a body that does not tell its size */
/* Of a body that turns out too large so much is read and dropped, for the sake of an answer. */
#define EXCESS_MAX (1u << 20)

static const char *header(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

bool http_body_comes(const struct http_request *r)
{
	const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length && strcmp(length, "0")) || header(r, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Without parameters such as "; charset=utf-8". */
static bool type_is(const char *type, const char *wanted)
{
	size_t size = strlen(wanted);

	if (!type || strncasecmp(type, wanted, size) != 0)
		return false;
	type += size;
	type += strspn(type, " \t");
	return !*type || *type == ';';
}

/* Makes room for so many bytes; they are set aside among all bodies' at once. */
static int grow(struct http_request *r, size_t capacity)
{
	struct http_body *b = &r->body;
	struct http *h = r->http;
	uint8_t *data;

	if (capacity <= b->capacity)
		return 0;
	if (capacity - b->capacity > HTTP_BODIES_SIZE_MAX - h->bodies_size)
		return -EBUSY;
	data = realloc(b->data, capacity);
	if (!data)
		return -ENOMEM;
	h->bodies_size += capacity - b->capacity;
	b->data = data;
	b->capacity = capacity;
	return 0;
}

static bool refuse_size(struct http_request *r)
{
	char text[120];

	snprintf(text, sizeof(text), "body too large: expected at most %zu bytes",
		 r->route->body_size_max);
	http_refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, text);
	return false;
}

static bool refuse_crowd(struct http_request *r)
{
	r->http->stats.crowded++;
	http_refuse(r, MHD_HTTP_TOO_MANY_REQUESTS,
		    "too many bodies are on their way already; send it again in a second");
	http_reply_add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	return false;
}

static void on_timer(uv_timer_t *timer);

void http_body_watch(struct http *h)
{
	if (!uv_is_active((uv_handle_t *)&h->body_timer))
		uv_timer_start(&h->body_timer, on_timer, TIMER_MS, TIMER_MS);
}

static void end_connection(struct http_request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	r->http->stats.late++;
	r->body.deadline_ms = 0;
	if (info) /* libmicrohttpd sees the end of it and closes */
		shutdown(info->connect_fd, SHUT_RDWR);
}

static void on_timer(uv_timer_t *timer)
{
	struct http *h = timer->data;
	uint64_t now_ms = uv_now(timer->loop);
	struct http_request *r;
	bool any = http_peer_end_strangers(h, now_ms);

	for (r = h->requests; r; r = r->next) {
		if (r->body.deadline_ms && r->body.deadline_ms <= now_ms)
			end_connection(r);
		any |= r->body.deadline_ms != 0;
	}
	if (!any)
		uv_timer_stop(timer);
}

int http_body_init(struct http *h, uv_loop_t *loop)
{
	h->body_timer.data = h;
	return uv_timer_init(loop, &h->body_timer);
}

bool http_body_begin(struct http_request *r)
{
	const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	size_t max = r->route->body_size_max, size = 0;
	bool open = r->route->right == HTTP_FOR_ANYBODY;
	struct http *h = r->http;
	char text[120];

	if (length)
		size = strtoull(length, NULL, 10); /* digits: libmicrohttpd has seen to that */
	if (size > max)
		return refuse_size(r);
	if (!type_is(header(r, MHD_HTTP_HEADER_CONTENT_TYPE), r->route->content_type)) {
		snprintf(text, sizeof(text), "body of another type: expected Content-Type: %s",
			 r->route->content_type);
		http_refuse(r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, text);
		return false;
	}
	if (!length)
		size = max < FIRST_SIZE ? max : FIRST_SIZE;
	if ((!open && h->stats.bodies - h->open_bodies >= h->bodies_max) || grow(r, size) < 0)
		return refuse_crowd(r);
	h->stats.bodies++;
	h->open_bodies += open;
	r->body.counted = true;
	r->body.open = open;
	r->body.deadline_ms = uv_now(h->body_timer.loop) + h->body_ms;
	http_body_watch(h);
	return true;
}

bool http_body_add(struct http_request *r, const char *data, size_t size)
{
	size_t max = r->route->body_size_max;
	struct http_body *b = &r->body;

	if (!b->counted)
		return false; /* nobody announced it */
	if (b->over || size > max - b->size) {
		b->over = true;
		b->size += size;
		return b->size <= max + EXCESS_MAX;
	}
	if (b->size + size > b->capacity &&
	    grow(r, 2 * (b->size + size) < max ? 2 * (b->size + size) : max) < 0)
		return false;
	memcpy(b->data + b->size, data, size);
	b->size += size;
	return true;
}

bool http_body_end(struct http_request *r)
{
	r->body.deadline_ms = 0;
	return r->body.over ? refuse_size(r) : true;
}

void http_body_free(struct http_request *r)
{
	struct http *h = r->http;

	h->stats.bodies -= r->body.counted;
	h->open_bodies -= r->body.open;
	h->bodies_size -= r->body.capacity;
	free(r->body.data);
	r->body = (struct http_body){0};
}
