/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the server listens, and which Host a request may name: a web page that makes its own name
 * point at our address (DNS rebinding) still sends its own name, so what is not ours is refused.
 * Whether anybody but loopback may be listened to is for auth.h to say.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

struct listen_address {
	struct sockaddr_storage address;
	socklen_t size;
	char host[48]; /* as it stands in a URL: "127.0.0.1", "[::1]" */
	uint16_t port;
	bool loopback;     /* nobody else can come */
	bool any;          /* "0.0.0.0" or "[::]": of every address the machine has */
	const char *names; /* further ones it is asked by, separated by commas; NULL: none; borrowed */
};

/* "127.0.0.1:7070", "[::1]:7070", "localhost:7070"; port 0: any. No name is looked up. */
int listen_parse(const char *text, struct listen_address *ret, struct error *ret_error);
/* … and -EPERM if it is not loopback, for who authenticates nobody. */
int listen_parse_loopback(const char *text, struct listen_address *ret, struct error *ret_error);

/* Binds and listens, close-on-exec and non-blocking; a->port becomes the one bound. */
int listen_open(struct listen_address *a, int *ret_fd, struct error *ret_error);

/*
 * Whether a Host header names us: our address or another name of loopback, with our port; one of
 * our further names with any port, since who forwards to us may have another. Where we listen on
 * every address any address does: rebinding needs a name.
 */
bool listen_is_ours(const struct listen_address *a, const char *host);
