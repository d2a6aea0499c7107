/* SPDX-License-Identifier: Apache-2.0 */
/* See actor.h. */
#include "server/actor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/text.h"

#define CONTAINER_SHORT 12
#define ID_EXTRA        16 /* "container/", "unknown" */

/* What makes an actor the one it is, as cleaned text. */
struct identity {
	char process[ACTOR_TEXT_MAX], unit[ACTOR_TEXT_MAX], container[ACTOR_TEXT_MAX];
	char pod[ACTOR_TEXT_MAX], cgroup[ACTOR_TEXT_MAX];
	uint32_t reporter, pid, hash;
	bool other;
};

int actor_table_init(struct actor_table *t, uint32_t max, uint32_t others_max, uint64_t seed)
{
	*t = (struct actor_table){
		.max = max, .size = max + others_max, .free = ACTOR_NONE, .seed = seed};
	t->actors = calloc(t->size, sizeof(*t->actors));
	return t->actors ? 0 : -ENOMEM;
}

void actor_table_done(struct actor_table *t)
{
	for (uint32_t i = 0; t->actors && i < t->used_max; i++)
		free(t->actors[i].texts);
	free(t->actors);
	hashindex_done(&t->index);
	*t = (struct actor_table){0};
}

static bool identity_read(struct identity *id, uint64_t seed, uint32_t reporter,
			  const struct wire_actor *a)
{
	bool changed = false;
	uint32_t h[5];

	changed |= text_clean(id->process, ACTOR_TEXT_MAX, a->process);
	changed |= text_clean(id->unit, ACTOR_TEXT_MAX, a->unit);
	changed |= text_clean(id->container, ACTOR_TEXT_MAX, a->container);
	changed |= text_clean(id->pod, ACTOR_TEXT_MAX, a->pod);
	changed |= text_clean(id->cgroup, ACTOR_TEXT_MAX, a->cgroup);
	id->reporter = reporter;
	id->pid = a->pid;
	id->other = false;
	h[0] = hashindex_hash(seed + reporter, id->process, strlen(id->process));
	h[1] = hashindex_hash(seed, id->unit, strlen(id->unit));
	h[2] = hashindex_hash(seed, id->container, strlen(id->container));
	h[3] = hashindex_hash(seed, id->pod, strlen(id->pod));
	h[4] = hashindex_hash(seed, id->cgroup, strlen(id->cgroup));
	id->hash = hashindex_hash(seed, h, sizeof(h));
	return changed;
}

static bool identity_is(const struct identity *id, const struct actor *a)
{
	return a->reporter == id->reporter && a->other == id->other &&
	       !strcmp(a->process, id->process) && !strcmp(a->cgroup, id->cgroup) &&
	       !strcmp(a->unit, id->unit) && !strcmp(a->container, id->container) &&
	       !strcmp(a->pod, id->pod);
}

/* Appends a text to the block and returns where it is there. */
static const char *keep(char **at, const char *text, size_t length)
{
	char *p = *at;

	memcpy(p, text, length);
	p[length] = '\0';
	*at += length + 1;
	return p;
}

/* "nginx.service" -> length of "nginx"; 0: not a service */
static size_t service_length(const char *unit)
{
	static const char suffix[] = ".service";
	size_t length = strlen(unit), cut = sizeof(suffix) - 1;

	return length > cut && !strcmp(unit + length - cut, suffix) ? length - cut : 0;
}

/* Who that is to people: the container, else the service, else the process. */
static void name_workload(struct actor *a, char **at)
{
	const char *name = a->process[0] ? a->process : "unknown";
	size_t length = strlen(name);
	char id[ACTOR_TEXT_MAX + ID_EXTRA];

	a->kind = "process";
	if (a->other) {
		a->kind = "other";
	} else if (a->container[0]) {
		a->kind = "container";
		name = a->container;
		length = strnlen(name, CONTAINER_SHORT);
		while ((name[length] & 0xc0) == 0x80) /* not inside a character */
			length--;
	} else if (service_length(a->unit)) {
		a->kind = "service";
		name = a->unit;
		length = service_length(name);
	}
	a->workload = keep(at, name, length);
	if (a->other)
		a->id = a->workload;
	else
		a->id = keep(at, id, snprintf(id, sizeof(id), "%s/%s", a->kind, a->workload));
}

