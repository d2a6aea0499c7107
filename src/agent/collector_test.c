/* SPDX-License-Identifier: Apache-2.0 */
/* One window's work over a fake kernel side: order, slices, batches, baselines, answers. */
#include "agent/collector.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/probe_fake.h"
#include "agent/tree_fake.h"

#define SECOND_NS 1000000000ull

struct world {
	struct tree proc;
	struct probe *probe;
	struct collector *collector;
};

static void world_init(struct world *w, uint32_t flows_max)
{
	struct collector_config config = {.flows_max = flows_max, .version = "1"};

	tree_init(&w->proc);
	config.proc = w->proc.root;
	assert_int_equal(probe_open(&w->probe, &(struct probe_config){0}, NULL), 0);
	assert_int_equal(collector_new(&w->collector, w->probe, &config, 1, NULL), 0);
}

static void world_done(struct world *w)
{
	collector_free(w->collector);
	probe_free(w->probe);
	tree_done(&w->proc);
}

static struct wire_batch *take(struct world *w)
{
	const struct collector_status status = {.late_windows = 3, .now_ns = SECOND_NS};
	struct wire_batch *batch = collector_take(w->collector, &status);

	assert_non_null(batch);
	return batch;
}

static void put(struct world *w, uint8_t role, uint64_t cgroup, const char *comm,
		const struct mr_flow_value *counters)
{
	struct mr_flow_value value = *counters;
	struct mr_flow_key key;

	memset(&key, 0, sizeof(key));
	key.role = role;
	key.cgroup = cgroup;
	key.netns = 9;
	key.port = 80;
	memcpy(value.comm, comm, strlen(comm));
	probe_fake_fold(w->probe, &key, &value);
}

static const char *actor_of(const struct wire_batch *b, uint32_t flow)
{
	for (size_t i = 0; i < b->flow_count; i++)
		for (size_t a = 0; a < b->actor_count; a++)
			if (b->flows[i].handle == flow && b->actors[a].handle == b->flows[i].actor)
				return b->actors[a].process;
	return "undefined";
}

static void an_empty_window_is_a_batch_too(void **state)
{
	struct wire_batch *b;
	struct world w;

	world_init(&w, 0);
	assert_int_equal(collector_collect(w.collector, 1), 0);
	b = take(&w);
	assert_int_equal(b->sequence, 1);
	assert_int_equal(b->update_count, 0);
	assert_string_equal(b->version, "1");
	assert_string_equal(b->status.hooks, "tcp: fake");
	assert_int_equal(b->loss[WIRE_LOSS_LATE_WINDOWS], 3);
	assert_true(b->listeners_changed);
	wire_batch_free(b);
	assert_int_equal(collector_collect(w.collector, 1), 0);
	b = take(&w);
	assert_int_equal(b->sequence, 2);
	assert_int_equal(b->actor_count, 0);
	assert_false(b->listeners_changed);
	wire_batch_free(b);
	world_done(&w);
}

/* A listener that came in this window, however late, names the connections of this window. */
static void accepted_connections_have_their_listeners_name(void **state)
{
	struct mr_listener listener = {.netns = 9,
				       .port = 80,
				       .cgroup = 4,
				       .comm = "nginx",
				       .tgid = 4000000000u,
				       .process_start_ns = UINT64_MAX / 2};
	struct wire_batch *b;
	struct world w;

	world_init(&w, 0);
	w.probe->late_listener = listener;
	w.probe->has_late_listener = true;
	put(&w, MR_ROLE_SERVER, 4, "", &(struct mr_flow_value){.counter[MR_OPENED] = 1});
	assert_int_equal(collector_collect(w.collector, 1), 0);
	b = take(&w);
	assert_int_equal(b->update_count, 1);
	assert_string_equal(actor_of(b, b->updates[0].flow), "nginx");
	assert_int_equal(b->listener_count, 1);
	assert_int_equal(b->status.listeners, 1);
	wire_batch_free(b);
	world_done(&w);
}

static void what_lost_its_actor_is_other(void **state)
{
	struct mr_flow_key key;
	const struct mr_flow_value value = {.counter[MR_OPENED] = 1};
	struct wire_batch *b;
	struct world w;

	world_init(&w, 0);
	memset(&key, 0, sizeof(key));
	key.role = MR_ROLE_CLIENT;
	key.coarse = 1;
	probe_fake_fold(w.probe, &key, &value);
	assert_int_equal(collector_collect(w.collector, 1), 0);
	b = take(&w);
	assert_string_equal(actor_of(b, b->updates[0].flow), "~other");
	assert_true(b->flows[0].coarse);
	wire_batch_free(b);
	world_done(&w);
}

static uint64_t opened(const struct wire_batch *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->update_count; i++)
		sum += b->updates[i].counter[MR_OPENED];
	return sum;
}

