/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pure headers, natively: proves the arithmetic of account.h and histogram.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "pure_cases.h"

static void account_gives_payload_and_outcome(void **state)
{
	for (size_t i = 0; i < ACCOUNT_CASES; i++) {
		const struct account_case *c = &account_cases[i];

		print_message("  %s\n", c->name);
		assert_int_equal(mr_tcp_sent(&c->tcp), c->sent);
		assert_int_equal(mr_tcp_received(&c->tcp), c->received);
		assert_int_equal(mr_tcp_acked(&c->tcp), c->acked);
		assert_int_equal(mr_tcp_unacked(&c->tcp), c->unacked);
		assert_int_equal(mr_tcp_outcome(&c->tcp, 0), c->outcome_client);
		assert_int_equal(mr_tcp_outcome(&c->tcp, 1), c->outcome_server);
	}
}

/* What is shown while a connection lives never exceeds what its close will say. */
static void live_is_never_ahead_of_the_close(void **state)
{
	for (size_t i = 0; i < ACCOUNT_CASES; i++)
		assert_true(mr_tcp_acked(&account_cases[i].tcp) <=
			    mr_tcp_sent(&account_cases[i].tcp));
}

/* Of two ends one serves, and both know which. */
static void both_ends_agree_who_serves(void **state)
{
	for (size_t i = 0; i < ROLE_CASES; i++) {
		const struct role_case *c = &role_cases[i];
		struct udp_ends other = {.local_port = c->ends.remote_port,
					 .remote_port = c->ends.local_port,
					 .ephemeral_low = c->ends.ephemeral_low,
					 .bound = c->other_bound,
					 .received_first = c->other_received_first};

		print_message("  %s\n", c->name);
		memcpy(other.local, c->ends.remote, 16);
		memcpy(other.remote, c->ends.local, 16);
		assert_int_equal(udp_role(&c->ends), c->role);
		assert_int_equal(udp_role(&other), MR_ROLE_CLIENT + MR_ROLE_SERVER - c->role);
	}
}

static void histogram_finds_the_bucket(void **state)
{
	for (size_t i = 0; i < HISTOGRAM_CASES; i++)
		assert_int_equal(mr_histogram_bucket(histogram_cases[i].value),
				 histogram_cases[i].bucket);
}

/* Against the definition, for every value up to a million and each power of two's neighbours. */
static void histogram_agrees_with_logarithm(void **state)
{
	for (uint32_t v = 2; v < 1000000; v++) {
		uint32_t b = mr_histogram_bucket(v);

		assert_true(exp2(b / 4.0) <= v * (1 + 1e-9) &&
			    v < exp2((b + 1) / 4.0) * (1 + 1e-9));
	}
	for (uint32_t e = 3; e < 24; e++) {
		assert_int_equal(mr_histogram_bucket(1u << e), 4 * e);
		assert_int_equal(mr_histogram_bucket((1u << e) - 1), 4 * e - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(account_gives_payload_and_outcome),
		cmocka_unit_test(live_is_never_ahead_of_the_close),
		cmocka_unit_test(both_ends_agree_who_serves),
		cmocka_unit_test(histogram_finds_the_bucket),
		cmocka_unit_test(histogram_agrees_with_logarithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
