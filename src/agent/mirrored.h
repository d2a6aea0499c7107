/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret as libcurl reads it: by a path, whenever it connects, which is when we may not read the
 * file any more. So it gets a copy in memory that is ours, under /proc/self/fd.
 */
#pragma once

#include "agent/secret.h"

struct mirrored {
	struct secret file;
	int fd;
	char path[32]; /* for libcurl; "": no file was given */
};

/* path NULL: nothing to open; the rest as secret_open(). */
int mirrored_open(struct mirrored *m, const char *path, const char *what, struct error *ret_error);
void mirrored_close(struct mirrored *m); /* accepts one that is all zero */
void mirrored_look(struct mirrored *m);  /* as secret_look() */
