/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See adopt.h. The kernel shows the sockets of the network namespace that opens the walk, so a
 * short-lived thread enters each namespace in turn; the agent's own threads never leave theirs.
 * Limit: NAMESPACES_MAX namespaces; a namespace held by no process and no file in /run/netns is not
 * found.
 */
#include "agent/adopt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "agent/probe_internal.h"

#define NAMESPACES_MAX 4096

struct walk {
	struct bpf_link *tcp, *udp; /* udp: NULL where it is not wanted */
	ino_t seen[NAMESPACES_MAX];
	size_t seen_count;
	int result;
};

/* The walk runs while its file is read; it writes nothing into it. */
static int iterate(struct bpf_link *link)
{
	char unused[256];
	ssize_t n;
	int fd = bpf_iter_create(bpf_link__fd(link));

	if (fd < 0)
		return -errno;
	do
		n = read(fd, unused, sizeof(unused));
	while (n > 0 || (n < 0 && errno == EAGAIN));
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

static int iterate_both(const struct walk *w)
{
	int r = iterate(w->tcp);

	return r < 0 || !w->udp ? r : iterate(w->udp);
}

static bool seen_before(struct walk *w, ino_t netns)
{
	for (size_t i = 0; i < w->seen_count; i++)
		if (w->seen[i] == netns)
			return true;
	if (w->seen_count < NAMESPACES_MAX)
		w->seen[w->seen_count++] = netns;
	return false;
}

/* A namespace that is gone again, or may not be entered, is passed over. */
static void walk_namespace(struct walk *w, const char *path)
{
	struct stat st;
	int fd;

	if (w->result < 0 || stat(path, &st) < 0 || seen_before(w, st.st_ino))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!setns(fd, CLONE_NEWNET))
		w->result = iterate_both(w);
	close(fd);
}

static void walk_directory(struct walk *w, const char *directory, const char *suffix)
{
	DIR *d = opendir(directory);
	char path[512];

	if (!d)
		return;
	for (struct dirent *entry; (entry = readdir(d));) {
		if (entry->d_name[0] == '.' ||
		    (*suffix && (entry->d_name[0] < '0' || entry->d_name[0] > '9')))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", directory, entry->d_name, suffix);
		walk_namespace(w, path);
	}
	closedir(d);
}

static void *walk_thread(void *userdata)
{
	struct walk *w = userdata;

	w->result = iterate_both(w);
	walk_directory(w, "/proc", "/ns/net");
	walk_directory(w, "/run/netns", "");
	return NULL;
}

static int walk_sockets(struct probe *p)
{
	struct walk w = {0};
	struct stat st;
	pthread_t thread;
	int r;

	w.tcp = bpf_program__attach_iter(p->skel->progs.mr_adopt_walk, NULL);
	if (!w.tcp)
		return -errno;
	if (p->udp != PROBE_UDP_OFF)
		w.udp = bpf_program__attach_iter(p->skel->progs.mr_udp_adopt_walk, NULL);
	if (!stat("/proc/self/ns/net", &st))
		seen_before(&w, st.st_ino); /* walked first, without entering it */
	r = -pthread_create(&thread, NULL, walk_thread, &w);
	if (!r) {
		pthread_join(thread, NULL);
		r = w.result;
	}
	bpf_link__destroy(w.tcp);
	bpf_link__destroy(w.udp);
	return r;
}

static int walk_files(struct probe *p)
{
	struct bpf_link *link = bpf_program__attach_iter(p->skel->progs.mr_holders_walk, NULL);
	int r;

	if (!link)
		return -errno;
	r = iterate(link);
	bpf_link__destroy(link);
	return r;
}

/* The notes of who holds what are for this moment only. */
static void forget_holders(struct probe *p)
{
	int map = bpf_map__fd(p->skel->maps.mr_holders);
	uint64_t key;

	while (!bpf_map_get_next_key(map, NULL, &key))
		if (bpf_map_delete_elem(map, &key))
			break;
}

int adopt_open_sockets(struct probe *p, struct error *e)
{
	int r = walk_files(p);

	if (r >= 0)
		r = walk_sockets(p);
	forget_holders(p);
	if (r < 0)
		return error_set(e, r,
				 "cannot read the sockets that are open already: %s; "
				 "'millrace check' tells what this kernel lacks",
				 strerror(-r));
	return 0;
}
