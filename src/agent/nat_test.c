/* SPDX-License-Identifier: Apache-2.0 */
/* Translations: whom each end really talks to, what is virtual, and when there is no sure answer.
 */
#include "agent/nat.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void address_set(uint8_t ret[16], const char *text)
{
	memset(ret, 0, 16);
	if (inet_pton(AF_INET6, text, ret) == 1)
		return;
	ret[10] = ret[11] = 0xff;
	assert_int_equal(inet_pton(AF_INET, text, ret + 12), 1);
}

static struct conntrack_tuple tuple(const char *from, uint16_t from_port, const char *to,
				    uint16_t to_port)
{
	struct conntrack_tuple t = {.source_port = from_port, .destination_port = to_port};

	address_set(t.source, from);
	address_set(t.destination, to);
	return t;
}

#define CLIENT  "10.0.0.1", 4711
#define ASKED   "10.96.0.1", 80
#define SERVER  "10.1.2.3", 8080
#define SEEN_AS "10.0.0.9", 2048

static struct conntrack_entry both(void)
{
	return (struct conntrack_entry){.original = tuple(CLIENT, ASKED),
					.reply = tuple(SERVER, SEEN_AS)};
}

static struct mr_flow_key client_key(const char *local, uint16_t ephemeral, const char *remote,
				     uint16_t port)
{
	struct mr_flow_key key = {.role = MR_ROLE_CLIENT, .port = port, .ephemeral = ephemeral};

	address_set(key.local, local);
	address_set(key.remote, remote);
	return key;
}

static struct mr_flow_key server_key(const char *local, uint16_t port, const char *remote,
				     uint16_t ephemeral)
{
	struct mr_flow_key key = client_key(local, ephemeral, remote, port);

	key.role = MR_ROLE_SERVER;
	return key;
}

static const struct nat_place here = {.netns = 7, .origin = 1};

static struct nat *made(uint32_t entries, uint32_t virtuals)
{
	const struct nat_config config = {.entries_max = entries, .virtuals_max = virtuals};
	struct nat *n;

	assert_int_equal(nat_new(&n, &config), 0);
	return n;
}

static void assert_found(struct nat *n, const struct mr_flow_key *key, const char *remote,
			 uint16_t port, const char *via, uint16_t via_port)
{
	struct nat_answer answer;
	uint8_t expected[16];

	assert_true(nat_find(n, key, &answer));
	address_set(expected, remote);
	assert_memory_equal(answer.remote, expected, 16);
	assert_int_equal(answer.port, port);
	address_set(expected, via);
	assert_memory_equal(answer.via, expected, 16);
	assert_int_equal(answer.via_port, via_port);
}

static void assert_unknown(struct nat *n, const struct mr_flow_key *key)
{
	struct nat_answer answer;

	assert_false(nat_find(n, key, &answer));
}

static void both_ends_find_each_other(void **state)
{
	const struct mr_flow_key client = client_key(CLIENT, ASKED),
				 server = server_key(SERVER, SEEN_AS);
	const struct conntrack_entry e = both();
	struct nat *n = made(0, 0);

	nat_note(n, &e, &here);
	nat_advance(n);
	assert_found(n, &client, SERVER, ASKED);
	assert_found(n, &server, "10.0.0.1", 8080, ASKED);
	nat_free(n);
}

static void only_the_server_is_another(void **state)
{
	const struct conntrack_entry e = {.original = tuple("fd00::1", 4711, "fd00::99", 80),
					  .reply = tuple("fd00::2", 80, "fd00::1", 4711)};
	const struct mr_flow_key client = client_key("fd00::1", 4711, "fd00::99", 80);
	const struct mr_flow_key other = client_key("fd00::1", 4712, "fd00::99", 80);
	const struct mr_flow_key server = server_key("fd00::2", 80, "fd00::1", 4711);
	struct nat *n = made(0, 0);

	nat_note(n, &e, &here);
	assert_found(n, &client, "fd00::2", 80, "fd00::99", 80);
	assert_unknown(n, &other);
	assert_true(nat_is_virtual(n, &client));
	assert_false(nat_is_virtual(n, &server)); /* it sees its client as it is */
	nat_free(n);
}

static void only_the_client_is_another(void **state)
{
	const struct conntrack_entry e = {.original = tuple(CLIENT, SERVER),
					  .reply = tuple(SERVER, SEEN_AS)};
	const struct mr_flow_key client = client_key(CLIENT, SERVER),
				 server = server_key(SERVER, SEEN_AS);
	struct nat_answer answer;
	struct nat *n = made(0, 0);

	nat_note(n, &e, &here);
	assert_false(nat_is_virtual(n, &client));
	assert_true(nat_is_virtual(n, &server));
	assert_true(nat_find(n, &server, &answer));
	assert_memory_equal(answer.remote, client.local, 16);
	assert_int_equal(answer.via_port, 0);
	nat_free(n);
}

