/* SPDX-License-Identifier: Apache-2.0 */
/* A bare HTTP client for tests: it can send anything, also what is not HTTP. Gives up after 10 s.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct client_reply {
	int status;       /* 0: no answer, the connection was just closed */
	char *text;       /* all that came; owned */
	const char *body; /* in text, behind the headers; "" if there is none */
	size_t size;
};

int client_connect(uint16_t port); /* to 127.0.0.1; a descriptor, or -errno */
/* Until the other side closes; chunked bodies are not put together. */
void client_read_all(int fd, struct client_reply *ret);
/* Until `needle` has come; 0, or -ETIMEDOUT / -EPIPE. Adds to ret, which starts zeroed. */
int client_read_until(int fd, struct client_reply *ret, const char *needle);
/* Sends bytes, reads until the other side closes or says nothing for patience_ms, closes. */
void client_send(uint16_t port, const void *bytes, size_t size, unsigned int patience_ms,
		 struct client_reply *ret);
/* GET with a right Host. */
void client_get(uint16_t port, const char *target, struct client_reply *ret);
/* POST with a right Host; headers: each with its "\r\n". */
void client_post(uint16_t port, const char *target, const char *headers, const void *body,
		 size_t size, struct client_reply *ret);
void client_reply_done(struct client_reply *r);
