/* SPDX-License-Identifier: Apache-2.0 */
#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024 /* after a restart all agents come at once */

/* Digits only, 0 to 65535; -1 otherwise. */
static int parse_port(const char *text)
{
	int port = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		port = port * 10 + (*p - '0');
		if (port > 65535)
			return -1;
	}
	return p == text || *p ? -1 : port;
}

static int parse_ipv4(const char *host, struct listen_address *a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&a->address;

	if (inet_pton(AF_INET, strcasecmp(host, "localhost") ? host : "127.0.0.1", &in->sin_addr) !=
	    1)
		return -EINVAL;
	in->sin_family = AF_INET;
	in->sin_port = htons(a->port);
	a->size = sizeof(*in);
	inet_ntop(AF_INET, &in->sin_addr, a->host, sizeof(a->host));
	a->loopback = ntohl(in->sin_addr.s_addr) >> 24 == 127;
	a->any = in->sin_addr.s_addr == INADDR_ANY;
	return 0;
}

/* host is "[…]". */
static int parse_ipv6(char *host, struct listen_address *a)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->address;
	size_t length = strlen(host);
	char text[INET6_ADDRSTRLEN];

	if (host[length - 1] != ']')
		return -EINVAL;
	host[length - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &in6->sin6_addr) != 1)
		return -EINVAL;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	a->size = sizeof(*in6);
	inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
	snprintf(a->host, sizeof(a->host), "[%s]", text);
	a->loopback = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	a->any = IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
	return 0;
}

int listen_parse(const char *text, struct listen_address *ret, struct error *ret_error)
{
	struct listen_address a = {0};
	const char *colon = strrchr(text, ':');
	int port = colon ? parse_port(colon + 1) : -1, r = -EINVAL;
	char host[64];

	if (port >= 0 && colon > text && (size_t)(colon - text) < sizeof(host)) {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
		a.port = port;
		r = host[0] == '[' ? parse_ipv6(host, &a) : parse_ipv4(host, &a);
	}
	if (r < 0)
		return error_set(ret_error, r,
				 "cannot listen on '%.80s': expected ADDRESS:PORT, such as "
				 "127.0.0.1:7070, [::1]:7070 or localhost:7070",
				 text);
	*ret = a;
	return 0;
}

int listen_parse_loopback(const char *text, struct listen_address *ret, struct error *ret_error)
{
	struct listen_address a;
	int r = listen_parse(text, &a, ret_error);

	if (r < 0)
		return r;
	if (!a.loopback)
		return error_set(ret_error, -EPERM,
				 "cannot listen on %.80s: only loopback addresses are served, "
				 "since readers are not authenticated; use 127.0.0.1:PORT or "
				 "[::1]:PORT",
				 text);
	*ret = a;
	return 0;
}

static void read_port(int fd, struct listen_address *a)
{
	struct sockaddr_storage bound = {0};
	socklen_t size = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *)&bound, &size) < 0)
		return;
	a->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						    : ((struct sockaddr_in *)&bound)->sin_port);
}

static int set_error(struct error *e, const struct listen_address *a, int code)
{
	if (code == EADDRINUSE)
		return error_set(e, -code,
				 "cannot listen on %s:%u: address already in use; another millrace "
				 "runs? choose another with --listen",
				 a->host, a->port);
	return error_set(e, -code, "cannot listen on %s:%u: %s; choose another with --listen",
			 a->host, a->port, strerror(code));
}

int listen_open(struct listen_address *a, int *ret_fd, struct error *ret_error)
{
	int fd = socket(a->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	    on = 1;
	int r;

	if (fd < 0)
		return set_error(ret_error, a, errno);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a->address, a->size) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0) {
		r = set_error(ret_error, a, errno);
		close(fd);
		return r;
	}
	read_port(fd, a);
	*ret_fd = fd;
	return 0;
}

/* "name:port" or "[address]:port" as its name; the rest is "" or ":port". */
static size_t name_size(const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL;

	return end ? (size_t)(end + 1 - host) : strcspn(host, ":");
}

static bool port_is(const char *rest, int port)
{
	return *rest == ':' ? parse_port(rest + 1) == port : !*rest && (port == 80 || port == 443);
}

static bool is_in_list(const char *names, const char *name, size_t size)
{
	for (; names && *names; names += strcspn(names, ","), names += *names == ',')
		if (strcspn(names, ",") == size && size && !strncasecmp(names, name, size))
			return true;
	return false;
}

static bool is_address(const char *name, size_t size)
{
	uint8_t address[16];
	char text[64];

	if (size < 2 || size >= sizeof(text))
		return false;
	memcpy(text, name, size);
	text[size] = '\0';
	if (*text != '[')
		return inet_pton(AF_INET, text, address) == 1;
	text[size - 1] = '\0';
	return inet_pton(AF_INET6, text + 1, address) == 1;
}

bool listen_is_ours(const struct listen_address *a, const char *host)
{
	const char *const names[] = {a->host, "localhost", "127.0.0.1", "[::1]"};
	size_t size = name_size(host), i;
	const char *rest = host + size;

	if (is_in_list(a->names, host, size))
		return !*rest || (*rest == ':' && parse_port(rest + 1) >= 0);
	if (a->any && is_address(host, size))
		return port_is(rest, a->port);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == size && !strncasecmp(host, names[i], size))
			return port_is(rest, a->port);
	return false;
}
