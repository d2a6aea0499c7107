/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves, over real sockets: what is not ours is refused with JSON and the right code, garbage
 * harms nothing, kept requests and streams work, slow readers are dropped, and it all stops clean
 * (run under ASan: nothing leaks, whatever a peer does).
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "server/client_for_test.h"
#include "server/http.h"
#include "server/http_stream.h"

#define PATIENCE_MS 10000

struct fixture {
	uv_loop_t loop;
	uv_async_t stop;
	uv_timer_t timer;
	struct http *http;
	struct listen_address address;
	pthread_t thread;
	struct http_request *kept;
	struct http_stream *stream;
	char *event; /* what the stream sends */
	size_t event_size;
	unsigned int pushed, gone, behind;
};

static void handle_hello(void *userdata, struct http_request *r)
{
	struct emit e;

	emit_init(&e, 16384);
	emit_object_begin(&e, NULL);
	emit_string(&e, "name", params_text(http_request_params(r), "name"));
	emit_integer(&e, "count", params_number(http_request_params(r), "count"));
	emit_object_end(&e);
	http_reply_json(r, 200, &e);
}

static void handle_large(void *userdata, struct http_request *r)
{
	struct emit e;
	int i;

	emit_init(&e, 100000);
	emit_array_begin(&e, NULL);
	for (i = 0; i < 100000; i++)
		emit_integer(&e, NULL, i);
	emit_array_end(&e);
	http_reply_json(r, 200, &e);
}

static void on_later(uv_timer_t *timer)
{
	struct fixture *f = timer->data;

	http_reply_text(f->kept, 200, "at last\n");
}

static void handle_later(void *userdata, struct http_request *r)
{
	struct fixture *f = userdata;

	f->kept = r;
	uv_timer_start(&f->timer, on_later, 50, 0);
}

static void handle_never(void *userdata, struct http_request *r)
{
}

static void on_gone(void *userdata, struct http_stream *stream)
{
	struct fixture *f = userdata;

	uv_timer_stop(&f->timer);
	f->stream = NULL;
	__atomic_add_fetch(&f->gone, 1, __ATOMIC_RELEASE);
}

static void on_push(uv_timer_t *timer)
{
	struct fixture *f = timer->data;
	struct http_frame *frame = http_frame_new("tick", f->event, f->event_size);
	int r = http_stream_push(f->stream, frame);

	http_frame_unref(frame);
	f->pushed++;
	if (r == -ENOBUFS) {
		f->behind++;
		http_stream_drop(f->stream);
	}
}

static void handle_stream(void *userdata, struct http_request *r)
{
	struct fixture *f = userdata;

	if (!http_stream_open(&f->stream, r, on_gone, f))
		uv_timer_start(&f->timer, on_push, 10, 10);
}

static const struct param_spec hello_params[] = {
	{"name", PARAM_TEXT, .fallback = "you"},
	{"count", PARAM_COUNT, .min = 1, .max = 9, .fallback = "1"},
	{0},
};

static const struct http_route routes[] = {
	{"/hello", "says it", hello_params, handle_hello},
	{"/large", "more than it may be", NULL, handle_large},
	{"/later", "kept, then answered", NULL, handle_later},
	{"/never", "kept", NULL, handle_never},
	{"/stream", "events", NULL, handle_stream},
	{0},
};

static void on_stop(uv_async_t *stop)
{
	struct fixture *f = stop->data;

	http_close(f->http);
	uv_close((uv_handle_t *)&f->timer, NULL);
	uv_close((uv_handle_t *)&f->stop, NULL);
}

static void *run(void *userdata)
{
	struct fixture *f = userdata;

	uv_run(&f->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct http_config config = {.routes = routes, .userdata = f};

	assert_int_equal(listen_parse("127.0.0.1:0", &f->address, NULL), 0);
	assert_int_equal(listen_open(&f->address, &config.fd, NULL), 0);
	config.address = f->address;
	uv_loop_init(&f->loop);
	uv_async_init(&f->loop, &f->stop, on_stop);
	uv_timer_init(&f->loop, &f->timer);
	f->stop.data = f->timer.data = f;
	f->event_size = 2;
	f->event = strdup("42");
	assert_int_equal(http_open(&f->http, &f->loop, &config, NULL), 0);
	pthread_create(&f->thread, NULL, run, f);
	*state = f;
	return 0;
}

static void stop(struct fixture *f)
{
	uv_async_send(&f->stop);
	pthread_join(f->thread, NULL);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	f->http = NULL;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->http)
		stop(f);
	free(f->event);
	free(f);
	return 0;
}

