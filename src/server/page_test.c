/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: the page is served whole and under its strict policy, as gzip to who takes it, and not
 * again to who has it; it names nothing that another host would serve.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/page.h"
#include "server/server_for_test.h"

#define PATIENCE_MS 10000

static void get(struct server_fixture *f, const char *path, const char *headers,
		struct client_reply *ret)
{
	char request[600];

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s\r\n", path,
		 f->port, headers);
	client_send(f->port, request, strlen(request), PATIENCE_MS, ret);
}

static size_t body_size(const struct client_reply *r)
{
	return r->size - (r->body - r->text);
}

static void test_files_are_whole(void **state)
{
	const struct http_file *file;
	struct client_reply r;
	unsigned int files = 0;

	for (file = page_files; file->path; file++, files++) {
		size_t size = file->data_end - file->data;

		get(*state, file->path, "", &r);
		assert_int_equal(r.status, 200);
		assert_int_equal(body_size(&r), size);
		assert_memory_equal(r.body, file->data, size);
		assert_non_null(strstr(r.text, file->type));
		assert_null(strstr(r.text, "Content-Encoding"));
		client_reply_done(&r);
	}
	assert_int_equal(files, 5);
}

static void test_policy(void **state)
{
	static const char *const wanted[] = {
		"default-src 'none'",     "script-src 'self';",     "style-src 'self';",
		"frame-ancestors 'none'", "connect-src 'self';",    "base-uri 'none'",
		"form-action 'none'",     "X-Content-Type-Options", "Referrer-Policy: no-referrer",
		"Cache-Control: no-cache"};
	struct client_reply r;
	size_t i;

	get(*state, "/", "", &r);
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!strstr(r.text, wanted[i]))
			fail_msg("the page lacks %s", wanted[i]);
	assert_null(strstr(r.text, "unsafe"));
	assert_null(strstr(r.body, "://"));
	assert_null(strstr(r.body, "style="));
	client_reply_done(&r);
}

static void test_gzip_only_to_who_takes_it(void **state)
{
	static const struct {
		const char *header;
		bool gzip;
	} cases[] = {
		{"Accept-Encoding: gzip\r\n", true},
		{"Accept-Encoding: br;q=1.0, GZIP;q=0.5\r\n", true},
		{"Accept-Encoding: br, gzip\r\n", true},
		{"Accept-Encoding: gzip;q=0\r\n", false},
		{"Accept-Encoding: gzip;q=0.0, br\r\n", false},
		{"Accept-Encoding: xgzip, gzipped\r\n", false},
		{"Accept-Encoding: \r\n", false},
	};
	struct client_reply r;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		get(*state, "/assets/app.js", cases[i].header, &r);
		assert_int_equal(r.status, 200);
		if ((strstr(r.text, "Content-Encoding: gzip") != NULL) != cases[i].gzip)
			fail_msg("wrong encoding for %s", cases[i].header);
		assert_non_null(strstr(r.text, "Vary: Accept-Encoding"));
		if (cases[i].gzip)
			assert_memory_equal(r.body, "\x1f\x8b", 2);
		client_reply_done(&r);
	}
}

static void test_not_again(void **state)
{
	char header[100];
	struct client_reply r;

	snprintf(header, sizeof(header), "If-None-Match: \"x\", %s\r\n", page_files[0].etag);
	get(*state, page_files[0].path, header, &r);
	assert_int_equal(r.status, 304);
	assert_int_equal(body_size(&r), 0);
	assert_non_null(strstr(r.text, page_files[0].etag));
	client_reply_done(&r);
	get(*state, page_files[0].path, "If-None-Match: \"of another\"\r\n", &r);
	assert_int_equal(r.status, 200);
	client_reply_done(&r);
}

static void test_nothing_beside_the_files(void **state)
{
	struct client_reply r;

	get(*state, "/assets/../index.html", "", &r);
	assert_int_equal(r.status, 404);
	client_reply_done(&r);
	get(*state, "/assets/", "", &r);
	assert_int_equal(r.status, 404);
	client_reply_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_are_whole),           cmocka_unit_test(test_policy),
		cmocka_unit_test(test_gzip_only_to_who_takes_it), cmocka_unit_test(test_not_again),
		cmocka_unit_test(test_nothing_beside_the_files),
	};

	return cmocka_run_group_tests(tests, server_fixture_setup, server_fixture_teardown);
}
