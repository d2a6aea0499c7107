/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the network namespaces of this machine and reads the kernel's counters of each: those
 * some process is in, and those kept by a mount only (`ip netns add`). Needs root; the agent does
 * it once, while it starts.
 */
#pragma once

#include <stdint.h>

#include "agent/netns.h"

/* Each namespace once. */
typedef void (*netns_scan_fn)(void *userdata, const struct netns_id *id, const struct snmp *kernel);

/* proc: "/proc". What cannot be read is left out. -errno: nothing could be read at all. */
int netns_scan(const char *proc, netns_scan_fn fn, void *userdata);

/* The namespaces themselves, each once. fd: borrowed for the call; -1: it cannot be entered. */
typedef void (*netns_walk_fn)(void *userdata, uint32_t inode, int fd);
int netns_walk(const char *proc, netns_walk_fn fn, void *userdata);
