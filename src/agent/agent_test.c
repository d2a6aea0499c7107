/* SPDX-License-Identifier: Apache-2.0 */
/* The whole agent over a fake kernel side: windows, requests, and the last batch. */
#include "agent/agent.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include <cmocka.h>

#include "agent/mailbox.h"
#include "agent/probe_fake.h"

#define WINDOW_NS   20000000ull
#define BATCHES_MAX 512

/* What the agent sent. */
struct sink {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct wire_batch *batches[BATCHES_MAX];
	size_t count;
	struct wire_answer *answer;
};

static void on_send(void *userdata, struct wire_batch *batch)
{
	struct sink *s = userdata;

	pthread_mutex_lock(&s->lock);
	if (s->count < BATCHES_MAX)
		s->batches[s->count++] = batch;
	else
		wire_batch_free(batch);
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
}

static void on_answer(void *userdata, struct wire_answer *answer)
{
	struct sink *s = userdata;

	pthread_mutex_lock(&s->lock);
	wire_answer_free(s->answer);
	s->answer = answer;
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
}

static void wait_for(struct sink *s, size_t batches, bool answer)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&s->lock);
	while (s->count < batches || (answer && !s->answer))
		assert_int_equal(pthread_cond_timedwait(&s->more, &s->lock, &until), 0);
	pthread_mutex_unlock(&s->lock);
}

static size_t sent(struct sink *s)
{
	size_t count;

	pthread_mutex_lock(&s->lock);
	count = s->count;
	pthread_mutex_unlock(&s->lock);
	return count;
}

static struct agent *start(struct sink *s, uint64_t window_ns)
{
	const struct agent_config config = {.window_ns = window_ns,
					    .cpu_budget_percent = 100,
					    .version = "test",
					    .send = on_send,
					    .answer = on_answer,
					    .userdata = s};
	struct agent *a = NULL;
	struct error error;

	*s = (struct sink){0};
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	assert_int_equal(agent_open(&a, &config, &error), 0);
	return a;
}

static void sink_done(struct sink *s)
{
	for (size_t i = 0; i < s->count; i++)
		wire_batch_free(s->batches[i]);
	wire_answer_free(s->answer);
}

static struct mr_flow_key client_key(void)
{
	struct mr_flow_key key;

	memset(&key, 0, sizeof(key));
	key.role = MR_ROLE_CLIENT;
	key.port = 80;
	key.netns = 1;
	return key;
}

/* All bytes of all batches; and that batches are numbered and their windows join. */
static uint64_t bytes_sent(const struct sink *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct wire_batch *b = s->batches[i];

		assert_int_equal(b->sequence, i + 1);
		assert_true(b->window_start_ns < b->window_end_ns);
		if (i)
			assert_int_equal(b->window_start_ns, s->batches[i - 1]->window_end_ns);
		for (size_t u = 0; u < b->update_count; u++)
			bytes += b->updates[u].counter[MR_BYTES_TO_SERVER];
	}
	return bytes;
}

