/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as resolvers send them, and as nobody should. */
#include "agent/dns_message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A message under construction; names are given as text without escapes. */
struct made {
	uint8_t bytes[65536];
	size_t size;
};

static void put8(struct made *m, unsigned int v)
{
	m->bytes[m->size++] = (uint8_t)v;
}

static void put16(struct made *m, unsigned int v)
{
	put8(m, v >> 8);
	put8(m, v);
}

static void put_name(struct made *m, const char *name)
{
	while (*name) {
		size_t size = strcspn(name, ".");

		put8(m, (unsigned int)size);
		memcpy(m->bytes + m->size, name, size);
		m->size += size;
		name += size + (name[size] == '.');
	}
	put8(m, 0);
}

static void put_header(struct made *m, unsigned int flags, unsigned int questions,
		       unsigned int answers, unsigned int more)
{
	m->size = 0;
	put16(m, 0x1234);
	put16(m, flags);
	put16(m, questions);
	put16(m, answers);
	put16(m, 0);
	put16(m, more);
}

static void put_question(struct made *m, const char *name, unsigned int type)
{
	put_name(m, name);
	put16(m, type);
	put16(m, 1);
}

static void put_record(struct made *m, const char *owner, unsigned int type, unsigned int ttl_s,
		       const void *data, size_t size)
{
	put_name(m, owner);
	put16(m, type);
	put16(m, 1);
	put16(m, ttl_s >> 16);
	put16(m, ttl_s);
	put16(m, (unsigned int)size);
	memcpy(m->bytes + m->size, data, size);
	m->size += size;
}

static void put_record_name(struct made *m, const char *owner, unsigned int type,
			    unsigned int ttl_s, const char *prefix, size_t prefix_size,
			    const char *target)
{
	struct made data = {.size = prefix_size};

	memcpy(data.bytes, prefix, prefix_size);
	put_name(&data, target);
	put_record(m, owner, type, ttl_s, data.bytes, data.size);
}

static struct dns_message parsed(const struct made *m)
{
	struct dns_message message;

	assert_int_equal(dns_message_parse(&message, m->bytes, m->size, m->size), 0);
	return message;
}

static const uint8_t v4[4] = {10, 1, 2, 3};
static const uint8_t v4_mapped[16] = {[10] = 0xff, 0xff, 10, 1, 2, 3};
static const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 9};

static struct made m; /* 64 KB: not on the stack */

static void reads_a_query(void **state)
{
	struct dns_message q;

	put_header(&m, 0x0100, 1, 0, 0);
	put_question(&m, "WWW.Example.COM", 28);
	q = parsed(&m);
	assert_false(q.is_answer);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.question_type, 28);
	assert_string_equal(q.question, "www.example.com");
	assert_int_equal(q.fault, DNS_FAULT_NONE);
}

static void reads_addresses(void **state)
{
	struct dns_message a;

	put_header(&m, 0x8180, 1, 2, 0);
	put_question(&m, "a.example", 1);
	put_record(&m, "A.example", 1, 60, v4, 4);
	put_record(&m, "a.example", 28, 30, v6, 16);
	a = parsed(&m);
	assert_true(a.is_answer);
	assert_int_equal(a.address_count, 2);
	assert_memory_equal(a.addresses[0].address, v4_mapped, 16);
	assert_int_equal(a.addresses[0].ttl_s, 60);
	assert_memory_equal(a.addresses[1].address, v6, 16);
	assert_string_equal(dns_message_name(&a, &a.addresses[1]), "a.example");
}

/* The name that was asked for is the one that people know. */
static void follows_aliases_in_any_order(void **state)
{
	struct dns_message a;

	put_header(&m, 0x8180, 1, 4, 0);
	put_question(&m, "api.shop.example", 1);
	put_record(&m, "edge7.cdn.example", 1, 60, v4, 4);
	put_record_name(&m, "lb.cdn.example", 5, 20, "", 0, "edge7.cdn.example");
	put_record_name(&m, "api.shop.example", 5, 300, "", 0, "LB.cdn.example");
	put_record(&m, "somebody.else.example", 1, 60, v4, 4); /* was not asked for */
	a = parsed(&m);
	assert_int_equal(a.address_count, 1);
	assert_string_equal(dns_message_name(&a, &a.addresses[0]), "api.shop.example");
	assert_int_equal(a.addresses[0].ttl_s, 20); /* the least on the way */
}

