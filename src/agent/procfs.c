/* SPDX-License-Identifier: Apache-2.0 */
/* See procfs.h. */
#include "agent/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/process_name.h"

#define SECOND_NS      1000000000ull
#define START_SLACK_NS 20000000ull
#define TOKEN_NS       (SECOND_NS / PROCFS_RATE)

int procfs_open(struct procfs *p, const char *root)
{
	long ticks = sysconf(_SC_CLK_TCK);

	*p = (struct procfs){.fd = open(root, O_DIRECTORY | O_PATH | O_CLOEXEC)};
	if (p->fd < 0)
		return -errno;
	p->tick_ns = SECOND_NS / (uint64_t)(ticks > 0 ? ticks : 100);
	return 0;
}

void procfs_close(struct procfs *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

bool procfs_allow(struct procfs *p, uint64_t now_ns)
{
	const uint64_t burst_ns = PROCFS_BURST * TOKEN_NS;

	if (p->spent_ns < now_ns)
		p->spent_ns = now_ns;
	if (p->spent_ns - now_ns > burst_ns - TOKEN_NS)
		return false;
	p->spent_ns += TOKEN_NS;
	p->looks++;
	return true;
}

bool procfs_exists(const struct procfs *p, uint32_t tgid)
{
	char path[16];

	snprintf(path, sizeof(path), "%u", tgid);
	return faccessat(p->fd, path, F_OK, 0) == 0;
}

int procfs_read(const struct procfs *p, uint32_t tgid, const char *file, char *ret, size_t size)
{
	char path[64];
	size_t got = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%u/%s", tgid, file);
	fd = openat(p->fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	while (got < size - 1) {
		n = read(fd, ret + got, size - 1 - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(fd);
	ret[got] = '\0';
	return (int)got;
}

bool procfs_is_alive(const struct procfs *p, uint32_t tgid, uint64_t process_start_ns,
		     char *ret_comm)
{
	struct process_stat stat;
	uint64_t start_ns, difference;
	char text[1024];

	if (procfs_read(p, tgid, "stat", text, sizeof(text)) < 0 ||
	    process_stat_parse(text, &stat) < 0)
		return false;
	start_ns = stat.start_ticks * p->tick_ns;
	difference = start_ns > process_start_ns ? start_ns - process_start_ns
						 : process_start_ns - start_ns;
	if (difference > START_SLACK_NS)
		return false;
	memcpy(ret_comm, stat.comm, sizeof(stat.comm));
	return true;
}