/* An error leaves the records where they are: they come with the next window. */
static void errors_only_delay(void **state)
{
	const struct mr_flow_value one = {.counter[MR_OPENED] = 1};
	struct wire_batch *b;
	struct world w;

	world_init(&w, 0);
	put(&w, MR_ROLE_CLIENT, 0, "a", &one);
	w.probe->swap_result = -EIO;
	assert_int_equal(collector_collect(w.collector, 1), -EIO);
	w.probe->swap_result = 0;
	w.probe->drain_result = -EIO;
	assert_int_equal(collector_collect(w.collector, 1), -EIO);
	b = take(&w);
	assert_int_equal(b->update_count, 0);
	wire_batch_free(b);
	put(&w, MR_ROLE_CLIENT, 0, "a", &one);
	w.probe->drain_result = 0;
	assert_int_equal(collector_collect(w.collector, 1), 0);
	b = take(&w);
	assert_int_equal(opened(b), 2);
	wire_batch_free(b);
	world_done(&w);
}

static unsigned int slices_of(struct world *w, const struct sweep_how *how)
{
	unsigned int slices = 0;

	for (bool done = false; !done; slices++)
		assert_int_equal(collector_sweep(w->collector, how, &done), 0);
	return slices;
}

static void sweeps_in_slices(void **state)
{
	const struct sweep_how all = {.backoff_max = 4, .visits_max = UINT32_MAX};
	const struct sweep_how some = {.backoff_max = 1, .visits_max = 1500};
	struct world w;

	world_init(&w, 0);
	w.probe->stats.sockets = 4000;
	assert_int_equal(slices_of(&w, &all), 4);
	assert_int_equal(w.probe->last_sweep.backoff_max, 4);
	assert_int_equal(w.probe->stats.swept, 4000);
	assert_int_equal(slices_of(&w, &some), 2);
	assert_int_equal(w.probe->stats.swept, 5500);
	assert_int_equal(slices_of(&w, &some), 2); /* goes on where it was */
	assert_int_equal(w.probe->stats.swept, 7000);
	world_done(&w);
}

/* Everything means from the table's beginning to its end, wherever the last slice had come to. */
static void everything_is_a_whole_pass(void **state)
{
	const struct sweep_how some = {.backoff_max = 1, .visits_max = 1500};
	const struct sweep_how everything = {
		.backoff_max = 1, .visits_max = 10, .everything = true};
	bool done;
	struct world w;

	world_init(&w, 0);
	w.probe->stats.sockets = 4000;
	slices_of(&w, &some);
	slices_of(&w, &everything);
	assert_int_equal(w.probe->stats.swept, 4000 + 4000);
	assert_int_equal(w.probe->cursor, 0);
	assert_int_equal(collector_sweep(w.collector, &some, &done),
			 0); /* asked in the middle of a sweep */
	slices_of(&w, &everything);
	assert_int_equal(w.probe->stats.swept, 8000 + 8000);
	assert_int_equal(slices_of(&w, &everything), 4);
	world_done(&w);
}

static void snmp_is(struct world *w, unsigned int active, unsigned int passive, unsigned int again)
{
	char text[256];
	int size = snprintf(text, sizeof(text),
			    "Tcp: ActiveOpens PassiveOpens RetransSegs\nTcp: %u %u %u\n"
			    "Udp: InDatagrams OutDatagrams RcvbufErrors\nUdp: 0 0 0\n",
			    active, passive, again);
	char link[128];

	tree_mkdir(&w->proc, "7/ns");
	tree_mkdir(&w->proc, "7/net");
	tree_write(&w->proc, "7/net/snmp", text, (size_t)size);
	snprintf(link, sizeof(link), "%s/7/ns/net", w->proc.root);
	unlink(link);
	assert_int_equal(symlink("net:[9]", link), 0);
}

/* What came before the programs is theirs alone; what both counted by now is not. */
static void baselines_leave_out_what_we_counted(void **state)
{
	const struct wire_netns *n;
	struct wire_batch *b;
	struct world w;

	world_init(&w, 0);
	snmp_is(&w, 100, 200, 300);
	put(&w, MR_ROLE_CLIENT, 0, "a",
	    &(struct mr_flow_value){.counter[MR_ATTEMPTED] = 2,
				    .counter[MR_RETRANSMITS_TO_SERVER] = 1,
				    .counter[MR_OPENED] = 50,
				    .counter[MR_RETRANSMITS_TO_CLIENT] = 50});
	put(&w, MR_ROLE_SERVER, 0, "b",
	    &(struct mr_flow_value){.counter[MR_OPENED] = 3,
				    .counter[MR_RETRANSMITS_TO_CLIENT] = 4,
				    .counter[MR_SYNACK_RETRANSMITS] = 5,
				    .counter[MR_ATTEMPTED] = 50});
	assert_int_equal(collector_note_baselines(w.collector, 1), 0);
	put(&w, MR_ROLE_CLIENT, 0, "a", &(struct mr_flow_value){.counter[MR_ATTEMPTED] = 1});
	assert_int_equal(collector_collect(w.collector, 1), 0);
	b = take(&w);
	assert_int_equal(b->netns_count, 1);
	n = &b->netns[0];
	assert_int_equal(n->netns, 9);
	assert_int_equal(n->ours[NETNS_ATTEMPTED], 3);
	assert_int_equal(n->ours[NETNS_ACCEPTED], 3);
	assert_int_equal(n->ours[NETNS_RETRANSMITS], 10);
	assert_int_equal(n->baseline[NETNS_ATTEMPTED], 98);
	assert_int_equal(n->baseline[NETNS_ACCEPTED], 197);
	assert_int_equal(n->baseline[NETNS_RETRANSMITS], 290);
	assert_int_equal(w.probe->whole_sweeps, 1); /* it held still: one try */
	wire_batch_free(b);
	world_done(&w);
}