/* A container's namespace changes the client, the host's the server. */
static void follows_through_two_namespaces(void **state)
{
	const struct conntrack_entry inner = {.original = tuple(CLIENT, ASKED),
					      .reply = tuple(ASKED, SEEN_AS)};
	const struct conntrack_entry outer = {.original = tuple(SEEN_AS, ASKED),
					      .reply = tuple(SERVER, SEEN_AS)};
	const struct mr_flow_key client = client_key(CLIENT, ASKED),
				 server = server_key(SERVER, SEEN_AS);
	const struct nat_place there = {.netns = 8, .origin = 2};
	struct nat *n = made(0, 0);

	nat_note(n, &inner, &here);
	nat_note(n, &outer, &there);
	assert_found(n, &client, SERVER, ASKED);
	assert_found(n, &server, "10.0.0.1", 8080, ASKED);
	nat_free(n);
}

static void ends_in_a_loop_of_translations(void **state)
{
	const struct conntrack_entry there = {.original = tuple(CLIENT, ASKED),
					      .reply = tuple(SERVER, CLIENT)};
	const struct conntrack_entry back = {.original = tuple(CLIENT, SERVER),
					     .reply = tuple(ASKED, CLIENT)};
	const struct mr_flow_key client = client_key(CLIENT, ASKED);
	struct nat_answer answer;
	struct nat *n = made(0, 0);

	nat_note(n, &there, &here);
	nat_note(n, &back, &here);
	assert_true(nat_find(n, &client, &answer));
	nat_free(n);
}

/* The same tuple leads elsewhere: rows from before the change and after cannot be told apart. */
static void a_tuple_used_again_is_not_guessed(void **state)
{
	const struct mr_flow_key client = client_key(CLIENT, ASKED);
	const struct conntrack_entry first = both();
	struct conntrack_entry second = both();
	struct nat *n = made(0, 0);

	second.reply = tuple("10.1.2.4", 8080, SEEN_AS);
	nat_note(n, &first, &here);
	for (int i = 0; i < 10; i++)
		nat_advance(n);
	nat_note(n, &second, &here);
	nat_advance(n);
	assert_unknown(n, &client);
	nat_advance(n);
	assert_unknown(n, &client);
	nat_advance(n);
	assert_found(n, &client, "10.1.2.4", 8080, ASKED);
	nat_free(n);
}

static void two_namespaces_that_disagree_are_not_guessed(void **state)
{
	const struct mr_flow_key client = client_key(CLIENT, ASKED);
	const struct nat_place there = {.netns = 8, .origin = 2};
	const struct conntrack_entry first = both();
	struct conntrack_entry second = both();
	struct nat *n = made(0, 0);

	second.reply = tuple("10.1.2.4", 8080, SEEN_AS);
	nat_note(n, &first, &here);
	nat_note(n, &second, &there);
	for (int i = 0; i < 10; i++)
		nat_advance(n);
	assert_unknown(n, &client);
	nat_free(n);
}

/* … but each knows what its own sockets mean, also when one is over. */
static void each_namespace_knows_its_own(void **state)
{
	struct mr_flow_key client = client_key(CLIENT, ASKED);
	const struct nat_place there = {.netns = 8, .origin = 2};
	struct conntrack_entry first = both();
	struct conntrack_entry second = both();
	struct nat *n = made(0, 0);

	second.reply = tuple("10.1.2.4", 8080, SEEN_AS);
	nat_note(n, &first, &here);
	nat_note(n, &second, &there);
	client.netns = 7;
	assert_found(n, &client, SERVER, ASKED);
	client.netns = 8;
	assert_found(n, &client, "10.1.2.4", 8080, ASKED);
	client.netns = 9;
	assert_unknown(n, &client);
	first.over = true;
	nat_note(n, &first, &here);
	for (int i = 0; i < 10; i++)
		nat_advance(n);
	client.netns = 8;
	assert_found(n, &client, "10.1.2.4", 8080, ASKED);
	second.over = true;
	nat_note(n, &second, &there);
	for (int i = 0; i < 10; i++)
		nat_advance(n);
	assert_int_equal(nat_count(n), 0);
	nat_free(n);
}

/* Two zones of one namespace: a socket does not say which is its. */
static void zones_that_disagree_are_not_guessed(void **state)
{
	struct mr_flow_key client = client_key(CLIENT, ASKED);
	const struct conntrack_entry first = both();
	struct conntrack_entry second = both();
	struct nat *n = made(0, 0);

	second.reply = tuple("10.1.2.4", 8080, SEEN_AS);
	second.zone = 5;
	nat_note(n, &first, &here);
	nat_note(n, &second, &here);
	client.netns = here.netns;
	assert_unknown(n, &client);
	nat_free(n);
}

