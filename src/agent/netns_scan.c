/* SPDX-License-Identifier: Apache-2.0 */
/* See netns_scan.h. */
#include "agent/netns_scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/lru.h"

#define NETNS_MAX 1024
#define TEXT_MAX  16384

struct scan {
	const char *proc;
	struct lru *seen; /* inodes */
	netns_scan_fn fn;
	netns_walk_fn walk; /* instead of fn */
	void *userdata;
};

static int read_text(int dir, const char *path, char *ret, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (got < size - 1 && (n = read(fd, ret + got, size - 1 - got)) > 0)
		got += (size_t)n;
	close(fd);
	ret[got] = '\0';
	return n < 0 ? -EIO : 0;
}

/* process: its directory, seen from dir. Without IPv6 there is no snmp6. */
static int read_kernel(int dir, const char *process, struct snmp *ret)
{
	char path[320], text[TEXT_MAX], text6[TEXT_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/net/snmp", process);
	r = read_text(dir, path, text, sizeof(text));
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/net/snmp6", process);
	if (read_text(dir, path, text6, sizeof(text6)) < 0)
		text6[0] = '\0';
	return snmp_parse(text, text6, ret);
}

/* Once for each inode; false when there is no room to remember it. */
static bool is_first(struct scan *s, uint32_t inode)
{
	bool is_new = false;

	return inode && lru_put(s->seen, &inode, &is_new) && is_new;
}

/* A visit to a namespace: a thread goes in, looks, and ends. */
struct visit {
	int fd; /* of the namespace */
	const char *proc;
	uint32_t cookie;
	struct snmp kernel;
	int result;
};

static uint32_t read_cookie(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		cookie = 0;
	close(fd);
	return (uint16_t)cookie; /* as much as a flow's key has */
}

static void *visit_run(void *userdata)
{
	struct visit *v = userdata;
	char path[300];

	v->result = -EIO;
	if (setns(v->fd, CLONE_NEWNET) < 0)
		return NULL;
	v->cookie = read_cookie();
	snprintf(path, sizeof(path), "%s/thread-self", v->proc);
	v->result = read_kernel(AT_FDCWD, path, &v->kernel);
	return NULL;
}

static void visit(const struct scan *s, int fd, struct visit *ret)
{
	pthread_t thread;

	*ret = (struct visit){.fd = fd, .proc = s->proc, .result = -EIO};
	if (fd >= 0 && pthread_create(&thread, NULL, visit_run, ret) == 0)
		pthread_join(thread, NULL);
	if (fd >= 0)
		close(fd);
}

/* A process in it shows a namespace's counters even to those who may not go in. pid: NULL, no one.
 */
static void scan_namespace(struct scan *s, uint32_t inode, int fd, int proc, const char *pid)
{
	struct netns_id id = {.inode = inode};
	struct visit v;

	if (s->walk) {
		s->walk(s->userdata, inode, fd);
		if (fd >= 0)
			close(fd);
		return;
	}
	visit(s, fd, &v);
	if (v.result < 0 && pid)
		v.result = read_kernel(proc, pid, &v.kernel);
	id.cookie = v.cookie;
	if (v.result == 0)
		s->fn(s->userdata, &id, &v.kernel);
	else
		lru_remove(s->seen, lru_get(s->seen, &inode)); /* the next may show the way */
}

static void scan_process(struct scan *s, int proc, const char *pid)
{
	char path[300], link[64];
	uint32_t inode;
	ssize_t size;

	snprintf(path, sizeof(path), "%s/ns/net", pid);
	size = readlinkat(proc, path, link, sizeof(link) - 1);
	if (size < 0)
		return;
	link[size] = '\0';
	if (sscanf(link, "net:[%u]", &inode) == 1 && is_first(s, inode))
		scan_namespace(s, inode, openat(proc, path, O_RDONLY | O_CLOEXEC), proc, pid);
}

/* "900 25 0:4 net:[4026532281] /run/netns/blue rw shared:1 - nsfs nsfs rw" */
static void scan_mounts(struct scan *s, int proc)
{
	int fd = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		char mount[512];
		uint32_t inode;

		if (sscanf(line, "%*s %*s %*s net:[%u] %511s", &inode, mount) == 2 &&
		    is_first(s, inode))
			scan_namespace(s, inode, open(mount, O_RDONLY | O_CLOEXEC), -1, NULL);
	}
	free(line);
	if (file)
		fclose(file);
}

static int scan_all(struct scan *s)
{
	DIR *dir = opendir(s->proc);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			scan_process(s, dirfd(dir), entry->d_name);
	scan_mounts(s, dirfd(dir));
	closedir(dir);
	return 0;
}

static int scan_begin(struct scan *s)
{
	int r;

	s->seen = lru_new(NETNS_MAX, sizeof(uint32_t), 0);
	if (!s->seen)
		return -ENOMEM;
	r = scan_all(s);
	lru_free(s->seen);
	return r;
}

int netns_scan(const char *proc, netns_scan_fn fn, void *userdata)
{
	struct scan s = {.proc = proc, .fn = fn, .userdata = userdata};

	return scan_begin(&s);
}

int netns_walk(const char *proc, netns_walk_fn fn, void *userdata)
{
	struct scan s = {.proc = proc, .walk = fn, .userdata = userdata};

	return scan_begin(&s);
}
