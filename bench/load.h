/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real programs under load, in a cgroup of their own: the server on one CPU, its client on the
 * other. What they did is asked of the server itself.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "place.h"

enum load_kind { LOAD_NGINX, LOAD_NGINX_CLOSE /* a connection a request */, LOAD_REDIS };

struct load {
	enum load_kind kind;
	struct place place;
	pid_t server, client; /* one process each */
	uint16_t port;
	int control; /* an open connection to ask the server by */
};

void load_start(struct load *l, const struct bench *b, enum load_kind kind, const char *name);
uint64_t load_requests(struct load *l);     /* so far; to be asked while it runs */
uint64_t load_cpu_ns(const struct load *l); /* of server and client, to the moment */
void load_stop(struct load *l);
