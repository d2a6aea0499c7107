/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a dropped packet was: by its socket, by a flow with these ends, by who listens; nobody's.
 */
#include "agent/drop_join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/probe_fake.h"

#define HERE  7
#define OTHER 8

struct world {
	struct probe *probe;
	struct drop_join join;
	struct wire_batch *batch;
};

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(probe_open(&w->probe, &(struct probe_config){0}, NULL), 0);
	assert_int_equal(actors_new(&w->join.actors, &(struct actors_config){0}), 0);
	assert_int_equal(flow_table_new(&w->join.flows, w->join.actors, 0), 0);
	assert_int_equal(listeners_new(&w->join.listeners, w->join.actors), 0);
	w->batch = wire_batch_new();
	flow_table_begin(w->join.flows, w->batch);
	drop_join_begin(&w->join, 1);
}

static void world_done(struct world *w)
{
	wire_batch_free(w->batch);
	listeners_free(w->join.listeners);
	flow_table_free(w->join.flows);
	actors_free(w->join.actors);
	probe_free(w->probe);
}

/* 10.0.0.FROM:SOURCE to 10.0.0.TO:DESTINATION */
static struct mr_drop_key packet(uint8_t from, uint16_t source, uint8_t to, uint16_t destination)
{
	static const uint8_t address[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
	struct mr_drop_key key;

	memset(&key, 0, sizeof(key));
	memcpy(key.source, address, 16);
	memcpy(key.destination, address, 16);
	key.source[15] = from;
	key.destination[15] = to;
	key.source_port = source;
	key.destination_port = destination;
	key.netns = HERE;
	return key;
}

static void flow(struct world *w, uint8_t role, uint8_t local, uint8_t remote, uint16_t port,
		 uint32_t netns, const char *comm)
{
	static const struct mr_flow_value nothing;
	const struct mr_drop_key ends = packet(local, 0, remote, 0);
	char name[16] = "";
	struct mr_flow_key key;

	memset(&key, 0, sizeof(key));
	memcpy(key.local, ends.source, 16);
	memcpy(key.remote, ends.destination, 16);
	key.role = role;
	key.port = port;
	key.netns = netns;
	memcpy(name, comm, strlen(comm));
	flow_table_fold(w->join.flows, &key, &nothing, NULL,
			actors_resolve(w->join.actors, &(struct actor_source){.comm = name}, 0), 1);
}

static void listener(struct world *w, uint8_t address, uint16_t port)
{
	const struct mr_drop_key at = packet(address, 0, 0, 0);
	struct mr_listener *l = &w->probe->listeners[w->probe->listener_count++];

	*l = (struct mr_listener){.netns = HERE, .port = port, .comm = "listening"};
	memcpy(l->address, at.source, 16);
	listeners_refresh(w->join.listeners, w->probe, ++w->probe->stats.listeners_version, 1);
}

static void drop(struct world *w, const struct mr_drop_key *key, const char *reason)
{
	const struct mr_drop d = {.count = 3, .comm = "connecting"};

	assert_int_equal(drop_join_add(&w->join, key, &d, reason), 0);
}

/* Ends the window; the row with drops, whose flow and actor must be these. */
static const struct wire_update *dropped_of(struct world *w, const char *process, uint8_t role,
					    uint16_t port)
{
	struct vector actors = vector_init(w->batch->arena, sizeof(struct wire_actor), 0);
	const struct wire_update *row = NULL;
	const struct wire_flow *f;

	flow_table_end(w->join.flows, 1);
	actors_define(w->join.actors, &actors);
	for (size_t i = 0; i < w->batch->update_count; i++)
		if (w->batch->updates[i].drop_count) {
			assert_null(row);
			row = &w->batch->updates[i];
		}
	assert_non_null(row);
	f = &w->batch->flows[0];
	while (f->handle != row->flow)
		f++;
	assert_int_equal(f->role, role);
	assert_int_equal(f->port, port);
	for (size_t i = 0; i < actors.count; i++) {
		const struct wire_actor *a = vector_at(&actors, i);

		if (a->handle == f->actor)
			assert_string_equal(a->process, process);
	}
	return row;
}

static void by_its_socket(void **state)
{
	struct mr_drop_key key = packet(1, 0, 2, 80);
	const struct wire_update *row;
	struct world w;

	world_init(&w);
	key.server = MR_DROP_CLIENT_SENT;
	key.role = MR_ROLE_CLIENT;
	drop(&w, &key, "NETFILTER_DROP");
	drop(&w, &key, "NETFILTER_DROP");
	drop(&w, &key, "QDISC_DROP");
	row = dropped_of(&w, "connecting", MR_ROLE_CLIENT, 80);
	assert_int_equal(row->drop_count, 2);
	assert_string_equal(row->drops[0].reason, "NETFILTER_DROP");
	assert_int_equal(row->drops[0].count, 6);
	assert_int_equal(row->drops[1].count, 3);
	world_done(&w);
}

/* What arrives at a client has no socket yet, and both ports are there. */
static void by_a_flow_with_these_ends(void **state)
{
	const struct mr_drop_key key = packet(2, 80, 1, 40000);
	struct world w;

	world_init(&w);
	flow(&w, MR_ROLE_CLIENT, 1, 2, 81, HERE, "another");
	flow(&w, MR_ROLE_CLIENT, 1, 2, 80, OTHER, "elsewhere");
	flow(&w, MR_ROLE_CLIENT, 1, 2, 80, HERE, "client");
	flow(&w, MR_ROLE_CLIENT, 1, 2, 80, OTHER, "elsewhere2");
	drop(&w, &key, "TCP_CSUM");
	dropped_of(&w, "client", MR_ROLE_CLIENT, 80);
	world_done(&w);
}

/* A host's firewall on the way of a container's packets. */
static void in_another_namespace(void **state)
{
	const struct mr_drop_key key = packet(1, 40000, 2, 80);
	struct world w;

	world_init(&w);
	flow(&w, MR_ROLE_CLIENT, 1, 2, 80, OTHER, "container");
	drop(&w, &key, "NETFILTER_DROP");
	dropped_of(&w, "container", MR_ROLE_CLIENT, 80);
	world_done(&w);
}

static void by_who_listens(void **state)
{
	struct mr_drop_key key = packet(1, 0, 2, 80);
	struct world w;

	world_init(&w);
	listener(&w, 2, 80);
	key.server = MR_DROP_CLIENT_SENT;
	drop(&w, &key, "NETFILTER_DROP");
	dropped_of(&w, "listening", MR_ROLE_SERVER, 80);
	world_done(&w);
}

/* The answer of a server, to whom nobody here is the client. */
static void not_by_the_wrong_end(void **state)
{
	struct mr_drop_key key = packet(1, 80, 2, 0);
	struct world w;

	world_init(&w);
	listener(&w, 2, 80);
	flow(&w, MR_ROLE_CLIENT, 1, 2, 80, HERE, "client");
	key.server = MR_DROP_SERVER_SENT;
	drop(&w, &key, "NETFILTER_DROP");
	flow_table_end(w.join.flows, 1);
	for (size_t i = 0; i < w.batch->update_count; i++)
		assert_int_equal(w.batch->updates[i].drop_count, 0);
	assert_int_equal(w.join.foreign, 3);
	world_done(&w);
}

static void reasons_have_a_bound(void **state)
{
	static const char *const reasons[] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
	struct mr_drop_key key = packet(1, 0, 2, 80);
	const struct wire_update *row;
	struct world w;

	world_init(&w);
	key.server = MR_DROP_CLIENT_SENT;
	key.role = MR_ROLE_CLIENT;
	for (size_t i = 0; i < 10; i++)
		drop(&w, &key, reasons[i]);
	row = dropped_of(&w, "connecting", MR_ROLE_CLIENT, 80);
	assert_int_equal(row->drop_count, WIRE_DROPS_MAX);
	assert_string_equal(row->drops[7].reason, "~other");
	assert_int_equal(row->drops[7].count, 9);
	world_done(&w);
}

static void searches_have_a_bound(void **state)
{
	struct world w;

	world_init(&w);
	flow(&w, MR_ROLE_CLIENT, 1, 2, 80, HERE, "client");
	for (uint16_t i = 0; i < 100; i++) {
		struct mr_drop_key key = packet(3, i + 1, 4, 5);

		drop(&w, &key, "NETFILTER_DROP");
	}
	assert_int_equal(w.join.searches, 64);
	assert_int_equal(w.join.foreign, 300);
	drop_join_begin(&w.join, 2);
	assert_int_equal(w.join.searches, 0);
	flow_table_end(w.join.flows, 1);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_its_socket),
		cmocka_unit_test(by_a_flow_with_these_ends),
		cmocka_unit_test(in_another_namespace),
		cmocka_unit_test(by_who_listens),
		cmocka_unit_test(not_by_the_wrong_end),
		cmocka_unit_test(reasons_have_a_bound),
		cmocka_unit_test(searches_have_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
