/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* Where cgroup v2 is mounted, from /proc/self/mountinfo: the first mount that shows its root, else
 * the first. Returns 0, -ENOENT if nowhere, or -errno. */
int cgroup_mount(char *ret, size_t size);
