/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables: processes seen point at actors; see actor.h. */
#include "agent/actor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cgroup_index.h"
#include "agent/process_name.h"
#include "agent/procfs.h"
#include "base/lru.h"

#define ACTORS_MAX    8192
#define PROCESSES_MAX 16384
#define IDLE_NS       600000000000ull
#define EXPIRE_NS     60000000000ull /* how often the idle are looked for */
#define RETRY_NS      1000000000ull  /* when there was no token for a look into /proc */
#define RETRY_FULL_NS 60000000000ull /* when there was no room for the actor */
#define CMDLINE_MAX   4096

struct actor_key {
	char path[CGROUP_PATH_MAX + 1];
	char process[PROCESS_NAME_MAX + 1];
};

struct actor {
	uint64_t last_used_ns;
	uint32_t generation; /* tells it from the one that had its place before */
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
	uint32_t generation;
	char comm[PROCESS_COMM_MAX + 1];
};

struct actors {
	struct procfs procfs;
	struct cgroup_index *cgroups;
	struct lru *actors, *processes;
	uint32_t *undefined; /* indices; as many as there are actors */
	size_t undefined_count;
	uint32_t generation;
	uint64_t lost_full, next_expire_ns;
};

/* Which names there were to be had. */
struct names {
	struct actor_key key;
	bool complete; /* false: no token was left, ask again */
};

static void undefine(struct actors *a, struct actor *actor)
{
	if (!actor->undefined)
		a->undefined[a->undefined_count++] = lru_index(a->actors, actor);
	actor->undefined = true;
}

static struct actor *actor_put(struct actors *a, const struct actor_key *key)
{
	bool is_new;
	struct actor *actor = lru_put(a->actors, key, &is_new);

	if (actor && is_new) {
		actor->generation = ++a->generation;
		undefine(a, actor);
	}
	return actor;
}

static int actors_init(struct actors *a, const struct actors_config *config)
{
	const struct actor_key other = {.process = "~other"};
	uint32_t max = config->actors_max ? config->actors_max : ACTORS_MAX;
	int r = procfs_open(&a->procfs, config->proc ? config->proc : "/proc");

	if (r < 0)
		return r;
	r = cgroup_index_new(&a->cgroups, config->cgroup_root);
	if (r < 0)
		return r;
	a->actors = lru_new(max + 1, sizeof(struct actor_key), sizeof(struct actor));
	a->processes = lru_new(PROCESSES_MAX, sizeof(struct process_key), sizeof(struct process));
	a->undefined = calloc(max + 1, sizeof(*a->undefined));
	if (!a->actors || !a->processes || !a->undefined)
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
	procfs_close(&a->procfs);
	cgroup_index_free(a->cgroups);
	lru_free(a->actors);
	lru_free(a->processes);
	free(a->undefined);
	free(a);
	return NULL;
}

/* The root says nothing, and where cgroup v2 is not mounted ids cannot be looked up. */
static bool in_a_cgroup(const struct actors *a, uint64_t cgroup)
{
	uint64_t root = cgroup_index_root(a->cgroups);

	return root && cgroup && cgroup != root;
}

/* The socket's own cgroup where that says something; the process's where it does not. */
static bool name_cgroup(struct actors *a, const struct actor_source *s, bool alive, uint64_t now_ns,
			char *ret_path)
{
	const char *path = NULL;
	char text[4096];
	int size = -ENOENT;

	if (in_a_cgroup(a, s->cgroup))
		path = cgroup_index_get(a->cgroups, s->cgroup);
	if (!path && alive)
		size = procfs_read(&a->procfs, s->tgid, "cgroup", text, sizeof(text));
	if (!in_a_cgroup(a, s->cgroup)) {
		strcpy(ret_path, s->cgroup ? "/" : "");
		if (size > 0)
			cgroup_path_of_file(text, (size_t)size, ret_path);
		return true;
	}
	if (!path && size > 0) {
		cgroup_path_of_file_v2(text, (size_t)size, ret_path);
		if (cgroup_index_learn(a->cgroups, ret_path, s->cgroup))
			return true;
	}
	if (!path)
		path = cgroup_index_walk(a->cgroups, s->cgroup, now_ns);
	snprintf(ret_path, CGROUP_PATH_MAX + 1, "%s", path ? path : "");
	return path;
}

static void name_process(struct actors *a, const struct actor_source *s, const char *comm,
			 bool alive, char *ret_name)
{
	char cmdline[CMDLINE_MAX];
	int size = 0;

	if (alive && process_name_wants_cmdline(comm))
		size = procfs_read(&a->procfs, s->tgid, "cmdline", cmdline, sizeof(cmdline));
	process_name_of(comm, cmdline, size > 0 ? (size_t)size : 0, ret_name);
}

/* A look into /proc is worth it for a cgroup not known and for a name that can be better. */
static bool wants_procfs(struct actors *a, const struct actor_source *s, const char *comm)
{
	if (!s->tgid)
		return false;
	return process_name_wants_cmdline(comm) || !in_a_cgroup(a, s->cgroup) ||
	       !cgroup_index_get(a->cgroups, s->cgroup);
}

