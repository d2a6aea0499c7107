/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client and a server that do nothing but connect, exchange a message and close, or exchange
 * messages over one socket each, in a cgroup of their own, a slice at a time; each tells its CPU
 * time. Loopback's softirqs run inside them.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "place.h"

/* What a turn is. */
enum pair_work {
	PAIR_CONNECTIONS, /* connect, a message each way, close */
	PAIR_DATAGRAMS,   /* a datagram each way */
	PAIR_PACKETS,     /* a message each way on one TCP connection: mostly a packet each */
};

struct pair_worker {
	pid_t pid;
	int ask, answer;
};

struct pair {
	struct place place;
	struct pair_worker client, server;
	enum pair_work work;
	uint16_t port;
};

/* Their CPUs as struct spawn counts them: 1 + number. */
void pair_start(struct pair *p, const struct bench *b, const char *name, enum pair_work work,
		int client_cpu, int server_cpu);
void pair_stop(struct pair *p);
/* µs of CPU a turn, both ends together. */
double pair_slice(struct pair *p, uint32_t turns);
