/* SPDX-License-Identifier: Apache-2.0 */
#include "top_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "output.h"

#define INTERVAL_S 1

struct top_source {
	const char *server;
	pthread_t thread;
	int fd;
	double begin_s; /* of the next range; the thread's */
	/* shared, under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct top_question question;
	struct top_news news;
	bool has_news, stopping;
};

static int ask_range(const char *server, const struct top_question *q, double begin_s,
		     struct top_table *ret, struct error *ret_error)
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
		snprintf(from, sizeof(from), "-%.0fs", q->span_s < 1 ? 1 : q->span_s);
	r = client_get(server, "/api/v1/graph", query, &answer, ret_error);
	if (r < 0)
		return r;
	r = top_table_parse(ret, json_incref(answer.json));
	client_answer_done(&answer);
	return output_result(r, server, ret_error);
}

int top_ask(const char *server, const struct top_question *q, struct top_table *ret,
	    struct error *ret_error)
{
	struct top_table first;
	double begin_s;
	int r = ask_range(server, q, 0, &first, ret_error);

	if (r < 0)
		return r;
	begin_s = top_range_begin(&first, q->span_s);
	if (begin_s <= 0) {
		*ret = first;
		return 0;
	}
	top_table_done(&first);
	return ask_range(server, q, begin_s, ret, ret_error);
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
	if (s->question.number != q->number)
		s->begin_s = 0;
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

		news.r = ask_range(s->server, &q, s->begin_s, &news.table, &news.error);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		s->begin_s = news.r ? 0 : top_range_begin(&news.table, q.span_s);
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

int top_source_start(struct top_source **ret, const char *server, const struct top_question *q)
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
