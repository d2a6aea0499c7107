/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over a path's components; see cgroup_path.h. */
#include "agent/cgroup_path.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CONTAINER_ID_SIZE 64

/* A piece of text that is not terminated. */
struct span {
	const char *at;
	size_t size;
};

static bool span_ends_with(struct span s, const char *end)
{
	size_t size = strlen(end);

	return s.size > size && !memcmp(s.at + s.size - size, end, size);
}

static bool span_equal(struct span s, const char *text)
{
	return s.size == strlen(text) && !memcmp(s.at, text, s.size);
}

static void span_copy(struct span s, char *ret, size_t size)
{
	snprintf(ret, size, "%.*s", (int)(s.size < size ? s.size : size - 1), s.at);
}

/* Cuts the next piece up to the separator off *rest. */
static struct span span_next(struct span *rest, char separator)
{
	const char *end = memchr(rest->at, separator, rest->size);
	struct span piece = {rest->at, end ? (size_t)(end - rest->at) : rest->size};
	size_t taken = piece.size + (end ? 1 : 0);

	rest->at += taken;
	rest->size -= taken;
	return piece;
}

/* "ID:controllers:path" of the hierarchy asked for; at NULL if this line is another's. */
static struct span line_path(struct span line, const char *hierarchy)
{
	struct span id = span_next(&line, ':');
	struct span controllers = span_next(&line, ':');
	bool v2 = !*hierarchy;

	if (!line.size || line.at[0] != '/')
		return (struct span){NULL, 0};
	if (v2 ? !span_equal(id, "0") || controllers.size : !span_equal(controllers, hierarchy))
		return (struct span){NULL, 0};
	if (span_ends_with(line, " (deleted)"))
		line.size -= strlen(" (deleted)");
	return line;
}

/* hierarchy: "" for cgroup v2, else "name=…" or a controller. */
static bool find_path(struct span text, const char *hierarchy, char *ret_path)
{
	while (text.size) {
		struct span path = line_path(span_next(&text, '\n'), hierarchy);

		if (!path.at)
			continue;
		span_copy(path, ret_path, CGROUP_PATH_MAX + 1);
		return true;
	}
	ret_path[0] = '\0';
	return false;
}

void cgroup_path_of_file_v2(const char *text, size_t size, char ret_path[CGROUP_PATH_MAX + 1])
{
	find_path((struct span){text, size}, "", ret_path);
}

/* The path of a v1 hierarchy's line; at NULL if it is not one. */
static struct span line_path_v1(struct span line)
{
	struct span id = span_next(&line, ':');
	struct span controllers = span_next(&line, ':');

	if (span_equal(id, "0") || !controllers.size || !line.size || line.at[0] != '/')
		return (struct span){NULL, 0};
	return line;
}

bool cgroup_path_is_hybrid(const char *text, size_t size)
{
	struct span rest = {text, size};

	while (rest.size)
		if (line_path_v1(span_next(&rest, '\n')).at)
			return true;
	return false;
}

bool cgroup_path_container_v1(const char *text, size_t size, char ret_path[CGROUP_PATH_MAX + 1])
{
	struct span rest = {text, size};
	struct cgroup_identity identity;
	char candidate[CGROUP_PATH_MAX + 1];

	while (rest.size) {
		struct span path = line_path_v1(span_next(&rest, '\n'));

		if (!path.at)
			continue;
		span_copy(path, candidate, sizeof(candidate));
		cgroup_path_identify(candidate, &identity);
		if (!identity.container[0])
			continue;
		memcpy(ret_path, candidate, sizeof(candidate));
		return true;
	}
	return false;
}

static bool has_container(const char *path)
{
	struct cgroup_identity identity;

	cgroup_path_identify(path, &identity);
	return identity.container[0];
}

