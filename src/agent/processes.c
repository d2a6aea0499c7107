/* SPDX-License-Identifier: Apache-2.0 */
/* See processes.h. An entry holds its actor, so that handles stay what they are. */
#include "agent/processes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cgroup_path.h"
#include "agent/containers.h"
#include "agent/event_rows.h"
#include "base/lru.h"

#define PROCESSES_MAX 16384
#define ENDED_MAX     4096
#define TRIAL_NS      1000000000ull /* a server that ends well before only tried something */

struct process_id {
	uint64_t start_ns;
	uint32_t tgid, pad;
};

struct process {
	uint32_t actor;
	char comm[sizeof(((struct mr_process_event *)0)->comm)];
};

struct processes {
	struct processes_config config;
	struct lru *live;  /* process_id ─► process; also who is gone and left children */
	struct lru *ended; /* actor ─► how many ends wait for a start, u32 */
	struct event_rows *rows;
	struct containers *containers;
	uint64_t records;
};

int processes_new(struct processes **ret, const struct processes_config *config)
{
	struct processes *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->config = *config;
	p->live = lru_new(PROCESSES_MAX, sizeof(struct process_id), sizeof(struct process));
	p->ended = lru_new(ENDED_MAX, sizeof(uint32_t), sizeof(uint32_t));
	p->rows = event_rows_new();
	p->containers = containers_new(config->cgroup_root, config->actors);
	if (!p->live || !p->ended || !p->rows || !p->containers) {
		processes_free(p);
		return -ENOMEM;
	}
	*ret = p;
	return 0;
}

struct processes *processes_free(struct processes *p)
{
	if (!p)
		return NULL;
	lru_free(p->live);
	lru_free(p->ended);
	event_rows_free(p->rows);
	containers_free(p->containers);
	free(p);
	return NULL;
}

/* --- who is it -------------------------------------------------------------------------------- */

static struct process_id id_of(uint32_t tgid, uint64_t start_ns)
{
	return (struct process_id){.start_ns = start_ns, .tgid = tgid};
}

static void forget(struct processes *p, struct process *process)
{
	actors_release(p->config.actors, process->actor);
	lru_remove(p->live, process);
}

static void remember(struct processes *p, const struct mr_process_event *e, uint32_t actor)
{
	const struct process_id id = id_of(e->tgid, e->start_ns);
	struct process *process = lru_get(p->live, &id);

	actors_hold(p->config.actors, actor);
	if (process)
		actors_release(p->config.actors, process->actor);
	else if (lru_count(p->live) == lru_capacity(p->live))
		forget(p, lru_oldest(p->live));
	process = lru_put(p->live, &id, NULL);
	process->actor = actor;
	memcpy(process->comm, e->comm, sizeof(process->comm));
}

static uint32_t resolve(struct processes *p, const struct mr_process_event *e, uint64_t now_ns)
{
	const struct actor_source source = {.cgroup = e->cgroup,
					    .process_start_ns = e->start_ns,
					    .tgid = e->tgid,
					    .comm = e->comm};
	const struct process_id origin_id = id_of(e->origin, e->origin_start_ns);
	const struct process *origin = lru_get(p->live, &origin_id);

	if (origin && e->origin != e->tgid && !memcmp(origin->comm, e->comm, sizeof(e->comm)))
		return origin->actor;
	return actors_resolve(p->config.actors, &source, now_ns);
}

static const char *container_of(const struct processes *p, uint32_t actor,
				struct cgroup_identity *identity)
{
	cgroup_path_identify(actors_path(p->config.actors, actor), identity);
	return identity->container;
}

/* --- what became of it ------------------------------------------------------------------------ */

static void tell(void *userdata, const struct wire_event *event)
{
	struct processes *p = userdata;

	event_rows_add(p->rows, event);
}

static bool is_new(const struct processes *p, const struct mr_process_event *e)
{
	return !(e->flags & MR_PROCESS_ADOPTED) && e->start_ns >= p->config.started_boot_ns;
}

/* Takes an end of that actor that waits for a start, if there is one. */
static bool take_end(struct processes *p, uint32_t actor)
{
	uint32_t *count = lru_get(p->ended, &actor);

	if (!count)
		return false;
	if (!--*count) {
		lru_remove(p->ended, count);
		actors_release(p->config.actors, actor);
	}
	return true;
}

