/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd asks for bytes whenever the socket takes some. The struct lives as long as the
 * response that refers to it; the request ends before that and detaches it.
 */
#include "server/http_stream.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BLOCK_SIZE   32768
#define EVENT_STREAM "text/event-stream"

struct http_frame {
	size_t references, size;
	char text[];
};

struct http_stream {
	struct http_request *request; /* NULL: gone */
	struct http_frame *frames[HTTP_STREAM_FRAMES_MAX];
	size_t frame_count, offset; /* offset: sent of the first */
	bool dropped;
	void (*on_gone)(void *userdata, struct http_stream *stream);
	void *userdata;
};

/* All streams run in one thread, the loop's. */
static size_t live_bytes;

static struct http_frame *frame_alloc(size_t size)
{
	struct http_frame *f = malloc(sizeof(*f) + size);

	if (!f)
		return NULL;
	f->references = 1;
	f->size = size;
	live_bytes += size;
	return f;
}

struct http_frame *http_frame_new(const char *event, const char *data, size_t size)
{
	size_t event_size = strlen(event);
	struct http_frame *f = frame_alloc(7 + event_size + 7 + size + 2);
	char *p;

	if (!f)
		return NULL;
	p = mempcpy(f->text, "event: ", 7);
	p = mempcpy(p, event, event_size);
	p = mempcpy(p, "\ndata: ", 7);
	p = mempcpy(p, data, size);
	memcpy(p, "\n\n", 2);
	return f;
}

struct http_frame *http_frame_new_comment(const char *text)
{
	size_t size = strlen(text);
	struct http_frame *f = frame_alloc(2 + size + 2);
	char *p;

	if (!f)
		return NULL;
	p = mempcpy(f->text, ": ", 2);
	p = mempcpy(p, text, size);
	memcpy(p, "\n\n", 2);
	return f;
}

struct http_frame *http_frame_ref(struct http_frame *f)
{
	f->references++;
	return f;
}

struct http_frame *http_frame_unref(struct http_frame *f)
{
	if (f && !--f->references) {
		live_bytes -= f->size;
		free(f);
	}
	return NULL;
}

size_t http_frame_live_bytes(void)
{
	return live_bytes;
}

static void pop(struct http_stream *s)
{
	http_frame_unref(s->frames[0]);
	s->frame_count--;
	memmove(s->frames, s->frames + 1, s->frame_count * sizeof(*s->frames));
	s->offset = 0;
}

static ssize_t on_read(void *userdata, uint64_t position, char *out, size_t size)
{
	struct http_stream *s = userdata;
	struct http_frame *f;

	if (!s->request || s->dropped)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!s->frame_count) {
		http_request_suspend(s->request);
		return 0;
	}
	f = s->frames[0];
	if (size > f->size - s->offset)
		size = f->size - s->offset;
	memcpy(out, f->text + s->offset, size);
	s->offset += size;
	if (s->offset == f->size)
		pop(s);
	return size;
}

static void on_response_free(void *userdata)
{
	struct http_stream *s = userdata;

	while (s->frame_count)
		pop(s);
	free(s);
}

static void on_request_gone(void *userdata)
{
	struct http_stream *s = userdata;

	s->request = NULL;
	s->on_gone(s->userdata, s);
}

/* libmicrohttpd would end the answer to a HEAD with an empty chunk, which is a body. */
static void reply_head(struct http_request *r)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);

	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, EVENT_STREAM);
	http_reply(r, MHD_HTTP_OK, response);
}

int http_stream_open(struct http_stream **ret, struct http_request *r,
		     void (*on_gone)(void *userdata, struct http_stream *stream), void *userdata)
{
	struct MHD_Response *response;
	struct http_stream *s;

	if (http_request_is_head(r)) {
		reply_head(r);
		return -ENODATA;
	}
	s = calloc(1, sizeof(*s));
	response = s ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, on_read, s,
							 on_response_free)
		     : NULL;
	if (!response) {
		free(s);
		http_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory; try again later");
		return -ENOMEM;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, EVENT_STREAM);
	*s = (struct http_stream){.request = r, .on_gone = on_gone, .userdata = userdata};
	http_request_on_gone(r, on_request_gone, s);
	http_reply(r, MHD_HTTP_OK, response);
	*ret = s;
	return 0;
}

int http_stream_push(struct http_stream *s, struct http_frame *frame)
{
	if (s->frame_count == HTTP_STREAM_FRAMES_MAX)
		return -ENOBUFS;
	s->frames[s->frame_count++] = http_frame_ref(frame);
	http_request_resume(s->request);
	return 0;
}

struct http_request *http_stream_request(struct http_stream *s)
{
	return s->request;
}

bool http_stream_lags(const struct http_stream *s)
{
	return s->frame_count > 1;
}

void http_stream_drop(struct http_stream *s)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		http_request_connection(s->request), MHD_CONNECTION_INFO_CONNECTION_FD);

	s->dropped = true;
	if (info) /* libmicrohttpd sees the end of it and closes */
		shutdown(info->connect_fd, SHUT_RDWR);
	http_request_resume(s->request);
}
