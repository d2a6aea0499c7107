/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server on loopback that takes batches and answers, for an uplink to talk to. Tests
 * only; what goes wrong fails the test.
 *
 * Every second post is answered with a request, of number 7 for 10 connections, and a sweep.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "wire/life_for_test.h"

struct sink {
	struct MHD_Daemon *daemon; /* NULL: it is away */
	char url[64];
	pthread_mutex_t lock;
	pthread_cond_t changed; /* when there was a post */
	/* under the lock */
	struct book book;
	uint64_t sequence;
	int status; /* what to answer; 0: what is right */
	unsigned int posts, answers, connections;
	char headers[512], authorization[128]; /* of the last post: their names; who it was */
	uint64_t clock_ns, answer_id;
};

void sink_init(struct sink *s); /* and starts it */
void sink_done(struct sink *s);
void sink_start(struct sink *s, uint16_t port); /* 0: any */
void sink_stop(struct sink *s);
uint16_t sink_port(const struct sink *s);
