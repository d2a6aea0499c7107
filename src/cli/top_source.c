/* SPDX-License-Identifier: Apache-2.0 */
#include "top_source.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "output.h"

#define INTERVAL_S   1
#define PHASE_SPAN_S 60

struct phase {
	struct top_phase windows; /* as last told */
	double learnt_s;          /* when, by the monotonic clock */
};

struct top_source {
	const struct server_access *server;
	pthread_t thread;
	int fd;
	struct phase phase; /* the thread's */
	/* shared, under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct top_question question;
	struct top_news news;
	bool has_news, stopping;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* begin_s 0: the last span_s. */
static int ask_range(const struct server_access *server, const struct top_question *q,
		     double begin_s, struct top_table *ret, struct error *ret_error)
{
	char from[48];
	struct client_parameter query[] = {{"from", from},
					   {"group", q->group},
					   {"filter", q->filter[0] ? q->filter : NULL},
					   {.name = NULL}};
	struct client_answer answer;
	int r;

	if (begin_s > 0)
		snprintf(from, sizeof(from), "%.6f", begin_s);
	else
		snprintf(from, sizeof(from), "-%.0fs", q->span_s);
	r = client_get(server, "/api/v1/graph", query, &answer, ret_error);
	if (r < 0)
		return r;
	r = top_table_parse(ret, json_incref(answer.json));
	client_answer_done(&answer);
	return output_result(r, server->url, ret_error);
}

static void phase_learn(struct phase *p, const struct top_table *t)
{
	p->windows = t->phase;
	p->learnt_s = now_s();
}

/* A short range may hold no window and so tell nothing of where they lie; this one does. */
static int phase_ask(struct phase *p, const struct server_access *server, struct error *ret_error)
{
	const struct top_question q = {.group = "workload", .span_s = PHASE_SPAN_S};
	struct top_table t;
	int r = ask_range(server, &q, 0, &t, ret_error);

	if (r < 0)
		return r;
	phase_learn(p, &t);
	top_table_done(&t);
	return 0;
}

static int ask(struct phase *p, const struct server_access *server, const struct top_question *q,
	       struct top_table *ret, struct error *ret_error)
{
	double begin_s;
	int r = p->windows.newest_s > 0 ? 0 : phase_ask(p, server, ret_error);

	if (r < 0)
		return r;
	begin_s = top_range_begin(&p->windows, q->span_s, now_s() - p->learnt_s);
	p->windows.newest_s = 0;
	r = ask_range(server, q, begin_s, ret, ret_error);
	if (!r)
		phase_learn(p, ret);
	return r;
}

int top_ask(const struct server_access *server, const struct top_question *q, struct top_table *ret,
	    struct error *ret_error)
{
	struct phase p = {.learnt_s = 0};
	int r = ask(&p, server, q, ret, ret_error);

	if (r < 0 || top_span_holds_window(q->span_s, ret->phase.window_s))
		return r;
	error_set(ret_error, -EINVAL,
		  "cannot show the last %g s: the agent tells figures every %.1f s; give "
		  "--span %.0fs or more",
		  q->span_s, ret->phase.window_s, ceil(ret->phase.window_s));
	top_table_done(ret);
	return -EINVAL;
}

static void publish(struct top_source *s, struct top_news *news)
{
	uint64_t one = 1;

	pthread_mutex_lock(&s->lock);
	if (s->has_news && !s->news.r)
		top_table_done(&s->news.table);
	s->news = *news;
	s->has_news = true;
	pthread_mutex_unlock(&s->lock);
	while (write(s->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* Waits for the next question: a second, or until it changes. False: there is none any more. */
static bool next_question(struct top_source *s, struct top_question *q)
{
	struct timespec until;
	bool stopping;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += INTERVAL_S;
	pthread_mutex_lock(&s->lock);
	while (s->question.number == q->number && !s->stopping &&
	       pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
		;
	*q = s->question;
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return !stopping;
}

/* May be cancelled while it asks, never while it holds the lock. */
static void *work(void *userdata)
{
	struct top_source *s = userdata;
	struct top_question q = s->question;

	for (;;) {
		struct top_news news = {.number = q.number};
		int state;

		news.r = ask(&s->phase, s->server, &q, &news.table, &news.error);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		publish(s, &news);
		if (!next_question(s, &q))
			return NULL;
		pthread_setcancelstate(state, NULL);
	}
}

static int init_locks(struct top_source *s)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return -pthread_mutex_init(&s->lock, NULL);
}

int top_source_start(struct top_source **ret, const struct server_access *server,
		     const struct top_question *q)
{
	struct top_source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->server = server;
	s->question = *q;
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->fd < 0 ? -errno : init_locks(s);
	if (!r)
		r = -pthread_create(&s->thread, NULL, work, s);
	if (r < 0) {
		if (s->fd >= 0)
			close(s->fd);
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct top_source *top_source_stop(struct top_source *s)
{
	if (!s)
		return NULL;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_cancel(s->thread); /* it may be waiting for a server that does not answer */
	pthread_join(s->thread, NULL);
	if (s->has_news && !s->news.r)
		top_table_done(&s->news.table);
	close(s->fd);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free(s);
	return NULL;
}

int top_source_fd(const struct top_source *s)
{
	return s->fd;
}

void top_source_set(struct top_source *s, const struct top_question *q)
{
	pthread_mutex_lock(&s->lock);
	if (s->question.number != q->number) {
		s->question = *q;
		pthread_cond_signal(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
}

bool top_source_take(struct top_source *s, struct top_news *ret)
{
	uint64_t count;
	bool has;

	if (read(s->fd, &count, sizeof(count)) < 0)
		return false;
	pthread_mutex_lock(&s->lock);
	has = s->has_news;
	if (has)
		*ret = s->news;
	s->has_news = false;
	pthread_mutex_unlock(&s->lock);
	return has;
}
