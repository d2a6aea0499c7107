/* SPDX-License-Identifier: Apache-2.0 */
/* See cgroup_index.h. */
#include "agent/cgroup_index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lru.h"

#define PATHS_MAX          8192
#define WALK_MAX           16384
#define WALK_DEPTH_MAX     32
#define WALK_PAUSE_NS      500000000ull /* between two walks, at least … */
#define WALK_PAUSE_EACH_NS 1000000ull   /* … and for each directory seen (which costs ~5 µs) */

struct cgroup_index {
	struct lru *paths; /* id ─► char[CGROUP_PATH_MAX + 1] */
	uint64_t root_id, next_walk_ns;
	int fd; /* of the root; -1: not known */
};

int cgroup_index_new(struct cgroup_index **ret, const char *root)
{
	struct cgroup_index *c = calloc(1, sizeof(*c));
	struct stat st;

	if (!c)
		return -ENOMEM;
	c->fd = root ? open(root, O_DIRECTORY | O_RDONLY | O_CLOEXEC) : -1;
	if (c->fd >= 0 && !fstat(c->fd, &st))
		c->root_id = st.st_ino;
	c->paths = lru_new(PATHS_MAX, sizeof(uint64_t), CGROUP_PATH_MAX + 1);
	if (!c->paths) {
		cgroup_index_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

struct cgroup_index *cgroup_index_free(struct cgroup_index *c)
{
	if (!c)
		return NULL;
	if (c->fd >= 0)
		close(c->fd);
	lru_free(c->paths);
	free(c);
	return NULL;
}

uint64_t cgroup_index_root(const struct cgroup_index *c)
{
	return c->root_id;
}

const char *cgroup_index_get(struct cgroup_index *c, uint64_t id)
{
	return lru_get(c->paths, &id);
}

static const char *remember(struct cgroup_index *c, const char *path, uint64_t id)
{
	char *entry = lru_put_evict(c->paths, &id, NULL);

	snprintf(entry, CGROUP_PATH_MAX + 1, "%s", path);
	return entry;
}

bool cgroup_index_learn(struct cgroup_index *c, const char *path, uint64_t id)
{
	const char *below = path + strspn(path, "/");
	struct stat st;

	if (c->fd < 0 || strstr(path, "/../"))
		return false;
	if (fstatat(c->fd, *below ? below : ".", &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != id)
		return false;
	remember(c, path, id);
	return true;
}

struct walk {
	struct cgroup_index *index;
	uint64_t wanted;
	bool found;
	unsigned int seen;
	char path[CGROUP_PATH_MAX + 1];
};

static void walk_directory(struct walk *w, int fd, size_t path_size, unsigned int depth);

/* A directory with two links has none below it (kernfs keeps count): most need no look inside. */
static void walk_entry(struct walk *w, int parent, const struct dirent *entry, size_t path_size,
		       unsigned int depth)
{
	int added =
		snprintf(w->path + path_size, sizeof(w->path) - path_size, "/%s", entry->d_name);
	struct stat st;
	int fd;

	if (added < 0 || path_size + (size_t)added >= sizeof(w->path))
		return;
	w->seen++;
	if (fstatat(parent, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	remember(w->index, w->path, st.st_ino);
	w->found = st.st_ino == w->wanted;
	if (w->found || st.st_nlink == 2 || depth == WALK_DEPTH_MAX)
		return;
	fd = openat(parent, entry->d_name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		walk_directory(w, fd, path_size + (size_t)added, depth + 1);
}

/* Takes fd. */
static void walk_directory(struct walk *w, int fd, size_t path_size, unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return;
	}
	while (!w->found && w->seen < WALK_MAX && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
		    strcmp(entry->d_name, ".."))
			walk_entry(w, dirfd(dir), entry, path_size, depth);
	closedir(dir);
}

const char *cgroup_index_walk(struct cgroup_index *c, uint64_t id, uint64_t now_ns)
{
	struct walk w = {.index = c, .wanted = id};
	int fd;

	if (c->fd < 0 || now_ns < c->next_walk_ns)
		return NULL;
	fd = openat(c->fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	walk_directory(&w, fd, 0, 1);
	c->next_walk_ns = now_ns + WALK_PAUSE_NS + w.seen * WALK_PAUSE_EACH_NS;
	return w.found ? lru_get(c->paths, &id) : remember(c, "", id);
}
