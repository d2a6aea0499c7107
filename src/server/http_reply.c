/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: JSON, text and errors, with the headers that all of them have. */
#include "server/http_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void http_reply_raw(struct http_request *r, unsigned int status, struct MHD_Response *response)
{
	r->response = response;
	r->status = status;
	r->http->stats.refused += status >= 400;
	http_request_resume(r);
}

void http_reply(struct http_request *r, unsigned int status, struct MHD_Response *response)
{
	static const char *const headers[][2] = {
		{MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
		{"X-Content-Type-Options", "nosniff"},
	};
	size_t i;

	for (i = 0; response && i < sizeof(headers) / sizeof(*headers); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	http_reply_raw(r, status, response);
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

void http_reply_bytes(struct http_request *r, unsigned int status, const char *type, void *bytes,
		      size_t size)
{
	http_reply(r, status, response_of(bytes, size, type));
}

/* Without a body there is nothing to keep, nor to take for something else; agents are answered so
 * once a window, and each byte of it goes over the wire. */
void http_reply_nothing(struct http_request *r, unsigned int status)
{
	http_reply_raw(r, status,
		       MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT));
}

void http_reply_add_header(struct http_request *r, const char *name, const char *value)
{
	if (r->response)
		MHD_add_response_header(r->response, name, value);
}

void http_reply_again(struct http_request *r, unsigned int status, unsigned int seconds,
		      const char *text)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", seconds);
	http_reply_error(r, status, "%s", text);
	http_reply_add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, value);
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
