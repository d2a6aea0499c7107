/* SPDX-License-Identifier: Apache-2.0 */
/* Which machine this is, and which life of it and of the agent: the head of every batch. */
#pragma once

#include <stdint.h>

#include "wire/batch.h"

struct node {
	char name[256], boot_id[64], kernel[256], version[64];
	uint64_t started_ns;
};

/* version may be NULL. What cannot be read stays "". */
void node_read(struct node *n, const char *proc, const char *version, uint64_t started_ns);
int node_describe(const struct node *n, struct wire_batch *batch); /* -ENOMEM */
