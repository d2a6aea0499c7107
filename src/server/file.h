/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files that the server is given (tokens, certificates), and whether they have changed.
 *
 * A file that only root may read is opened while the server is root still. What is later written
 * into it is read through that descriptor; one that another takes the place of must be readable by
 * the account that the server has become.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

#define FILE_LOOK_MS 1000 /* a change is noticed after so long at the latest */

struct file_watch {
	const char *path; /* borrowed */
	int kept;         /* 1 + the descriptor it was last opened under; 0: none */
	/* as last seen */
	uint64_t inode, size, looked_ms;
	struct timespec modified, changed;
};

/* Whether it is another than when last asked; looks at most once in FILE_LOOK_MS. One that is gone
 * has not changed. */
bool file_changed(struct file_watch *f, uint64_t now_ms);
void file_look_again(struct file_watch *f); /* the next look finds it changed */

void file_done(struct file_watch *f); /* never read: nothing to do */

/* *ret: owned, ends with '\0', which *ret_size does not count. -E2BIG; errno's. */
int file_read(struct file_watch *f, size_t size_max, char **ret, size_t *ret_size,
	      struct error *ret_error);
