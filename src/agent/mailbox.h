/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other threads ask of the agent, until its own thread looks: the only thing they share.
 *
 * Limit: as many requests wait as a server keeps open (32); what comes on top is dropped, and
 * whoever asked asks again.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "wire/batch.h"

#define MAILBOX_REQUESTS_MAX 32

struct mail {
	struct wire_request requests[MAILBOX_REQUESTS_MAX];
	size_t request_count;
	bool sweep_now, stop;
};

struct mailbox {
	pthread_mutex_t lock;
	struct mail mail; /* under the lock */
};

void mailbox_init(struct mailbox *m);
void mailbox_done(struct mailbox *m);

void mailbox_request(struct mailbox *m, const struct wire_request *request); /* copies */
void mailbox_sweep_now(struct mailbox *m);
void mailbox_stop(struct mailbox *m);

struct mail mailbox_take(struct mailbox *m); /* leaves it empty */
