/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves, over real sockets: what is not ours is refused with JSON and the right code, garbage
 * harms nothing, bodies keep within
 * their bounds, kept requests and streams work, slow readers are dropped, and it all stops clean
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

#define PATIENCE_MS     10000
#define CONNECTIONS_MAX 64
#define BODIES_MAX      8
#define BODY_MS         3000

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

static void handle_hello_again(void *userdata, struct http_request *r)
{
	http_reply_text(r, 200, "again\n");
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

static void on_end_stream(uv_timer_t *timer)
{
	http_stream_drop(((struct fixture *)timer->data)->stream);
}

/* Ended by us while nothing waits for it. */
static void handle_ended_stream(void *userdata, struct http_request *r)
{
	struct fixture *f = userdata;

	if (!http_stream_open(&f->stream, r, on_gone, f))
		uv_timer_start(&f->timer, on_end_stream, 50, 0);
}

/* How many bytes came, and the sum of them. */
static void handle_body(void *userdata, struct http_request *r)
{
	struct emit e;
	size_t size, i;
	const uint8_t *body = http_request_body(r, &size);
	uint64_t sum = 0;

	for (i = 0; i < size; i++)
		sum += body[i];
	http_request_drop_body(r);
	emit_init(&e, 16384);
	emit_object_begin(&e, NULL);
	emit_integer(&e, "size", size);
	emit_integer(&e, "sum", sum);
	emit_object_end(&e);
	http_reply_json(r, 200, &e);
}

static void handle_nothing(void *userdata, struct http_request *r)
{
	http_reply_nothing(r, 204);
}

/* Who says "Let: in" may go on. */
static bool authorize(void *userdata, struct http_request *r, const struct http_route *route)
{
	const char *let = http_request_header(r, "Let");

	if (strcmp(route->path, "/closed") != 0 || (let && !strcmp(let, "in")))
		return true;
	http_reply_error(r, 401, "expected Let: in");
	return false;
}

#define BODY_MAX 100000

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
	{"/ended-stream", "events, for a moment", NULL, handle_ended_stream},
	{"/open-body", "for anybody", NULL, handle_body, .method = HTTP_POST,
	 .right = HTTP_FOR_ANYBODY, .body_size_max = 100, .content_type = "text/x"},
	{"/body", "counts it", hello_params, handle_body, .method = HTTP_POST,
	 .right = HTTP_FOR_AGENTS, .body_size_max = BODY_MAX, .content_type = "text/x"},
	{"/closed", "for some", NULL, handle_body, .method = HTTP_POST, .body_size_max = BODY_MAX,
	 .content_type = "text/x"},
	{"/both", "says it", NULL, handle_hello_again},
	{"/both", "ends it", NULL, handle_nothing, .method = HTTP_DELETE},
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
	struct http_config config = {.routes = routes,
				     .userdata = f,
				     .authorize = authorize,
				     .connections_max = CONNECTIONS_MAX,
				     .bodies_max = BODIES_MAX,
				     .body_ms = BODY_MS};

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

#define TYPE          "Content-Type: text/x\r\n"
#define LENGTH(bytes) "Content-Length: " bytes "\r\n" CLOSE

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
		{"GET /body HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 405},
		{"POST /both HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 405},
		{"POST /nothing HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, 405},
		{"DELETE /both HTTP/1.1\r\nHost: localhost:%u\r\nContent-Length: 1\r\n" CLOSE "x",
		 400},
		{"POST /body HTTP/1.1\r\nHost: evil.example:%u\r\n" TYPE LENGTH("3") "abc", 421},
		{"POST /body HTTP/1.1\r\nHost: localhost:%u\r\n" LENGTH("3") "abc", 415},
		{"POST /body HTTP/1.1\r\nHost: localhost:%u\r\nContent-Type: text/xy\r\n" LENGTH(
			 "3") "abc",
		 415},
		/* what says that it is too large, or comes from nobody, is not waited for */
		{"POST /body HTTP/1.1\r\nHost: localhost:%u\r\n" TYPE LENGTH("100001"), 413},
		{"POST /body HTTP/1.1\r\nHost: localhost:%u\r\n" TYPE LENGTH(
			 "18446744073709551615"),
		 413},
		{"POST /closed HTTP/1.1\r\nHost: localhost:%u\r\n" TYPE LENGTH("3"), 401},
		{"POST /closed HTTP/1.1\r\nHost: localhost:%u\r\nLet: out\r\n" LENGTH("3"), 401},
		{"POST /body?count=0 HTTP/1.1\r\nHost: localhost:%u\r\n" TYPE LENGTH("3") "abc",
		 400},
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

/* Its place is free again, though it waited for nothing and its reader stays. */
static void test_ended_stream(void **state)
{
	struct fixture *f = *state;
	int fd = open_request(f, "/ended-stream"), i;

	for (i = 0; i < 50 && !__atomic_load_n(&f->gone, __ATOMIC_ACQUIRE); i++)
		usleep(100000);
	stop(f);
	assert_in_range(i, 0, 49);
	assert_int_equal(f->gone, 1);
	close(fd);
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

static void post(struct fixture *f, const char *headers, const char *body, size_t size,
		 struct client_reply *ret)
{
	char *text = malloc(size + 512);
	int used = snprintf(text, 512, "POST /body HTTP/1.1\r\nHost: localhost:%u\r\n%s" TYPE CLOSE,
			    f->address.port, headers);

	memcpy(text + used, body, size);
	client_send(f->address.port, text, used + size, PATIENCE_MS, ret);
	free(text);
}

static void assert_counted(struct client_reply *r, size_t size, uint64_t sum)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "{\"size\":%zu,\"sum\":%lu}", size, sum);
	assert_int_equal(r->status, 200);
	assert_string_equal(r->body, expected);
	client_reply_done(r);
}

static void test_bodies(void **state)
{
	static const char chunks[] = "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
	struct fixture *f = *state;
	struct client_reply r;
	char *body = malloc(BODY_MAX);

	memset(body, 2, BODY_MAX);
	post(f, "Content-Length: 0\r\n", "", 0, &r);
	assert_counted(&r, 0, 0);
	post(f, "Content-Length: 100000\r\n", body, BODY_MAX, &r);
	assert_counted(&r, BODY_MAX, 200000);
	post(f, "Transfer-Encoding: chunked\r\n", chunks, strlen(chunks), &r);
	assert_counted(&r, 4, 'a' + 'b' + 'c' + 'd');
	free(body);
	assert_works(f);
}

/* In pieces, of which nobody knows how many will come. */
static void test_body_without_end(void **state)
{
	struct fixture *f = *state;
	size_t size = 4 << 20, used = 0;
	char *body = malloc(size);
	struct client_reply r;

	while (used < BODY_MAX + 1000)
		used += sprintf(body + used, "3e8\r\n%01000d\r\n", 0);
	used += sprintf(body + used, "0\r\n\r\n");
	post(f, "Transfer-Encoding: chunked\r\n", body, used, &r);
	assert_error(&r, 413);
	client_reply_done(&r);
	for (used = 0; used < 3 << 20;)
		used += sprintf(body + used, "3e8\r\n%01000d\r\n", 0);
	post(f, "Transfer-Encoding: chunked\r\n", body, used, &r);
	assert_int_not_equal(r.status, 200);
	client_reply_done(&r);
	free(body);
	assert_works(f);
}

static void test_methods(void **state)
{
	struct fixture *f = *state;
	struct client_reply r;
	char request[256];
	int size =
		snprintf(request, sizeof(request),
			 "DELETE /both HTTP/1.1\r\nHost: localhost:%u\r\n" CLOSE, f->address.port);

	client_send(f->address.port, request, size, PATIENCE_MS, &r);
	assert_int_equal(r.status, 204);
	client_reply_done(&r);
	client_get(f->address.port, "/both", &r);
	assert_int_equal(r.status, 200);
	client_reply_done(&r);
	client_get(f->address.port, "/body", &r);
	assert_error(&r, 405);
	assert_non_null(strstr(r.text, "Allow: POST\r\n"));
	client_reply_done(&r);
}

/* As many as there may be, each of two bytes of which the first has come. */
static void begin_bodies(struct fixture *f, const char *path, int fds[BODIES_MAX])
{
	char request[256];
	int size = snprintf(request, sizeof(request),
			    "POST %s HTTP/1.1\r\nHost: localhost:%u\r\n" TYPE LENGTH("2") "a", path,
			    f->address.port);

	for (int i = 0; i < BODIES_MAX; i++) {
		fds[i] = client_connect(f->address.port);
		assert_int_equal(send(fds[i], request, size, 0), size);
	}
	assert_works(f);
}

/* More bodies begun than may be: one more is told to come again; those that were begun are taken.
 */
static void test_many_bodies(void **state)
{
	struct fixture *f = *state;
	struct client_reply r;
	int fds[BODIES_MAX], i;

	begin_bodies(f, "/body", fds);
	post(f, "Content-Length: 1\r\n", "a", 1, &r);
	assert_error(&r, 429);
	assert_non_null(strstr(r.text, "Retry-After: 1\r\n"));
	client_reply_done(&r);
	for (i = 0; i < BODIES_MAX; i++) {
		assert_int_equal(send(fds[i], "b", 1, 0), 1);
		r = (struct client_reply){0};
		client_read_all(fds[i], &r);
		assert_counted(&r, 2, 'a' + 'b');
		close(fds[i]);
	}
}

/* What strangers have begun keeps no agent out. */
static void test_open_bodies_leave_room(void **state)
{
	struct fixture *f = *state;
	struct client_reply r;
	int fds[BODIES_MAX], i;

	begin_bodies(f, "/open-body", fds);
	post(f, "Content-Length: 1\r\n", "a", 1, &r);
	assert_counted(&r, 1, 'a');
	for (i = 0; i < BODIES_MAX; i++)
		close(fds[i]);
}

/* A byte now and then keeps a connection open, but no body that does not come to its end. */
static void test_slow_body(void **state)
{
	struct fixture *f = *state;
	struct client_reply r = {0};
	char request[256];
	int fd = client_connect(f->address.port), i,
	    size = snprintf(request, sizeof(request),
			    "POST /body HTTP/1.1\r\nHost: localhost:%u\r\n" TYPE LENGTH("1000") "a",
			    f->address.port);

	assert_int_equal(send(fd, request, size, 0), size);
	for (i = 0; i < 100 && send(fd, "b", 1, MSG_NOSIGNAL) == 1; i++)
		usleep(100000);
	assert_in_range(i, BODY_MS / 100 - 5, 60);
	client_read_all(fd, &r);
	assert_int_equal(r.status, 0);
	client_reply_done(&r);
	close(fd);
	assert_works(f);
}

/* More connections than there may be, of people who say nothing: those over it are closed, and all
 * works once others have gone. */
static void test_many_connections(void **state)
{
	struct fixture *f = *state;
	struct client_reply r;
	bool works = false;
	int fds[CONNECTIONS_MAX + 20], count = CONNECTIONS_MAX + 20, i;

	for (i = 0; i < count; i++)
		fds[i] = client_connect(f->address.port);
	usleep(100000);
	for (i = 0; i < count; i++)
		close(fds[i]);
	for (i = 0; i < 100 && !works; i++) { /* once it has seen that they are gone */
		client_get(f->address.port, "/hello", &r);
		works = r.status == 200;
		client_reply_done(&r);
		usleep(works ? 0 : 50000);
	}
	assert_true(works);
}

/* Readers that fill their places keep no agent out, and the next reader is told why. */
static void test_readers_leave_room_for_agents(void **state)
{
	struct fixture *f = *state;
	int fds[CONNECTIONS_MAX], count = CONNECTIONS_MAX / 8 + 1, i;
	struct client_reply r = {0};

	for (i = 0; i < count; i++) {
		fds[i] = open_request(f, "/hello");
		assert_int_equal(client_read_until(fds[i], &r, "\"count\":1}"), 0);
		client_reply_done(&r);
	}
	client_get(f->address.port, "/hello", &r);
	assert_error(&r, 503);
	assert_non_null(strstr(r.text, "Retry-After: 10"));
	client_reply_done(&r);
	post(f, "Content-Length: 1\r\n", "a", 1, &r);
	assert_counted(&r, 1, 'a');
	for (i = 0; i < count; i++)
		close(fds[i]);
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
		TEST(test_ended_stream),
		TEST(test_slow_reader),
		TEST(test_bodies),
		TEST(test_body_without_end),
		TEST(test_methods),
		TEST(test_many_bodies),
		TEST(test_open_bodies_leave_room),
		TEST(test_slow_body),
		TEST(test_many_connections),
		TEST(test_readers_leave_room_for_agents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
