/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and waiting, for tests.
 *
 * Every process started here dies with the test program (PR_SET_PDEATHSIG), and only processes
 * started here are ever signalled. Nothing sleeps without a condition: wait_until asks again and
 * again and gives up at its limit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

uint64_t clock_ns(void);        /* CLOCK_MONOTONIC */
double clock_wall(void);        /* unix seconds, as the API wants them */
void pause_us(unsigned int us); /* between two looks at a condition */

/* True as soon as cond(userdata) is; false after timeout_ms. */
bool wait_until(bool (*cond)(void *userdata), void *userdata, unsigned int timeout_ms);

/* What a child process is before it becomes a program; zero: as this process. */
struct spawn {
	int netns;          /* namespace to enter; 0: ours */
	int cpu;            /* 1 + the CPU to stay on; 0: any */
	unsigned int uid;   /* and gid; 0: ours */
	const char *cgroup; /* cgroup v2 directory to join; NULL: ours */
	const char *log;    /* file for stdout and stderr; NULL: none */
	const char *input;  /* text on stdin; NULL: none */
	const char *hide; /* path to hide behind something empty, in a mount namespace of its own */
	/* A machine of its own, as far as names go: a file that stands in for the kernel's boot id,
	 * and a host name. NULL: as ours. */
	const char *boot_id, *hostname;
	int64_t clock_ahead_s; /* CLOCK_MONOTONIC and CLOCK_BOOTTIME, by a time namespace */
	const char *const
		*environment; /* "NAME=VALUE", NULL-terminated, beside ours; may be NULL */
};

pid_t spawn(const struct spawn *how, const char *const argv[]);

/* Waits for a child of ours; its exit status, 128 + signal, or -ETIMEDOUT. */
int process_wait(pid_t pid, unsigned int timeout_ms);
/* Ends a child of ours: the signal, then after timeout_ms SIGKILL. Its status as above. */
int process_end(pid_t pid, int sig, unsigned int timeout_ms);

/* Runs a program to its end; its status. out takes the start of what it wrote and is terminated. */
int run(const struct spawn *how, const char *const argv[], char *out, size_t size,
	unsigned int timeout_ms);

/* Finds a program in PATH and the system's usual places; NULL: not there. Static storage. */
const char *program_find(const char *name);

/* Reads a whole small file; -errno on failure. */
int file_read(const char *path, char *out, size_t size);
int file_write(const char *path, const char *text);

/* The number after a field's name in a text of "name value" lines; -1: no such field. */
long long text_number(const char *text, const char *name);
