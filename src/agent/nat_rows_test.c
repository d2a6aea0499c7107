/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that meet translations: found, late, never, and too many; every byte comes out once. */
#include "agent/nat_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t client[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
static const uint8_t asked[16] = {[10] = 0xff, 0xff, 10, 96, 0, 1};
static const uint8_t serves[16] = {[10] = 0xff, 0xff, 10, 1, 2, 3};

struct world {
	struct nat *nat;
	struct nat_rows *rows;
	uint64_t resolved, unresolved, plain; /* bytes */
	struct mr_flow_key last;
	struct flow_nat last_nat;
};

static void on_row(void *userdata, const struct mr_flow_key *key, const struct mr_flow_value *value,
		   const struct flow_nat *nat)
{
	struct world *w = userdata;
	uint64_t bytes = value->counter[MR_BYTES_TO_SERVER];

	w->last = *key;
	w->last_nat = nat ? *nat : (struct flow_nat){0};
	if (!nat)
		w->plain += bytes;
	else if (nat->unresolved)
		w->unresolved += bytes;
	else
		w->resolved += bytes;
	assert_int_equal(key->ephemeral, 0);
}

static void set_up(struct world *w)
{
	const struct nat_config config = {0};

	*w = (struct world){0};
	assert_int_equal(nat_new(&w->nat, &config), 0);
	w->rows = nat_rows_new(w->nat, on_row, w);
	assert_non_null(w->rows);
}

static void tear_down(struct world *w)
{
	nat_rows_free(w->rows);
	nat_free(w->nat);
}

static void note(struct world *w, uint16_t port)
{
	struct conntrack_entry e = {
		.original = {.source_port = port, .destination_port = 80},
		.reply = {.source_port = 8080, .destination_port = port},
	};

	memcpy(e.original.source, client, 16);
	memcpy(e.original.destination, asked, 16);
	memcpy(e.reply.source, serves, 16);
	memcpy(e.reply.destination, client, 16);
	nat_note(w->nat, &e, &(struct nat_place){1, 1});
}

static void add(struct world *w, uint16_t ephemeral, uint64_t bytes)
{
	struct mr_flow_key key = {.role = MR_ROLE_CLIENT, .port = 80, .ephemeral = ephemeral};
	struct mr_flow_value value = {0};

	memcpy(key.local, client, 16);
	memcpy(key.remote, asked, 16);
	value.counter[MR_BYTES_TO_SERVER] = bytes;
	nat_rows_add(w->rows, &key, &value);
}

static void end_window(struct world *w)
{
	nat_advance(w->nat);
	nat_rows_retry(w->rows, false);
}

static void a_known_one_gets_its_server(void **state)
{
	struct world w;

	set_up(&w);
	note(&w, 4711);
	end_window(&w);
	add(&w, 4711, 5);
	assert_int_equal(w.resolved, 5);
	assert_memory_equal(w.last.remote, serves, 16);
	assert_int_equal(w.last.port, 8080);
	assert_memory_equal(w.last_nat.via, asked, 16);
	assert_int_equal(w.last_nat.via_port, 80);
	tear_down(&w);
}

/* What is told beside the rows, DNS's figures: the same answer, and nothing waits. */
static void a_key_alone_is_translated(void **state)
{
	struct mr_flow_key key = {.role = MR_ROLE_CLIENT,
				  .transport = MR_TRANSPORT_UDP,
				  .port = 80,
				  .ephemeral = 4711};
	struct mr_flow_key other = key;
	struct conntrack_entry e = {
		.original = {.source_port = 4711, .destination_port = 80},
		.reply = {.source_port = 8080, .destination_port = 4711},
		.transport = MR_TRANSPORT_UDP,
	};
	struct flow_nat nat;
	struct world w;

	set_up(&w);
	memcpy(e.original.destination, asked, 16);
	memcpy(e.reply.source, serves, 16);
	nat_note(w.nat, &e, &(struct nat_place){1, 1});
	memcpy(key.remote, asked, 16);
	memcpy(other.remote, asked, 16);
	other.ephemeral = 4712;
	assert_true(nat_rows_translate(w.rows, &key, &nat));
	assert_memory_equal(key.remote, serves, 16);
	assert_int_equal(key.port, 8080);
	assert_int_equal(key.ephemeral, 0);
	assert_int_equal(nat.via_port, 80);
	assert_true(nat_rows_translate(w.rows, &other, &nat));
	assert_true(nat.unresolved);
	assert_int_equal(other.ephemeral, 0);
	other.remote[15] ^= 1;
	assert_false(nat_rows_translate(w.rows, &other, &nat));
	tear_down(&w);
}

static void what_nobody_translates_stays(void **state)
{
	struct world w;

	set_up(&w);
	add(&w, 0, 5);
	assert_int_equal(w.plain, 5);
	assert_memory_equal(w.last.remote, asked, 16);
	tear_down(&w);
}

static void a_late_entry_is_waited_for(void **state)
{
	struct world w;

	set_up(&w);
	end_window(&w);
	add(&w, 4711, 5);
	add(&w, 4712, 7);
	assert_int_equal(w.resolved + w.unresolved + w.plain, 0);
	end_window(&w);
	note(&w, 4712);
	end_window(&w);
	assert_int_equal(w.resolved, 7);
	assert_int_equal(w.unresolved, 5);
	assert_int_equal(nat_rows_unresolved(w.rows), 1);
	end_window(&w);
	assert_int_equal(w.resolved + w.unresolved, 12);
	tear_down(&w);
}

/* Folded before its address was known to be virtual: no port, no telling whose it was. */
static void an_early_one_is_not_guessed(void **state)
{
	struct world w;

	set_up(&w);
	note(&w, 4711);
	end_window(&w);
	add(&w, 0, 5);
	assert_int_equal(w.unresolved, 5);
	assert_memory_equal(w.last.remote, asked, 16);
	assert_int_equal(w.last_nat.via_port, 0);
	tear_down(&w);
}

static void too_many_do_not_wait(void **state)
{
	struct world w;

	set_up(&w);
	for (uint16_t i = 1; i <= NAT_ROWS_MAX + 3; i++)
		add(&w, i, 1);
	assert_int_equal(w.unresolved, 3);
	nat_rows_retry(w.rows, true);
	assert_int_equal(w.unresolved, NAT_ROWS_MAX + 3);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_one_gets_its_server),
		cmocka_unit_test(a_key_alone_is_translated),
		cmocka_unit_test(what_nobody_translates_stays),
		cmocka_unit_test(a_late_entry_is_waited_for),
		cmocka_unit_test(an_early_one_is_not_guessed),
		cmocka_unit_test(too_many_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