void cgroup_path_of_file(const char *text, size_t size, char ret_path[CGROUP_PATH_MAX + 1])
{
	char systemd[CGROUP_PATH_MAX + 1];

	find_path((struct span){text, size}, "", ret_path);
	if (has_container(ret_path) || cgroup_path_container_v1(text, size, ret_path))
		return;
	if (ret_path[0] && strcmp(ret_path, "/") != 0)
		return;
	if (find_path((struct span){text, size}, "name=systemd", systemd))
		memcpy(ret_path, systemd, sizeof(systemd));
}

static bool all_hex(const char *s, size_t size, const char *also)
{
	for (size_t i = 0; i < size; i++)
		if (!isxdigit((unsigned char)s[i]) && !(s[i] && strchr(also, s[i])))
			return false;
	return true;
}

/* "<64 hex>", "docker-<64 hex>.scope", "kubepods-….slice:cri-containerd:<64 hex>"; what watches a
 * container from outside ("conmon") is not the container. */
static bool component_container(struct span c, char *ret)
{
	static const char scope[] = ".scope", monitor[] = "conmon-";
	const char *id;
	size_t before;

	if (span_ends_with(c, scope))
		c.size -= strlen(scope);
	if (c.size < CONTAINER_ID_SIZE)
		return false;
	before = c.size - CONTAINER_ID_SIZE;
	id = c.at + before;
	if (!all_hex(id, CONTAINER_ID_SIZE, "") || (before && id[-1] != '-' && id[-1] != ':'))
		return false;
	if (before >= strlen(monitor) && !memcmp(id - strlen(monitor), monitor, strlen(monitor)))
		return false;
	span_copy((struct span){id, CONTAINER_ID_SIZE}, ret, CONTAINER_ID_SIZE + 1);
	return true;
}

/* "pod<uid>", "kubepods-burstable-pod<uid, dashes as underscores>.slice"; a static pod's UID is
 * 32 hex digits without dashes. */
static bool component_pod(struct span c, char *ret)
{
	const char *colon = memchr(c.at, ':', c.size);
	const char *uid = NULL;
	size_t size;

	if (colon)
		c.size = (size_t)(colon - c.at);
	if (span_ends_with(c, ".slice"))
		c.size -= strlen(".slice");
	for (size_t i = 0; i + 3 < c.size; i++)
		if (!memcmp(c.at + i, "pod", 3) && (!i || c.at[i - 1] == '-'))
			uid = c.at + i + 3;
	if (!uid)
		return false;
	size = (size_t)(c.at + c.size - uid);
	if ((size != 32 && size != 36) || !all_hex(uid, size, "-_"))
		return false;
	span_copy((struct span){uid, size}, ret, 40);
	for (char *p = ret; *p; p++)
		if (*p == '_')
			*p = '-';
	return true;
}

/* Units that run containers, and sessions where somebody started one by hand: a container below one
 * of them is no part of it. */
static bool is_runtime(const char *unit)
{
	static const char *const names[] = {"containerd.service",  "docker.service",
					    "kubelet.service",     "crio.service",
					    "k3s.service",         "k3s-agent.service",
					    "rke2-server.service", "rke2-agent.service",
					    "podman.service",      "snap.docker.dockerd.service"};
	static const char *const families[] = {"user@", "session-"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(unit, names[i]))
			return true;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (!strncmp(unit, families[i], strlen(families[i])))
			return true;
	return false;
}

void cgroup_path_identify(const char *path, struct cgroup_identity *ret)
{
	struct span rest = {path, strlen(path)};

	memset(ret, 0, sizeof(*ret));
	while (rest.size) {
		struct span c = span_next(&rest, '/');

		if (component_pod(c, ret->pod) && !memchr(c.at, ':', c.size))
			continue;
		if (component_container(c, ret->container)) {
			if (is_runtime(ret->unit))
				ret->unit[0] = '\0';
			continue;
		}
		if (span_ends_with(c, ".service") || span_ends_with(c, ".scope"))
			span_copy(c, ret->unit, sizeof(ret->unit));
	}
}
