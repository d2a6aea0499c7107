/* SPDX-License-Identifier: Apache-2.0 */
/* By the mode that is chosen, else by the kernel's name. */
#include "agent/preempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static bool by_name(const char *release, const char *version)
{
	struct utsname kernel;

	snprintf(kernel.release, sizeof(kernel.release), "%s", release);
	snprintf(kernel.version, sizeof(kernel.version), "%s", version);
	return preempt_is_full(NULL, &kernel);
}

static void the_mode_tells(void **state)
{
	const struct utsname kernel = {.release = "7.2.13-amd64", .version = "SMP PREEMPT_DYNAMIC"};

	assert_true(preempt_is_full("none voluntary (full) lazy\n", &kernel));
	assert_true(preempt_is_full("full (lazy)\n", &kernel));
	assert_false(preempt_is_full("none (voluntary) full\n", &kernel));
	assert_false(preempt_is_full("(none) voluntary full\n", &kernel));
	assert_true(preempt_is_full("", &kernel));
}

static void else_the_name(void **state)
{
	assert_false(by_name("5.15.0", "#1 SMP Debian"));
	assert_true(by_name("5.15.0-rt17", "#1 SMP PREEMPT_RT Debian"));
	assert_true(by_name("6.1.0", "#1 SMP PREEMPT Debian"));
	assert_false(by_name("6.1.0-50-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1"));
	assert_false(by_name("6.12.95", "#1 SMP PREEMPT_DYNAMIC Debian"));
	assert_true(by_name("6.13.0", "#1 SMP PREEMPT_DYNAMIC Debian"));
	assert_true(by_name("7.2.13", "#1 SMP PREEMPT_DYNAMIC Debian"));
	assert_true(by_name("next", "#1 SMP PREEMPT_DYNAMIC"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mode_tells),
		cmocka_unit_test(else_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
