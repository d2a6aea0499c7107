/* SPDX-License-Identifier: Apache-2.0 */
/* See naming.h. */
#include "agent/naming.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CMDLINE_MAX     4096
#define CGROUP_FILE_MAX 4096

/* Every process is in a cgroup of every hierarchy, so the first one tells for all. */
static bool is_hybrid(const struct procfs *procfs)
{
	char text[CGROUP_FILE_MAX];
	int size = procfs_read(procfs, 1, "cgroup", text, sizeof(text));

	return size > 0 && cgroup_path_is_hybrid(text, (size_t)size);
}

int naming_open(struct naming *n, const char *proc, const char *cgroup_root)
{
	int r = procfs_open(&n->procfs, proc);

	n->cgroups = NULL;
	if (r < 0)
		return r;
	n->hybrid = is_hybrid(&n->procfs);
	return cgroup_index_new(&n->cgroups, cgroup_root);
}

void naming_close(struct naming *n)
{
	procfs_close(&n->procfs);
	n->cgroups = cgroup_index_free(n->cgroups);
}

/* The root says nothing, and where cgroup v2 is not mounted ids cannot be looked up. */
static bool in_a_cgroup(const struct naming *n, uint64_t cgroup)
{
	uint64_t root = cgroup_index_root(n->cgroups);

	return root && cgroup && cgroup != root;
}

/* A v2 path without a container, where v1 may have one. */
static bool wants_v1(const struct naming *n, const char *path)
{
	struct cgroup_identity identity;

	if (!n->hybrid || !path)
		return false;
	cgroup_path_identify(path, &identity);
	return !identity.container[0];
}

static void name_container_v1(const struct naming *n, const struct naming_source *s, char *ret_path)
{
	char text[CGROUP_FILE_MAX];
	int size;

	if (!wants_v1(n, ret_path))
		return;
	size = procfs_read(&n->procfs, s->tgid, "cgroup", text, sizeof(text));
	if (size > 0)
		cgroup_path_container_v1(text, (size_t)size, ret_path);
}

/* The socket's own cgroup where that says something; the process's where it does not. */
static bool name_cgroup(struct naming *n, const struct naming_source *s, bool alive,
			uint64_t now_ns, char *ret_path)
{
	const char *path = NULL;
	char text[CGROUP_FILE_MAX];
	int size = -ENOENT;

	if (in_a_cgroup(n, s->cgroup))
		path = cgroup_index_get(n->cgroups, s->cgroup);
	if (!path && alive)
		size = procfs_read(&n->procfs, s->tgid, "cgroup", text, sizeof(text));
	if (!in_a_cgroup(n, s->cgroup)) {
		strcpy(ret_path, s->cgroup ? "/" : "");
		if (size > 0)
			cgroup_path_of_file(text, (size_t)size, ret_path);
		return true;
	}
	if (!path && size > 0) {
		cgroup_path_of_file_v2(text, (size_t)size, ret_path);
		if (cgroup_index_learn(n->cgroups, ret_path, s->cgroup))
			return true;
	}
	if (!path)
		path = cgroup_index_walk(n->cgroups, s->cgroup, now_ns);
	snprintf(ret_path, CGROUP_PATH_MAX + 1, "%s", path ? path : "");
	return path;
}

static void name_process(struct naming *n, const struct naming_source *s, bool alive,
			 char *ret_name)
{
	char cmdline[CMDLINE_MAX];
	int size = 0;

	if (alive && process_name_wants_cmdline(s->comm))
		size = procfs_read(&n->procfs, s->tgid, "cmdline", cmdline, sizeof(cmdline));
	process_name_of(s->comm, cmdline, size > 0 ? (size_t)size : 0, ret_name);
}

/* A look into /proc is worth it for a cgroup not known and for a name that can be better. */
static bool wants_procfs(struct naming *n, const struct naming_source *s)
{
	const char *path;

	if (!s->tgid)
		return false;
	if (process_name_wants_cmdline(s->comm) || !in_a_cgroup(n, s->cgroup))
		return true;
	path = cgroup_index_get(n->cgroups, s->cgroup);
	return !path || wants_v1(n, path);
}

/* Zeros up to the end, over what a longer text left there. */
static void fill_up(char *text, size_t size)
{
	size_t used = strlen(text);

	memset(text + used, 0, size - used);
}

bool naming_find(struct naming *n, const struct naming_source *source, uint64_t now_ns,
		 struct names *ret)
{
	bool wanted = wants_procfs(n, source);
	bool allowed = wanted && procfs_allow(&n->procfs, now_ns);
	char comm_now[PROCESS_COMM_MAX + 1] = "";
	bool alive = allowed &&
		     procfs_is_alive(&n->procfs, source->tgid, source->process_start_ns, comm_now);
	bool complete;

	memset(ret, 0, sizeof(*ret));
	complete = name_cgroup(n, source, alive, now_ns, ret->path);
	if (alive && in_a_cgroup(n, source->cgroup))
		name_container_v1(n, source, ret->path);
	name_process(n, source, alive && !strcmp(source->comm, comm_now), ret->process);
	fill_up(ret->path, sizeof(ret->path));
	fill_up(ret->process, sizeof(ret->process));
	return complete && wanted == allowed;
}
