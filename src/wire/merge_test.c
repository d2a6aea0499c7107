/* SPDX-License-Identifier: Apache-2.0 */
/*
 * However a sequence of batches is split into merged ones, a receiver is told the same. Lives are
 * made up from seeds.
 */
#include "wire/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/life_for_test.h"

/* A sender that merges some windows, and keeps what it has told. */
struct sender {
	struct definitions *told;
	const struct wire_merge_limits *limits;
	struct wire_merge *merge;
	uint64_t lost_full, lost_rows;
};

static void tell(struct definitions *told, const struct wire_batch *b)
{
	for (size_t i = 0; i < b->actor_count; i++)
		assert_int_equal(definitions_put_actor(told, &b->actors[i]), 0);
	for (size_t i = 0; i < b->flow_count; i++)
		assert_int_equal(definitions_put_flow(told, &b->flows[i]), 0);
	for (size_t i = 0; i < b->retired_count; i++)
		definitions_remove_flow(told, b->retired[i]);
	for (size_t i = 0; i < b->retired_actor_count; i++)
		definitions_remove_actor(told, b->retired_actors[i]);
}

/* By wire: what is merged can be sent. */
static void send(struct sender *s, struct book *to)
{
	struct wire_batch *b, *back;
	struct error error = {""};
	uint8_t *data;
	size_t size;

	if (!s->merge)
		return;
	s->lost_full += wire_merge_lost_full(s->merge);
	s->lost_rows += wire_merge_lost_rows(s->merge);
	b = wire_merge_take(s->merge);
	assert_non_null(b);
	tell(s->told, b);
	assert_int_equal(wire_encode(b, &data, &size), 0);
	wire_batch_free(b);
	s->merge = wire_merge_free(s->merge);
	if (wire_decode(data, size, NULL, &back, &error))
		fail_msg("%s", error.text);
	free(data);
	book_add(to, back);
	wire_batch_free(back);
}

static void add(struct sender *s, const struct wire_batch *b)
{
	if (!s->merge)
		s->merge = wire_merge_new(s->told, s->limits);
	assert_non_null(s->merge);
	wire_merge_add(s->merge, b);
}

/* One life: to one book as it comes, to another merged, cut one time in so many. */
static void hold_life(uint64_t seed, unsigned int windows, unsigned int cut_one_in,
		      const struct wire_merge_limits *limits, bool coarse, struct sender *ret)
{
	struct sender s = {.told = definitions_new(16384, 16384), .limits = limits};
	struct book plain, merged;
	struct life life;
	const char *difference;

	life_init(&life, seed);
	life.churn = (uint32_t)(5 + seed % 40);
	book_init(&plain);
	book_init(&merged);
	for (unsigned int i = 0; i < windows; i++) {
		struct wire_batch *b = life_window(&life);

		book_add(&plain, b);
		add(&s, b);
		if (cut_one_in && life_random(&life) % cut_one_in == 0)
			send(&s, &merged);
		wire_batch_free(b);
	}
	send(&s, &merged);
	difference = book_difference(&plain, &merged, coarse);
	if (difference)
		fail_msg("life %llu: %s differ", (unsigned long long)seed, difference);
	*ret = s;
	definitions_free(s.told);
	book_done(&plain);
	book_done(&merged);
}

static void any_split_says_the_same(void **state)
{
	struct sender s;

	for (uint64_t seed = 0; seed < 30; seed++) {
		hold_life(seed, 60, (unsigned int)(1 + seed % 20), NULL, false, &s);
		assert_int_equal(s.lost_full + s.lost_rows, 0);
	}
}

static void one_batch_says_it_all(void **state)
{
	struct sender s;

	for (uint64_t seed = 0; seed < 10; seed++) {
		hold_life(seed, 200, 0, NULL, false, &s);
		assert_int_equal(s.lost_full + s.lost_rows, 0);
	}
}

/* Rows become coarse, and no byte is lost. */
static void beyond_the_bounds_it_is_coarser_not_less(void **state)
{
	const struct wire_merge_limits few = {.rows_max = 20,
					      .flows_max = 4000,
					      .actors_max = 4000,
					      .events_max = 8,
					      .names_max = 8};
	struct sender s;

	for (uint64_t seed = 0; seed < 20; seed++) {
		hold_life(seed, 60, (unsigned int)(5 + seed), &few, true, &s);
		assert_true(s.lost_full > 100);
		assert_int_equal(s.lost_rows, 0);
	}
}

