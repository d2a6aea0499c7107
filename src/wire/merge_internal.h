/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the merge; see merge.h. */
#pragma once

#include "base/lru.h"
#include "base/vector.h"
#include "wire/merge.h"

struct wire_merge {
	const struct definitions *told; /* borrowed */
	struct definitions *fresh;      /* to be told with this batch */
	struct wire_merge_limits limits;
	struct wire_batch *batch; /* what does not grow; holds the arena of it all */
	struct arena *states;     /* of what the last batch said */
	uint32_t windows, coarse_handles;
	uint64_t lost_rows, lost_full;

	struct vector rows;    /* struct wire_update */
	struct lru *by_flow;   /* handle ─► index of its row */
	struct lru *by_coarse; /* struct coarse_key ─► handle */
	uint32_t fine_rows;
	struct vector retired, retired_actors; /* handles */
	size_t retired_actors_seen;            /* of them, when those in use were last looked for */
	struct vector events;
	struct lru *by_event; /* struct event_key ─► index of the last such event */
	struct lru *names;    /* told_names.h */
};

/* 0 or -ENOMEM. */
int merge_rows_open(struct wire_merge *m);
void merge_rows_close(struct wire_merge *m);
void merge_add_row(struct wire_merge *m, const struct wire_update *u);
bool merge_has_row(const struct wire_merge *m, uint32_t flow);

int merge_events_open(struct wire_merge *m);
void merge_events_close(struct wire_merge *m);
void merge_add_event(struct wire_merge *m, const struct wire_event *e);

void merge_add_actor(struct wire_merge *m, const struct wire_actor *a);
void merge_retire_actors(struct wire_merge *m, const struct wire_batch *b);
/* Those that came and went and that nothing here names were never there. */
void merge_forget_actors(struct wire_merge *m);
/* Who it was, or "~other" where that is not known. */
uint32_t merge_known_actor(struct wire_merge *m, uint32_t actor);

bool merge_push_handle(struct vector *v, uint32_t handle); /* false: no memory */
