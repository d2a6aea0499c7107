/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_sums.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/netns_scan.h"

#define NAMES_DIRECTORY "/run/netns"

static void add(void *userdata, const struct netns_id *id, const struct snmp *kernel)
{
	struct kernel_sums *s = userdata;

	if (s->count < KERNEL_SUMS_MAX)
		s->list[s->count++] = (struct kernel_sum){
			.netns = id->inode, .cookie = id->cookie, .kernel = *kernel};
}

const struct kernel_sum *kernel_sums_find(const struct kernel_sums *s, uint32_t netns)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].netns == netns)
			return &s->list[i];
	return NULL;
}

static void name_one(struct kernel_sums *s, const char *path, const char *name)
{
	struct kernel_sum *found;
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	found = (struct kernel_sum *)kernel_sums_find(s, (uint32_t)st.st_ino);
	if (found)
		snprintf(found->name, sizeof(found->name), "%.63s", name);
}

static void name_all(struct kernel_sums *s)
{
	DIR *dir = opendir(NAMES_DIRECTORY);
	struct dirent *entry;
	char path[300];

	name_one(s, "/proc/self/ns/net", "(this)");
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), NAMES_DIRECTORY "/%s", entry->d_name);
		if (entry->d_name[0] != '.')
			name_one(s, path, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

int kernel_sums_read(struct kernel_sums *ret)
{
	struct kernel_sums s = {.list = calloc(KERNEL_SUMS_MAX, sizeof(*s.list))};
	int r = s.list ? netns_scan("/proc", add, &s) : -ENOMEM;

	if (!r && !s.count)
		r = -EACCES;
	if (r < 0) {
		kernel_sums_done(&s);
		return r;
	}
	name_all(&s);
	*ret = s;
	return 0;
}

void kernel_sums_done(struct kernel_sums *s)
{
	free(s->list);
	*s = (struct kernel_sums){0};
}
