/* SPDX-License-Identifier: Apache-2.0 */
/* The real thread and the real HTTP, against a small server on loopback that misbehaves on purpose.
 */
#include "agent/uplink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/decode.h"
#include "wire/life_for_test.h"

#define PATIENCE_S 20

struct body {
	uint8_t *data;
	size_t size;
};

struct world {
	struct MHD_Daemon *daemon;
	char url[64];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	struct book book;
	uint64_t sequence;
	int status; /* what to answer; 0: what is right */
	unsigned int posts, answers, connections, requests, sweeps, changes;
	char headers[512], problem[512], authorization[128];
	uint64_t clock_ns, answer_id;
};

static enum MHD_Result note_header(void *userdata, enum MHD_ValueKind kind, const char *key,
				   const char *value)
{
	struct world *w = userdata;
	size_t n = strlen(w->headers);

	snprintf(w->headers + n, sizeof(w->headers) - n, "%s ", key);
	if (!strcmp(key, WIRE_NOW_HEADER))
		w->clock_ns = strtoull(value, NULL, 10);
	if (!strcmp(key, "Authorization"))
		snprintf(w->authorization, sizeof(w->authorization), "%s", value);
	return MHD_YES;
}

static int take_batch(struct world *w, const struct body *body)
{
	struct wire_batch *b;
	struct error error;

	if (wire_decode(body->data, body->size, NULL, &b, &error))
		return 400;
	if (b->sequence > w->sequence) {
		book_add(&w->book, b);
		w->sequence = b->sequence;
	}
	wire_batch_free(b);
	return w->posts % 2 ? 204 : 200;
}

static int take_answer(struct world *w, const struct body *body)
{
	struct wire_answer *a;

	if (wire_answer_decode(body->data, body->size, &a, NULL))
		return 400;
	w->answer_id = a->id;
	w->answers++;
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

static int answer_to(struct world *w, struct MHD_Connection *connection, const char *url,
		     const struct body *body)
{
	int status = w->status;

	w->posts++;
	w->headers[0] = '\0';
	MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, w);
	if (!strcmp(url, "/api/v1/answers"))
		status = take_answer(w, body);
	else if (strcmp(url, "/api/v1/batches"))
		status = 404;
	else if (!status)
		status = take_batch(w, body);
	pthread_cond_broadcast(&w->changed);
	return status;
}

static enum MHD_Result on_http(void *userdata, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *size, void **request)
{
	struct body *body = *request;
	struct world *w = userdata;
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
	pthread_mutex_lock(&w->lock);
	status = answer_to(w, connection, url, body);
	pthread_mutex_unlock(&w->lock);
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
	struct world *w = userdata;

	pthread_mutex_lock(&w->lock);
	w->connections += code == MHD_CONNECTION_NOTIFY_STARTED;
	pthread_mutex_unlock(&w->lock);
}

/* Below the ports that the kernel gives by itself, so that it is there still after a pause. */
static void server_start(struct world *w, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	unsigned int tries = port ? 1 : 1000;

	for (port = port ? port : (uint16_t)(20000 + getpid() % 10000); tries && !w->daemon;
	     tries--, port++) {
		address.sin_port = htons(port);
		w->daemon = MHD_start_daemon(
			MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, on_http, w,
			MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_done, w,
			MHD_OPTION_NOTIFY_CONNECTION, on_connection, w, MHD_OPTION_END);
	}
	assert_non_null(w->daemon);
	snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/",
		 MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
}

