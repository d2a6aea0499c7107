/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that have, or had, a process with a socket: when they start, end and start again.
 *
 * A container begins with its first such process. It may live on without one, so when the last is
 * gone its cgroup is asked, at growing intervals: it has ended when that is empty, or gone. How it
 * ended is how its first process did, or the last one known. The same container with a process
 * again has restarted.
 *
 * Where containers are in cgroup v1 only, there is no such cgroup to ask: there a container ends
 * with its last process that had a socket.
 *
 * Limit: CONTAINERS_MAX known, the one unused for longest is forgotten; ASKED_MAX are asked a
 * window. Library code: the clock is given (CLOCK_MONOTONIC).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/batch.h"

#define CONTAINERS_MAX 4096

struct actors;
struct containers;

/* cgroup_root: borrowed; where cgroup v2 is mounted, NULL: not known. actors: borrowed; whoever the
 * end will be told of is held there until then. NULL: nobody is. NULL: no memory. */
struct containers *containers_new(const char *cgroup_root, struct actors *actors);
struct containers *containers_free(struct containers *c); /* always NULL; accepts NULL */

/* Called for what there is to tell. */
typedef void (*containers_fn)(void *userdata, const struct wire_event *event);

/* A process of the container came: event is of the process. before: it was there before the agent,
 * and so was the container, as far as that can be known. path: its cgroup below the root. */
void containers_enter(struct containers *c, const char *id, const char *path,
		      const struct wire_event *event, bool before, containers_fn fn,
		      void *userdata);

/* A process of the container ended; actor: its handle, which event names by its number. */
void containers_leave(struct containers *c, const char *id, const struct wire_event *event,
		      uint32_t actor, uint64_t now_ns);

/* Asks after those without a process, whose time has come. */
void containers_check(struct containers *c, uint64_t now_ns, containers_fn fn, void *userdata);
