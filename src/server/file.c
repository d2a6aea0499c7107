/* SPDX-License-Identifier: Apache-2.0 */
#include "server/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool file_changed(struct file_watch *f, uint64_t now_ms)
{
	struct stat s;
	bool same;

	if (f->looked_ms && now_ms - f->looked_ms < FILE_LOOK_MS)
		return false;
	f->looked_ms = now_ms;
	if (stat(f->path, &s) < 0)
		return false;
	same = f->inode == s.st_ino && f->size == (uint64_t)s.st_size &&
	       same_time(&f->modified, &s.st_mtim) && same_time(&f->changed, &s.st_ctim);
	f->inode = s.st_ino;
	f->size = (uint64_t)s.st_size;
	f->modified = s.st_mtim;
	f->changed = s.st_ctim;
	return !same;
}

void file_look_again(struct file_watch *f)
{
	f->inode = 0;
}

void file_done(struct file_watch *f)
{
	if (f->kept)
		close(f->kept - 1);
	f->kept = 0;
}

/* What was opened before is still what the path means. */
static bool kept_is_current(const struct file_watch *f)
{
	struct stat now, then;

	return f->kept && !stat(f->path, &now) && !fstat(f->kept - 1, &then) &&
	       now.st_dev == then.st_dev && now.st_ino == then.st_ino;
}

/* Leaves a descriptor at the file's beginning in f->kept. */
static int open_kept(struct file_watch *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		int r = -errno;

		if (r != -EACCES || !kept_is_current(f))
			return r;
		return lseek(f->kept - 1, 0, SEEK_SET) < 0 ? -errno : 0;
	}
	file_done(f);
	f->kept = fd + 1;
	return 0;
}

static int read_all(int fd, char *text, size_t size_max, size_t *ret_size)
{
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, text + size, size_max + 1 - size)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		size += n > 0 ? (size_t)n : 0;
		if (size > size_max)
			return -E2BIG;
	}
	*ret_size = size;
	return 0;
}

int file_read(struct file_watch *f, size_t size_max, char **ret, size_t *ret_size,
	      struct error *ret_error)
{
	char *text = malloc(size_max + 2);
	int r = open_kept(f);
	size_t size = 0;

	if (!r)
		r = text ? read_all(f->kept - 1, text, size_max, &size) : -ENOMEM;
	if (r < 0) {
		free(text);
		if (r == -E2BIG)
			return error_set(ret_error, r,
					 "cannot read %s: it has more than %zu bytes; is it the "
					 "right file?",
					 f->path, size_max);
		return error_set(ret_error, r,
				 "cannot read %s: %s; give a file that this account may read",
				 f->path, strerror(-r));
	}
	text[size] = '\0';
	*ret = text;
	*ret_size = size;
	return 0;
}
