/* SPDX-License-Identifier: Apache-2.0 */
/* By the mode that is chosen, else by the kernel's name. */
#include "agent/preempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static enum preempt by_name(const char *release, const char *version)
{
	struct utsname kernel;

	snprintf(kernel.release, sizeof(kernel.release), "%s", release);
	snprintf(kernel.version, sizeof(kernel.version), "%s", version);
	return preempt_of(NULL, &kernel);
}

static void the_mode_tells(void **state)
{
	const struct utsname kernel = {.release = "7.2.13-amd64", .version = "SMP PREEMPT_DYNAMIC"};

	assert_int_equal(preempt_of("none voluntary (full) lazy\n", &kernel), PREEMPT_TASKS);
	assert_int_equal(preempt_of("full (lazy)\n", &kernel), PREEMPT_TASKS);
	assert_int_equal(preempt_of("none (voluntary) full\n", &kernel), PREEMPT_NOTHING);
	assert_int_equal(preempt_of("(none) voluntary full\n", &kernel), PREEMPT_NOTHING);
	assert_int_equal(preempt_of("", &kernel), PREEMPT_TASKS);
}

static void else_the_name(void **state)
{
	assert_int_equal(by_name("5.15.0", "#1 SMP Debian"), PREEMPT_NOTHING);
	assert_int_equal(by_name("5.15.0-rt17", "#1 SMP PREEMPT_RT Debian"), PREEMPT_ALL);
	assert_int_equal(by_name("6.1.0", "#1 SMP PREEMPT Debian"), PREEMPT_TASKS);
	assert_int_equal(by_name("6.1.0-50-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1"),
			 PREEMPT_NOTHING);
	assert_int_equal(by_name("6.12.95", "#1 SMP PREEMPT_DYNAMIC Debian"), PREEMPT_NOTHING);
	assert_int_equal(by_name("6.13.0", "#1 SMP PREEMPT_DYNAMIC Debian"), PREEMPT_TASKS);
	assert_int_equal(by_name("7.2.13", "#1 SMP PREEMPT_DYNAMIC Debian"), PREEMPT_TASKS);
	assert_int_equal(by_name("next", "#1 SMP PREEMPT_DYNAMIC"), PREEMPT_TASKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mode_tells),
		cmocka_unit_test(else_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