/* The answer is JSON with an "error" that says what was expected, and says no secrets to caches. */
static void assert_error(const struct client_reply *r, int status)
{
	json_t *root = r->body ? json_loads(r->body, 0, NULL) : NULL;

	if (r->status != status || !root)
		fail_msg("status %d, not %d: %s", r->status, status, r->text);
	assert_true(json_is_string(json_object_get(root, "error")));
	assert_non_null(strstr(r->text, "Cache-Control: no-store"));
	assert_non_null(strstr(r->text, "X-Content-Type-Options: nosniff"));
	assert_null(strcasestr(r->text, "Access-Control"));
	json_decref(root);
}

static void assert_works(struct fixture *f)
{
	struct client_reply r;

	client_get(f->address.port, "/hello?name=a%20b+c&count=3", &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "{\"name\":\"a b c\",\"count\":3}");
	assert_non_null(strstr(r.text, "Content-Type: application/json"));
	assert_null(strcasestr(r.text, "Access-Control"));
	client_reply_done(&r);
}

static void test_answers(void **state)
{
	struct fixture *f = *state;
	struct client_reply r;

	assert_works(f);
	client_get(f->address.port, "/nothing/here", &r);
	assert_error(&r, 404);
	client_reply_done(&r);
	client_get(f->address.port, "/hello?colour=red", &r);
	assert_error(&r, 400);
	assert_non_null(strstr(r.body, "expected one of name, count"));
	client_reply_done(&r);
	client_get(f->address.port, "/hello?count=10", &r);
	assert_error(&r, 400);
	assert_non_null(strstr(r.body, "expected an integer from 1 to 9"));
	client_reply_done(&r);
	client_get(f->address.port, "/large", &r);
	assert_error(&r, 500);
	client_reply_done(&r);
}

#define CLOSE "Connection: close\r\n\r\n"

struct raw_case {
	const char *request; /* %u: our port */
	int status;
};

