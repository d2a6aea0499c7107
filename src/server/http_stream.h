/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events (text/event-stream, WHATWG HTML, "Server-sent events"): one answer that goes
 * on.
 *
 * A frame is the text of one event; it is shared by the streams that send it. Each stream holds at
 * most HTTP_STREAM_FRAMES_MAX that its reader has not taken: who is slower is dropped, never waited
 * for. While there is nothing to send the connection is suspended and costs nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "server/http.h"

#define HTTP_STREAM_FRAMES_MAX 4

struct http_frame; /* counted references */
struct http_stream;

/* "event: NAME\ndata: DATA\n\n"; data holds no line break. NULL without memory. */
struct http_frame *http_frame_new(const char *event, const char *data, size_t size);
struct http_frame *
http_frame_new_comment(const char *text); /* ": TEXT\n\n", keeps a stream alive */
struct http_frame *http_frame_ref(struct http_frame *f);
struct http_frame *http_frame_unref(struct http_frame *f); /* always NULL; accepts NULL */
size_t http_frame_live_bytes(void);                        /* of all frames there are */

/* Answers the request with a stream. on_gone is called once, when the reader has gone or was
 * dropped; the stream must not be used from then on. -ENOMEM: answered with an error. -ENODATA: it
 * was a HEAD, answered with headers only. */
int http_stream_open(struct http_stream **ret, struct http_request *r,
		     void (*on_gone)(void *userdata, struct http_stream *stream), void *userdata);

/* -ENOBUFS: the reader is behind by HTTP_STREAM_FRAMES_MAX; drop it. Takes a reference of its own.
 */
int http_stream_push(struct http_stream *s, struct http_frame *frame);
struct http_request *http_stream_request(struct http_stream *s); /* borrowed */
bool http_stream_lags(const struct http_stream *s); /* more than one frame waits */
void http_stream_drop(struct http_stream *s);       /* ends the connection; on_gone follows */
