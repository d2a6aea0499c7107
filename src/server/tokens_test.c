/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: which tokens a file holds, and that it can change at any moment, also into nonsense,
 * without anybody being locked out who was let in before.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/file.h"
#include "server/tokens.h"

#define ONE   "one-0123456789abcdef"
#define TWO   "two-0123456789abcdef"
#define THREE "three-0123456789abcdef"

static char path[] = "/tmp/millrace-tokens-XXXXXX";
static uint64_t now_ms = 1000000;

static void write_file(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	unlink(path);
	return 0;
}

static bool has(const struct tokens *t, const char *token)
{
	struct digest d = digest_of(token, strlen(token));

	return tokens_have(t, &d);
}

static void refresh(struct tokens *t)
{
	now_ms += 2000;
	tokens_refresh(t, now_ms);
}

static void test_file(void **state)
{
	struct tokens *t = NULL;
	struct error e;

	write_file("# agents of the first rack\n\n" ONE "\r\n  " TWO " \n#" THREE "\n");
	assert_int_equal(tokens_open(&t, path, &e), 0);
	assert_int_equal(tokens_count(t), 2);
	assert_true(has(t, ONE));
	assert_true(has(t, TWO));
	assert_false(has(t, THREE));
	assert_false(has(t, ""));
	assert_false(has(t, "one-0123456789abcde"));
	assert_false(has(t, ONE " "));
	tokens_free(t);
}

static void test_no_good(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "there is none"},
		{"# nothing\n\n", "there is none"},
		{"short\n", "line 1 has 5 characters"},
		{ONE "\nwith a space in it, long\n", "line 2 holds a space"},
		{"caf\xc3\xa9-0123456789abcdef\n", "not printable ASCII"},
	};
	struct tokens *t = NULL;
	struct error e;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		write_file(cases[i].text);
		assert_true(tokens_open(&t, path, &e) < 0);
		if (!strstr(e.text, cases[i].says) || !strstr(e.text, path))
			fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
	}
	assert_int_equal(tokens_open(&t, "/nowhere/at/all", &e), -ENOENT);
	assert_int_equal(tokens_open(&t, "/dev/zero", &e), -E2BIG);
}

static void test_too_many(void **state)
{
	struct tokens *t = NULL;
	FILE *file = fopen(path, "we");
	struct error e;
	int i;

	for (i = 0; i <= TOKENS_MAX; i++)
		fprintf(file, "token-number-%09d\n", i);
	fclose(file);
	assert_int_equal(tokens_open(&t, path, &e), -E2BIG);
}

/* Add the new one, move everybody, remove the old one. */
static void test_exchange(void **state)
{
	struct tokens *t = NULL;

	write_file(ONE "\n");
	assert_int_equal(tokens_open(&t, path, NULL), 0);
	write_file(ONE "\n" TWO "\n");
	tokens_refresh(t, now_ms); /* its first look */
	refresh(t);
	assert_true(has(t, ONE));
	assert_true(has(t, TWO));
	write_file(TWO "\n");
	refresh(t);
	assert_false(has(t, ONE));
	assert_true(has(t, TWO));
	assert_int_equal(tokens_failures(t), 0);
	tokens_free(t);
}

static void test_nonsense_changes_nothing(void **state)
{
	struct tokens *t = NULL;

	write_file(ONE "\n");
	assert_int_equal(tokens_open(&t, path, NULL), 0);
	write_file("two-01234"); /* half of it */
	refresh(t);
	assert_true(has(t, ONE));
	assert_int_equal(tokens_failures(t), 1);
	write_file(TWO);
	refresh(t);
	assert_true(has(t, TWO));
	assert_false(has(t, ONE));
	unlink(path);
	refresh(t);
	assert_true(has(t, TWO));
	write_file(THREE);
	refresh(t);
	assert_true(has(t, THREE));
	assert_int_equal(tokens_failures(t), 1);
	tokens_free(t);
}

/* However often it is asked: a second. */
static void test_looks_once_a_second(void **state)
{
	struct tokens *t = NULL;

	write_file(ONE "\n");
	assert_int_equal(tokens_open(&t, path, NULL), 0);
	refresh(t);
	write_file(TWO "\n");
	tokens_refresh(t, now_ms + FILE_LOOK_MS - 1);
	assert_true(has(t, ONE));
	tokens_refresh(t, now_ms + FILE_LOOK_MS);
	assert_true(has(t, TWO));
	tokens_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_good),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_nonsense_changes_nothing),
		cmocka_unit_test(test_looks_once_a_second),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