static void test_refusals(void **state)
{
	static const struct raw_case cases[] = {
		{"GET /hello HTTP/1.1\r\nHost: evil.example:%u\r\n" CLOSE, 421},
		{"GET /hello HTTP/1.1\r\nHost: evil.example\r\n" CLOSE, 421},
		{"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n" CLOSE, 421},
		{"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:1%u\r\n" CLOSE, 421},
		{"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:%u.evil.example\r\n" CLOSE, 421},
		{"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nHost: evil.example\r\n" CLOSE, 421},
		{"GET /hello HTTP/1.0\r\n" CLOSE, 421},
		{"POST /hello HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: 3\r\n" CLOSE "abc",
		 405},
		{"DELETE /hello HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 405},
		{"OPTIONS * HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 405},
		{"GET /hello HTTP/1.1\r\nHost: localhost:%u\r\nContent-Length: 3\r\n" CLOSE "abc",
		 400},
		{"GET /hello HTTP/1.1\r\nHost: localhost:%u\r\nTransfer-Encoding: "
		 "chunked\r\n" CLOSE "0\r\n\r\n",
		 400},
		{"GET http://evil.example/hello HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 404},
		{"GET /hello?%%00=1 HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 400},
		{"GET /hello?name=%%zz HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 400},
		{"GET /hello?name=1&name=2 HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 400},
		{"GET /hello?name HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 400},
	};
	struct fixture *f = *state;
	struct client_reply r;
	char request[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		int size = snprintf(request, sizeof(request), cases[i].request, f->address.port);
#pragma GCC diagnostic pop

		client_send(f->address.port, request, size, PATIENCE_MS, &r);
		assert_error(&r, cases[i].status);
		client_reply_done(&r);
	}
	assert_works(f);
}

static void test_hosts_that_are_ours(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "LocalHost", "[::1]"};
	struct fixture *f = *state;
	struct client_reply r;
	char request[256];
	size_t i;

	for (i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		int size =
			snprintf(request, sizeof(request),
				 "GET /hello HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n\r\n",
				 hosts[i], f->address.port);

		client_send(f->address.port, request, size, PATIENCE_MS, &r);
		assert_int_equal(r.status, 200);
		client_reply_done(&r);
	}
}

static void test_head(void **state)
{
	struct fixture *f = *state;
	struct client_reply r;
	char request[256];
	const char *const paths[] = {"/hello", "/later", "/stream"};
	size_t i;

	for (i = 0; i < 3; i++) {
		int size = snprintf(
			request, sizeof(request),
			"HEAD %s HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n",
			paths[i], f->address.port);

		client_send(f->address.port, request, size, PATIENCE_MS, &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body, "");
		client_reply_done(&r);
	}
}

static void test_long_targets(void **state)
{
	struct fixture *f = *state;
	struct client_reply r;
	char *target = malloc(200001);

	memset(target, 'a', 200000);
	memcpy(target, "/hello?name=", 12);
	target[8000] = '\0';
	client_get(f->address.port, target, &r);
	assert_int_equal(r.status, 200);
	client_reply_done(&r);
	target[8000] = 'a';
	target[9000] = '\0';
	client_get(f->address.port, target, &r);
	assert_error(&r, 414);
	client_reply_done(&r);
	target[9000] = 'a';
	target[200000] = '\0';
	client_get(f->address.port, target, &r); /* refused by libmicrohttpd itself, in its way */
	assert_true(r.status == 0 || r.status >= 400);
	client_reply_done(&r);
	free(target);
	assert_works(f);
}

/* Deterministic noise, and requests cut off anywhere: nothing of it harms the next client. */
static void test_garbage(void **state)
{
	struct fixture *f = *state;
	const char *whole = "GET /hello?name=x HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n";
	struct client_reply r;
	unsigned int seed = 1, i, k;
	char noise[2048];

	for (i = 0; i < 200; i++) {
		for (k = 0; k < sizeof(noise); k++)
			noise[k] = (char)rand_r(&seed);
		if (i % 2)
			memcpy(noise, "GET /hello?", 11);
		client_send(f->address.port, noise, rand_r(&seed) % sizeof(noise), 5, &r);
		assert_int_not_equal(r.status, 200);
		client_reply_done(&r);
	}
	for (i = 0; i < strlen(whole); i++) {
		client_send(f->address.port, whole, i, 5, &r);
		assert_int_not_equal(r.status, 200);
		client_reply_done(&r);
	}
	assert_works(f);
}

static void test_kept_request(void **state)
{
	struct fixture *f = *state;
	struct client_reply r;

	client_get(f->address.port, "/later", &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "at last\n");
	client_reply_done(&r);
}

static int open_request(struct fixture *f, const char *path)
{
	char request[128];
	int size = snprintf(request, sizeof(request),
			    "GET %s HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", path, f->address.port);
	int fd = client_connect(f->address.port);

	assert_true(fd >= 0);
	assert_int_equal(send(fd, request, size, 0), size);
	return fd;
}

static void test_client_leaves_while_kept(void **state)
{
	struct fixture *f = *state;

	close(open_request(f, "/later"));
	usleep(150000);
	assert_works(f);
}

static void test_stops_with_requests_kept(void **state)
{
	struct fixture *f = *state;
	int fds[3] = {open_request(f, "/never"), open_request(f, "/stream"),
		      open_request(f, "/hel")};
	struct client_reply r = {0};

	assert_int_equal(client_read_until(fds[1], &r, "event: tick"), 0);
	stop(f);
	client_reply_done(&r);
	client_read_all(fds[0], &r);
	assert_int_equal(r.status, 0);
	client_reply_done(&r);
	close(fds[0]);
	close(fds[1]);
	close(fds[2]);
}

static void test_stream(void **state)
{
	struct fixture *f = *state;
	struct client_reply r = {0};
	int fd = open_request(f, "/stream");

	int i;

	assert_int_equal(client_read_until(fd, &r, "Content-Type: text/event-stream"), 0);
	for (i = 0; i < 20; i++) { /* one by one, as they come */
		assert_int_equal(client_read_until(fd, &r, "event: tick\ndata: 42\n\n"), 0);
		client_reply_done(&r);
	}
	close(fd);
	usleep(200000);
	stop(f);
	assert_int_equal(f->gone, 1);
	client_reply_done(&r);
}

/* A reader that never reads: at most the bound waits for it, then it is dropped. */
static void test_slow_reader(void **state)
{
	struct fixture *f = *state;
	int fd, i;

	free(f->event);
	f->event_size = 4 << 20;
	f->event = malloc(f->event_size);
	memset(f->event, 'x', f->event_size);
	fd = open_request(f, "/stream");
	for (i = 0; i < 50 && !__atomic_load_n(&f->gone, __ATOMIC_ACQUIRE); i++)
		usleep(100000);
	stop(f);
	assert_int_equal(f->gone, 1);
	assert_int_equal(f->behind, 1);
	assert_in_range(f->pushed, HTTP_STREAM_FRAMES_MAX + 1, 3 * HTTP_STREAM_FRAMES_MAX);
	assert_int_equal(http_frame_live_bytes(), 0);
	close(fd);
}

/* More connections than there may be: those over it wait, and work once others have gone. */
static void test_many_connections(void **state)
{
	struct fixture *f = *state;
	int fds[HTTP_CONNECTIONS_MAX + 20], count = HTTP_CONNECTIONS_MAX + 20, i;

	for (i = 0; i < count; i++)
		fds[i] = client_connect(f->address.port);
	usleep(100000);
	for (i = 0; i < count; i++)
		close(fds[i]);
	assert_works(f);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_refusals),
		TEST(test_hosts_that_are_ours),
		TEST(test_head),
		TEST(test_long_targets),
		TEST(test_garbage),
		TEST(test_kept_request),
		TEST(test_client_leaves_while_kept),
		TEST(test_stops_with_requests_kept),
		TEST(test_stream),
		TEST(test_slow_reader),
		TEST(test_many_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
