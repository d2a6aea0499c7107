/* SPDX-License-Identifier: Apache-2.0 */
/* nginx at the server, with its own count of connections and, if wanted, a log of bytes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "live.h"

#define NGINX_PORT 24080

struct nginx {
	struct live *live;
	pid_t pid;
	uint64_t accepted_before, accepted;
	uint64_t asked; /* times that status was asked for: connections, too */
};

bool nginx_start(struct nginx *n, struct live *l, bool log); /* waits until it listens */
/* Connections on NGINX_PORT since it started, once no more wait to be accepted. */
uint64_t nginx_accepted(struct nginx *n);
/* Sums of its log: bytes received and sent on all connections; ends nginx first. */
bool nginx_stop(struct nginx *n, uint64_t *ret_requests, uint64_t *ret_received,
		uint64_t *ret_sent);
