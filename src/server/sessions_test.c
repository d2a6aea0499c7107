/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: a session lasts as long as its token and 12 hours at the most; there are never too many;
 * who tries often is stopped, and nobody else with him.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/file.h"
#include "server/sessions.h"

#define TOKEN "reader-0123456789abcdef"
#define OTHER "other--0123456789abcdef"

static struct sessions s;
static struct tokens *tokens;
static char path[] = "/tmp/millrace-tokens-XXXXXX";

static void write_tokens(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int setup(void **state)
{
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	close(fd);
	write_tokens(TOKEN "\n" OTHER "\n");
	memset(&s, 0, sizeof(s));
	return tokens_open(&tokens, path, NULL);
}

static int teardown(void **state)
{
	tokens = tokens_free(tokens);
	return unlink(path);
}

static struct session_cookie begin(unsigned int number, const char *token, uint64_t now_ms)
{
	uint8_t random[SESSION_ID_SIZE] = {(uint8_t)number, (uint8_t)(number >> 8)};
	struct digest d = digest_of(token, strlen(token));

	return sessions_begin(&s, random, &d, now_ms);
}

static void test_life(void **state)
{
	struct session_cookie one = begin(1, TOKEN, 1000), two = begin(2, TOKEN, 1000);

	assert_int_equal(strlen(one.text), 64);
	assert_true(sessions_have(&s, one.text, tokens, 1000));
	assert_true(sessions_have(&s, one.text, tokens, 1000 + SESSIONS_MS - 1));
	assert_false(sessions_have(&s, "", tokens, 1000));
	assert_false(sessions_have(&s, "0", tokens, 1000));
	assert_int_equal(sessions_count(&s, 1000), 2);
	sessions_end(&s, one.text);
	assert_false(sessions_have(&s, one.text, tokens, 1000));
	assert_true(sessions_have(&s, two.text, tokens, 1000));
	assert_false(sessions_have(&s, two.text, tokens, 1000 + SESSIONS_MS));
	assert_int_equal(sessions_count(&s, 1000), 0);
}

static void test_ends_with_its_token(void **state)
{
	struct session_cookie one = begin(1, TOKEN, 1000), two = begin(2, OTHER, 1000);

	write_tokens(OTHER "\n");
	tokens_refresh(tokens, 5000);
	assert_false(sessions_have(&s, one.text, tokens, 5000));
	assert_true(sessions_have(&s, two.text, tokens, 5000));
}

static void test_oldest_makes_room(void **state)
{
	struct session_cookie first = begin(0, TOKEN, 1000), second = begin(1, TOKEN, 1001);
	unsigned int i;

	for (i = 2; i <= SESSIONS_MAX; i++)
		begin(i, TOKEN, 1000 + i);
	assert_false(sessions_have(&s, first.text, tokens, 2000));
	assert_true(sessions_have(&s, second.text, tokens, 2000));
	assert_int_equal(sessions_count(&s, 2000), SESSIONS_MAX);
}

static void mapped(uint8_t address[16], unsigned int last)
{
	memset(address, 0, 16);
	address[10] = address[11] = 0xff;
	address[12] = 10;
	address[14] = (uint8_t)(last >> 8);
	address[15] = (uint8_t)last;
}

static void test_attempts(void **state)
{
	uint8_t a[16], b[16];
	int i;

	mapped(a, 1);
	mapped(b, 2);
	for (i = 0; i < SIGN_INS_MAX; i++) {
		assert_true(sign_ins_may(&s, a, 1000));
		sign_ins_failed(&s, a, 1000);
	}
	assert_false(sign_ins_may(&s, a, 1000));
	assert_false(sign_ins_may(&s, a, 1000 + SIGN_INS_MS - 1));
	assert_true(sign_ins_may(&s, b, 1000));
	assert_true(sign_ins_may(&s, a, 1000 + SIGN_INS_MS));
	sign_ins_failed(&s, a, 1000 + SIGN_INS_MS);
	assert_true(sign_ins_may(&s, a, 1000 + SIGN_INS_MS));
}

/* All addresses of an IPv6 network are one; from very many together there are not many more. */
static void test_attempts_from_many_addresses(void **state)
{
	uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8}, b[16] = {0};
	int i;

	for (i = 0; i < SIGN_INS_MAX; i++) {
		a[15] = (uint8_t)i;
		sign_ins_failed(&s, a, 1000);
	}
	a[15] = 99;
	assert_false(sign_ins_may(&s, a, 1000));
	a[7] = 1;
	assert_true(sign_ins_may(&s, a, 1000));
	for (i = SIGN_INS_MAX; i < SIGN_INS_ALL_MAX; i++) {
		mapped(b, (unsigned int)i);
		assert_true(sign_ins_may(&s, b, 1000));
		sign_ins_failed(&s, b, 1000);
	}
	mapped(b, 5000);
	assert_false(sign_ins_may(&s, b, 1000));
	assert_true(sign_ins_may(&s, b, 1000 + SIGN_INS_MS));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_ends_with_its_token),
		TEST(test_oldest_makes_room),
		TEST(test_attempts),
		TEST(test_attempts_from_many_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