static void loopback_counts_in_its_namespace_only(void **state)
{
	const struct conntrack_entry e = {.original = tuple("127.0.0.1", 4711, ASKED),
					  .reply = tuple(SERVER, SEEN_AS)};
	struct mr_flow_key client = client_key("127.0.0.1", 4711, ASKED);
	const struct nat_place unknown = {.netns = 0, .origin = 3};
	struct nat *n = made(0, 0);

	nat_note(n, &e, &unknown);
	assert_int_equal(nat_count(n), 1); /* as the server sees it */
	nat_note(n, &e, &here);
	client.netns = 8;
	assert_unknown(n, &client);
	client.netns = 7;
	assert_found(n, &client, SERVER, ASKED);
	nat_free(n);
}

static void lingers_after_its_end(void **state)
{
	const struct mr_flow_key client = client_key(CLIENT, ASKED);
	struct conntrack_entry e = both();
	struct nat *n = made(0, 0);

	nat_note(n, &e, &here);
	e.over = true;
	nat_note(n, &e, &here);
	for (int i = 0; i < NAT_LINGER_WINDOWS; i++)
		nat_advance(n);
	assert_found(n, &client, SERVER, ASKED);
	nat_advance(n);
	assert_unknown(n, &client);
	assert_int_equal(nat_count(n), 0);
	assert_true(nat_is_virtual(n, &client)); /* the next will come */
	nat_free(n);
}

/* One that began anew with the same tuple outlives the end of the one before. */
static void lives_again(void **state)
{
	const struct mr_flow_key client = client_key(CLIENT, ASKED);
	struct conntrack_entry e = both();
	struct nat *n = made(0, 0);

	for (int i = 0; i < 3; i++) {
		e.over = false;
		nat_note(n, &e, &here);
		e.over = true;
		nat_note(n, &e, &here);
		nat_advance(n);
	}
	e.over = false;
	nat_note(n, &e, &here);
	for (int i = 0; i < 20; i++)
		nat_advance(n);
	assert_found(n, &client, SERVER, ASKED);
	nat_free(n);
}

static void is_bounded_and_counts(void **state)
{
	struct conntrack_entry e = both();
	struct nat *n = made(4, 2);

	for (uint16_t i = 0; i < 100; i++) {
		e.original.source_port = e.reply.destination_port = (uint16_t)(1000 + i);
		nat_note(n, &e, &here);
	}
	assert_int_equal(nat_count(n), 8);
	assert_int_equal(nat_lost_full(n), 200 - 8);
	nat_free(n);
}

struct heard {
	struct mr_virtual last;
	unsigned int come, gone;
};

static void on_virtual(void *userdata, const struct mr_virtual *virtual, bool is_virtual)
{
	struct heard *h = userdata;

	h->come += is_virtual;
	h->gone += !is_virtual;
	if (is_virtual)
		h->last = *virtual;
}

static void tells_what_is_virtual_once(void **state)
{
	struct heard heard = {0};
	const struct nat_config config = {
		.virtuals_max = 2, .virtual = on_virtual, .userdata = &heard};
	struct conntrack_entry e = both();
	struct mr_virtual all[4];
	struct nat *n;

	assert_int_equal(nat_new(&n, &config), 0);
	nat_note(n, &e, &here);
	nat_note(n, &e, &here);
	assert_int_equal(heard.come, 2);
	assert_int_equal(heard.last.role, MR_ROLE_SERVER);
	assert_int_equal(heard.last.port, 8080);
	assert_memory_equal(heard.last.address, e.reply.destination, 16);
	e.original.destination_port = 81;
	nat_note(n, &e, &here);
	assert_int_equal(heard.come, 3);
	assert_int_equal(heard.gone, 1);
	assert_int_equal(nat_virtuals(n, all, 4), 2);
	nat_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_find_each_other),
		cmocka_unit_test(only_the_server_is_another),
		cmocka_unit_test(only_the_client_is_another),
		cmocka_unit_test(follows_through_two_namespaces),
		cmocka_unit_test(ends_in_a_loop_of_translations),
		cmocka_unit_test(a_tuple_used_again_is_not_guessed),
		cmocka_unit_test(two_namespaces_that_disagree_are_not_guessed),
		cmocka_unit_test(each_namespace_knows_its_own),
		cmocka_unit_test(zones_that_disagree_are_not_guessed),
		cmocka_unit_test(loopback_counts_in_its_namespace_only),
		cmocka_unit_test(lingers_after_its_end),
		cmocka_unit_test(lives_again),
		cmocka_unit_test(is_bounded_and_counts),
		cmocka_unit_test(tells_what_is_virtual_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
