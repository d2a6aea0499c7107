/* SPDX-License-Identifier: Apache-2.0 */
/* See node.h. */
#include "agent/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static void read_boot_id(const char *proc, char *ret, size_t size)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/sys/kernel/random/boot_id", proc);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(ret, (int)size, file))
		ret[strcspn(ret, "\n")] = '\0';
	fclose(file);
}

void node_read(struct node *n, const char *proc, const char *version, uint64_t started_ns)
{
	struct utsname uts;

	*n = (struct node){.started_ns = started_ns};
	read_boot_id(proc, n->boot_id, sizeof(n->boot_id));
	snprintf(n->version, sizeof(n->version), "%s", version ? version : "");
	if (uname(&uts) == 0) {
		snprintf(n->name, sizeof(n->name), "%s", uts.nodename);
		snprintf(n->kernel, sizeof(n->kernel), "%s", uts.release);
	}
}

void node_set_name(struct node *n, const char *name, const char *observed)
{
	if (name && *name)
		snprintf(n->name, sizeof(n->name), "%s", name);
	if (observed)
		snprintf(n->observed, sizeof(n->observed), "%s", observed);
}

void node_set_place(struct node *n, const char *zone, const char *region)
{
	snprintf(n->zone, sizeof(n->zone), "%s", zone ? zone : "");
	snprintf(n->region, sizeof(n->region), "%s", region ? region : "");
}

int node_describe(const struct node *n, struct wire_batch *batch)
{
	batch->node = arena_strdup(batch->arena, n->name);
	batch->boot_id = arena_strdup(batch->arena, n->boot_id);
	batch->kernel = arena_strdup(batch->arena, n->kernel);
	batch->version = arena_strdup(batch->arena, n->version);
	batch->zone = arena_strdup(batch->arena, n->zone);
	batch->region = arena_strdup(batch->arena, n->region);
	batch->cgroup = arena_strdup(batch->arena, n->observed);
	batch->started_ns = n->started_ns;
	return batch->node && batch->boot_id && batch->kernel && batch->version && batch->zone &&
			       batch->region && batch->cgroup
		       ? 0
		       : -ENOMEM;
}