static void on_request(void *userdata, const struct wire_request *request)
{
	struct world *w = userdata;

	pthread_mutex_lock(&w->lock);
	w->requests += request->id == 7 && request->connections_max == 10;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void on_sweep_now(void *userdata)
{
	struct world *w = userdata;

	pthread_mutex_lock(&w->lock);
	w->sweeps++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void on_change(void *userdata, const char *problem)
{
	struct world *w = userdata;

	pthread_mutex_lock(&w->lock);
	snprintf(w->problem, sizeof(w->problem), "%s", problem);
	w->changes++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static struct uplink *open_uplink(struct world *w, const char *token_file)
{
	const struct uplink_config config = {.server = {.server = w->url, .token_file = token_file},
					     .on_request = on_request,
					     .on_sweep_now = on_sweep_now,
					     .on_change = on_change,
					     .userdata = w};
	struct error error = {""};
	struct uplink *u;

	if (uplink_open(&u, &config, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(uplink_start(u), 0);
	return u;
}

/* Until the condition holds, which is looked at when something changed. */
#define WAIT_FOR(w, condition)                                                                     \
	do {                                                                                       \
		struct timespec until;                                                             \
                                                                                                   \
		clock_gettime(CLOCK_REALTIME, &until);                                             \
		until.tv_sec += PATIENCE_S;                                                        \
		pthread_mutex_lock(&(w)->lock);                                                    \
		while (!(condition))                                                               \
			if (pthread_cond_timedwait(&(w)->changed, &(w)->lock, &until))             \
				fail_msg("waited for " #condition);                                \
		pthread_mutex_unlock(&(w)->lock);                                                  \
	} while (0)

static void world_init(struct world *w)
{
	*w = (struct world){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	book_init(&w->book);
	server_start(w, 0);
}

static void world_done(struct world *w)
{
	if (w->daemon)
		MHD_stop_daemon(w->daemon);
	book_done(&w->book);
}

static void submit(struct uplink *u, struct life *life, struct book *said)
{
	struct wire_batch *b = life_window(life);

	book_add(said, b);
	uplink_submit(u, b);
}

static void all_arrives_over_one_connection(void **state)
{
	struct uplink_figures figures;
	struct wire_answer *answer;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;

	world_init(&w);
	book_init(&said);
	life_init(&life, 1);
	u = open_uplink(&w, NULL);
	for (unsigned int i = 1; i <= 10; i++) {
		submit(u, &life, &said);
		WAIT_FOR(&w, w.sequence == i);
	}
	WAIT_FOR(&w, w.requests == 5 && w.sweeps == 5);
	answer = wire_answer_new();
	answer->id = 7;
	uplink_answer(u, answer);
	WAIT_FOR(&w, w.answer_id == 7);
	uplink_stop(u, &figures);
	assert_int_equal(figures.sent, 10);
	assert_int_equal(w.connections, 1);
	assert_string_equal(w.problem, "");
	assert_int_equal(w.changes, 1);
	assert_string_equal(w.headers, "Host Content-Type Millrace-Now Content-Length ");
	assert_true(w.clock_ns > 0);
	assert_null(book_difference(&said, &w.book, false));
	uplink_free(u);
	book_done(&said);
	world_done(&w);
}

static void what_is_wrong_is_said_once(void **state)
{
	struct uplink_figures figures;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;
	char expected[128];

	world_init(&w);
	book_init(&said);
	life_init(&life, 2);
	w.status = 503;
	u = open_uplink(&w, NULL);
	submit(u, &life, &said);
	submit(u, &life, &said);
	WAIT_FOR(&w, w.posts == 3);
	w.url[strlen(w.url) - 1] = '\0';
	snprintf(expected, sizeof(expected), "%s answers 503: it is not to be", w.url);
	assert_string_equal(w.problem, expected);
	assert_int_equal(w.changes, 1);
	pthread_mutex_lock(&w.lock);
	w.status = 0;
	pthread_mutex_unlock(&w.lock);
	WAIT_FOR(&w, w.sequence == 2);
	uplink_stop(u, &figures);
	assert_int_equal(w.changes, 2);
	assert_string_equal(w.problem, "");
	assert_null(book_difference(&said, &w.book, false));
	uplink_free(u);
	book_done(&said);
	world_done(&w);
}

/* The server goes and comes back at the same place. */
static void a_server_that_was_away_gets_it_all(void **state)
{
	struct uplink_figures figures;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;
	uint16_t port;

	world_init(&w);
	book_init(&said);
	life_init(&life, 3);
	port = MHD_get_daemon_info(w.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	u = open_uplink(&w, NULL);
	submit(u, &life, &said);
	WAIT_FOR(&w, w.sequence == 1);
	MHD_stop_daemon(w.daemon);
	w.daemon = NULL;
	for (unsigned int i = 0; i < 30; i++)
		submit(u, &life, &said);
	WAIT_FOR(&w, w.problem[0]);
	assert_non_null(strstr(w.problem, "cannot reach http://127.0.0.1:"));
	server_start(&w, port);
	WAIT_FOR(&w, !w.problem[0]);
	uplink_stop(u, &figures);
	assert_int_equal(figures.pending_windows, 0);
	assert_true(w.sequence == 3 || w.sequence == 2); /* the first answer may be lost */
	assert_null(book_difference(&said, &w.book, false));
	uplink_free(u);
	book_done(&said);
	world_done(&w);
}

/* At the end nobody waits for ever, and what is left is known. */
static void the_end_comes_in_time(void **state)
{
	struct uplink_figures figures;
	struct timespec begin, end;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;

	world_init(&w);
	book_init(&said);
	life_init(&life, 4);
	MHD_stop_daemon(w.daemon);
	w.daemon = NULL;
	u = open_uplink(&w, NULL);
	for (unsigned int i = 0; i < 3; i++)
		submit(u, &life, &said);
	WAIT_FOR(&w, w.problem[0]);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	uplink_stop(u, &figures);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec >= UPLINK_END_MS / 1000 - 1);
	assert_true(end.tv_sec - begin.tv_sec < PATIENCE_S);
	assert_int_equal(figures.pending_windows, 2);
	assert_int_equal(figures.undelivered_windows, 3);
	uplink_free(u);
	book_done(&said);
	world_done(&w);
}

static void a_new_token_is_used(void **state)
{
	char path[] = "/tmp/millrace-token-XXXXXX";
	int fd = mkstemp(path);
	struct uplink_figures figures;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;

	world_init(&w);
	book_init(&said);
	life_init(&life, 5);
	assert_true(write(fd, "first-token-of-16\n", 18) == 18);
	u = open_uplink(&w, path);
	submit(u, &life, &said);
	WAIT_FOR(&w, w.sequence == 1);
	assert_string_equal(w.authorization, "Bearer first-token-of-16");
	assert_true(write(fd, "not the first\n", 14) == 14);
	assert_true(pwrite(fd, "other", 5, 0) == 5);
	submit(u, &life, &said);
	WAIT_FOR(&w, w.sequence == 2);
	assert_string_equal(w.authorization, "Bearer other-token-of-16");
	uplink_stop(u, &figures);
	uplink_free(u);
	close(fd);
	unlink(path);
	book_done(&said);
	world_done(&w);
}

static void what_cannot_be_used_is_refused_at_once(void **state)
{
	static const struct {
		struct poster_config config;
		int code;
		const char *words;
	} tries[] = {
		{{.server = "nowhere"}, -EINVAL, "not a URL"},
		{{.server = "ftp://nowhere"}, -EINVAL, "not a URL"},
		{{.server = ""}, -EINVAL, "not a URL"},
		{{.server = "http://x", .token_file = "/none"}, -ENOENT, "the token file /none"},
		{{.server = "http://x", .token_file = "/etc/hostname"}, -EINVAL, "no token of 16"},
		{{.server = "http://x", .ca = "/none"}, -ENOENT, "the certificates to trust"},
		{{.server = "http://x", .cert = "/none"}, -ENOENT, "the certificate /none"},
		{{.server = "http://x", .key = "/none"}, -ENOENT, "the certificate's key"},
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		struct error error = {""};
		struct poster *p = NULL;

		assert_int_equal(poster_new(&p, &tries[i].config, &error), tries[i].code);
		if (!strstr(error.text, tries[i].words))
			fail_msg("\"%s\" does not say \"%s\"", error.text, tries[i].words);
		assert_null(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_arrives_over_one_connection),
		cmocka_unit_test(what_is_wrong_is_said_once),
		cmocka_unit_test(a_server_that_was_away_gets_it_all),
		cmocka_unit_test(the_end_comes_in_time),
		cmocka_unit_test(a_new_token_is_used),
		cmocka_unit_test(what_cannot_be_used_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
