/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request's headers alone decide, before a byte of its body is kept: whether its Host is
 * ours, its route takes its method, it may be made by who makes it, and there is a place for it.
 */
#include "server/http_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct hosts {
	const char *value;
	unsigned int count;
};

static enum MHD_Result count_host(void *userdata, enum MHD_ValueKind kind, const char *key,
				  const char *value)
{
	struct hosts *hosts = userdata;

	if (!strcasecmp(key, MHD_HTTP_HEADER_HOST)) {
		hosts->value = value;
		hosts->count++;
	}
	return MHD_YES;
}

static bool host_is_ours(struct http_request *r)
{
	struct hosts hosts = {0};

	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_host, &hosts);
	return hosts.count == 1 && hosts.value && listen_is_ours(&r->http->address, hosts.value);
}

static const char *const method_names[HTTP_METHOD_COUNT] = {"GET", "POST", "DELETE"};

void http_refuse(struct http_request *r, unsigned int status, const char *text)
{
	http_reply_error(r, status, "%s", text);
	http_reply_add_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
}

static void refuse_host(struct http_request *r)
{
	const struct listen_address *a = &r->http->address;
	char text[300];

	snprintf(text, sizeof(text),
		 "this Host is not served here: expected %s:%u or localhost:%u; other names and "
		 "addresses that the server is asked by are told to it with --host",
		 a->host, a->port, a->port);
	http_refuse(r, MHD_HTTP_MISDIRECTED_REQUEST, text);
}

/* What the path takes; of one that is not there as if it took GET. */
void http_refuse_method(struct http_request *r)
{
	bool takes[HTTP_METHOD_COUNT] = {false}, any = false;
	char allow[64] = "", text[128];
	const struct http_route *route;
	char *end = allow;
	size_t i;

	for (route = r->http->routes; route->path; route++)
		if (!strcmp(route->path, r->target))
			takes[route->method] = any = true;
	takes[HTTP_GET] |= !any;
	for (i = 0; i < HTTP_METHOD_COUNT; i++)
		if (takes[i])
			end += sprintf(end, "%s%s", end > allow ? ", " : "",
				       i == HTTP_GET ? "GET, HEAD" : method_names[i]);
	snprintf(text, sizeof(text), "method not allowed: expected %s",
		 strcmp(allow, "GET, HEAD") ? allow : "GET or HEAD");
	http_refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED, text);
	http_reply_add_header(r, MHD_HTTP_HEADER_ALLOW, allow);
}

/* NULL: none. */
static const struct http_route *find_route(const struct http *h, const char *path,
					   const char *method)
{
	const struct http_route *route;

	for (route = h->routes; route->path; route++)
		if (!strcmp(route->path, path) && !strcmp(method_names[route->method], method))
			return route;
	return NULL;
}

bool http_path_is_known(const struct http_request *r)
{
	const struct http_route *route;

	for (route = r->http->routes; route->path; route++)
		if (!strcmp(route->path, r->target))
			return true;
	return false;
}

/* It comes from somebody who may: from now on it holds one of their places. */
static bool take_place(struct http_request *r)
{
	bool agent = r->route->right == HTTP_FOR_AGENTS;

	if (r->route->right == HTTP_FOR_ANYBODY ||
	    http_peer_become(r, agent ? HTTP_AGENT : HTTP_READER))
		return true;
	http_refuse(r, agent ? MHD_HTTP_TOO_MANY_REQUESTS : MHD_HTTP_SERVICE_UNAVAILABLE,
		    agent ? "too many agents are connected already; try again later"
			  : "too many readers are connected already; try again later");
	http_reply_add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "10");
	return false;
}

static bool is_allowed(struct http_request *r)
{
	struct http *h = r->http;

	return !r->route || !h->authorize || h->authorize(h->userdata, r, r->route);
}

/* What the headers alone decide. */
void http_admit(struct http_request *r, const char *method)
{
	char text[120];

	r->admitted = true;
	r->head = !strcmp(method, MHD_HTTP_METHOD_HEAD);
	r->query = strchr(r->target, '?');
	if (r->query)
		*r->query++ = '\0';
	r->route = find_route(r->http, r->target, r->head ? MHD_HTTP_METHOD_GET : method);
	if (!host_is_ours(r)) {
		refuse_host(r);
	} else if (!r->route && !r->head && strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
		http_refuse_method(r);
	} else if (!is_allowed(r)) {
		http_reply_add_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	} else if (http_body_comes(r) && (!r->route || !r->route->body_size_max)) {
		http_refuse(r, MHD_HTTP_BAD_REQUEST, "request with a body: expected none");
	} else if (r->too_long) {
		snprintf(text, sizeof(text), "request target too long: expected at most %d bytes",
			 PARAMS_TEXT_MAX);
		http_refuse(r, MHD_HTTP_URI_TOO_LONG, text);
	} else if (r->route && take_place(r) && http_body_comes(r)) {
		http_body_begin(r);
	}
}
