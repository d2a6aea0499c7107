/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: one actor for one identity, names as people know them, bounds and references hold. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/actor.h"

static const struct wire_actor nginx = {.process = "nginx",
					.unit = "nginx.service",
					.container = "",
					.pod = "",
					.cgroup = "/system.slice/nginx.service",
					.pid = 7};

static uint32_t add(struct actor_table *t, const struct wire_actor *a)
{
	uint32_t i = ACTOR_NONE;
	bool changed;

	assert_int_equal(actor_table_add(t, 0, a, &i, &changed), 0);
	return i;
}

static void test_names(void **state)
{
	static const struct {
		const char *process, *unit, *container, *id, *name;
	} cases[] = {
		{"nginx", "nginx.service", "", "service/nginx", "nginx"},
		{"curl", "session-3.scope", "", "process/curl", "curl"},
		{"curl", "", "", "process/curl", "curl"},
		{"curl", ".service", "", "process/curl", "curl"},
		{"redis-server", "docker.service",
		 "3f2a0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab",
		 "container/3f2a01234567", "3f2a01234567"},
		{"x", "", "short", "container/short", "short"},
		{"", "", "", "process/unknown", "unknown"},
		{"~other", "", "", "~other", "~other"},
	};
	struct actor_table t;

	assert_int_equal(actor_table_init(&t, 100, 64, 1), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct wire_actor a = {.process = cases[i].process,
					     .unit = cases[i].unit,
					     .container = cases[i].container};
		const struct actor *known = &t.actors[add(&t, &a)];

		assert_string_equal(known->id, cases[i].id);
		assert_string_equal(known->workload, cases[i].name);
	}
	actor_table_done(&t);
}

static void test_one_identity_is_one_actor(void **state)
{
	struct wire_actor twin = nginx;
	struct actor_table t;
	uint32_t i, j;

	assert_int_equal(actor_table_init(&t, 100, 64, 1), 0);
	i = add(&t, &nginx);
	twin.handle = 99;
	twin.pid = 8;
	assert_int_equal(add(&t, &twin), i);
	assert_int_equal(t.actors[i].pid, 8);
	twin.process = "nginx-debug";
	j = add(&t, &twin);
	assert_int_not_equal(j, i);
	actor_release(&t, i);
	assert_string_equal(t.actors[i].id, "service/nginx"); /* one reference is left */
	actor_release(&t, i);
	assert_int_equal(t.count, 1);
	actor_release(&t, j);
	assert_int_equal(t.count, 0);
	add(&t, &nginx);
	actor_table_done(&t);
}

static void test_full(void **state)
{
	struct wire_actor a = {0};
	struct actor_table t;
	char name[16];
	uint32_t i, other, again;
	bool changed;

	assert_int_equal(actor_table_init(&t, 5, 64, 1), 0);
	a.process = name;
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		assert_int_equal(add(&t, &a), i);
	}
	snprintf(name, sizeof(name), "more");
	assert_int_equal(actor_table_add(&t, 0, &a, &i, &changed), -ENOSPC);
	assert_int_equal(actor_table_add_other(&t, 0, &other), 0);
	assert_int_equal(actor_table_add_other(&t, 0, &again), 0);
	assert_int_equal(other, again);
	assert_true(t.actors[other].other);
	actor_release(&t, 2);
	for (unsigned int round = 0; round < 1000; round++) { /* places are used again */
		snprintf(name, sizeof(name), "q%u", round);
		i = add(&t, &a);
		assert_string_equal(t.actors[i].process, name);
		assert_int_equal(t.count, 5);
		actor_release(&t, i);
	}
	actor_table_done(&t);
}

static void test_hostile_names(void **state)
{
	struct actor_table t;
	struct wire_actor a = nginx;
	char longest[5000];
	uint32_t i;
	bool changed;

	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(actor_table_init(&t, 100, 64, 1), 0);
	assert_int_equal(actor_table_add(&t, 0, &a, &i, &changed), 0);
	assert_false(changed);
	a.process = "\x1b[2J\xff";
	a.unit = "";
	assert_int_equal(actor_table_add(&t, 0, &a, &i, &changed), 0);
	assert_true(changed);
	assert_string_equal(t.actors[i].id, "process/\xef\xbf\xbd[2J\xef\xbf\xbd");
	a = (struct wire_actor){1, 1, longest, longest, longest, longest, longest};
	assert_int_equal(actor_table_add(&t, 0, &a, &i, &changed), 0);
	assert_true(changed);
	assert_int_equal(strlen(t.actors[i].process), ACTOR_TEXT_MAX - 1);
	a = (struct wire_actor){.process = "~other", .cgroup = "/user.slice"};
	assert_int_equal(actor_table_add(&t, 0, &a, &i, &changed), 0);
	assert_false(t.actors[i].other); /* only a name */
	assert_string_equal(t.actors[i].id, "process/~other");
	actor_table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_one_identity_is_one_actor),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
