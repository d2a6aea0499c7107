/* SPDX-License-Identifier: Apache-2.0 */
/* See sink_for_test.h. */
#include "agent/sink_for_test.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/decode.h"
#include "wire/exchange.h"

struct body {
	uint8_t *data;
	size_t size;
};

static enum MHD_Result note_header(void *userdata, enum MHD_ValueKind kind, const char *key,
				   const char *value)
{
	struct sink *s = userdata;
	size_t n = strlen(s->headers);

	snprintf(s->headers + n, sizeof(s->headers) - n, "%s ", key);
	if (!strcmp(key, WIRE_NOW_HEADER))
		s->clock_ns = strtoull(value, NULL, 10);
	if (!strcmp(key, "Authorization"))
		snprintf(s->authorization, sizeof(s->authorization), "%s", value);
	return MHD_YES;
}

static int take_batch(struct sink *s, const struct body *body)
{
	struct wire_batch *b;
	struct error error;

	if (wire_decode(body->data, body->size, NULL, &b, &error))
		return 400;
	if (b->sequence > s->sequence) {
		book_add(&s->book, b);
		s->sequence = b->sequence;
	}
	wire_batch_free(b);
	return s->posts % 2 ? 204 : 200;
}

static int take_answer(struct sink *s, const struct body *body)
{
	struct wire_answer *a;

	if (wire_answer_decode(body->data, body->size, &a, NULL))
		return 400;
	s->answer_id = a->id;
	s->answers++;
	wire_answer_free(a);
	return 204;
}

static enum MHD_Result reply(struct MHD_Connection *connection, int status)
{
	static const char words[] = "{\"error\": \"it is\\nnot to be\"}";
	const struct wire_reply requests = {true, {{7, 10}}, 1};
	struct MHD_Response *response;
	enum MHD_Result r;
	uint8_t *data;
	size_t size = 0;

	if (status == 200 && wire_reply_encode(&requests, &data, &size) == 0)
		response = MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
	else if (status == 204)
		response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	else
		response = MHD_create_response_from_buffer(strlen(words), (void *)words,
							   MHD_RESPMEM_PERSISTENT);
	r = MHD_queue_response(connection, (unsigned int)status, response);
	MHD_destroy_response(response);
	return r;
}

static int answer_to(struct sink *s, struct MHD_Connection *connection, const char *url,
		     const struct body *body)
{
	int status = s->status;

	s->posts++;
	s->headers[0] = '\0';
	MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, s);
	if (!strcmp(url, "/api/v1/answers"))
		status = take_answer(s, body);
	else if (strcmp(url, "/api/v1/batches"))
		status = 404;
	else if (!status)
		status = take_batch(s, body);
	pthread_cond_broadcast(&s->changed);
	return status;
}

static enum MHD_Result on_http(void *userdata, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *size, void **request)
{
	struct body *body = *request;
	struct sink *s = userdata;
	int status;

	if (!body) {
		*request = calloc(1, sizeof(*body));
		return MHD_YES;
	}
	if (*size) {
		body->data = realloc(body->data, body->size + *size);
		memcpy(body->data + body->size, data, *size);
		body->size += *size;
		*size = 0;
		return MHD_YES;
	}
	pthread_mutex_lock(&s->lock);
	status = answer_to(s, connection, url, body);
	pthread_mutex_unlock(&s->lock);
	return reply(connection, status);
}

static void on_done(void *userdata, struct MHD_Connection *connection, void **request,
		    enum MHD_RequestTerminationCode code)
{
	struct body *body = *request;

	if (body)
		free(body->data);
	free(body);
}

static void on_connection(void *userdata, struct MHD_Connection *connection, void **socket,
			  enum MHD_ConnectionNotificationCode code)
{
	struct sink *s = userdata;

	pthread_mutex_lock(&s->lock);
	s->connections += code == MHD_CONNECTION_NOTIFY_STARTED;
	pthread_mutex_unlock(&s->lock);
}

/* Below the ports that the kernel gives by itself, so that it is there still after a pause. */
void sink_start(struct sink *s, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	unsigned int tries = port ? 1 : 1000;

	for (port = port ? port : (uint16_t)(20000 + getpid() % 10000); tries && !s->daemon;
	     tries--, port++) {
		address.sin_port = htons(port);
		s->daemon = MHD_start_daemon(
			MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, on_http, s,
			MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_done, s,
			MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
	}
	assert_non_null(s->daemon);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/",
		 MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
}

uint16_t sink_port(const struct sink *s)
{
	return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void sink_stop(struct sink *s)
{
	MHD_stop_daemon(s->daemon);
	s->daemon = NULL;
}

void sink_init(struct sink *s)
{
	*s = (struct sink){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	book_init(&s->book);
	sink_start(s, 0);
}

void sink_done(struct sink *s)
{
	if (s->daemon)
		sink_stop(s);
	book_done(&s->book);
}
