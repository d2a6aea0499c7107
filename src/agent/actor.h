/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a socket belongs to: which cgroup, and which program in it.
 *
 *     cgroup id, tgid, start, comm  ─►  (cgroup path, process name)  ─►  handle
 *
 * The kernel gives ids; names come from /proc and the cgroup tree while they still exist. What is
 * found is remembered by process and by cgroup, so that naming costs one look-up for a process seen
 * before, and a bounded number of reads for those not seen (naming.h).
 *
 * A handle is a place here, and given to another when its actor is forgotten. What batches name is
 * the actor's number, which no other ever gets: actors_number().
 *
 * Limits: 8192 actors by default, then "~other", counted; 16384 processes remembered. An actor that
 * nobody holds is forgotten after ten idle minutes. Library code: the clock is given
 * (CLOCK_MONOTONIC).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/vector.h"
#include "wire/batch.h"

struct actors;

struct actors_config {
	const char *proc;        /* NULL: /proc */
	const char *cgroup_root; /* where cgroup v2 is mounted; NULL: not known */
	uint32_t actors_max;     /* 0: 8192 */
};

struct actor_source {
	uint64_t cgroup;           /* 0: not known */
	uint64_t process_start_ns; /* CLOCK_BOOTTIME */
	uint32_t tgid;             /* 0: not known */
	const char *comm;          /* 16 bytes, perhaps not terminated */
};

int actors_new(struct actors **ret, const struct actors_config *config);
struct actors *actors_free(struct actors *a); /* always NULL; accepts NULL */

/* A handle, never 0. */
uint32_t actors_resolve(struct actors *a, const struct actor_source *source, uint64_t now_ns);
uint32_t actors_other(const struct actors *a);                   /* the handle of "~other" */
uint32_t actors_number(const struct actors *a, uint32_t handle); /* what it is called in batches */

/* Its cgroup, below the root; "": not known. Borrowed for as long as the actor is there. */
const char *actors_path(const struct actors *a, uint32_t handle);

/* A held actor keeps its handle. */
void actors_hold(struct actors *a, uint32_t handle);
void actors_release(struct actors *a, uint32_t handle);

/* Appends a struct wire_actor for each one not defined yet, which then counts as defined. -ENOMEM:
 * the rest stays for the next time. */
int actors_define(struct actors *a, struct vector *into);
/* Appends one for this actor, whether defined or not. -ENOMEM. */
int actors_describe(const struct actors *a, uint32_t handle, struct vector *into);
/* Appends the numbers of those that were defined and are forgotten since. -ENOMEM: as above. */
int actors_retire(struct actors *a, struct vector *into);

/* Forgets those that are idle. After this a handle may name another actor. */
void actors_expire(struct actors *a, uint64_t now_ns);

uint64_t actors_looks(const struct actors *a);     /* processes looked at under /proc */
uint64_t actors_lost_full(const struct actors *a); /* new ones that went to "~other" */
