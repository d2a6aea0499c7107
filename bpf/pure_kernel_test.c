/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pure headers as the kernel runs them (BPF_PROG_TEST_RUN), on the same cases as natively. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <linux/types.h>

#include "pure_cases.h"

#include "pure.skel.h" /* holds structs of account.h */

static struct pure_bpf *skel;

static int load(void **state)
{
	skel = pure_bpf__open_and_load();
	return skel ? 0 : -1;
}

static int unload(void **state)
{
	pure_bpf__destroy(skel);
	return 0;
}

static void run(const struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
}

static void account_gives_the_same_in_the_kernel(void **state)
{
	for (size_t i = 0; i < ACCOUNT_CASES; i++) {
		const struct account_case *c = &account_cases[i];

		print_message("  %s\n", c->name);
		skel->bss->tcp = c->tcp;
		run(skel->progs.account_run);
		assert_int_equal(skel->bss->sent, c->sent);
		assert_int_equal(skel->bss->received, c->received);
		assert_int_equal(skel->bss->acked, c->acked);
		assert_int_equal(skel->bss->unacked, c->unacked);
		assert_int_equal(skel->bss->outcome_client, c->outcome_client);
		assert_int_equal(skel->bss->outcome_server, c->outcome_server);
	}
}

static void histogram_gives_the_same_in_the_kernel(void **state)
{
	for (size_t i = 0; i < HISTOGRAM_CASES; i++) {
		skel->bss->value = histogram_cases[i].value;
		run(skel->progs.histogram_run);
		assert_int_equal(skel->bss->bucket, histogram_cases[i].bucket);
	}
}

static void role_is_the_same_in_the_kernel(void **state)
{
	for (size_t i = 0; i < ROLE_CASES; i++) {
		memcpy(&skel->bss->ends, &role_cases[i].ends, sizeof(role_cases[i].ends));
		run(skel->progs.role_run);
		assert_int_equal(skel->bss->role, role_cases[i].role);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(account_gives_the_same_in_the_kernel),
		cmocka_unit_test(histogram_gives_the_same_in_the_kernel),
		cmocka_unit_test(role_is_the_same_in_the_kernel),
	};

	if (geteuid() != 0) {
		print_message("skipped: loading a program into the kernel needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, load, unload);
}
