/* SPDX-License-Identifier: Apache-2.0 */
/* Which machine this is, and which life of it and of the agent: the head of every batch. */
#pragma once

#include <stdint.h>

#include "wire/batch.h"

struct node {
	char name[256], boot_id[64], kernel[256], version[64];
	char zone[64], region[64]; /* "": not known */
	char observed[4096];       /* only this cgroup; "": everything */
	uint64_t started_ns;
};

/* version may be NULL. What cannot be read stays "". */
void node_read(struct node *n, const char *proc, const char *version, uint64_t started_ns);
void node_set_name(struct node *n, const char *name, const char *observed); /* NULL: as it is */
void node_set_place(struct node *n, const char *zone, const char *region);  /* NULL: not known */
int node_describe(const struct node *n, struct wire_batch *batch);          /* -ENOMEM */
