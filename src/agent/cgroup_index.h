/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path of a cgroup by its id.
 *
 * The id that the kernel gives is the inode number of the cgroup's directory, so a path that is
 * thought to be right is proved by one stat, and one that is not known is found by a walk. Ids are
 * never used twice: what was found stays true, and what a whole walk did not find is gone for good.
 *
 * Limits: 8192 paths known (the longest unused is forgotten); a walk sees 16384 directories, and
 * the next one comes the later the more this one saw.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/cgroup_path.h"

struct cgroup_index;

/* root: where cgroup v2 is mounted; NULL: nowhere to be found, then nothing is known. */
int cgroup_index_new(struct cgroup_index **ret, const char *root);
struct cgroup_index *cgroup_index_free(struct cgroup_index *c); /* always NULL; accepts NULL */

/* The id of the hierarchy's root; 0: not known. */
uint64_t cgroup_index_root(const struct cgroup_index *c);

/* Borrowed until the next call; "" for a cgroup that is gone; NULL: not known yet. */
const char *cgroup_index_get(struct cgroup_index *c, uint64_t id);

/* Remembers that path is id's, if it is. */
bool cgroup_index_learn(struct cgroup_index *c, const char *path, uint64_t id);

/* Looks for id in the whole tree. As cgroup_index_get; NULL: no walk now, ask again later. */
const char *cgroup_index_walk(struct cgroup_index *c, uint64_t id, uint64_t now_ns);
