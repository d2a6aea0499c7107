/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event mixes: TCP, UDP, NAT, process, container and DNS events at rates of their own, made by real
 * sockets and programs in a cgroup and a network namespace of the benchmark.
 *
 * An event is one end of something at one socket: it opens, or it closes. So a connection over
 * loopback, both of whose ends are here, is four TCP events, and a process or container is two.
 * A UDP event is a new socket that asks and is answered, a NAT event a connection that nftables
 * translates, a DNS event a query with its answer.
 *
 * Each kind has a process that paces itself; one that falls behind by more than a second does not
 * catch up, so what was made has to be looked at.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "place.h"

enum mix_kind { MIX_TCP, MIX_UDP, MIX_NAT, MIX_PROCESS, MIX_CONTAINER, MIX_DNS, MIX_KINDS };

#define MIX_SERVERS 8 /* of TCP, a port each */
#define MIX_CLIENTS 4 /* of TCP, a process each */
#define MIX_PIDS    (MIX_SERVERS + MIX_CLIENTS + 8)

struct mix_rates {
	double each[MIX_KINDS]; /* events a second */
};

struct mix_shared; /* between the processes: rates and what was made */

struct mix {
	struct place place;
	int netns;
	pid_t pid[MIX_PIDS];
	unsigned int pids;
	struct mix_shared *shared;
};

void mix_start(struct mix *m, const struct bench *b); /* at rest */
void mix_stop(struct mix *m);

void mix_set(struct mix *m, const struct mix_rates *rates); /* from now on */
struct mix_rates mix_made(const struct mix *m);             /* events so far */
double mix_sum(const struct mix_rates *rates);
