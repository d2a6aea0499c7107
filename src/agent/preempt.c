/* SPDX-License-Identifier: Apache-2.0 */
/* See preempt.h. */
#include "agent/preempt.h"

#include <stdio.h>
#include <string.h>

#define MODES_FILE "/sys/kernel/debug/sched/preempt"

/* The first with the lazy mode, which distributions choose since. */
#define LAZY_MAJOR 6
#define LAZY_MINOR 13

bool preempt_is_full(const char *modes, const struct utsname *kernel)
{
	unsigned int major = 0, minor = 0;

	if (modes && strchr(modes, '('))
		return strstr(modes, "(full)") || strstr(modes, "(lazy)");
	if (!strstr(kernel->version, "PREEMPT"))
		return false;
	if (!strstr(kernel->version, "PREEMPT_DYNAMIC"))
		return true;
	if (sscanf(kernel->release, "%u.%u", &major, &minor) != 2)
		return true;
	return major > LAZY_MAJOR || (major == LAZY_MAJOR && minor >= LAZY_MINOR);
}

bool preempt_here(void)
{
	FILE *in = fopen(MODES_FILE, "re");
	struct utsname kernel = {0};
	char modes[128];
	bool read = in && fgets(modes, sizeof(modes), in);

	if (in)
		fclose(in);
	uname(&kernel);
	return preempt_is_full(read ? modes : NULL, &kernel);
}
