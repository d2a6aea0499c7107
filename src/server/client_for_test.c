/* SPDX-License-Identifier: Apache-2.0 */
#include "server/client_for_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_S 10

int client_connect(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static void find_parts(struct client_reply *r)
{
	char *end = strstr(r->text, "\r\n\r\n");

	r->status = strncmp(r->text, "HTTP/1.", 7) ? 0 : atoi(r->text + 9);
	r->body = end ? end + 4 : r->text + r->size;
}

/* One recv(); what it gives, as that. */
static ssize_t read_some(int fd, struct client_reply *r)
{
	ssize_t n;

	r->text = realloc(r->text, r->size + 65536 + 1);
	n = recv(fd, r->text + r->size, 65536, 0);
	if (n > 0)
		r->size += n;
	r->text[r->size] = '\0';
	find_parts(r);
	return n;
}

void client_read_all(int fd, struct client_reply *ret)
{
	while (read_some(fd, ret) > 0)
		;
}

int client_read_until(int fd, struct client_reply *ret, const char *needle)
{
	ssize_t n;

	while (!ret->text || !strstr(ret->text, needle)) {
		n = read_some(fd, ret);
		if (n <= 0)
			return n ? -ETIMEDOUT : -EPIPE;
	}
	return 0;
}

void client_send(uint16_t port, const void *bytes, size_t size, unsigned int patience_ms,
		 struct client_reply *ret)
{
	struct timeval patience = {.tv_sec = patience_ms / 1000,
				   .tv_usec = patience_ms % 1000 * 1000};
	int fd = client_connect(port);
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*ret = (struct client_reply){0};
	for (; size; size -= n, bytes = (const char *)bytes + n) {
		n = send(fd, bytes, size, MSG_NOSIGNAL);
		if (n <= 0)
			break;
	}
	client_read_all(fd, ret);
	close(fd);
}

void client_get(uint16_t port, const char *target, struct client_reply *ret)
{
	char *text = NULL;
	int fd = client_connect(port), size;

	size = asprintf(&text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n",
			target, port);
	*ret = (struct client_reply){0};
	if (send(fd, text, size, MSG_NOSIGNAL) == size)
		client_read_all(fd, ret);
	free(text);
	close(fd);
}

void client_post(uint16_t port, const char *target, const char *headers, const void *body,
		 size_t size, struct client_reply *ret)
{
	char *text = malloc(size + 1024);
	int used = snprintf(text, 1024,
			    "POST %s HTTP/1.1\r\nHost: localhost:%u\r\n%sContent-Length: "
			    "%zu\r\nConnection: close\r\n\r\n",
			    target, port, headers, size);

	memcpy(text + used, body, size);
	client_send(port, text, used + size, PATIENCE_S * 1000, ret);
	free(text);
}

void client_reply_done(struct client_reply *r)
{
	free(r->text);
	*r = (struct client_reply){0};
}
