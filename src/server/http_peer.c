/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a connection is. Whoever connects is a stranger, with little time, until a request of its
 * was admitted: from then on it holds one of the agents' places or one of the readers'. So readers
 * cannot keep agents out, nor agents readers, nor who only connects either of them.
 *
 * Agents are many and the others few, so theirs is the daemon's own time-out: libmicrohttpd looks
 * through all connections that have another one, each time it runs.
 */
#include "server/http_internal.h"

#include <stdlib.h>
#include <sys/resource.h>

#define FILES_ELSE 192 /* what else the process may have open */

static unsigned int files_max(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY)
		return HTTP_CONNECTIONS_MAX;
	return files.rlim_cur > 2 * FILES_ELSE ? files.rlim_cur - FILES_ELSE
					       : files.rlim_cur / 2 + 1;
}

void http_peer_init(struct http *h, unsigned int connections_max)
{
	unsigned int all = connections_max ? connections_max : HTTP_CONNECTIONS_MAX,
		     files = files_max();

	if (all > files)
		all = files;
	if (all < 2 * HTTP_CLASS_COUNT)
		all = 2 * HTTP_CLASS_COUNT;
	h->connections_max = all;
	h->peers_max[HTTP_READER] = (uint64_t)all * HTTP_READERS_MAX / HTTP_CONNECTIONS_MAX + 1;
	h->peers_max[HTTP_STRANGER] = (uint64_t)all * HTTP_STRANGERS_MAX / HTTP_CONNECTIONS_MAX;
	h->peers_max[HTTP_AGENT] = all - h->peers_max[HTTP_READER] - h->peers_max[HTTP_STRANGER];
}

enum MHD_Result http_peer_accept(void *userdata, const struct sockaddr *address, socklen_t size)
{
	struct http *h = userdata;
	bool room = h->peers[HTTP_STRANGER] < h->peers_max[HTTP_STRANGER];

	h->stats.crowded += !room;
	return room ? MHD_YES : MHD_NO;
}

static void set_patience(struct MHD_Connection *connection, enum http_class class)
{
	static const unsigned int seconds[] = {[HTTP_STRANGER] = HTTP_IDLE_STRANGER_S,
					       [HTTP_READER] = HTTP_IDLE_READER_S,
					       [HTTP_AGENT] = HTTP_IDLE_AGENT_S};

	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds[class]);
}

void http_peer_notify(void *userdata, struct MHD_Connection *connection, void **socket_context,
		      enum MHD_ConnectionNotificationCode what)
{
	struct http_peer *peer = *socket_context;
	struct http *h = userdata;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = calloc(1, sizeof(*peer)); /* without memory nothing is admitted */
		h->stats.connections++;
		h->peers[HTTP_STRANGER]++;
		set_patience(connection, HTTP_STRANGER);
		return;
	}
	h->peers[peer ? peer->class : HTTP_STRANGER]--;
	free(peer);
	*socket_context = NULL;
	/* with so many it stops listening, and begins again in its next run only */
	if (h->stats.connections-- == h->connections_max)
		http_run_again(h);
}

bool http_peer_become(struct http_request *r, enum http_class class)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_peer *peer = info ? info->socket_context : NULL;
	struct http *h = r->http;

	if (!peer)
		return false;
	if (peer->class == class)
		return true;
	if (h->peers[class] >= h->peers_max[class]) {
		h->stats.crowded++;
		return false;
	}
	h->peers[peer->class]--;
	h->peers[class]++;
	peer->class = class;
	set_patience(r->connection, class);
	return true;
}
