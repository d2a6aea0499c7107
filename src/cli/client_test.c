/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a server that answers as told: what arrives, what is asked, what it says when
 * the answer is no good. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include "field.h"

/* Answers one connection with a text and keeps what was asked. */
struct server {
	int fd;
	pthread_t thread;
	char url[64], asked[1024];
	const char *answer;
};

static void *serve(void *userdata)
{
	struct server *s = userdata;
	int fd = accept(s->fd, NULL, NULL);
	ssize_t size = read(fd, s->asked, sizeof(s->asked) - 1);

	s->asked[size > 0 ? size : 0] = '\0';
	if (write(fd, s->answer, strlen(s->answer)) < 0)
		s->asked[0] = '\0';
	close(fd);
	return NULL;
}

static void listen_on_loopback(struct server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(s->fd, 1), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", ntohs(a.sin_port));
}

static int ask(const char *answer_text, struct client_answer *ret, struct error *ret_error,
	       char ret_asked[1024])
{
	struct client_parameter query[] = {{"from", "-15m"},
					   {"to", NULL},
					   {"filter", "client:a b&c=\"\xc3\xa9\""},
					   {.name = NULL}};
	struct server s = {.answer = answer_text};
	int r;

	listen_on_loopback(&s);
	assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
	r = client_get(&(struct server_access){.url = s.url}, "/api/v1/graph", query, ret,
		       ret_error);
	pthread_join(s.thread, NULL);
	close(s.fd);
	memcpy(ret_asked, s.asked, sizeof(s.asked));
	return r;
}

#define ANSWER(status, body) "HTTP/1.1 " status " x\r\nConnection: close\r\n\r\n" body

static void brings_json(void **state)
{
	struct client_answer answer;
	struct error error = {0};
	char asked[1024];

	assert_int_equal(ask(ANSWER("200", "{\"a\": {\"b\": 7}}\n"), &answer, &error, asked), 0);
	assert_true(field_number(answer.json, "a.b") == 7);
	assert_string_equal(answer.text, "{\"a\": {\"b\": 7}}\n");
	client_answer_done(&answer);
	if (!strstr(asked, "GET /api/v1/graph?from=-15m&filter="
			   "client%3aa%20b%26c%3d%22%c3%a9%22 HTTP/1.1\r\n"))
		fail_msg("asked: %s", asked);
}

static void assert_says(const char *answer_text, int expected, const char *part)
{
	struct client_answer answer;
	struct error error = {0};
	char asked[1024];

	assert_int_equal(ask(answer_text, &answer, &error, asked), expected);
	if (!strstr(error.text, part) || strchr(error.text, '\n'))
		fail_msg("\"%s\" does not say \"%s\"", error.text, part);
}

static void says_what_is_no_good(void **state)
{
	assert_says(ANSWER("400", "{\"error\": \"from: expected now\"}"), -EINVAL,
		    ": from: expected now");
	assert_says(ANSWER("503", "{\"error\": \"no agent\"}"), -EIO, "it answered 503: no agent");
	assert_says(ANSWER("404", "not here"), -EIO, "no such resource");
	assert_says(ANSWER("500", "[1, \"x"), -EIO, "it answered 500");
	assert_says(ANSWER("200", "<html>"), -EPROTO, "it is not JSON");
	assert_says(ANSWER("200", ""), -EPROTO, "it is not JSON");
	assert_says("garbage\r\n", -EIO, "cannot ask http://127.0.0.1:");
	assert_says(ANSWER("302", ""), -EIO, "it answered 302");
}

static void says_that_nobody_answers(void **state)
{
	struct client_answer answer;
	struct error error = {0};
	struct server s;

	listen_on_loopback(&s);
	close(s.fd);
	assert_int_equal(
		client_get(&(struct server_access){.url = s.url}, "/x", NULL, &answer, &error),
		-ECONNREFUSED);
	assert_non_null(strstr(error.text, "start it with `millrace up`"));
}

static void refuses_what_is_no_url(void **state)
{
	static const char *const bad[] = {"http://", "http://a b", "file:///etc/passwd", "://"};
	struct client_answer answer;
	struct error error = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		error.text[0] = '\0';
		assert_true(client_get(&(struct server_access){.url = bad[i]}, "/x", NULL, &answer,
				       &error) < 0);
		assert_non_null(strstr(error.text, "cannot ask "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brings_json),
		cmocka_unit_test(says_what_is_no_good),
		cmocka_unit_test(says_that_nobody_answers),
		cmocka_unit_test(refuses_what_is_no_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
