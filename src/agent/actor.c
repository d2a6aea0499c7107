/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables: processes seen point at actors; see actor.h. */
#include "agent/actor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/naming.h"
#include "base/lru.h"

#define ACTORS_MAX    8192
#define PROCESSES_MAX 16384
#define IDLE_NS       600000000000ull
#define EXPIRE_NS     60000000000ull /* how often the idle are looked for */
#define RETRY_NS      1000000000ull  /* when there was no token for a look into /proc */
#define RETRY_FULL_NS 60000000000ull /* when there was no room for the actor */

struct actor {
	uint64_t last_used_ns;
	uint32_t number; /* what batches call it; tells it from the one that had its place before */
	uint32_t holders;
	uint32_t pid, newest_pid; /* as defined; of the process named last */
	bool undefined;           /* stands in the list of those */
};

struct process_key {
	uint64_t cgroup, start_ns;
	uint32_t tgid, pad;
};

struct process {
	uint64_t retry_ns; /* then look again; 0: this is final */
	uint32_t actor;    /* index */
	uint32_t number;
	char comm[PROCESS_COMM_MAX + 1];
};

struct actors {
	struct naming naming;
	struct lru *actors, *processes;
	uint32_t *undefined; /* indices; as many as there are actors */
	size_t undefined_count;
	uint32_t *retired; /* numbers; as many */
	size_t retired_count;
	uint32_t number; /* the last one given */
	uint64_t lost_full, next_expire_ns;
};

static void undefine(struct actors *a, struct actor *actor)
{
	if (!actor->undefined)
		a->undefined[a->undefined_count++] = lru_index(a->actors, actor);
	actor->undefined = true;
}

static struct actor *actor_put(struct actors *a, const struct names *key)
{
	bool is_new;
	struct actor *actor = lru_put(a->actors, key, &is_new);

	if (actor && is_new) {
		actor->number = ++a->number;
		undefine(a, actor);
	}
	return actor;
}

static int actors_init(struct actors *a, const struct actors_config *config)
{
	const struct names other = {.process = "~other"};
	uint32_t max = config->actors_max ? config->actors_max : ACTORS_MAX;
	int r = naming_open(&a->naming, config->proc ? config->proc : "/proc", config->cgroup_root);

	if (r < 0)
		return r;
	a->actors = lru_new(max + 1, sizeof(struct names), sizeof(struct actor));
	a->processes = lru_new(PROCESSES_MAX, sizeof(struct process_key), sizeof(struct process));
	a->undefined = calloc(max + 1, sizeof(*a->undefined));
	a->retired = calloc(max + 1, sizeof(*a->retired));
	if (!a->actors || !a->processes || !a->undefined || !a->retired)
		return -ENOMEM;
	actor_put(a, &other)->holders = 1;
	return 0;
}

