/* SPDX-License-Identifier: Apache-2.0 */
/* See uplink.h. Invariant: other threads touch only what stands under the lock. */
#include "agent/uplink.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct item { /* one of both */
	struct wire_batch *batch;
	struct wire_answer *answer;
};

struct uplink {
	struct uplink_config config;
	struct uplink_state *state;
	struct poster *poster;
	struct error problem; /* as told last */
	bool told, sending;

	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct item inbox[UPLINK_INBOX_MAX]; /* under the lock, as the rest */
	size_t inbox_count;
	bool stopping;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct uplink_time time_now(void)
{
	struct uplink_time t = {.now_ns = clock_ns(CLOCK_MONOTONIC)};
	uint64_t boot_ns = clock_ns(CLOCK_BOOTTIME);

	t.suspended_ns = boot_ns > t.now_ns ? boot_ns - t.now_ns : 0;
	return t;
}

int uplink_open(struct uplink **ret, const struct uplink_config *config, struct error *ret_error)
{
	struct uplink *u = calloc(1, sizeof(*u));
	uint64_t seed = clock_ns(CLOCK_MONOTONIC);
	int r;

	if (!u)
		return error_set(ret_error, -ENOMEM, "cannot report: out of memory; free some");
	u->config = *config;
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->room, NULL);
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed ^= (uintptr_t)u;
	r = poster_new(&u->poster, &config->server, ret_error);
	if (r == 0 && uplink_state_new(&u->state, seed) < 0)
		r = error_set(ret_error, -ENOMEM, "cannot report: out of memory; free some");
	if (r < 0) {
		uplink_free(u);
		return r;
	}
	*ret = u;
	return 0;
}

/* --- from other threads -------------------------------------------------------------------------
 */

static void push(struct uplink *u, struct item item)
{
	pthread_mutex_lock(&u->lock);
	while (u->inbox_count == UPLINK_INBOX_MAX)
		pthread_cond_wait(&u->room, &u->lock);
	u->inbox[u->inbox_count++] = item;
	pthread_mutex_unlock(&u->lock);
	poster_wake(u->poster);
}

void uplink_submit(struct uplink *u, struct wire_batch *batch)
{
	push(u, (struct item){.batch = batch});
}

void uplink_answer(struct uplink *u, struct wire_answer *answer)
{
	push(u, (struct item){.answer = answer});
}

/* --- its own thread -----------------------------------------------------------------------------
 */

static bool take_inbox(struct uplink *u)
{
	struct item items[UPLINK_INBOX_MAX];
	struct uplink_time t = time_now();
	size_t count;
	bool stopping;

	pthread_mutex_lock(&u->lock);
	count = u->inbox_count;
	memcpy(items, u->inbox, count * sizeof(*items));
	u->inbox_count = 0;
	stopping = u->stopping;
	pthread_cond_broadcast(&u->room);
	pthread_mutex_unlock(&u->lock);
	for (size_t i = 0; i < count; i++) {
		if (items[i].batch)
			uplink_state_add(u->state, items[i].batch, t);
		else
			uplink_state_answer(u->state, items[i].answer, t);
	}
	return stopping;
}

static void tell_change(struct uplink *u, const struct error *problem)
{
	if (u->told && !strcmp(u->problem.text, problem->text))
		return;
	u->told = true;
	u->problem = *problem;
	if (u->config.on_change)
		u->config.on_change(u->config.userdata, problem->text);
}

static void hand_over(struct uplink *u, const struct wire_reply *reply)
{
	for (size_t i = 0; i < reply->request_count; i++) {
		struct wire_request request = reply->requests[i];

		if (request.connections_max > WIRE_ANSWER_CONNECTIONS_MAX)
			request.connections_max = WIRE_ANSWER_CONNECTIONS_MAX;
		u->config.on_request(u->config.userdata, &request);
	}
	if (reply->sweep_now)
		u->config.on_sweep_now(u->config.userdata);
}

/* Begins what is to be sent now; returns how long to wait for something to happen. */
static int begin(struct uplink *u, uint64_t until_ns)
{
	struct uplink_result failed = {0};
	struct uplink_time t = time_now();
	struct wire_reply none;
	struct uplink_post post;
	uint64_t again_ns = UINT64_MAX;

	if (!u->sending && uplink_state_next(u->state, t, &post, &again_ns)) {
		u->sending = poster_begin(u->poster, &post) == 0;
		if (!u->sending)
			uplink_state_result(u->state, &failed, t, &none);
	}
	if (again_ns > until_ns)
		again_ns = until_ns;
	if (again_ns <= t.now_ns)
		return 0;
	again_ns = (again_ns - t.now_ns) / 1000000 + 1;
	return again_ns > 60000 ? 60000 : (int)again_ns;
}

static void wait_some(struct uplink *u, int timeout_ms)
{
	struct uplink_result result;
	struct error problem;
	struct wire_reply reply;

	if (!poster_wait(u->poster, timeout_ms, &result, &problem))
		return;
	u->sending = false;
	uplink_state_result(u->state, &result, time_now(), &reply);
	tell_change(u, &problem);
	hand_over(u, &reply);
}

static void *run(void *userdata)
{
	struct uplink *u = userdata;
	uint64_t until_ns = UINT64_MAX;

	for (;;) {
		bool stopping = take_inbox(u);

		if (stopping && until_ns == UINT64_MAX) {
			until_ns = clock_ns(CLOCK_MONOTONIC) + UPLINK_END_MS * 1000000ull;
			uplink_state_hurry(u->state);
		}
		if (stopping &&
		    (uplink_state_is_done(u->state) || clock_ns(CLOCK_MONOTONIC) >= until_ns))
			return NULL;
		uplink_state_set_cpu(u->state, clock_ns(CLOCK_THREAD_CPUTIME_ID));
		wait_some(u, begin(u, until_ns));
	}
}

/* Signals are for the program's first thread. */
int uplink_start(struct uplink *u)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&u->thread, NULL, run, u);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	pthread_setname_np(u->thread, "mr-uplink");
	u->running = true;
	return 0;
}

void uplink_stop(struct uplink *u, struct uplink_figures *ret)
{
	if (u->running) {
		pthread_mutex_lock(&u->lock);
		u->stopping = true;
		pthread_mutex_unlock(&u->lock);
		poster_wake(u->poster);
		pthread_join(u->thread, NULL);
		u->running = false;
	}
	uplink_state_figures(u->state, ret);
}

struct uplink *uplink_free(struct uplink *u)
{
	if (!u)
		return NULL;
	for (size_t i = 0; i < u->inbox_count; i++) {
		wire_batch_free(u->inbox[i].batch);
		wire_answer_free(u->inbox[i].answer);
	}
	poster_free(u->poster);
	uplink_state_free(u->state);
	pthread_cond_destroy(&u->room);
	pthread_mutex_destroy(&u->lock);
	free(u);
	return NULL;
}