static void aliases_may_go_in_circles(void **state)
{
	struct dns_message a;

	put_header(&m, 0x8180, 1, 3, 0);
	put_question(&m, "a.example", 1);
	put_record_name(&m, "a.example", 5, 20, "", 0, "b.example");
	put_record_name(&m, "b.example", 5, 20, "", 0, "a.example");
	put_record(&m, "b.example", 1, 60, v4, 4);
	a = parsed(&m);
	assert_int_equal(a.fault, DNS_FAULT_NONE);
	assert_int_equal(a.address_count, 1);
}

static void follows_services(void **state)
{
	struct dns_message a;

	put_header(&m, 0x8180, 1, 2, 2);
	put_question(&m, "_http._tcp.shop.example", 33);
	put_record_name(&m, "_http._tcp.shop.example", 33, 20, "\0\1\0\1\0\120", 6, "n1.example");
	put_record_name(&m, "_http._tcp.shop.example", 33, 20, "\0\1\0\1\0\120", 6, "n2.example");
	put_record(&m, "n2.example", 1, 60, v4, 4);
	put_record(&m, "n1.example", 28, 60, v6, 16);
	a = parsed(&m);
	assert_int_equal(a.target_count, 2);
	assert_int_equal(a.address_count, 2);
	assert_string_equal(dns_message_name(&a, &a.addresses[0]), "n2.example");
	assert_string_equal(dns_message_name(&a, &a.addresses[1]), "n1.example");
}

static void reads_codes(void **state)
{
	struct dns_message a;

	put_header(&m, 0x8183, 1, 0, 0);
	put_question(&m, "no.example", 1);
	a = parsed(&m);
	assert_int_equal(a.rcode, DNS_RCODE_NXDOMAIN);
	put_header(&m, 0x8180, 1, 0, 1);
	put_question(&m, "a.example", 1);
	put_record(&m, "", 41, 0x01000000, "", 0); /* EDNS: BADVERS is 16 */
	a = parsed(&m);
	assert_int_equal(a.rcode, 16);
	put_header(&m, 0x8380, 1, 0, 0);
	put_question(&m, "big.example", 1);
	a = parsed(&m);
	assert_true(a.truncated);
}

static void names_are_made_printable(void **state)
{
	struct dns_message q;

	put_header(&m, 0x0100, 1, 0, 0);
	put8(&m, 9);
	memcpy(m.bytes + m.size, "e\033[2J.\\\0 ", 9);
	m.size += 9;
	put8(&m, 2);
	put8(&m, 0xc3);
	put8(&m, 0xa9);
	put8(&m, 0);
	put16(&m, 1);
	put16(&m, 1);
	q = parsed(&m);
	assert_string_equal(q.question, "e\\027[2j\\.\\\\\\000\\032.\\195\\169");
	put_header(&m, 0x0100, 1, 0, 0);
	put_question(&m, "", 2);
	q = parsed(&m);
	assert_string_equal(q.question, ".");
}

/* --- hostile --------------------------------------------------------------------------------- */

static void expect_fault(enum dns_fault fault)
{
	struct dns_message a = parsed(&m);

	assert_string_equal(dns_fault_names[a.fault], dns_fault_names[fault]);
	assert_int_equal(a.address_count, 0);
}

static void pointers_go_back_only(void **state)
{
	put_header(&m, 0x8180, 1, 0, 0);
	put16(&m, 0xc00c); /* to itself */
	put16(&m, 1);
	put16(&m, 1);
	expect_fault(DNS_FAULT_LOOP);
	put_header(&m, 0x8180, 1, 0, 0);
	put16(&m, 0xc00e); /* two that point to each other */
	put16(&m, 0xc00c);
	expect_fault(DNS_FAULT_LOOP);
	put_header(&m, 0x8180, 1, 0, 0);
	put8(&m, 1);
	put8(&m, 'a');
	put16(&m, 0xc00c); /* a.a.a.a.… */
	put16(&m, 1);
	put16(&m, 1);
	expect_fault(DNS_FAULT_LOOP);
}

