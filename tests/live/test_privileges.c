/* SPDX-License-Identifier: Apache-2.0 */
/* Once it runs, the agent is nobody: what a hole in the HTTP side would give away. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "millrace.h"
#include "run.h"

static bool field_is(const char *status, const char *field, const char *value, char *got,
		     size_t size)
{
	const char *line = strstr(status, field);

	snprintf(got, size, "%.*s", line ? (int)strcspn(line, "\n") : 0, line ? line : "");
	return line && strstr(got, value);
}

/* Every thread counts: credentials are a thread's. */
static void thread_check(struct live *l, const char *directory, const char *thread)
{
	char path[600], status[8192], got[128];
	unsigned int uid[4] = {0};
	const char *line;

	snprintf(path, sizeof(path), "%s/%s/status", directory, thread);
	if (file_read(path, status, sizeof(status)))
		return;
	line = strstr(status, "\nUid:");
	if (line)
		sscanf(line, "\nUid: %u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]);
	check(l, uid[0] && uid[1] && uid[2] && uid[3],
	      "thread %s: no user id is root's: %u %u %u %u", thread, uid[0], uid[1], uid[2],
	      uid[3]);
	check(l, field_is(status, "NoNewPrivs:", "1", got, sizeof(got)), "thread %s: %s", thread,
	      got);
	check(l, field_is(status, "CapEff:", "0000000000000000", got, sizeof(got)), "thread %s: %s",
	      thread, got);
	check(l, field_is(status, "CapPrm:", "0000000000000000", got, sizeof(got)), "thread %s: %s",
	      thread, got);
}

enum verdict test_privileges(struct live *l)
{
	struct millrace m;
	struct dirent *e;
	char path[64];
	DIR *d;

	if (!millrace_start(&m, l, NULL))
		return FAIL;
	snprintf(path, sizeof(path), "/proc/%d/task", m.pid);
	d = opendir(path);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			thread_check(l, path, e->d_name);
	if (d)
		closedir(d);
	return verdict(l);
}
