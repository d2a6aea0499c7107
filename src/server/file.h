/* SPDX-License-Identifier: Apache-2.0 */
/* Small files that the server is given (tokens, certificates), and whether they have changed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

#define FILE_LOOK_MS 1000 /* a change is noticed after so long at the latest */

struct file_watch {
	const char *path; /* borrowed */
	/* as last seen */
	uint64_t inode, size, looked_ms;
	struct timespec modified, changed;
};

/* Whether it is another than when last asked; looks at most once in FILE_LOOK_MS. One that is gone
 * has not changed. */
bool file_changed(struct file_watch *f, uint64_t now_ms);
void file_look_again(struct file_watch *f); /* the next look finds it changed */

/* *ret: owned, ends with '\0', which *ret_size does not count. -E2BIG; errno's. */
int file_read(const char *path, size_t size_max, char **ret, size_t *ret_size,
	      struct error *ret_error);