static void answers_name_their_actors(void **state)
{
	const struct wire_request request = {.id = 5, .connections_max = 1};
	struct wire_answer *answer;
	struct wire_batch *b;
	struct world w;

	world_init(&w, 0);
	w.probe->connection_count = 2;
	w.probe->connections[0].key.role = MR_ROLE_CLIENT;
	strcpy(w.probe->connections[0].value.comm, "curl");
	answer = collector_answer(w.collector, &request, 1);
	assert_int_equal(answer->id, 5);
	assert_int_equal(answer->connection_count, 1);
	assert_int_equal(answer->total, 2);
	assert_int_equal(answer->actor_count, 1);
	assert_int_equal(answer->actors[0].handle, answer->connections[0].actor);
	assert_string_equal(answer->actors[0].process, "curl");
	wire_answer_free(answer);
	assert_int_equal(collector_collect(w.collector, 1), 0);
	b = take(&w); /* the batch still defines it, with "~other" */
	assert_int_equal(b->actor_count, 2);
	wire_batch_free(b);
	answer = collector_answer(w.collector, &request, 1);
	assert_int_equal(answer->actor_count, 1); /* and so does each answer */
	wire_answer_free(answer);
	world_done(&w);
}

/* "a.example A": a query, or its answer with 10.0.0.9. */
static void put_dns(struct world *w, bool is_answer, uint64_t time_ns)
{
	static const char query[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0"
				    "\1a\7example\0\0\1\0\1";
	static const char answer[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0"
				     "\1a\7example\0\0\1\0\1"
				     "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\x09";
	struct mr_dns_large *m = &w->probe->dns[w->probe->dns_count++];

	memset(m, 0, sizeof(*m));
	m->head.key.role = MR_ROLE_CLIENT;
	m->head.key.transport = MR_TRANSPORT_UDP;
	m->head.key.netns = 9;
	m->head.key.port = 53;
	m->head.client_port = 40000;
	m->head.time_ns = time_ns;
	m->head.to_client = is_answer;
	strcpy(m->head.comm, "curl");
	m->head.size = is_answer ? sizeof(answer) - 1 : sizeof(query) - 1;
	m->head.length = m->head.size;
	memcpy(m->data, is_answer ? answer : query, m->head.size);
}

static void dns_becomes_names_and_figures(void **state)
{
	struct wire_batch *b;
	struct world w;

	world_init(&w, 0);
	put_dns(&w, false, 1000);
	put_dns(&w, true, 2001000);
	put_dns(&w, true, 2002000); /* nobody asked for this one */
	assert_int_equal(collector_collect(w.collector, 1), 0);
	b = take(&w);
	assert_int_equal(b->name_count, 1);
	assert_string_equal(b->names[0].name, "a.example");
	assert_int_equal(b->names[0].netns, 9);
	assert_int_equal(b->names[0].address[15], 9);
	assert_int_equal(b->update_count, 1);
	assert_string_equal(actor_of(b, b->updates[0].flow), "curl");
	assert_int_equal(b->updates[0].dns->counter[WIRE_DNS_QUERIES], 1);
	assert_int_equal(b->updates[0].dns->counter[WIRE_DNS_ANSWERS], 1);
	assert_int_equal(b->updates[0].dns->latency_us.max, 2000);
	assert_int_equal(b->loss[WIRE_LOSS_DNS_BAD], 1);
	wire_batch_free(b);
	b = take(&w);
	assert_int_equal(b->name_count, 0);
	assert_int_equal(b->update_count, 0);
	wire_batch_free(b);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns_becomes_names_and_figures),
		cmocka_unit_test(an_empty_window_is_a_batch_too),
		cmocka_unit_test(accepted_connections_have_their_listeners_name),
		cmocka_unit_test(what_lost_its_actor_is_other),
		cmocka_unit_test(errors_only_delay),
		cmocka_unit_test(sweeps_in_slices),
		cmocka_unit_test(everything_is_a_whole_pass),
		cmocka_unit_test(baselines_leave_out_what_we_counted),
		cmocka_unit_test(answers_name_their_actors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
