/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cgroup's path says about who runs in it: systemd unit, container, Kubernetes pod.
 *
 * Pure: text in, struct out. Paths are hostile text; what does not look right is left empty.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CGROUP_PATH_MAX 511 /* longer ones are cut */

struct cgroup_identity {
	char unit[256];     /* "nginx.service", "session-3.scope"; the innermost */
	char container[65]; /* 64 hex digits; the innermost */
	char pod[40];       /* UID with dashes */
};

/*
 * The path of a process from the text of /proc/PID/cgroup: that in cgroup v2 ("0::"). On hybrid
 * hosts containers may exist in v1 hierarchies only: then that in the first of those that names
 * one; and where v2 only has the root, that in systemd's own. "" if there is none of them.
 * Source: cgroups(7).
 */
void cgroup_path_of_file(const char *text, size_t size, char ret_path[CGROUP_PATH_MAX + 1]);

/* The same, but only the cgroup v2 line. */
void cgroup_path_of_file_v2(const char *text, size_t size, char ret_path[CGROUP_PATH_MAX + 1]);

/* Whether there are v1 hierarchies at all. */
bool cgroup_path_is_hybrid(const char *text, size_t size);

/* The path in the first v1 hierarchy that names a container. False: none does. */
bool cgroup_path_container_v1(const char *text, size_t size, char ret_path[CGROUP_PATH_MAX + 1]);

/* Knows systemd, Docker, containerd, CRI-O, podman and the kubelet's two cgroup drivers. */
void cgroup_path_identify(const char *path, struct cgroup_identity *ret);
