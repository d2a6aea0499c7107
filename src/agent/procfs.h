/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the small files of processes under /proc, at a bounded rate.
 *
 * A storm of short processes must not make the agent dear: each process that is looked at takes one
 * token; tokens come back with time. The root is a parameter, so tests use a tree of their own.
 * Needs no privilege: what it reads is readable by everybody (unless /proc is mounted with hidepid;
 * then processes look as if they were gone).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCFS_RATE  200  /* processes looked at in a second, in the long run */
#define PROCFS_BURST 1000 /* at once: what runs already when the agent starts */

struct procfs {
	int fd;            /* of the root */
	uint64_t looks;    /* tokens taken so far */
	uint64_t tick_ns;  /* unit of start times in /proc/PID/stat */
	uint64_t spent_ns; /* the bucket, in time: how far ahead of the clock we have spent */
};

int procfs_open(struct procfs *p, const char *root); /* -errno */
void procfs_close(struct procfs *p);

/* Takes a token. False: none left now. */
bool procfs_allow(struct procfs *p, uint64_t now_ns);

bool procfs_exists(const struct procfs *p, uint32_t tgid); /* some process has that number */

/* Up to size - 1 bytes of /proc/<tgid>/<file>, NUL-terminated. Returns the size or -errno. */
int procfs_read(const struct procfs *p, uint32_t tgid, const char *file, char *ret, size_t size);

/* Whether tgid is still the process that started then (CLOCK_BOOTTIME; /proc counts in 10 ms). It
 * may have become another program meanwhile: *ret_comm is its name now, 16 bytes. */
bool procfs_is_alive(const struct procfs *p, uint32_t tgid, uint64_t process_start_ns,
		     char *ret_comm);
