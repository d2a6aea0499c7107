/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small file that may be replaced while we run: a token, a certificate, its key.
 *
 * It is opened before root is given up, and looked at again afterwards. If the account that we have
 * become may read the path, a file that is put in its place is noticed; if not, the one that was
 * opened is read on, so that writing into it is noticed, and replacing it is not. What cannot be
 * read or is empty leaves what was read before.
 *
 * Limit: SECRET_SIZE_MAX.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"

#define SECRET_SIZE_MAX 65536

struct secret {
	char *path, *data; /* owned; data ends with a NUL that size does not count */
	size_t size;
	int fd;
	struct stat seen;
};

/* what: "the token file", for the error's line. */
int secret_open(struct secret *ret, const char *path, const char *what, struct error *ret_error);
void secret_close(struct secret *s); /* accepts one that is all zero */

/* Looks whether there is something new; then data is that. */
bool secret_look(struct secret *s);

/* The first token of a file of them: one a line, # comments; at least 16 printable characters,
 * without spaces. Written into ret, with its NUL. -EINVAL: there is none. */
int secret_token(const struct secret *s, char *ret, size_t size);
