/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the server listens: loopback only, since nobody authenticates here. And which Host a
 * request may name: a web page that makes its own name point at 127.0.0.1 (DNS rebinding) still
 * sends its own name, so what is not ours is refused.
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
};

/* "127.0.0.1:7070", "[::1]:7070", "localhost:7070"; port 0: any. No name is looked up. */
int listen_parse(const char *text, struct listen_address *ret, struct error *ret_error);

/* Binds and listens, close-on-exec and non-blocking; a->port becomes the one bound. */
int listen_open(struct listen_address *a, int *ret_fd, struct error *ret_error);

/* Whether a Host header names us: our address or another name of loopback, with our port. */
bool listen_is_ours(const struct listen_address *a, const char *host);
