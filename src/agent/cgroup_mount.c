/* SPDX-License-Identifier: Apache-2.0 */
/* See cgroup_mount.h. A line of mountinfo: "36 35 98:0 ROOT MOUNTPOINT OPTIONS … - TYPE SOURCE …".
 */
#include "agent/cgroup_mount.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* true: the line is a cgroup v2 mount; *ret_root tells whether it shows the whole hierarchy. */
static bool mount_line(char *line, char **ret_path, bool *ret_root)
{
	char *type = strstr(line, " - "), *save = NULL, *word = NULL;

	if (!type || strncmp(type, " - cgroup2 ", 11) != 0)
		return false;
	for (int field = 0; field < 5; field++) {
		word = strtok_r(field ? NULL : line, " ", &save);
		if (!word)
			return false;
		if (field == 3)
			*ret_root = strcmp(word, "/") == 0;
	}
	*ret_path = word;
	return true;
}

int cgroup_mount(char *ret, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *path;
	size_t capacity = 0;
	bool found = false, root = false;

	if (!f)
		return -errno;
	while (!root && getline(&line, &capacity, f) > 0) {
		bool is_root = false;

		if (!mount_line(line, &path, &is_root) || (found && !is_root) ||
		    strlen(path) >= size)
			continue;
		strcpy(ret, path);
		found = true;
		root = is_root;
	}
	free(line);
	fclose(f);
	return found ? 0 : -ENOENT;
}
