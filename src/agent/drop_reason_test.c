/* SPDX-License-Identifier: Apache-2.0 */
/* Names of reasons, and which of them are no drop. */
#include "agent/drop_reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void knows_nothing_at_first(void **state)
{
	struct drop_reasons r;

	drop_reasons_init(&r);
	for (uint32_t i = 0; i < MR_DROP_REASONS; i++)
		assert_true(r.ignored[i]);
	assert_string_equal(drop_reasons_name(&r, 3), "UNKNOWN");
	assert_string_equal(drop_reasons_name(&r, UINT32_MAX), "UNKNOWN");
}

/* The same name under another number, as kernels have it. */
static void goes_by_name_not_by_number(void **state)
{
	struct drop_reasons r;

	drop_reasons_init(&r);
	drop_reasons_add(&r, 8, "SKB_DROP_REASON_NETFILTER_DROP");
	drop_reasons_add(&r, 70, "SKB_DROP_REASON_NETFILTER_DROP");
	drop_reasons_add(&r, 71, "SKB_DROP_REASON_NOT_SPECIFIED");
	drop_reasons_add(&r, 1, "SKB_CONSUMED");
	drop_reasons_add(&r, 255, "SKB_DROP_REASON_OF_TOMORROW");
	assert_string_equal(drop_reasons_name(&r, 70), "NETFILTER_DROP");
	assert_string_equal(drop_reasons_name(&r, 255), "OF_TOMORROW");
	assert_false(r.ignored[8]);
	assert_false(r.ignored[70]);
	assert_false(r.ignored[255]);
	assert_true(r.ignored[71]);
	assert_true(r.ignored[1]);
}

static void leaves_out_what_is_beyond(void **state)
{
	char name[200] = "SKB_DROP_REASON_";
	struct drop_reasons r, before;

	drop_reasons_init(&r);
	before = r;
	drop_reasons_add(&r, MR_DROP_REASONS, "SKB_DROP_REASON_NETFILTER_DROP");
	drop_reasons_add(&r, UINT32_MAX, "SKB_DROP_REASON_NETFILTER_DROP");
	assert_memory_equal(&r, &before, sizeof(r));
	memset(name + strlen(name), 'X', sizeof(name) - strlen(name) - 1);
	drop_reasons_add(&r, 5, name);
	assert_int_equal(strlen(drop_reasons_name(&r, 5)), DROP_REASON_NAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_nothing_at_first),
		cmocka_unit_test(goes_by_name_not_by_number),
		cmocka_unit_test(leaves_out_what_is_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
