/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a server on another machine: a thread that sends what the agent hands over, and hands
 * the agent what the server asks.
 *
 *     agent's thread ── submit, answer ──► inbox ──► uplink_state ──► poster ──► server
 *                    ◄── on_request, on_sweep_now ──────────┘
 *
 * The inbox is emptied at once, whatever the network does; only a thread that does not run at all
 * would fill it, and then the agent waits, since the kernel goes on folding. All rules are
 * uplink_state's.
 */
#pragma once

#include "agent/poster.h"
#include "agent/uplink_state.h"
#include "base/error.h"
#include "wire/batch.h"

#define UPLINK_INBOX_MAX 64
#define UPLINK_END_MS    5000 /* so long what is left is tried at the end */

struct uplink;

struct uplink_config {
	struct poster_config server;
	/* From the uplink's thread. */
	void (*on_request)(void *userdata, const struct wire_request *request);
	void (*on_sweep_now)(void *userdata);
	/* Something else is wrong than before, in one line; "": batches are taken (again). Also the
	 * first time. */
	void (*on_change)(void *userdata, const char *problem);
	void *userdata;
};

/* Opens what may need rights: files. Errors as poster_new(). */
int uplink_open(struct uplink **ret, const struct uplink_config *config, struct error *ret_error);
int uplink_start(struct uplink *u); /* its thread begins; as pthread_create, negative */

/* Any thread; take what they are given. */
void uplink_submit(struct uplink *u, struct wire_batch *batch);
void uplink_answer(struct uplink *u, struct wire_answer *answer);

/* No more will come: tries to deliver what is left, UPLINK_END_MS at most, and ends the thread.
 * *ret: also what is left undelivered. */
void uplink_stop(struct uplink *u, struct uplink_figures *ret);
struct uplink *
uplink_free(struct uplink *u); /* stopped, or never started; always NULL; accepts NULL */
