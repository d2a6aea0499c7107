/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to call a process: what it is named by the kernel (comm), but an interpreter by the script
 * it runs, and a name that the kernel cut at 15 bytes by the whole one.
 *
 *     python3 -u /srv/report.py --password=x   ─►  report.py      never any other argument
 *
 * Pure: text in, text out. The text is hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_NAME_MAX 63 /* longer ones are cut */
#define PROCESS_COMM_MAX 15 /* TASK_COMM_LEN - 1 */

/* Whether the command line can say more than comm does. */
bool process_name_wants_cmdline(const char *comm);

/* The name from comm and /proc/PID/cmdline (arguments, each ended by a NUL; may be cut anywhere).
 * comm itself where the command line does not say better. */
void process_name_of(const char *comm, const char *cmdline, size_t size,
		     char ret_name[PROCESS_NAME_MAX + 1]);

/* From /proc/PID/stat, proc(5): field 2 and field 22. */
struct process_stat {
	char comm[PROCESS_COMM_MAX + 1];
	uint64_t start_ticks; /* USER_HZ since boot */
};
int process_stat_parse(const char *text, struct process_stat *ret); /* -EBADMSG */
