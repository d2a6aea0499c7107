/* SPDX-License-Identifier: Apache-2.0 */
/* A `millrace up` of the benchmark's own, and what it costs, seen from outside and by its own
 * account. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "cli/client.h"
#include "place.h"

struct observer {
	pid_t pid;
	clockid_t clock; /* CPU of all its threads */
	char url[40];
};

/* Starts it and waits until it has reported. only: the one cgroup to observe, NULL: the machine;
 * options: further arguments, NULL-terminated, or NULL. */
void observer_start(struct observer *o, const struct bench *b, const struct place *only,
		    const char *const *options);
void observer_stop(struct observer *o);
void observer_pause(const struct observer *o, bool paused); /* its hooks stay */
uint64_t observer_cpu_ns(const struct observer *o);

double observer_cpus(const struct observer *o); /* of the machine, as it counts them */

/* Whether this kernel refuses what would see UDP at no price for TCP. */
bool observer_filters_packets(const struct observer *o);

void observer_ask(const struct observer *o, const char *path, struct client_answer *ret);

/* What it says of itself, sums since it started. */
struct observer_account {
	double agent_ns, kernel_ns, sweep_ns, swept, batches, sockets, losses;
};
struct observer_account observer_account(const struct observer *o);