static void nothing_is_lost_or_doubled(void **state)
{
	struct mr_flow_value value = {.counter[MR_BYTES_TO_SERVER] = 1, .comm = "loader"};
	struct mr_flow_key key = client_key();
	struct sink sink;
	struct agent *a = start(&sink, WINDOW_NS);
	struct probe *probe = probe_fake_current();

	probe->stats.sockets = 5000; /* five slices */
	probe->stats.events = 1000;
	probe->stats.sampled_events = 10;
	probe->stats.sampled_ns = 5000;
	assert_int_equal(agent_start(a), 0);
	for (int i = 0; i < 2000; i++) {
		probe_fake_fold(probe, &key, &value);
		if (i % 10 == 0)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	wait_for(&sink, 3, false);
	probe->unswept.key = key;
	probe->unswept.value = value;
	probe->has_unswept = true; /* shows only when the last sweep visits everything */
	a = agent_free(a);
	assert_null(a);
	assert_null(probe_fake_current());
	assert_int_equal(bytes_sent(&sink), 2001);
	assert_int_equal(sink.batches[1]->status.kernel_cpu_ns, 500000);
	assert_int_equal(sink.batches[1]->status.window_wanted_ns, WINDOW_NS);
	assert_true(sink.batches[2]->status.agent_cpu_ns > sink.batches[0]->status.agent_cpu_ns);
	assert_string_equal(sink.batches[0]->version, "test");
	sink_done(&sink);
}

static void answers_at_once(void **state)
{
	const struct wire_request request = {.id = 7, .connections_max = 10};
	struct sink sink;
	struct agent *a = start(&sink, 3600000000000ull);
	struct probe *probe = probe_fake_current();

	probe->connection_count = 1;
	probe->connections[0].key = client_key();
	strcpy(probe->connections[0].value.comm, "curl");
	probe->connection[0].remote_port = 443;
	assert_int_equal(agent_start(a), 0);
	agent_request(a, &request);
	wait_for(&sink, 1, true);
	assert_int_equal(sink.answer->id, 7);
	assert_int_equal(sink.answer->total, 1);
	assert_int_equal(sink.answer->connection_count, 1);
	assert_int_equal(sink.answer->connections[0].remote_port, 443);
	assert_int_equal(sent(&sink), 1); /* no window but the first ended for it */
	agent_free(a);
	sink_done(&sink);
}

static void sweeps_now(void **state)
{
	struct sink sink;
	struct agent *a = start(&sink, 3600000000000ull);
	struct probe *probe = probe_fake_current();
	unsigned int before = probe->whole_sweeps;

	probe->stats.sockets = 3000;
	assert_int_equal(agent_start(a), 0);
	wait_for(&sink, 1, false); /* what was open before is told at once */
	assert_true(probe->last_sweep.everything);
	assert_int_equal(probe->whole_sweeps, before + 1);
	agent_sweep_now(a);
	wait_for(&sink, 2, false);
	assert_true(probe->last_sweep.everything);
	assert_int_equal(probe->whole_sweeps, before + 2);
	agent_free(a);
	assert_int_equal(sink.count, 3);
	assert_int_equal(sink.batches[1]->loss[WIRE_LOSS_LATE_WINDOWS], 0);
	sink_done(&sink);
}

/* The map fills: the window ends long before its time, and without a sweep. */
static void ends_under_pressure(void **state)
{
	struct mr_flow_value value = {.counter[MR_BYTES_TO_SERVER] = 5, .comm = "loader"};
	struct mr_flow_key key = client_key();
	struct sink sink;
	struct agent *a = start(&sink, 3600000000000ull);
	struct probe *probe = probe_fake_current();

	assert_int_equal(agent_start(a), 0);
	wait_for(&sink, 1, false);
	for (size_t i = 0; i < 3; i++) {
		unsigned int sweeps = probe->whole_sweeps;

		probe_fake_fold(probe, &key, &value);
		eventfd_write(probe->pressure_fd, 1);
		wait_for(&sink, 2 + i, false);
		assert_int_equal(probe->whole_sweeps, sweeps);
	}
	agent_free(a);
	assert_int_equal(sink.count, 5);
	assert_int_equal(bytes_sent(&sink), 15);
	sink_done(&sink);
}

/* Requests beyond what waits are dropped; none is answered twice, none blocks. */
static void bounds_requests(void **state)
{
	struct sink sink;
	struct agent *a = start(&sink, 3600000000000ull);

	for (uint64_t i = 1; i <= 100; i++)
		agent_request(a, &(struct wire_request){.id = i});
	assert_int_equal(agent_start(a), 0);
	wait_for(&sink, 0, true);
	agent_free(a);
	assert_int_equal(sink.answer->id, MAILBOX_REQUESTS_MAX);
	sink_done(&sink);
}

static void frees_what_never_started(void **state)
{
	struct sink sink;
	struct agent *a = start(&sink, WINDOW_NS);

	assert_null(agent_free(a));
	assert_null(agent_free(NULL));
	assert_int_equal(sink.count, 0);
}

static void says_why_it_cannot_open(void **state)
{
	const struct agent_config config = {.cgroup = "/missing"};
	struct agent *a = NULL;
	struct error error = {""};

	assert_int_equal(agent_open(&a, &config, &error), -ENOENT);
	assert_null(a);
	assert_string_equal(error.text, "no such cgroup");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_or_doubled),
		cmocka_unit_test(answers_at_once),
		cmocka_unit_test(sweeps_now),
		cmocka_unit_test(ends_under_pressure),
		cmocka_unit_test(bounds_requests),
		cmocka_unit_test(frees_what_never_started),
		cmocka_unit_test(says_why_it_cannot_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
