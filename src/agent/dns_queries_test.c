/* SPDX-License-Identifier: Apache-2.0 */
/* Which answer belongs to which query, and what is counted of both. */
#include "agent/dns_queries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000ull
#define S  1000000000ull

static struct dns_datagram datagram(bool to_client, uint64_t time_ns)
{
	struct dns_datagram d;

	memset(&d, 0, sizeof(d));
	d.seen = (struct mr_flow_key){.cgroup = 7, .netns = 1, .port = 53, .role = MR_ROLE_CLIENT};
	d.seen.remote[15] = 53;
	d.flow.key = d.seen;
	d.client_port = 40000;
	d.to_client = to_client;
	d.time_ns = time_ns;
	return d;
}

static struct dns_message message(bool is_answer, uint16_t id, const char *name, uint16_t rcode)
{
	struct dns_message m = {
		.id = id, .is_answer = is_answer, .rcode = rcode, .question_type = 1};

	snprintf(m.question, sizeof(m.question), "%s", name);
	return m;
}

static bool see(struct dns_queries *q, bool is_answer, uint16_t id, const char *name,
		uint16_t rcode, uint64_t time_ns)
{
	struct dns_datagram d = datagram(is_answer, time_ns);
	struct dns_message m = message(is_answer, id, name, rcode);

	return dns_queries_see(q, &d, &m);
}

struct sum {
	struct wire_dns all;
	unsigned int flows;
};

static void add(void *userdata, const struct dns_datagram *d, const struct wire_dns *figures)
{
	struct sum *sum = userdata;

	assert_int_equal(d->flow.key.cgroup, 7);
	sum->flows++;
	for (int i = 0; i < WIRE_DNS_COUNT; i++)
		sum->all.counter[i] += figures->counter[i];
	histogram_merge(&sum->all.latency_us, &figures->latency_us);
}

static struct sum drained(struct dns_queries *q)
{
	struct sum sum = {0};

	dns_queries_drain(q, add, &sum);
	return sum;
}

static struct dns_queries *made(uint32_t waiting_max, uint32_t flows_max)
{
	struct dns_queries *q;

	assert_int_equal(dns_queries_new(&q, waiting_max, flows_max), 0);
	return q;
}

static void measures_an_exchange(void **state)
{
	struct dns_queries *q = made(0, 0);
	struct sum sum;

	assert_false(see(q, false, 1, "a.example", 0, S));
	assert_true(see(q, true, 1, "a.example", 0, S + 3 * MS));
	sum = drained(q);
	assert_int_equal(sum.flows, 1);
	assert_int_equal(sum.all.counter[WIRE_DNS_QUERIES], 1);
	assert_int_equal(sum.all.counter[WIRE_DNS_ANSWERS], 1);
	assert_int_equal(sum.all.latency_us.count, 1);
	assert_int_equal(sum.all.latency_us.min, 3000);
	assert_int_equal(drained(q).flows, 0);
	dns_queries_free(q);
}

static void counts_errors_by_code(void **state)
{
	static const struct {
		uint16_t rcode;
		enum wire_dns_counter counter;
	} cases[] = {{1, WIRE_DNS_FORMERR}, {2, WIRE_DNS_SERVFAIL}, {3, WIRE_DNS_NXDOMAIN},
		     {4, WIRE_DNS_NOTIMP},  {5, WIRE_DNS_REFUSED},  {6, WIRE_DNS_OTHER},
		     {4095, WIRE_DNS_OTHER}};
	struct dns_queries *q = made(0, 0);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sum sum;

		see(q, false, 1, "a.example", 0, S);
		assert_true(see(q, true, 1, "a.example", cases[i].rcode, S + MS));
		sum = drained(q);
		assert_int_equal(sum.all.counter[cases[i].counter], 1);
		assert_int_equal(sum.all.counter[WIRE_DNS_ANSWERS], 1);
	}
	dns_queries_free(q);
}

/* An answer that nobody asked for is an attack or a mistake; it teaches nothing. */
static void only_what_was_asked_is_an_answer(void **state)
{
	struct dns_queries *q = made(0, 0);
	struct dns_queries_losses losses;
	struct dns_datagram other = datagram(true, S + MS);
	struct dns_message m = message(true, 1, "a.example", 0);

	see(q, false, 1, "a.example", 0, S);
	assert_false(see(q, true, 2, "a.example", 0, S + MS));
	assert_false(see(q, true, 1, "b.example", 0, S + MS));
	other.client_port++;
	assert_false(dns_queries_see(q, &other, &m));
	other.client_port--;
	other.seen.remote[15]++;
	assert_false(dns_queries_see(q, &other, &m));
	assert_true(see(q, true, 1, "a.example", 0, S + MS));
	assert_false(see(q, true, 1, "a.example", 0, S + 2 * MS)); /* once */
	dns_queries_losses(q, &losses);
	assert_int_equal(losses.unasked, 5);
	dns_queries_free(q);
}

static void silence_times_out(void **state)
{
	struct dns_queries *q = made(0, 0);
	struct sum sum;

	see(q, false, 1, "a.example", 0, S);
	see(q, false, 2, "b.example", 0, 3 * S);
	dns_queries_expire(q, 6 * S);
	assert_int_equal(drained(q).all.counter[WIRE_DNS_TIMEOUTS], 0);
	dns_queries_expire(q, 6 * S + 1);
	sum = drained(q);
	assert_int_equal(sum.all.counter[WIRE_DNS_TIMEOUTS], 1);
	assert_false(see(q, true, 1, "a.example", 0, 7 * S)); /* too late */
	assert_true(see(q, true, 2, "b.example", 0, 7 * S));
	dns_queries_free(q);
}

static void asked_again_timed_out(void **state)
{
	struct dns_queries *q = made(0, 0);
	struct sum sum;

	see(q, false, 1, "a.example", 0, S);
	see(q, false, 1, "a.example", 0, 3 * S);
	assert_true(see(q, true, 1, "a.example", 0, 3 * S + MS));
	sum = drained(q);
	assert_int_equal(sum.all.counter[WIRE_DNS_QUERIES], 2);
	assert_int_equal(sum.all.counter[WIRE_DNS_TIMEOUTS], 1);
	assert_int_equal(sum.all.latency_us.max, 1000);
	dns_queries_free(q);
}

static void is_bounded(void **state)
{
	struct dns_queries *q = made(8, 2);
	struct dns_queries_losses losses;
	struct sum sum;

	for (uint16_t i = 0; i < 100; i++)
		see(q, false, i, "a.example", 0, S + i);
	for (uint8_t i = 0; i < 10; i++) {
		struct dns_datagram d = datagram(false, 2 * S);
		struct dns_message m = message(false, 1, "a.example", 0);

		d.seen.remote[0] = d.flow.key.remote[0] = i;
		dns_queries_see(q, &d, &m);
	}
	dns_queries_losses(q, &losses);
	assert_int_equal(losses.forgotten, 110 - 8);
	assert_true(losses.uncounted > 0);
	sum = drained(q);
	assert_int_equal(sum.flows, 2);
	dns_queries_expire(q, 100 * S);
	dns_queries_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measures_an_exchange),
		cmocka_unit_test(counts_errors_by_code),
		cmocka_unit_test(only_what_was_asked_is_an_answer),
		cmocka_unit_test(silence_times_out),
		cmocka_unit_test(asked_again_timed_out),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
