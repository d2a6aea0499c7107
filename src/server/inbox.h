/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reaches the server from other threads: batches and answers, in one bounded queue.
 *
 * When it is full the producer waits, at most INBOX_WAIT_MS: while an agent waits, the kernel goes
 * on folding into its flow map, so waiting costs time resolution and no bytes. Only when the server
 * has not moved for all that time is a batch dropped, and counted: its bytes are lost, as its
 * missing sequence number shows.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

#include "wire/batch.h"

#define INBOX_MAX     64
#define INBOX_WAIT_MS 5000

struct inbox_item { /* one of both */
	struct wire_batch *batch;
	struct wire_answer *answer;
};

struct inbox {
	pthread_mutex_t lock;
	pthread_cond_t room;
	uv_async_t wake;
	struct inbox_item ring[INBOX_MAX];
	unsigned int head, count;
	bool closed;
	uint64_t dropped, waited; /* batches lost; times a producer had to wait */
};

int inbox_init(struct inbox *in, uv_loop_t *loop, uv_async_cb on_wake, void *data);
void inbox_close(
	struct inbox *in);	   /* loop's thread; whoever waits is let go, what comes is freed */
void inbox_done(struct inbox *in); /* after the loop has run dry and all producers are gone */

void inbox_push(struct inbox *in, struct inbox_item item); /* any thread; takes */
bool inbox_pop(struct inbox *in, struct inbox_item *ret);  /* loop's thread; false: empty */
void inbox_losses(struct inbox *in, uint64_t *ret_dropped, uint64_t *ret_waited);
void inbox_item_free(struct inbox_item item);