/* Room for the five texts, and for the workload's name and id, which come from one of them. */
static size_t texts_size(const struct identity *id)
{
	size_t names = strlen(id->process) + strlen(id->unit) + strlen(id->container);

	return names * 3 + strlen(id->pod) + strlen(id->cgroup) + 7 + 2 * ID_EXTRA;
}

static int actor_fill(struct actor *a, const struct identity *id)
{
	char *at = malloc(texts_size(id));

	if (!at)
		return -ENOMEM;
	*a = (struct actor){.reporter = id->reporter, .pid = id->pid, .hash = id->hash};
	a->other = id->other;
	a->texts = at;
	a->process = keep(&at, id->process, strlen(id->process));
	a->unit = keep(&at, id->unit, strlen(id->unit));
	a->container = keep(&at, id->container, strlen(id->container));
	a->pod = keep(&at, id->pod, strlen(id->pod));
	a->cgroup = keep(&at, id->cgroup, strlen(id->cgroup));
	name_workload(a, &at);
	return 0;
}

static int free_place(struct actor_table *t, bool other, uint32_t *ret)
{
	if (!other && t->count >= t->max)
		return -ENOSPC;
	if (t->free != ACTOR_NONE) {
		*ret = t->free;
		t->free = t->actors[*ret].hash;
		return 0;
	}
	if (t->used_max == t->size)
		return -ENOSPC;
	*ret = t->used_max++;
	return 0;
}

static void give_back(struct actor_table *t, uint32_t i)
{
	t->actors[i] = (struct actor){.hash = t->free};
	t->free = i;
}

static int add(struct actor_table *t, const struct identity *id, uint32_t *ret)
{
	struct hashindex_cursor at = hashindex_begin(id->hash);
	uint32_t i;
	int r;

	while (hashindex_next(&t->index, &at, &i)) {
		if (!identity_is(id, &t->actors[i]))
			continue;
		t->actors[i].references++;
		if (id->pid)
			t->actors[i].pid = id->pid;
		*ret = i;
		return 0;
	}
	r = free_place(t, id->other, &i);
	if (r < 0)
		return r;
	r = hashindex_insert(&t->index, id->hash, i);
	if (!r)
		r = actor_fill(&t->actors[i], id);
	if (r < 0) {
		hashindex_remove(&t->index, id->hash, i);
		give_back(t, i);
		return r;
	}
	t->actors[i].references = 1;
	t->actors[i].permanent = ++t->last_permanent;
	t->count += !id->other;
	*ret = i;
	return 0;
}

int actor_table_add(struct actor_table *t, uint32_t reporter, const struct wire_actor *actor,
		    uint32_t *ret, bool *ret_changed)
{
	struct identity id;

	*ret_changed = identity_read(&id, t->seed, reporter, actor);
	/* the agent's own "~other"; a process of that name has a cgroup */
	id.other =
		!strcmp(id.process, "~other") && !id.cgroup[0] && !id.unit[0] && !id.container[0];
	return add(t, &id, ret);
}

int actor_table_add_other(struct actor_table *t, uint32_t reporter, uint32_t *ret)
{
	const struct wire_actor other = {.process = "~other"};
	struct identity id;

	identity_read(&id, t->seed, reporter, &other);
	id.other = true;
	return add(t, &id, ret);
}

void actor_reference(struct actor_table *t, uint32_t i)
{
	if (i != ACTOR_NONE)
		t->actors[i].references++;
}

void actor_release(struct actor_table *t, uint32_t i)
{
	struct actor *a;
	bool other;

	if (i == ACTOR_NONE)
		return;
	a = &t->actors[i];
	if (--a->references)
		return;
	other = a->other;
	hashindex_remove(&t->index, a->hash, i);
	free(a->texts);
	give_back(t, i);
	t->count -= !other;
}
