/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the ids that the kernel gives for a socket's owner to names: the cgroup's path and what the
 * program is called, read from the cgroup tree and /proc while they still exist, at a bounded rate.
 *
 * The socket's own cgroup counts, not the one its process is in by now; but on hybrid hosts a
 * runtime may put its containers into v1 hierarchies only, of which a socket knows nothing: there
 * the process tells its container. A process that is gone, or that became another program, keeps
 * its comm.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/cgroup_index.h"
#include "agent/process_name.h"
#include "agent/procfs.h"

struct naming {
	struct procfs procfs;
	struct cgroup_index *cgroups;
	bool hybrid; /* there are v1 hierarchies beside v2 */
};

/* What the kernel says; see actor.h. */
struct naming_source {
	uint64_t cgroup, process_start_ns;
	uint32_t tgid;
	char comm[PROCESS_COMM_MAX + 1];
};

/* All bytes count: filled up with zeros. */
struct names {
	char path[CGROUP_PATH_MAX + 1]; /* "": not known */
	char process[PROCESS_NAME_MAX + 1];
};

/* proc: "/proc"; cgroup_root: where cgroup v2 is mounted, NULL: not known. -errno. */
int naming_open(struct naming *n, const char *proc, const char *cgroup_root);
void naming_close(struct naming *n); /* accepts what naming_open left half done */

/* False: not all could be looked at now, and asking again later may say more. */
bool naming_find(struct naming *n, const struct naming_source *source, uint64_t now_ns,
		 struct names *ret);