static void compression_is_read(void **state)
{
	struct dns_message a;

	put_header(&m, 0x8180, 1, 1, 0);
	put_question(&m, "www.example", 1);
	put16(&m, 0xc00c);
	put16(&m, 1);
	put16(&m, 1);
	put16(&m, 0);
	put16(&m, 60);
	put16(&m, 4);
	for (int i = 0; i < 4; i++)
		put8(&m, v4[i]);
	a = parsed(&m);
	assert_int_equal(a.fault, DNS_FAULT_NONE);
	assert_int_equal(a.address_count, 1);
}

static void other_faults_are_told(void **state)
{
	struct dns_message a;

	put_header(&m, 0x8180, 1, 0, 0);
	put8(&m, 0x40); /* a kind of label that was never used */
	expect_fault(DNS_FAULT_LABEL);
	put_header(&m, 0x8180, 1, 1, 0);
	put_question(&m, "a.example", 1);
	put_record(&m, "a.example", 1, 60, v4, 3);
	expect_fault(DNS_FAULT_DATA);
	put_header(&m, 0x8180, 1, 2, 0); /* says two, has one */
	put_question(&m, "a.example", 1);
	put_record(&m, "a.example", 1, 60, v4, 4);
	expect_fault(DNS_FAULT_SHORT);
	put_header(&m, 0x8180, 0, 0, 0);
	expect_fault(DNS_FAULT_COUNTS);
	put_header(&m, 0x8180, 65535, 65535, 65535);
	expect_fault(DNS_FAULT_COUNTS);
	put_header(&m, 0x8180, 1, 0, 0);
	for (int i = 0; i < 5; i++) { /* 5 * 64 bytes of name */
		put8(&m, 63);
		memset(m.bytes + m.size, 'a', 63);
		m.size += 63;
	}
	put8(&m, 0);
	expect_fault(DNS_FAULT_NAME);
	assert_int_equal(dns_message_parse(&a, m.bytes, 11, 11), -EBADMSG);
	assert_int_equal(dns_message_parse(&a, m.bytes, 0, 0), -EBADMSG);
}

/* 64 KB of records, more than we read, each with a name of many pointers. */
static void the_largest_message_is_bounded(void **state)
{
	put_header(&m, 0x8180, 1, 4000, 0);
	put_question(&m, "a.example", 1);
	while (m.size < 65000)
		put_record(&m, "a.example", 1, 60, v4, 4);
	expect_fault(DNS_FAULT_COUNTS);
}

static void every_beginning_is_harmless(void **state)
{
	struct dns_message a;

	follows_services(state);
	for (size_t size = 0; size < m.size; size++) {
		uint8_t *copy = malloc(size ? size : 1); /* for the sanitizer */

		memcpy(copy, m.bytes, size);
		if (!dns_message_parse(&a, copy, size, size))
			assert_true(a.fault == DNS_FAULT_SHORT && !a.address_count);
		free(copy);
	}
}

/* What was not copied is nobody's fault, and what was counts. */
static void a_cut_message_gives_what_is_whole(void **state)
{
	struct dns_message a;

	put_header(&m, 0x8180, 1, 2, 0);
	put_question(&m, "a.example", 1);
	put_record(&m, "a.example", 1, 60, v4, 4);
	put_record(&m, "a.example", 28, 60, v6, 16);
	assert_int_equal(dns_message_parse(&a, m.bytes, m.size - 1, m.size), 0);
	assert_true(a.cut);
	assert_int_equal(a.fault, DNS_FAULT_NONE);
	assert_int_equal(a.address_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_query),
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(follows_aliases_in_any_order),
		cmocka_unit_test(aliases_may_go_in_circles),
		cmocka_unit_test(follows_services),
		cmocka_unit_test(reads_codes),
		cmocka_unit_test(names_are_made_printable),
		cmocka_unit_test(pointers_go_back_only),
		cmocka_unit_test(compression_is_read),
		cmocka_unit_test(other_faults_are_told),
		cmocka_unit_test(the_largest_message_is_bounded),
		cmocka_unit_test(every_beginning_is_harmless),
		cmocka_unit_test(a_cut_message_gives_what_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
