/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that follow the schema and do not agree with themselves: each is refused, and says why.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/hostile_for_test.h"

/* Changes to a full batch's messages, as a stranger may make them. */
static void too_long(Millrace__Batch *m)
{
	m->flows->n_port = m->flows->count - 1;
}

static void too_many_rows(Millrace__Batch *m)
{
	m->flows->count = UINT64_MAX;
}

static void rows_without_end(Millrace__Batch *m)
{
	m->updates->count = UINT64_C(1) << 32;
}

static void port_too_high(Millrace__Batch *m)
{
	m->listeners->n_port = m->listeners->count;
	m->listeners->port[0] = 65536;
}

static void neither_true_nor_false(Millrace__Batch *m)
{
	m->events->n_oom = m->events->count;
	m->events->oom = m->events->kind;
	m->events->oom[0] = 2;
}

static void handle_below_zero(Millrace__Batch *m)
{
	m->retired->handle[0] = -1;
}

static void string_from_nowhere(Millrace__Batch *m)
{
	m->node = m->strings->n_size + 1;
}

static void row_string_from_nowhere(Millrace__Batch *m)
{
	m->names->name[0] = UINT64_MAX;
}

static void address_from_nowhere(Millrace__Batch *m)
{
	m->names->n_address = m->names->count;
	m->names->address[0] = m->addresses->n_size + 1;
}

static void odd_address(Millrace__Batch *m)
{
	m->addresses->size[0]--;
	m->addresses->data.len--;
}

static void strings_left_over(Millrace__Batch *m)
{
	m->strings->n_size--;
}

static void strings_missing(Millrace__Batch *m)
{
	m->strings->data.len--;
}

static void nul_in_string(Millrace__Batch *m)
{
	m->strings->data.data[0] = 0;
}

static void shape_from_nowhere(Millrace__Batch *m)
{
	m->updates->shape[0] = m->updates->n_shapes;
}

static void shape_without_values(Millrace__Batch *m)
{
	m->updates->shapes[0] = 0;
}

static void counter_missing(Millrace__Batch *m)
{
	m->updates->n_counters--;
}

static void counter_twice(Millrace__Batch *m)
{
	*m->updates->counters[1] = *m->updates->counters[0];
}

static void dns_missing(Millrace__Batch *m)
{
	m->updates->dns = NULL;
}

static void dns_too_long(Millrace__Batch *m)
{
	m->updates->dns->counters[0]->n_value = 0;
}

static void rtt_missing(Millrace__Batch *m)
{
	m->updates->rtt_us = NULL;
}

static void buckets_missing(Millrace__Batch *m)
{
	m->updates->rtt_us->n_bucket--;
	m->updates->rtt_us->n_skipped--;
}

static void buckets_disagree(Millrace__Batch *m)
{
	m->updates->rtt_us->n_bucket--;
}

static void bucket_too_far(Millrace__Batch *m)
{
	m->updates->rtt_us->skipped[0] = HISTOGRAM_BUCKETS;
}

static void too_many_drops(Millrace__Batch *m)
{
	m->updates->drop_kinds[0] = WIRE_DROPS_MAX + 1;
}

static void drops_missing(Millrace__Batch *m)
{
	m->updates->n_drop_reason--;
	m->updates->n_drop_count--;
}

static void drops_disagree(Millrace__Batch *m)
{
	m->updates->n_drop_count--;
}

static void losses_disagree(Millrace__Batch *m)
{
	m->n_loss--;
}

static void netns_disagree(Millrace__Batch *m)
{
	m->netns->ours[0]->n_value = 0;
}

static void no_number(Millrace__Batch *m)
{
	m->status->cpu_budget_percent = __builtin_nan("");
}

static void another_version(Millrace__Batch *m)
{
	m->version = 2;
}

static void another_era(Millrace__Batch *m)
{
	m->version = UINT32_MAX;
}

static void no_version(Millrace__Batch *m)
{
	m->version = 0;
}

static void what_disagrees_is_refused(void **state)
{
	static const struct {
		void (*how)(Millrace__Batch *m);
		int code;
		const char *reason;
	} changes[] = {
		{too_long, -EBADMSG, "flows.port has"},
		{too_many_rows, -E2BIG, "18446744073709551615 flows"},
		{rows_without_end, -E2BIG, "4294967296 updates"},
		{port_too_high, -EBADMSG, "listeners.port holds 65536, at most 65535"},
		{neither_true_nor_false, -EBADMSG, "events.oom holds 2"},
		{handle_below_zero, -EBADMSG, "retired.handle holds 18446744073709551615"},
		{string_from_nowhere, -EBADMSG, "node is string"},
		{row_string_from_nowhere, -EBADMSG, "names.name holds"},
		{address_from_nowhere, -EBADMSG, "names.address holds"},
		{odd_address, -EBADMSG, "an address has"},
		{strings_left_over, -EBADMSG, "bytes over"},
		{strings_missing, -EBADMSG, "longer than their bytes"},
		{nul_in_string, -EBADMSG, "holds a NUL"},
		{shape_from_nowhere, -EBADMSG, "has shape"},
		{shape_without_values, -EBADMSG, "values for"},
		{counter_missing, -EBADMSG, "has 0 values for"},
		{counter_twice, -EBADMSG, "comes twice"},
		{dns_missing, -EBADMSG, "updates.dns has 0"},
		{dns_too_long, -EBADMSG, "dns.counters has 0"},
		{rtt_missing, -EBADMSG, "histograms rtt_us"},
		{buckets_missing, -EBADMSG, "rtt_us.bucket has"},
		{buckets_disagree, -EBADMSG, "rtt_us.skipped has"},
		{bucket_too_far, -EBADMSG, "rtt_us.skipped holds"},
		{too_many_drops, -EBADMSG, "drop_kinds holds 9"},
		{drops_missing, -EBADMSG, "drop_reason has"},
		{drops_disagree, -EBADMSG, "drop_count has"},
		{losses_disagree, -EBADMSG, "batch.loss has"},
		{netns_disagree, -EBADMSG, "netns.ours.counters has 0"},
		{no_number, -EBADMSG, "is no number"},
		{another_version, -EPROTONOSUPPORT, "version 2 of the schema, not 1"},
		{another_era, -EPROTONOSUPPORT, "version 4294967295"},
		{no_version, -EBADMSG, "does not begin with a version"},
	};
	struct wire_batch *b = hostile_batch();

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct hostile_bytes frame = hostile_change(b, changes[i].how);

		hostile_hold_refused(frame.data, frame.size, NULL, changes[i].code,
				     changes[i].reason);
		free(frame.data);
	}
	wire_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_disagrees_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
