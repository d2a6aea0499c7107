/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/http_internal.h"

static const char *header_of(struct http_request *r, const char *name)
{
	const char *value = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);

	return value ? value : "";
}

/* "gzip" as a word of Accept-Encoding, and not forbidden by a q of 0. */
static bool takes_gzip(struct http_request *r)
{
	const char *p = header_of(r, MHD_HTTP_HEADER_ACCEPT_ENCODING);

	for (; *p; p += strcspn(p, ","), p += *p == ',') {
		size_t name;

		p += strspn(p, " \t");
		name = strcspn(p, " \t;,");
		if (name != 4 || strncasecmp(p, "gzip", 4) != 0)
			continue;
		p += name + strspn(p + name, " \t;");
		return strncasecmp(p, "q=", 2) != 0 || strtod(p + 2, NULL) > 0;
	}
	return false;
}

static bool has_it_already(struct http_request *r, const struct http_file *file)
{
	const char *tags = header_of(r, MHD_HTTP_HEADER_IF_NONE_MATCH);

	return !strcmp(tags, "*") || strstr(tags, file->etag);
}

static struct MHD_Response *response_of(const char *data, const char *end)
{
	return MHD_create_response_from_buffer(end - data, (void *)data, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *build(const struct http_file *file, bool gzip)
{
	struct MHD_Response *response = gzip ? response_of(file->gzip, file->gzip_end)
					     : response_of(file->data, file->data_end);

	if (response && gzip)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
	return response;
}

void http_reply_file(struct http_request *r, const struct http_file *file,
		     const struct http_header *headers)
{
	bool known = has_it_already(r, file);
	struct MHD_Response *response =
		known ? response_of(file->data, file->data) : build(file, takes_gzip(r));

	for (; response && headers->name; headers++)
		MHD_add_response_header(response, headers->name, headers->value);
	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, file->etag);
		MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
		/* kept, but asked for each time: another millrace may serve this port tomorrow */
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	}
	http_reply_raw(r, known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}