static void put_end(struct processes *p, uint32_t actor)
{
	bool is_first;
	uint32_t *count;

	if (!lru_get(p->ended, &actor) && lru_count(p->ended) == lru_capacity(p->ended)) {
		count = lru_oldest(p->ended);
		actors_release(p->config.actors, *(const uint32_t *)lru_key(p->ended, count));
		lru_remove(p->ended, count);
	}
	count = lru_put(p->ended, &actor, &is_first);
	if (is_first)
		actors_hold(p->config.actors, actor);
	++*count;
}

static struct wire_event event_of(const struct processes *p, const struct mr_process_event *e,
				  uint32_t actor)
{
	return (struct wire_event){.actor = actors_number(p->config.actors, actor),
				   .pid = e->tgid,
				   .child = e->flags & MR_PROCESS_CHILD,
				   .last_ns = e->time_ns};
}

static void see_start(struct processes *p, const struct mr_process_event *e, uint64_t now_ns)
{
	uint32_t actor = resolve(p, e, now_ns);
	struct wire_event event = event_of(p, e, actor);
	struct cgroup_identity identity;

	remember(p, e, actor);
	if (is_new(p, e)) {
		if (!event.child && take_end(p, actor))
			event.kind = WIRE_EVENT_RESTARTED;
		tell(p, &event);
	}
	if (container_of(p, actor, &identity)[0])
		containers_enter(p->containers, identity.container,
				 actors_path(p->config.actors, actor), &event, !is_new(p, e), tell,
				 p);
}

static void see_exec(struct processes *p, const struct mr_process_event *e, uint64_t now_ns)
{
	const struct process_id id = id_of(e->tgid, e->start_ns);

	if (lru_get(p->live, &id))
		remember(p, e, resolve(p, e, now_ns));
}

static bool is_end_of_server(const struct mr_process_event *e, const struct wire_event *event)
{
	uint64_t age_ns = e->time_boot_ns - e->start_ns;

	if (!(e->flags & MR_PROCESS_LISTENS) || event->child)
		return false;
	return event->kind != WIRE_EVENT_EXITED ||
	       !(e->flags & MR_PROCESS_LEAVES_CHILDREN || age_ns < TRIAL_NS);
}

/* One that is gone and left children stays known, since they have their name from it. */
static void see_exit(struct processes *p, const struct mr_process_event *e, uint64_t now_ns)
{
	const struct process_id id = id_of(e->tgid, e->start_ns);
	struct process *process = lru_get(p->live, &id);
	uint32_t actor = process ? process->actor : resolve(p, e, now_ns);
	struct wire_event event = event_of(p, e, actor);
	struct cgroup_identity identity;

	if (!(e->flags & MR_PROCESS_TOLD) && is_new(p, e))
		tell(p, &event); /* a worker's start */
	event_rows_read_status(e->code, &event);
	event.oom = event.kind == WIRE_EVENT_KILLED && e->flags & MR_PROCESS_OOM;
	tell(p, &event);
	if (is_end_of_server(e, &event))
		put_end(p, actor);
	if (!process)
		return;
	if (container_of(p, actor, &identity)[0])
		containers_leave(p->containers, identity.container, &event, actor, now_ns);
	if (!(e->flags & MR_PROCESS_LEAVES_CHILDREN))
		forget(p, process);
}

void processes_see(struct processes *p, const struct mr_process_event *e, uint64_t now_ns)
{
	p->records++;
	if (e->kind == MR_PROCESS_STARTED)
		see_start(p, e, now_ns);
	else if (e->kind == MR_PROCESS_EXECED)
		see_exec(p, e, now_ns);
	else if (e->kind == MR_PROCESS_EXITED)
		see_exit(p, e, now_ns);
}

int processes_report(struct processes *p, struct wire_batch *batch, uint64_t now_ns)
{
	containers_check(p->containers, now_ns, tell, p);
	return event_rows_report(p->rows, batch);
}

uint64_t processes_records(const struct processes *p)
{
	return p->records;
}

uint64_t processes_lost(const struct processes *p)
{
	return event_rows_lost(p->rows);
}
