/* SPDX-License-Identifier: Apache-2.0 */
/* See mirrored.h. */
#include "agent/mirrored.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int mirror(struct mirrored *m)
{
	int fd = memfd_create("millrace", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, m->file.data, m->file.size) != (ssize_t)m->file.size) {
		close(fd);
		return -EIO;
	}
	if (m->fd > 0)
		close(m->fd);
	m->fd = fd;
	snprintf(m->path, sizeof(m->path), "/proc/self/fd/%d", fd);
	return 0;
}

int mirrored_open(struct mirrored *m, const char *path, const char *what, struct error *ret_error)
{
	int r;

	if (!path)
		return 0;
	r = secret_open(&m->file, path, what, ret_error);
	if (r < 0)
		return r;
	r = mirror(m);
	return r < 0 ? error_set(ret_error, r, "cannot keep %s in memory: %s; free some", what,
				 strerror(-r))
		     : 0;
}

void mirrored_close(struct mirrored *m)
{
	if (m->fd > 0)
		close(m->fd);
	secret_close(&m->file);
}

void mirrored_look(struct mirrored *m)
{
	if (secret_look(&m->file))
		mirror(m); /* no memory: the one before serves on */
}
