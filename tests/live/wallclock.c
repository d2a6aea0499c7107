/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload: the clocks of a machine whose time is wrong, for one process.
 *
 * CLOCK_FILE names 16 bytes that are read at each call: by how many ns CLOCK_REALTIME is ahead, and
 * by how many CLOCK_MONOTONIC is behind CLOCK_BOOTTIME, as after a machine has slept. So a test may
 * step them while the process runs.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ll

struct clocks {
	int64_t wall_ahead_ns, slept_ns;
};

static const volatile struct clocks *clocks(void)
{
	static const volatile struct clocks *c;
	const char *path = c ? NULL : getenv("CLOCK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return c;
	p = mmap(NULL, sizeof(*c), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		c = p;
	return c;
}

static int64_t ahead(clockid_t clock)
{
	const volatile struct clocks *c = clocks();

	if (!c)
		return 0;
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return c->wall_ahead_ns;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_MONOTONIC_RAW:
		return -c->slept_ns;
	default:
		return 0;
	}
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	long r = syscall(SYS_clock_gettime, clock, t);
	int64_t ns;

	if (r)
		return (int)r;
	ns = t->tv_sec * SECOND + t->tv_nsec + ahead(clock);
	t->tv_sec = ns / SECOND;
	t->tv_nsec = ns % SECOND;
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (ret)
		*ret = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *ret, void *zone)
{
	struct timespec t;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	ret->tv_sec = t.tv_sec;
	ret->tv_usec = t.tv_nsec / 1000;
	return 0;
}
