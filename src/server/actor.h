/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actors that the server knows, each once: same machine, cgroup, unit, container, pod and
 * process name is the same actor, whatever handle which life of an agent gave it.
 *
 * An actor lives as long as something refers to it (a handle, a flow, a listener). The table is
 * bounded; when it is full newcomers become the agent's "~other".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/hashindex.h"
#include "wire/batch.h"

#define ACTOR_NONE     UINT32_MAX
#define ACTOR_TEXT_MAX 512

struct actor {
	uint32_t references; /* 0: a free place */
	uint32_t reporter;   /* the agent that sees it */
	uint32_t pid;
	uint32_t hash; /* of a free place: the next one */
	uint64_t permanent; /* its number in the store, never another's */
	bool other;    /* "~other": those that found no room */
	const char *process, *unit, *container, *pod, *cgroup; /* cleaned */
	const char *kind;     /* "container", "service", "process", "other" */
	const char *workload; /* "nginx" */
	const char *id;       /* "service/nginx" */
	char *texts;          /* owns all of them */
};

struct actor_table {
	struct actor *actors;
	uint32_t size, max, used_max; /* places below used_max may be in use */
	uint32_t count;               /* without the ~others */
	uint32_t free;                /* places given back; ACTOR_NONE: none */
	struct hashindex index;
	uint64_t seed, last_permanent;
};

/* others_max: places beyond max, for one ~other an agent. */
int actor_table_init(struct actor_table *t, uint32_t max, uint32_t others_max, uint64_t seed);
void actor_table_done(struct actor_table *t);

/*
 * The place of an actor, with one reference for the caller. *ret_changed: a name had to be cleaned.
 * -ENOSPC: the table is full; actor_table_add_other has room. -ENOMEM.
 */
int actor_table_add(struct actor_table *t, uint32_t reporter, const struct wire_actor *actor,
		    uint32_t *ret, bool *ret_changed);
int actor_table_add_other(struct actor_table *t, uint32_t reporter, uint32_t *ret);

void actor_reference(struct actor_table *t, uint32_t i);
void actor_release(struct actor_table *t, uint32_t i); /* ACTOR_NONE: nothing */