static void find_names(struct actors *a, const struct actor_source *s, const char *comm,
		       uint64_t now_ns, struct names *ret)
{
	bool wanted = wants_procfs(a, s, comm),
	     allowed = wanted && procfs_allow(&a->procfs, now_ns);
	char comm_now[PROCESS_COMM_MAX + 1] = "";
	bool alive = allowed && procfs_is_alive(&a->procfs, s->tgid, s->process_start_ns, comm_now);

	memset(ret, 0, sizeof(*ret));
	ret->complete = name_cgroup(a, s, alive, now_ns, ret->key.path) && wanted == allowed;
	name_process(a, s, comm, alive && !strcmp(comm, comm_now), ret->key.process);
	/* keys are compared as bytes, to the end */
	memset(ret->key.path + strlen(ret->key.path), 0,
	       sizeof(ret->key.path) - strlen(ret->key.path));
	memset(ret->key.process + strlen(ret->key.process), 0,
	       sizeof(ret->key.process) - strlen(ret->key.process));
}

static struct actor *process_actor(const struct actors *a, const struct process *p,
				   const char *comm, uint64_t now_ns)
{
	struct actor *actor = lru_at(a->actors, p->actor);

	if (!actor || actor->generation != p->generation || strcmp(p->comm, comm) != 0)
		return NULL;
	return p->retry_ns && now_ns >= p->retry_ns ? NULL : actor;
}

static struct actor *actor_find(struct actors *a, const struct names *names, uint32_t tgid)
{
	struct actor *actor = actor_put(a, &names->key);

	if (!actor) {
		a->lost_full++;
		return lru_at(a->actors, actors_other(a) - 1);
	}
	if (!actor->pid && actor->undefined)
		actor->pid = tgid;
	actor->newest_pid = tgid;
	return actor;
}

static struct actor *resolve(struct actors *a, const struct actor_source *s, uint64_t now_ns)
{
	const struct process_key key = {
		.cgroup = s->cgroup, .start_ns = s->process_start_ns, .tgid = s->tgid};
	struct process *p = lru_put_evict(a->processes, &key, NULL);
	char comm[PROCESS_COMM_MAX + 1] = "";
	struct names names;
	struct actor *actor;

	memcpy(comm, s->comm, strnlen(s->comm, PROCESS_COMM_MAX));
	actor = p->generation ? process_actor(a, p, comm, now_ns) : NULL;
	if (actor)
		return actor;
	find_names(a, s, comm, now_ns, &names);
	actor = actor_find(a, &names, s->tgid);
	memcpy(p->comm, comm, sizeof(comm));
	p->actor = lru_index(a->actors, actor);
	p->generation = actor->generation;
	p->retry_ns = names.complete ? 0 : now_ns + RETRY_NS;
	if (p->actor == actors_other(a) - 1)
		p->retry_ns = now_ns + RETRY_FULL_NS;
	return actor;
}

uint32_t actors_resolve(struct actors *a, const struct actor_source *source, uint64_t now_ns)
{
	struct actor *actor = resolve(a, source, now_ns);

	actor->last_used_ns = now_ns;
	return lru_index(a->actors, actor) + 1;
}

uint32_t actors_other(const struct actors *a)
{
	return 1; /* the first one put */
}

uint32_t actors_pid(const struct actors *a, uint32_t handle)
{
	return ((const struct actor *)lru_at(a->actors, handle - 1))->pid;
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
	const struct actor_key *key = lru_key(a->actors, actor);
	struct cgroup_identity identity;
	struct wire_actor wire = {.handle = index + 1, .pid = actor->pid};
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

int actors_define(struct actors *a, struct vector *into, bool published)
{
	size_t done;
	int r = 0;

	for (done = 0; done < a->undefined_count && r == 0; done++)
		r = define(a, a->undefined[done], into);
	if (r < 0)
		done--;
	if (!published)
		return r;
	for (size_t i = 0; i < done; i++)
		((struct actor *)lru_at(a->actors, a->undefined[i]))->undefined = false;
	a->undefined_count -= done;
	memmove(a->undefined, a->undefined + done, a->undefined_count * sizeof(*a->undefined));
	return r;
}

/* An actor's example is to be alive: else another one is, and it is defined again. */
static void renew_pid(struct actors *a, struct actor *actor)
{
	uint32_t pid = actor->newest_pid;

	if (actor->pid && procfs_exists(&a->procfs, actor->pid))
		return;
	if (pid && !procfs_exists(&a->procfs, pid))
		pid = 0;
	if (pid == actor->pid)
		return;
	actor->pid = pid;
	undefine(a, actor);
}

void actors_expire(struct actors *a, uint64_t now_ns)
{
	if (now_ns < a->next_expire_ns || a->undefined_count)
		return;
	a->next_expire_ns = now_ns + EXPIRE_NS;
	for (struct actor *actor = lru_oldest(a->actors), *next; actor; actor = next) {
		next = lru_newer(a->actors, actor);
		if (!actor->holders && now_ns - actor->last_used_ns > IDLE_NS)
			lru_remove(a->actors, actor);
		else
			renew_pid(a, actor);
	}
}

uint64_t actors_looks(const struct actors *a)
{
	return a->procfs.looks;
}

uint64_t actors_lost_full(const struct actors *a)
{
	return a->lost_full;
}
