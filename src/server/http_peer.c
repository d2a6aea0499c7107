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

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "server/tls.h"

#define FILES_ELSE 192   /* what else the process may have open */
#define JUDGED_MS  60000 /* then a certificate may have expired */
#define STRANGE_MS 20000 /* to make a request that is admitted, however slowly bytes come */

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

static void *session_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info ? info->tls_session : NULL;
}

static void add_stranger(struct http *h, struct http_peer *peer, struct MHD_Connection *connection)
{
	peer->connection = connection;
	peer->began_ms = uv_now(h->timer.loop);
	peer->next = h->strangers;
	if (peer->next)
		peer->next->previous = peer;
	h->strangers = peer;
	http_body_watch(h);
}

static void remove_stranger(struct http *h, struct http_peer *peer)
{
	if (!peer->connection)
		return;
	*(peer->previous ? &peer->previous->next : &h->strangers) = peer->next;
	if (peer->next)
		peer->next->previous = peer->previous;
	peer->previous = peer->next = NULL;
	peer->connection = NULL;
}

bool http_peer_end_strangers(struct http *h, uint64_t now_ms)
{
	struct http_peer *peer;

	for (peer = h->strangers; peer; peer = peer->next) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
			peer->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		if (info && peer->began_ms + STRANGE_MS <= now_ms)
			shutdown(info->connect_fd, SHUT_RDWR);
	}
	return h->strangers;
}

static struct http_peer *begin(struct http *h, struct MHD_Connection *connection)
{
	struct http_peer *peer = calloc(1, sizeof(*peer));

	h->stats.connections++;
	h->silent++;
	h->peers[HTTP_STRANGER]++;
	set_patience(connection, HTTP_STRANGER);
	if (peer)
		add_stranger(h, peer, connection);
	if (peer && h->tls) {
		tls_refresh(h->tls, uv_now(h->timer.loop));
		peer->credentials = tls_attach(h->tls, session_of(connection));
	}
	return peer; /* without memory nothing is admitted */
}

void http_peer_notify(void *userdata, struct MHD_Connection *connection, void **socket_context,
		      enum MHD_ConnectionNotificationCode what)
{
	struct http_peer *peer = *socket_context;
	struct http *h = userdata;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = begin(h, connection);
		return;
	}
	h->peers[peer ? peer->class : HTTP_STRANGER]--;
	h->silent -= !peer || !peer->spoken;
	if (peer) {
		remove_stranger(h, peer);
		tls_detach(peer->credentials);
	}
	free(peer);
	*socket_context = NULL;
	/* with so many it stops listening, and begins again in its next run only */
	if (h->stats.connections-- == h->connections_max)
		http_run_again(h);
}

static struct http_peer *peer_of_connection(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static struct http_peer *peer_of(const struct http_request *r)
{
	return peer_of_connection(r->connection);
}

void http_peer_speaks(struct http *h, struct MHD_Connection *connection)
{
	struct http_peer *peer = peer_of_connection(connection);

	if (!peer || peer->spoken)
		return;
	peer->spoken = true;
	h->silent--;
}

unsigned int http_request_peer_rights(const struct http_request *r)
{
	struct http_peer *peer = r->http->tls ? peer_of(r) : NULL;
	uint64_t generation, now_ms;

	if (!peer || !peer->credentials)
		return 0;
	generation = tls_generation(r->http->tls) + 1;
	now_ms = http_request_now_ms(r);
	if (peer->judged == generation && now_ms - peer->judged_ms < JUDGED_MS)
		return peer->rights;
	peer->rights = tls_peer_rights(r->http->tls, session_of(r->connection));
	peer->judged = generation;
	peer->judged_ms = now_ms;
	return peer->rights;
}

void http_request_peer_address(const struct http_request *r, uint8_t ret[16])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	memset(ret, 0, 16);
	if (info && info->client_addr->sa_family == AF_INET) {
		ret[10] = ret[11] = 0xff;
		memcpy(ret + 12, &((struct sockaddr_in *)info->client_addr)->sin_addr, 4);
	} else if (info && info->client_addr->sa_family == AF_INET6) {
		memcpy(ret, &((struct sockaddr_in6 *)info->client_addr)->sin6_addr, 16);
	}
}

bool http_peer_become(struct http_request *r, enum http_class class)
{
	struct http_peer *peer = peer_of(r);
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
	remove_stranger(h, peer);
	set_patience(r->connection, class);
	return true;
}
