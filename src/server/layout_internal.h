/* SPDX-License-Identifier: Apache-2.0 */
/* The table of cells, shared by the two files behind layout.h: layout.c keeps it, place.c asks. */
#pragma once

#include "base/lru.h"
#include "server/hashindex.h"
#include "server/layout.h"
#include "server/nearest.h"

/* One grouping. All zero: not in use. */
struct layout_group {
	uint64_t key;
	uint64_t used;                 /* number of the question it was last in */
	uint32_t count;                /* nodes that have a cell */
	uint32_t settled;              /* of them, those that do not wait */
	struct arrange_cell low, high; /* a box around all cells ever given */
	struct arrange_cell shelf;     /* where the next block may stand, if it is free */
	int32_t shelf_end, shelf_height;
};

/* Compared as bytes. */
struct layout_key {
	uint64_t group, node;
};

struct layout_entry {
	struct arrange_cell cell;
	bool is_waiting; /* it had no edge yet: its first one gives it its place */
};

struct layout {
	struct lru *nodes; /* struct layout_key -> struct layout_entry */
	struct hashindex by_cell;
	struct layout_group groups[LAYOUT_GROUPS_MAX];
	struct nearest_step *steps;
	uint64_t seed, questions, forgotten;
};

struct layout_group *layout_group_open(struct layout *l, const char *name);
struct layout_key layout_key_of(const struct layout *l, uint64_t group, const char *id);
bool layout_is_free(const struct layout *l, uint64_t group, struct arrange_cell cell);
void layout_make_room(struct layout *l, uint32_t count); /* forgets the longest unseen */

/* The node must be new, the cell free and room be there. -ENOMEM. */
int layout_give(struct layout *l, struct layout_group *group, const char *id,
		const struct layout_entry *entry);

/* A cell is free again; not counted as forgotten. */
void layout_take_back(struct layout *l, struct layout_entry *entry);
