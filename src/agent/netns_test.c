/* SPDX-License-Identifier: Apache-2.0 */
/* Sums by namespace, and namespaces that take the inode of one that is gone. */
#include "agent/netns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "agent/netns_scan.h"

struct world {
	struct netns *netns;
	struct wire_batch *batch;
};

static void world_init(struct world *w)
{
	w->netns = netns_new();
	w->batch = wire_batch_new();
}

static void world_done(struct world *w)
{
	wire_batch_free(w->batch);
	netns_free(w->netns);
}

static void attempt(struct world *w, uint32_t inode, uint32_t cookie, uint64_t count)
{
	const struct mr_flow_key key = {
		.netns = inode, .netns_cookie = cookie, .role = MR_ROLE_CLIENT};
	const struct mr_flow_value value = {.counter[MR_ATTEMPTED] = count};

	netns_add(w->netns, &key, &value);
}

static struct wire_netns reported(struct world *w, uint32_t inode)
{
	assert_int_equal(netns_report(w->netns, w->batch), 0);
	for (size_t i = 0; i < w->batch->netns_count; i++)
		if (w->batch->netns[i].netns == inode)
			return w->batch->netns[i];
	fail_msg("namespace %u is not reported", inode);
	return (struct wire_netns){0};
}

static void sums_by_namespace(void **state)
{
	struct world w;

	world_init(&w);
	attempt(&w, 1, 11, 2);
	attempt(&w, 2, 22, 5);
	attempt(&w, 1, 11, 3);
	assert_int_equal(reported(&w, 1).ours[NETNS_ATTEMPTED], 5);
	assert_int_equal(reported(&w, 2).ours[NETNS_ATTEMPTED], 5);
	assert_int_equal(w.batch->netns_count, 2);
	world_done(&w);
}

/* What a role's end sent, took and had no room for. */
static void sums_datagrams(void **state)
{
	struct mr_flow_key key = {.netns = 1, .netns_cookie = 11, .transport = MR_TRANSPORT_UDP};
	const struct mr_flow_value value = {.counter[MR_DATAGRAMS_TO_SERVER] = 10,
					    .counter[MR_DATAGRAMS_TO_CLIENT] = 200,
					    .counter[MR_DROPPED_TO_SERVER] = 3000,
					    .counter[MR_DROPPED_TO_CLIENT] = 40000};
	struct wire_netns n;
	struct world w;

	world_init(&w);
	key.role = MR_ROLE_CLIENT;
	netns_add(w.netns, &key, &value);
	n = reported(&w, 1);
	assert_int_equal(n.cookie, 11);
	assert_int_equal(n.ours[NETNS_DATAGRAMS_SENT], 10);
	assert_int_equal(n.ours[NETNS_DATAGRAMS_RECEIVED], 200);
	assert_int_equal(n.ours[NETNS_DATAGRAMS_DROPPED], 40000);
	key.role = MR_ROLE_SERVER;
	netns_add(w.netns, &key, &value);
	n = reported(&w, 1);
	assert_int_equal(n.ours[NETNS_DATAGRAMS_SENT], 210);
	assert_int_equal(n.ours[NETNS_DATAGRAMS_RECEIVED], 210);
	assert_int_equal(n.ours[NETNS_DATAGRAMS_DROPPED], 43000);
	assert_int_equal(n.ours[NETNS_ATTEMPTED], 0);
	world_done(&w);
}

static void a_new_namespace_begins_at_nothing(void **state)
{
	const struct snmp kernel = {.counter[NETNS_ATTEMPTED] = 100};
	struct world w;

	world_init(&w);
	attempt(&w, 1, 11, 2);
	netns_set_baseline(w.netns, &(struct netns_id){.inode = 1, .cookie = 11}, &kernel);
	assert_int_equal(reported(&w, 1).baseline[NETNS_ATTEMPTED], 98);
	attempt(&w, 1, 12, 7);
	attempt(&w, 1, 11, 1); /* late, from the one that is gone */
	attempt(&w, 1, 12, 1);
	assert_int_equal(reported(&w, 1).ours[NETNS_ATTEMPTED], 8);
	assert_int_equal(reported(&w, 1).baseline[NETNS_ATTEMPTED], 0);
	assert_int_equal(w.batch->netns_count, 1);
	world_done(&w);
}

/* Where no cookie is to be had, the first that comes is right. */
static void an_unknown_cookie_fits_any(void **state)
{
	const struct snmp kernel = {.counter[NETNS_ATTEMPTED] = 100};
	struct world w;

	world_init(&w);
	netns_set_baseline(w.netns, &(struct netns_id){.inode = 1}, &kernel);
	attempt(&w, 1, 11, 2);
	attempt(&w, 1, 0, 2);
	assert_int_equal(reported(&w, 1).ours[NETNS_ATTEMPTED], 4);
	assert_int_equal(reported(&w, 1).baseline[NETNS_ATTEMPTED], 100);
	world_done(&w);
}

static void bounds_namespaces(void **state)
{
	struct world w;

	world_init(&w);
	for (uint32_t i = 1; i <= 3000; i++)
		attempt(&w, i, i, 1);
	assert_int_equal(reported(&w, 3000).ours[NETNS_ATTEMPTED], 1);
	assert_int_equal(w.batch->netns_count, 1024);
	world_done(&w);
}

static void on_namespace(void *userdata, const struct netns_id *id, const struct snmp *kernel)
{
	struct netns_id *ids = userdata;

	for (int i = 0; i < 16; i++) {
		assert_int_not_equal(ids[i].inode, id->inode);
		if (!ids[i].inode) {
			ids[i] = *id;
			return;
		}
	}
}

/* This machine has at least the namespace that the test runs in. */
static void scans_this_machine(void **state)
{
	struct netns_id ids[17] = {0};

	assert_int_equal(netns_scan("/proc", on_namespace, ids), 0);
	assert_int_not_equal(ids[0].inode, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_by_namespace),
		cmocka_unit_test(sums_datagrams),
		cmocka_unit_test(a_new_namespace_begins_at_nothing),
		cmocka_unit_test(an_unknown_cookie_fits_any),
		cmocka_unit_test(bounds_namespaces),
		cmocka_unit_test(scans_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
