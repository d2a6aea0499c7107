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
#include <unistd.h>

#include "base/lru.h"

#define NETNS_MAX 1024
#define TEXT_MAX  16384

struct scan {
	const char *proc;
	struct lru *seen; /* inodes */
	netns_scan_fn fn;
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

/* Once for each inode; false when there is no room to remember it. */
static bool is_first(struct scan *s, uint32_t inode)
{
	bool is_new = false;

	return inode && lru_put(s->seen, &inode, &is_new) && is_new;
}

static void scan_process(struct scan *s, int proc, const char *pid)
{
	char path[300], link[64], text[TEXT_MAX];
	struct snmp_tcp tcp;
	uint32_t inode;
	ssize_t size;

	snprintf(path, sizeof(path), "%s/ns/net", pid);
	size = readlinkat(proc, path, link, sizeof(link) - 1);
	if (size < 0)
		return;
	link[size] = '\0';
	if (sscanf(link, "net:[%u]", &inode) != 1 || !is_first(s, inode))
		return;
	snprintf(path, sizeof(path), "%s/net/snmp", pid);
	if (read_text(proc, path, text, sizeof(text)) == 0 && snmp_parse(text, &tcp) == 0)
		s->fn(s->userdata, inode, &tcp);
	else
		lru_remove(s->seen, lru_get(s->seen, &inode)); /* the next process may tell */
}

/* A visit to a namespace that only a mount keeps: a thread goes in, reads, and ends. */
struct visit {
	const char *mount, *proc;
	struct snmp_tcp tcp;
	int result;
};

static void *visit_run(void *userdata)
{
	struct visit *v = userdata;
	char text[TEXT_MAX], path[300];
	int fd = open(v->mount, O_RDONLY | O_CLOEXEC);

	v->result = -EIO;
	if (fd < 0)
		return NULL;
	snprintf(path, sizeof(path), "%s/thread-self/net/snmp", v->proc);
	if (setns(fd, CLONE_NEWNET) == 0 && read_text(AT_FDCWD, path, text, sizeof(text)) == 0)
		v->result = snmp_parse(text, &v->tcp);
	close(fd);
	return NULL;
}

static void scan_mount(struct scan *s, uint32_t inode, const char *mount)
{
	struct visit v = {.mount = mount, .proc = s->proc};
	pthread_t thread;

	if (!is_first(s, inode) || pthread_create(&thread, NULL, visit_run, &v) != 0)
		return;
	pthread_join(thread, NULL);
	if (v.result == 0)
		s->fn(s->userdata, inode, &v.tcp);
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

		if (sscanf(line, "%*s %*s %*s net:[%u] %511s", &inode, mount) == 2)
			scan_mount(s, inode, mount);
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

int netns_scan(const char *proc, netns_scan_fn fn, void *userdata)
{
	struct scan s = {.proc = proc, .fn = fn, .userdata = userdata};
	int r;

	s.seen = lru_new(NETNS_MAX, sizeof(uint32_t), 0);
	if (!s.seen)
		return -ENOMEM;
	r = scan_all(&s);
	lru_free(s.seen);
	return r;
}