int actors_new(struct actors **ret, const struct actors_config *config)
{
	struct actors *a = calloc(1, sizeof(*a));
	int r = -ENOMEM;

	if (!a)
		return r;
	r = actors_init(a, config);
	if (r < 0) {
		actors_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

struct actors *actors_free(struct actors *a)
{
	if (!a)
		return NULL;
	naming_close(&a->naming);
	lru_free(a->actors);
	lru_free(a->processes);
	free(a->undefined);
	free(a->retired);
	free(a);
	return NULL;
}

static struct actor *process_actor(const struct actors *a, const struct process *p,
				   const char *comm, uint64_t now_ns)
{
	struct actor *actor = lru_at(a->actors, p->actor);

	if (!actor || actor->number != p->number || strcmp(p->comm, comm) != 0)
		return NULL;
	return p->retry_ns && now_ns >= p->retry_ns ? NULL : actor;
}

static struct actor *actor_find(struct actors *a, const struct names *names, uint32_t tgid)
{
	struct actor *actor = actor_put(a, names);

	if (!actor) {
		a->lost_full++;
		return lru_at(a->actors, actors_other(a) - 1);
	}
	if (!actor->pid && actor->undefined)
		actor->pid = tgid;
	actor->newest_pid = tgid;
	return actor;
}

static struct actor *resolve(struct actors *a, const struct naming_source *s, uint64_t now_ns)
{
	const struct process_key key = {
		.cgroup = s->cgroup, .start_ns = s->process_start_ns, .tgid = s->tgid};
	struct process *p = lru_put_evict(a->processes, &key, NULL);
	struct actor *actor = p->number ? process_actor(a, p, s->comm, now_ns) : NULL;
	struct names names;
	bool complete;

	if (actor)
		return actor;
	complete = naming_find(&a->naming, s, now_ns, &names);
	actor = actor_find(a, &names, s->tgid);
	memcpy(p->comm, s->comm, sizeof(s->comm));
	p->actor = lru_index(a->actors, actor);
	p->number = actor->number;
	p->retry_ns = complete ? 0 : now_ns + RETRY_NS;
	if (p->actor == actors_other(a) - 1)
		p->retry_ns = now_ns + RETRY_FULL_NS;
	return actor;
}

uint32_t actors_resolve(struct actors *a, const struct actor_source *source, uint64_t now_ns)
{
	struct naming_source s = {.cgroup = source->cgroup,
				  .process_start_ns = source->process_start_ns,
				  .tgid = source->tgid};
	struct actor *actor;

	memcpy(s.comm, source->comm, strnlen(source->comm, PROCESS_COMM_MAX));
	actor = resolve(a, &s, now_ns);
	actor->last_used_ns = now_ns;
	return lru_index(a->actors, actor) + 1;
}

uint32_t actors_other(const struct actors *a)
{
	return 1; /* the first one put */
}

uint32_t actors_number(const struct actors *a, uint32_t handle)
{
	return ((const struct actor *)lru_at(a->actors, handle - 1))->number;
}

const char *actors_path(const struct actors *a, uint32_t handle)
{
	const struct names *key = lru_key(a->actors, lru_at(a->actors, handle - 1));

	return key->path;
}

void actors_hold(struct actors *a, uint32_t handle)
{
	((struct actor *)lru_at(a->actors, handle - 1))->holders++;
}

void actors_release(struct actors *a, uint32_t handle)
{
	((struct actor *)lru_at(a->actors, handle - 1))->holders--;
}

static int define(const struct actors *a, uint32_t index, struct vector *into)
{
	const struct actor *actor = lru_at(a->actors, index);
	const struct names *key = lru_key(a->actors, actor);
	struct cgroup_identity identity;
	struct wire_actor wire = {.handle = actor->number, .pid = actor->pid};
	struct wire_actor *item;

	cgroup_path_identify(key->path, &identity);
	wire.process = arena_strdup(into->arena, key->process);
	wire.unit = arena_strdup(into->arena, identity.unit);
	wire.container = arena_strdup(into->arena, identity.container);
	wire.pod = arena_strdup(into->arena, identity.pod);
	wire.cgroup = arena_strdup(into->arena, key->path);
	if (!wire.process || !wire.unit || !wire.container || !wire.pod || !wire.cgroup)
		return -ENOMEM;
	item = vector_push(into);
	if (!item)
		return -ENOMEM;
	*item = wire;
	return 0;
}

int actors_define(struct actors *a, struct vector *into)
{
	size_t done;
	int r = 0;

	for (done = 0; done < a->undefined_count && r == 0; done++)
		r = define(a, a->undefined[done], into);
	if (r < 0)
		done--;
	for (size_t i = 0; i < done; i++)
		((struct actor *)lru_at(a->actors, a->undefined[i]))->undefined = false;
	a->undefined_count -= done;
	memmove(a->undefined, a->undefined + done, a->undefined_count * sizeof(*a->undefined));
	return r;
}

int actors_describe(const struct actors *a, uint32_t handle, struct vector *into)
{
	return define(a, handle - 1, into);
}

int actors_retire(struct actors *a, struct vector *into)
{
	for (; a->retired_count; a->retired_count--) {
		uint32_t *number = vector_push(into);

		if (!number)
			return -ENOMEM;
		*number = a->retired[a->retired_count - 1];
	}
	return 0;
}

/* An actor's example is to be alive: else another one is, and it is defined again. */
static void renew_pid(struct actors *a, struct actor *actor)
{
	uint32_t pid = actor->newest_pid;

	if (actor->pid && procfs_exists(&a->naming.procfs, actor->pid))
		return;
	if (pid && !procfs_exists(&a->naming.procfs, pid))
		pid = 0;
	if (pid == actor->pid)
		return;
	actor->pid = pid;
	undefine(a, actor);
}

/* Whoever goes has been defined, and there is room for its number. */
void actors_expire(struct actors *a, uint64_t now_ns)
{
	if (now_ns < a->next_expire_ns || a->undefined_count || a->retired_count)
		return;
	a->next_expire_ns = now_ns + EXPIRE_NS;
	for (struct actor *actor = lru_oldest(a->actors), *next; actor; actor = next) {
		next = lru_newer(a->actors, actor);
		if (!actor->holders && now_ns - actor->last_used_ns > IDLE_NS) {
			a->retired[a->retired_count++] = actor->number;
			lru_remove(a->actors, actor);
		} else {
			renew_pid(a, actor);
		}
	}
}

uint64_t actors_looks(const struct actors *a)
{
	return a->naming.procfs.looks;
}

uint64_t actors_lost_full(const struct actors *a)
{
	return a->lost_full;
}
