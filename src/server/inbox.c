/* SPDX-License-Identifier: Apache-2.0 */
#include "server/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

int inbox_init(struct inbox *in, uv_loop_t *loop, uv_async_cb on_wake, void *data)
{
	int r;

	*in = (struct inbox){0};
	r = uv_async_init(loop, &in->wake, on_wake);
	if (r < 0)
		return r;
	in->wake.data = data;
	pthread_mutex_init(&in->lock, NULL);
	init_condition(&in->room);
	return 0;
}

void inbox_item_free(struct inbox_item item)
{
	wire_batch_free(item.batch);
	wire_answer_free(item.answer);
}

void inbox_close(struct inbox *in)
{
	pthread_mutex_lock(&in->lock);
	in->closed = true;
	pthread_cond_broadcast(&in->room);
	pthread_mutex_unlock(&in->lock);
	uv_close((uv_handle_t *)&in->wake, NULL);
}

void inbox_done(struct inbox *in)
{
	struct inbox_item item;

	while (inbox_pop(in, &item))
		inbox_item_free(item);
	pthread_cond_destroy(&in->room);
	pthread_mutex_destroy(&in->lock);
}

static struct timespec wait_until(void)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += INBOX_WAIT_MS / 1000;
	return until;
}

/* Under the lock: whether there is room, after waiting for it if need be. */
static bool wait_for_room(struct inbox *in)
{
	struct timespec until = wait_until();
	int r = 0;

	in->waited += in->count == INBOX_MAX && !in->closed;
	while (in->count == INBOX_MAX && !in->closed && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&in->room, &in->lock, &until);
	return in->count < INBOX_MAX && !in->closed;
}

void inbox_push(struct inbox *in, struct inbox_item item)
{
	pthread_mutex_lock(&in->lock);
	if (wait_for_room(in)) {
		in->ring[(in->head + in->count++) % INBOX_MAX] = item;
		item = (struct inbox_item){0};
		uv_async_send(&in->wake);
	} else {
		in->dropped += item.batch && !in->closed;
	}
	pthread_mutex_unlock(&in->lock);
	inbox_item_free(item);
}

bool inbox_pop(struct inbox *in, struct inbox_item *ret)
{
	bool any;

	pthread_mutex_lock(&in->lock);
	any = in->count > 0;
	if (any) {
		*ret = in->ring[in->head];
		in->head = (in->head + 1) % INBOX_MAX;
		in->count--;
		pthread_cond_signal(&in->room);
	}
	pthread_mutex_unlock(&in->lock);
	return any;
}

void inbox_losses(struct inbox *in, uint64_t *ret_dropped, uint64_t *ret_waited)
{
	pthread_mutex_lock(&in->lock);
	*ret_dropped = in->dropped;
	*ret_waited = in->waited;
	pthread_mutex_unlock(&in->lock);
}
