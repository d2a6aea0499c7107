/* SPDX-License-Identifier: Apache-2.0 */
#include "server/page.h"

#include <string.h>

static const struct http_header headers[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	 "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{0},
};

void page_reply(struct http_request *r, const char *path)
{
	const struct http_file *file = page_files;

	while (file->path && strcmp(file->path, path) != 0)
		file++;
	if (file->path)
		http_reply_file(r, file, headers);
	else
		http_reply_error(r, 500, "this millrace was built without %s; build it again",
				 path);
}