/* Who finds no room is "~other": sums over all actors stay. */
static void actors_beyond_the_bound_are_other(void **state)
{
	const struct wire_merge_limits few = {.rows_max = 100,
					      .flows_max = 4000,
					      .actors_max = 5,
					      .events_max = 100,
					      .names_max = 100};
	struct definitions *told = definitions_new(100, 100);
	struct sender s = {.told = told, .limits = &few};
	uint64_t sent = 0, came = 0;
	struct life life;
	bool other = false;
	struct wire_batch *b;

	life_init(&life, 5);
	for (unsigned int i = 0; i < 20; i++) {
		b = life_window(&life);
		for (size_t k = 0; k < b->update_count; k++)
			sent += b->updates[k].counter[MR_BYTES_TO_SERVER];
		add(&s, b);
		wire_batch_free(b);
	}
	assert_int_equal(wire_merge_lost_rows(s.merge), 0);
	b = wire_merge_take(s.merge);
	for (size_t k = 0; k < b->update_count; k++)
		came += b->updates[k].counter[MR_BYTES_TO_SERVER];
	for (size_t k = 0; k < b->actor_count; k++)
		other |= !strcmp(b->actors[k].process, "~other");
	assert_true(other && sent == came);
	assert_int_equal(b->actor_count, 6);
	wire_batch_free(b);
	wire_merge_free(s.merge);
	definitions_free(told);
}

/* Those that came and went leave nothing, however long nobody takes what is pending. */
static void what_came_and_went_takes_no_room(void **state)
{
	struct definitions *told = definitions_new(100, 100);
	struct wire_merge *m = wire_merge_new(told, NULL);
	struct wire_batch *b;
	struct life life;

	life_init(&life, 3);
	life.moving = 0;
	life.churn = 60;
	for (unsigned int i = 0; i < 1500; i++) {
		b = life_window(&life);
		b->event_count = b->listener_count = 0;
		wire_merge_add(m, b);
		wire_batch_free(b);
	}
	b = wire_merge_take(m);
	assert_true(life.flow_handles > 50000);
	assert_true(b->flow_count <= LIFE_FLOWS && b->actor_count <= LIFE_ACTORS);
	assert_int_equal(b->retired_count + b->retired_actor_count, 0);
	assert_int_equal(b->windows, 1500);
	wire_batch_free(b);
	wire_merge_free(m);
	definitions_free(told);
}

static void the_last_reason_takes_all_others(void **state)
{
	struct definitions *told = definitions_new(10, 10);
	struct wire_merge *m = wire_merge_new(told, NULL);
	struct wire_drop drops[12];
	struct wire_update row = {.flow = 1, .drops = drops};
	struct wire_flow flow = {.handle = 1, .actor = 1, .transport = WIRE_TRANSPORT_TCP};
	struct wire_batch *b = wire_batch_new();
	char reasons[12][8];
	uint64_t sum = 0;

	for (unsigned int i = 0; i < 12; i++) {
		reasons[i][0] = (char)('A' + i);
		reasons[i][1] = 0;
		drops[i] = (struct wire_drop){reasons[i], 1};
	}
	b->flows = &flow;
	b->flow_count = b->update_count = 1;
	b->updates = &row;
	row.drop_count = 8;
	wire_merge_add(m, b);
	row.drops = drops + 4;
	wire_merge_add(m, b);
	wire_batch_free(b);
	b = wire_merge_take(m);
	assert_int_equal(b->update_count, 1);
	assert_int_equal(b->updates[0].drop_count, WIRE_DROPS_MAX);
	for (unsigned int i = 0; i < WIRE_DROPS_MAX; i++)
		sum += b->updates[0].drops[i].count;
	assert_int_equal(sum, 16);
	assert_string_equal(b->updates[0].drops[7].reason, "~other");
	assert_int_equal(b->updates[0].drops[7].count, 1 + 5);
	wire_batch_free(b);
	wire_merge_free(m);
	definitions_free(told);
}

/* Nobody defined it: it is lost, and said to be. */
static void rows_of_nothing_are_counted(void **state)
{
	struct definitions *told = definitions_new(10, 10);
	struct wire_merge *m = wire_merge_new(told, NULL);
	struct wire_update row = {.flow = 77};
	struct wire_batch *b = wire_batch_new();

	b->update_count = 1;
	b->updates = &row;
	wire_merge_add(m, b);
	wire_batch_free(b);
	assert_int_equal(wire_merge_lost_rows(m), 1);
	wire_merge_free(m);
	definitions_free(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_split_says_the_same),
		cmocka_unit_test(one_batch_says_it_all),
		cmocka_unit_test(beyond_the_bounds_it_is_coarser_not_less),
		cmocka_unit_test(actors_beyond_the_bound_are_other),
		cmocka_unit_test(what_came_and_went_takes_no_room),
		cmocka_unit_test(the_last_reason_takes_all_others),
		cmocka_unit_test(rows_of_nothing_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
