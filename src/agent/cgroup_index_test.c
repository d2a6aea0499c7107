/* SPDX-License-Identifier: Apache-2.0 */
/* Paths by inode number in a tree of plain folders (where a folder's links count as in kernfs). */
#include "agent/cgroup_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/tree_fake.h"

#define SECOND_NS 1000000000ull

static void walks_to_what_it_does_not_know(void **state)
{
	struct cgroup_index *c;
	struct tree tree;
	uint64_t deep, beside;

	tree_init(&tree);
	tree_mkdir(&tree, "a/b/c.service");
	tree_mkdir(&tree, "a/d.service");
	deep = tree_inode(&tree, "a/b/c.service");
	beside = tree_inode(&tree, "a/d.service");
	assert_int_equal(cgroup_index_new(&c, tree.root), 0);
	assert_int_equal(cgroup_index_root(c), tree_inode(&tree, ""));
	assert_null(cgroup_index_get(c, deep));
	assert_string_equal(cgroup_index_walk(c, deep, SECOND_NS), "/a/b/c.service");
	assert_string_equal(cgroup_index_get(c, deep), "/a/b/c.service");
	assert_string_equal(cgroup_index_walk(c, beside, 10 * SECOND_NS), "/a/d.service");
	cgroup_index_free(c);
	tree_done(&tree);
}

static void what_a_walk_does_not_find_is_gone(void **state)
{
	struct cgroup_index *c;
	struct tree tree;

	tree_init(&tree);
	tree_mkdir(&tree, "a");
	assert_int_equal(cgroup_index_new(&c, tree.root), 0);
	assert_string_equal(cgroup_index_walk(c, 1ull << 60, SECOND_NS), "");
	assert_string_equal(cgroup_index_get(c, 1ull << 60), "");
	cgroup_index_free(c);
	tree_done(&tree);
}

static void walks_seldom(void **state)
{
	struct cgroup_index *c;
	struct tree tree;
	uint64_t a;

	tree_init(&tree);
	tree_mkdir(&tree, "a");
	a = tree_inode(&tree, "a");
	assert_int_equal(cgroup_index_new(&c, tree.root), 0);
	assert_non_null(cgroup_index_walk(c, 1ull << 60, SECOND_NS));
	assert_null(cgroup_index_walk(c, 1ull << 61, SECOND_NS + SECOND_NS / 4));
	assert_non_null(cgroup_index_walk(c, 1ull << 61, 2 * SECOND_NS));
	assert_string_equal(cgroup_index_get(c, a), "/a"); /* seen on the way */
	cgroup_index_free(c);
	tree_done(&tree);
}

static void proves_what_it_learns(void **state)
{
	struct cgroup_index *c;
	struct tree tree;
	uint64_t a;

	tree_init(&tree);
	tree_mkdir(&tree, "a");
	tree_mkdir(&tree, "b");
	a = tree_inode(&tree, "a");
	assert_int_equal(cgroup_index_new(&c, tree.root), 0);
	assert_false(cgroup_index_learn(c, "/b", a));
	assert_false(cgroup_index_learn(c, "/missing", a));
	assert_false(cgroup_index_learn(c, "/b/../a", a));
	assert_null(cgroup_index_get(c, a));
	assert_true(cgroup_index_learn(c, "/a", a));
	assert_string_equal(cgroup_index_get(c, a), "/a");
	assert_true(cgroup_index_learn(c, "/", cgroup_index_root(c)));
	cgroup_index_free(c);
	tree_done(&tree);
}

static void knows_nothing_without_a_root(void **state)
{
	struct cgroup_index *c;

	assert_int_equal(cgroup_index_new(&c, NULL), 0);
	assert_int_equal(cgroup_index_root(c), 0);
	assert_null(cgroup_index_walk(c, 1, SECOND_NS));
	assert_false(cgroup_index_learn(c, "/", 1));
	cgroup_index_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_to_what_it_does_not_know),
		cmocka_unit_test(what_a_walk_does_not_find_is_gone),
		cmocka_unit_test(walks_seldom),
		cmocka_unit_test(proves_what_it_learns),
		cmocka_unit_test(knows_nothing_without_a_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
