/* SPDX-License-Identifier: Apache-2.0 */
/* See preempt.h. */
#include "agent/preempt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MODES_FILE "/sys/kernel/debug/sched/preempt"

/* The first with the lazy mode, which distributions choose since. */
#define LAZY_MAJOR 6
#define LAZY_MINOR 13

static bool by_name(const struct utsname *kernel)
{
	unsigned int major = 0, minor = 0;

	if (!strstr(kernel->version, "PREEMPT"))
		return false;
	if (!strstr(kernel->version, "PREEMPT_DYNAMIC"))
		return true;
	if (sscanf(kernel->release, "%u.%u", &major, &minor) != 2)
		return true;
	return major > LAZY_MAJOR || (major == LAZY_MAJOR && minor >= LAZY_MINOR);
}

enum preempt preempt_of(const char *modes, const struct utsname *kernel)
{
	bool tasks;

	if (strstr(kernel->version, "PREEMPT_RT"))
		return PREEMPT_ALL;
	if (modes && strchr(modes, '('))
		tasks = strstr(modes, "(full)") || strstr(modes, "(lazy)");
	else
		tasks = by_name(kernel);
	return tasks ? PREEMPT_TASKS : PREEMPT_NOTHING;
}

enum preempt preempt_here(void)
{
	FILE *in = fopen(MODES_FILE, "re");
	struct utsname kernel = {0};
	char modes[128];
	bool read = in && fgets(modes, sizeof(modes), in);

	if (in)
		fclose(in);
	uname(&kernel);
	return preempt_of(read ? modes : NULL, &kernel);
}
