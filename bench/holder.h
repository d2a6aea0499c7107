/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many live sockets: processes that hold both ends of as many connections over loopback, in a
 * cgroup of their own, from several client addresses to several ports. All are idle, but for a
 * share that exchanges a byte each second.
 */
#pragma once

#include <sys/types.h>

#include "place.h"

#define HOLDERS_MAX 16

struct holder {
	struct place place;
	pid_t pid[HOLDERS_MAX];
	unsigned int count;
};

/* Returns when all sockets are open: `sockets` of them, two to a connection. */
void holder_start(struct holder *h, const struct bench *b, unsigned int sockets,
		  unsigned int active_percent);
void holder_stop(struct holder *h);
