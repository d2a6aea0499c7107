/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/containers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "agent/actor.h"
#include "agent/cgroup_path.h"
#include "base/lru.h"

#define ASKED_MAX    64
#define ASK_FIRST_NS 200000000ull
#define ASK_LAST_NS  16000000000ull
#define ID_SIZE      sizeof(((struct cgroup_identity *)0)->container)

struct container {
	char path[CGROUP_PATH_MAX + 1];
	struct wire_event end; /* how it ended, if it has: of its first process, or of the last */
	uint64_t ask_ns, interval_ns; /* when to ask after it; while there is no process */
	uint32_t processes, first_pid;
	uint32_t held; /* handle of the end's actor; 0: none */
	bool known, ended, first_gone;
};

struct containers {
	struct lru *entries;
	const char *cgroup_root; /* borrowed */
	struct actors *actors;   /* borrowed; may be NULL */
	uint32_t asking;         /* how many wait to be asked after */
};

struct containers *containers_new(const char *cgroup_root, struct actors *actors)
{
	struct containers *c = calloc(1, sizeof(*c));

	if (c) {
		c->cgroup_root = cgroup_root;
		c->actors = actors;
		c->entries = lru_new(CONTAINERS_MAX, ID_SIZE, sizeof(struct container));
	}
	return c && c->entries ? c : containers_free(c);
}

struct containers *containers_free(struct containers *c)
{
	if (!c)
		return NULL;
	lru_free(c->entries);
	free(c);
	return NULL;
}

static void key_of(const char *id, char ret[ID_SIZE])
{
	memset(ret, 0, ID_SIZE);
	memcpy(ret, id, strnlen(id, ID_SIZE - 1));
}

static void tell(const struct wire_event *of, uint8_t kind, containers_fn fn, void *userdata)
{
	struct wire_event event = *of;

	event.scope = WIRE_EVENT_CONTAINER;
	event.kind = kind;
	event.child = false;
	fn(userdata, &event);
}

/* An actor that is not held is forgotten when it has long been idle, and its number with it. */
static void hold(struct containers *c, struct container *entry, uint32_t actor)
{
	if (!c->actors)
		return;
	if (actor)
		actors_hold(c->actors, actor);
	if (entry->held)
		actors_release(c->actors, entry->held);
	entry->held = actor;
}

static void stop_asking(struct containers *c, struct container *entry)
{
	c->asking -= entry->ask_ns != 0;
	entry->ask_ns = 0;
}

/* The one unused for longest makes room; it may have been waiting to be asked after. */
static struct container *entry_put(struct containers *c, const char key[ID_SIZE])
{
	struct container *entry = lru_get(c->entries, key);

	if (!entry && lru_count(c->entries) == lru_capacity(c->entries)) {
		hold(c, lru_oldest(c->entries), 0);
		stop_asking(c, lru_oldest(c->entries));
		lru_remove(c->entries, lru_oldest(c->entries));
	}
	return entry ? entry : lru_put(c->entries, key, NULL);
}

void containers_enter(struct containers *c, const char *id, const char *path,
		      const struct wire_event *event, bool before, containers_fn fn, void *userdata)
{
	struct container *entry;
	char key[ID_SIZE];

	key_of(id, key);
	entry = entry_put(c, key);
	if ((!entry->known && !before) || entry->ended)
		tell(event, entry->ended ? WIRE_EVENT_RESTARTED : WIRE_EVENT_STARTED, fn, userdata);
	if (!entry->known || entry->ended) {
		snprintf(entry->path, sizeof(entry->path), "%s", path);
		entry->first_pid = event->pid;
		entry->first_gone = false;
	}
	entry->known = true;
	entry->ended = false;
	entry->processes++;
	stop_asking(c, entry);
}

void containers_leave(struct containers *c, const char *id, const struct wire_event *event,
		      uint32_t actor, uint64_t now_ns)
{
	struct container *entry;
	char key[ID_SIZE];

	key_of(id, key);
	entry = lru_get(c->entries, key);
	if (!entry || !entry->processes)
		return;
	if (!entry->first_gone) {
		entry->end = *event;
		hold(c, entry, actor);
	}
	entry->first_gone |= event->pid == entry->first_pid;
	if (--entry->processes)
		return;
	entry->interval_ns = ASK_FIRST_NS;
	entry->ask_ns = now_ns + entry->interval_ns;
	c->asking++;
}

/* Whether the cgroup still has a process in it or below. Source: cgroups(7), cgroup.events. */
static bool is_populated(const struct containers *c, const struct container *entry)
{
	char path[PATH_MAX], text[256];
	ssize_t size;
	int fd;

	if (!c->cgroup_root)
		return false;
	snprintf(path, sizeof(path), "%s%s/cgroup.events", c->cgroup_root, entry->path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[size > 0 ? size : 0] = '\0';
	return strstr(text, "populated 1");
}

static void ask(struct containers *c, struct container *entry, uint64_t now_ns, containers_fn fn,
		void *userdata)
{
	if (is_populated(c, entry)) {
		if (entry->interval_ns < ASK_LAST_NS)
			entry->interval_ns *= 2;
		entry->ask_ns = now_ns + entry->interval_ns;
		return;
	}
	stop_asking(c, entry);
	entry->ended = true;
	tell(&entry->end, entry->end.kind, fn, userdata);
	hold(c, entry, 0);
}

void containers_check(struct containers *c, uint64_t now_ns, containers_fn fn, void *userdata)
{
	uint32_t asked = 0;

	if (!c->asking)
		return;
	for (struct container *entry = lru_oldest(c->entries); entry && asked < ASKED_MAX;
	     entry = lru_newer(c->entries, entry)) {
		if (!entry->ask_ns || entry->ask_ns > now_ns)
			continue;
		ask(c, entry, now_ns, fn, userdata);
		asked++;
	}
}
