/* SPDX-License-Identifier: Apache-2.0 */
/* See secret.h. */
#include "agent/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_SIZE_MIN 16

static ssize_t read_whole(int fd, char *to, size_t size)
{
	size_t at = 0;

	while (at < size) {
		ssize_t n = pread(fd, to + at, size - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* What is in the file now; kept only if it is something. */
static int read_file(struct secret *s, int fd)
{
	char *data = malloc(SECRET_SIZE_MAX + 1);
	ssize_t n = data ? read_whole(fd, data, SECRET_SIZE_MAX + 1) : -ENOMEM;

	if (n <= 0 || n > SECRET_SIZE_MAX) {
		free(data);
		return n < 0 ? (int)n : n ? -EFBIG : -ENODATA;
	}
	data[n] = '\0';
	free(s->data);
	s->data = data;
	s->size = (size_t)n;
	return 0;
}

static int open_file(struct secret *s)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;
	struct stat st;

	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (!r)
		r = read_file(s, fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
	s->seen = st;
	return 0;
}

int secret_open(struct secret *ret, const char *path, const char *what, struct error *ret_error)
{
	struct secret s = {.fd = -1, .path = strdup(path)};
	int r = s.path ? open_file(&s) : -ENOMEM;

	if (r < 0) {
		secret_close(&s);
		return error_set(ret_error, r,
				 "cannot read %s %s: %s; check the path and its rights", what, path,
				 r == -ENODATA ? "it is empty" : strerror(-r));
	}
	*ret = s;
	return 0;
}

void secret_close(struct secret *s)
{
	if (s->path && s->fd >= 0)
		close(s->fd);
	free(s->path);
	free(s->data);
	*s = (struct secret){0};
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool look_at_open_one(struct secret *s)
{
	struct stat st;

	if (fstat(s->fd, &st) < 0 || is_same(&st, &s->seen) || read_file(s, s->fd) < 0)
		return false;
	s->seen = st;
	return true;
}

bool secret_look(struct secret *s)
{
	struct stat st;

	if (!s->path)
		return false;
	if (stat(s->path, &st) < 0)
		return look_at_open_one(s);
	if (is_same(&st, &s->seen))
		return false;
	return open_file(s) == 0 || look_at_open_one(s);
}

static bool is_token(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return size >= TOKEN_SIZE_MIN;
}

int secret_token(const struct secret *s, char *ret, size_t size)
{
	const char *line = s->data;

	while (line && *line) {
		size_t blank = strspn(line, " \t\r\n"), length = strcspn(line + blank, "\r\n");
		const char *token = line + blank;

		line = token + length;
		while (length && (token[length - 1] == ' ' || token[length - 1] == '\t'))
			length--;
		if (*token == '#' || !is_token(token, length) || length >= size)
			continue;
		memcpy(ret, token, length);
		ret[length] = '\0';
		return 0;
	}
	return -EINVAL;
}
