/* SPDX-License-Identifier: Apache-2.0 */
/* A token file that is written, replaced, emptied and gone, and what is a token. */
#include "agent/secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64], other[64];

static int begin(void **state)
{
	int fd;

	strcpy(path, "/tmp/millrace-secret-XXXXXX");
	fd = mkstemp(path);
	close(fd);
	snprintf(other, sizeof(other), "%s-new", path);
	return fd < 0;
}

static int end(void **state)
{
	unlink(path);
	unlink(other);
	return 0;
}

static void write_to(const char *to, const char *text)
{
	FILE *f = fopen(to, "w");

	fputs(text, f);
	fclose(f);
}

static const char *token(const struct secret *s)
{
	static char text[64];

	return secret_token(s, text, sizeof(text)) < 0 ? NULL : text;
}

static void the_first_good_line_is_the_token(void **state)
{
	static const struct {
		const char *text, *token;
	} files[] = {
		{"0123456789abcdef", "0123456789abcdef"},
		{"# what for\n\n  0123456789abcdef \r\nfedcba9876543210\n", "0123456789abcdef"},
		{"tooshort\nfedcba9876543210", "fedcba9876543210"},
		{"has a space in its middle\nfedcba9876543210", "fedcba9876543210"},
		{"\n# 0123456789abcdef\n", NULL},
		{"0123456789abcde\xc3\xa4", NULL},
		{"0123456789012345678901234567890123456789012345678901234567890123", NULL},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct error error;
		struct secret s;

		write_to(path, files[i].text);
		assert_int_equal(secret_open(&s, path, "the token file", &error), 0);
		if (files[i].token)
			assert_string_equal(token(&s), files[i].token);
		else
			assert_null(token(&s));
		secret_close(&s);
	}
}

static void a_new_file_is_noticed(void **state)
{
	struct error error;
	struct secret s;

	write_to(path, "0123456789abcdef");
	assert_int_equal(secret_open(&s, path, "the token file", &error), 0);
	assert_false(secret_look(&s));
	write_to(other, "fedcba9876543210");
	assert_int_equal(rename(other, path), 0);
	assert_true(secret_look(&s));
	assert_string_equal(token(&s), "fedcba9876543210");
	assert_false(secret_look(&s));
	write_to(path, "a-third-token-that-is-longer");
	assert_true(secret_look(&s));
	assert_string_equal(token(&s), "a-third-token-that-is-longer");
	secret_close(&s);
}

/* Neither a moment without a file nor an empty one takes the token away. */
static void what_was_read_stays_until_there_is_more(void **state)
{
	struct error error;
	struct secret s;

	write_to(path, "0123456789abcdef");
	assert_int_equal(secret_open(&s, path, "the token file", &error), 0);
	write_to(path, "");
	assert_false(secret_look(&s));
	unlink(path);
	assert_false(secret_look(&s));
	assert_string_equal(token(&s), "0123456789abcdef");
	write_to(path, "fedcba9876543210");
	assert_true(secret_look(&s));
	assert_string_equal(token(&s), "fedcba9876543210");
	secret_close(&s);
}

static void what_is_no_file_is_refused(void **state)
{
	struct error error;
	struct secret s;

	assert_int_equal(secret_open(&s, "/tmp/none/such", "the token file", &error), -ENOENT);
	assert_non_null(strstr(error.text, "cannot read the token file /tmp/none/such: "));
	assert_int_equal(secret_open(&s, "/tmp", "the token file", &error), -EISDIR);
	assert_int_equal(secret_open(&s, path, "the token file", &error), -ENODATA);
	assert_non_null(strstr(error.text, "it is empty"));
	assert_int_equal(secret_open(&s, "/dev/zero", "the token file", &error), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_good_line_is_the_token, begin, end),
		cmocka_unit_test_setup_teardown(a_new_file_is_noticed, begin, end),
		cmocka_unit_test_setup_teardown(what_was_read_stays_until_there_is_more, begin,
						end),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
