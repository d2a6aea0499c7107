/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of files for tests that need a /proc or a cgroup tree of their own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tree {
	char root[64];
};

void tree_init(struct tree *t);
void tree_done(struct tree *t); /* removes all of it */

void tree_mkdir(const struct tree *t, const char *path); /* and those above it */
void tree_rmdir(const struct tree *t, const char *path);
void tree_write(const struct tree *t, const char *path, const void *data, size_t size);
uint64_t tree_inode(const struct tree *t, const char *path); /* "": the root's */

/* A process of a fake /proc: its start in ticks; cmdline with '|' for the NUL behind each argument.
 */
void tree_process(const struct tree *t, uint32_t tgid, const char *comm, uint64_t start_ticks,
		  const char *cgroup, const char *cmdline);
void tree_process_gone(const struct tree *t, uint32_t tgid);
