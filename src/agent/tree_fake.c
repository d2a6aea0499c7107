/* SPDX-License-Identifier: Apache-2.0 */
/* See tree_fake.h. */
#include "agent/tree_fake.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(int failed, const char *what)
{
	if (!failed)
		return;
	perror(what);
	abort();
}

static void full_path(const struct tree *t, const char *path, char *ret, size_t size)
{
	snprintf(ret, size, "%s/%s", t->root, path);
}

void tree_init(struct tree *t)
{
	strcpy(t->root, "/tmp/millrace-tree-XXXXXX");
	check(!mkdtemp(t->root), "mkdtemp");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void remove_all(const char *path)
{
	check(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0, path);
}

void tree_done(struct tree *t)
{
	remove_all(t->root);
}

void tree_mkdir(const struct tree *t, const char *path)
{
	char full[1024];

	full_path(t, path, full, sizeof(full));
	for (char *slash = full + strlen(t->root) + 1; (slash = strchr(slash, '/'));
	     *slash++ = '/') {
		*slash = '\0';
		mkdir(full, 0755);
	}
	mkdir(full, 0755);
}

void tree_rmdir(const struct tree *t, const char *path)
{
	char full[1024];

	full_path(t, path, full, sizeof(full));
	remove_all(full);
}

void tree_write(const struct tree *t, const char *path, const void *data, size_t size)
{
	char full[1024];
	FILE *file;

	full_path(t, path, full, sizeof(full));
	file = fopen(full, "we");
	check(!file || fwrite(data, 1, size, file) != size || fclose(file), full);
}

uint64_t tree_inode(const struct tree *t, const char *path)
{
	char full[1024];
	struct stat st;

	full_path(t, path, full, sizeof(full));
	check(stat(full, &st) != 0, full);
	return st.st_ino;
}

void tree_process(const struct tree *t, uint32_t tgid, const char *comm, uint64_t start_ticks,
		  const char *cgroup, const char *cmdline)
{
	char path[64], text[1024];
	int size;

	snprintf(path, sizeof(path), "%u", tgid);
	tree_mkdir(t, path);
	snprintf(path, sizeof(path), "%u/stat", tgid);
	size = snprintf(text, sizeof(text),
			"%u (%s) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %llu 0 0\n", tgid, comm,
			(unsigned long long)start_ticks);
	tree_write(t, path, text, (size_t)size);
	snprintf(path, sizeof(path), "%u/cgroup", tgid);
	tree_write(t, path, cgroup, strlen(cgroup));
	snprintf(path, sizeof(path), "%u/cmdline", tgid);
	snprintf(text, sizeof(text), "%s", cmdline);
	for (char *p = text; (p = strchr(p, '|')); p++)
		*p = '\0';
	tree_write(t, path, text, strlen(cmdline));
}

void tree_process_gone(const struct tree *t, uint32_t tgid)
{
	char path[64];

	snprintf(path, sizeof(path), "%u", tgid);
	tree_rmdir(t, path);
}
