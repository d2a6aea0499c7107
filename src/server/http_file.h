/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are part of the program: sent whole, as gzip to who takes it, and only once while they
 * stay what they are (ETag, RFC 9110 section 13.1.2). Nothing is read from a disk.
 */
#pragma once

#include <stddef.h>

#include "server/http.h"

struct http_file {
	const char *path; /* of its route */
	const char *type;
	const char *etag; /* with its quotes; of the plain form */
	const char *data, *data_end;
	const char *gzip, *gzip_end;
};

struct http_header {
	const char *name, *value; /* a list ends with a NULL name */
};

/* 200 or 304, with these headers. The file is borrowed for ever. */
void http_reply_file(struct http_request *r, const struct http_file *file,
		     const struct http_header *headers);
