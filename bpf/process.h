/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes that have a socket: that they came, became another program, and how they ended.
 *
 *     connect(), listen(), bind(), first datagram, adoption ─► known: told as started
 *     fork() of one that is known ─► known: it holds the same sockets; told when it ends
 *     exec() of a forked one ─► forgotten, unless it has a socket of its own
 *     exit of the last thread ─► told, with how it ended
 *
 * All other processes cost a look-up in a hash table at fork, exec and exit, and user space
 * nothing.
 *
 * Limit: a quarter of the slots; one that finds no room is counted, and neither its start nor its
 * end is told. Records go through a ring that the agent empties once a window.
 */
#pragma once

#include "flow.h"
#include "fold.h"
#include "kernel.h"

#define PROCESS_RING_BYTES (512 * 1024)

struct process {
	u64 start_ns; /* CLOCK_BOOTTIME; tells a reused tgid apart, as in the other two */
	u64 cgroup;   /* of its first socket */
	u64 parent_start_ns, origin_start_ns;
	u32 parent; /* it was forked from, if that one is known; else 0 */
	u32 origin; /* the first of its forefathers that has a socket of its own */
	s32 children;
	u32 flags; /* MR_PROCESS_… */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* the agent says how many */
	__type(key, u32);       /* tgid */
	__type(value, struct process);
} mr_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PROCESS_RING_BYTES);
} mr_process_events SEC(".maps");

__u32 mr_processes_watched; /* 0: their ends are not seen, so nobody is noted */

/* The agent is woken only when it should not wait for its window. */
static __always_inline u64 process_wakeup(void)
{
	u64 waiting = bpf_ringbuf_query(&mr_process_events, BPF_RB_AVAIL_DATA);

	return waiting > PROCESS_RING_BYTES / 2 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void process_tell(struct mr_process_event *e)
{
	e->time_ns = bpf_ktime_get_ns();
	e->time_boot_ns = bpf_ktime_get_boot_ns();
	if (bpf_ringbuf_output(&mr_process_events, e, sizeof(*e), process_wakeup()))
		__sync_fetch_and_add(&mr_totals.process_events_full, 1);
}

static __always_inline void process_describe(struct mr_process_event *e, const struct process *p)
{
	e->start_ns = p->start_ns;
	e->cgroup = p->cgroup;
	e->origin = p->origin;
	e->origin_start_ns = p->origin_start_ns;
	e->flags = p->flags;
}

/* 1: that tgid's process is known and alive. */
static __always_inline int process_is_known(u32 tgid, u64 start_ns)
{
	struct process *p = tgid ? bpf_map_lookup_elem(&mr_processes, &tgid) : NULL;

	return p && p->start_ns == start_ns;
}

static __always_inline void process_count_child(u32 tgid, u64 start_ns, int by)
{
	struct process *p = tgid ? bpf_map_lookup_elem(&mr_processes, &tgid) : NULL;

	if (p && p->start_ns == start_ns)
		__sync_fetch_and_add(&p->children, by);
}

struct process_comm {
	char comm[16];
};

/* Told in the ring's own memory: the stack of those who call is short on Linux 6.1. */
static __always_inline void process_tell_start(const struct process *p, u32 tgid,
					       const struct process_comm *comm)
{
	struct mr_process_event *e = bpf_ringbuf_reserve(&mr_process_events, sizeof(*e), 0);

	if (!e) {
		__sync_fetch_and_add(&mr_totals.process_events_full, 1);
		return;
	}
	e->time_ns = bpf_ktime_get_ns();
	e->time_boot_ns = bpf_ktime_get_boot_ns();
	e->tgid = tgid;
	e->code = 0;
	e->kind = MR_PROCESS_STARTED;
	e->pad = 0;
	__builtin_memcpy(e->comm, comm->comm, sizeof(e->comm));
	process_describe(e, p);
	if (process_is_known(p->parent, p->parent_start_ns))
		e->flags |= MR_PROCESS_CHILD;
	bpf_ringbuf_submit(e, process_wakeup());
}

/* One that was not known, or only as forked. Not static, so that the verifier looks at it once. */
__noinline int process_learn(u32 tgid, u64 start_ns, u64 cgroup, u32 flags,
			     const struct process_comm *comm)
{
	struct process fresh = {}, *known;

	if (!comm)
		return 0;
	known = bpf_map_lookup_elem(&mr_processes, &tgid);
	if (known && known->start_ns == start_ns)
		fresh = *known;
	if (fresh.parent && fresh.cgroup != cgroup) { /* it has moved: nobody's worker */
		process_count_child(fresh.parent, fresh.parent_start_ns, -1);
		fresh.parent = 0;
	}
	fresh.cgroup = cgroup;
	fresh.start_ns = start_ns;
	fresh.origin = tgid;
	fresh.origin_start_ns = start_ns;
	fresh.flags |= flags | MR_PROCESS_TOLD;
	if (bpf_map_update_elem(&mr_processes, &tgid, &fresh, BPF_ANY))
		__sync_fetch_and_add(&mr_totals.processes_full, 1);
	else
		process_tell_start(&fresh, tgid, comm);
	return 0;
}

/* A process has a socket in this cgroup. */
static __always_inline void process_has_socket(u32 tgid, u64 start_ns, const char *comm, u64 cgroup,
					       u32 flags)
{
	struct process *p;

	if (!mr_processes_watched || !tgid)
		return;
	p = bpf_map_lookup_elem(&mr_processes, &tgid);
	if (!p || p->start_ns != start_ns || !(p->flags & MR_PROCESS_TOLD))
		process_learn(tgid, start_ns, cgroup, flags, (const struct process_comm *)comm);
	else if ((p->flags & flags) != flags)
		p->flags |= flags;
}

/* One that is adopted and was forked from a process that may be, too: it holds its sockets. */
static __always_inline void process_adopt_forked(const struct task_struct *leader, u64 cgroup)
{
	const struct task_struct *parent = leader->real_parent;
	struct process fresh = {};
	u32 tgid = leader->tgid;

	if (!mr_processes_watched || !(leader->flags & PF_FORKNOEXEC))
		return;
	fresh.start_ns = leader->start_boottime;
	fresh.cgroup = cgroup;
	fresh.parent = parent->tgid;
	fresh.parent_start_ns = parent->start_boottime;
	bpf_map_update_elem(&mr_processes, &tgid, &fresh, BPF_NOEXIST);
}

/* --- fork, exec, exit ------------------------------------------------------------------------- */

static __always_inline void process_forked(const struct task_struct *parent,
					   const struct task_struct *child)
{
	u32 tgid = child->tgid, from = parent->tgid;
	struct process fresh = {}, *p;

	if (child->pid != child->tgid || child->mm == parent->mm) /* a thread; vfork() */
		return;
	p = bpf_map_lookup_elem(&mr_processes, &from);
	if (!p || p->start_ns != parent->group_leader->start_boottime)
		return;
	fresh.start_ns = child->start_boottime;
	fresh.cgroup = p->cgroup;
	fresh.parent = from;
	fresh.parent_start_ns = p->start_ns;
	fresh.origin = p->origin;
	fresh.origin_start_ns = p->origin_start_ns;
	fresh.flags = p->flags & MR_PROCESS_LISTENS;
	if (bpf_map_update_elem(&mr_processes, &tgid, &fresh, BPF_ANY))
		__sync_fetch_and_add(&mr_totals.processes_full, 1);
	else
		__sync_fetch_and_add(&p->children, 1);
}

static __always_inline void process_execed(const struct task_struct *task)
{
	struct mr_process_event e = {.kind = MR_PROCESS_EXECED};
	u32 tgid = task->tgid;
	struct process *p = bpf_map_lookup_elem(&mr_processes, &tgid);

	if (!p)
		return;
	if (p->flags & MR_PROCESS_TOLD) {
		process_describe(&e, p);
		e.tgid = tgid;
		bpf_probe_read_kernel(e.comm, sizeof(e.comm), task->comm);
		process_tell(&e);
		return;
	}
	process_count_child(p->parent, p->parent_start_ns, -1);
	bpf_map_delete_elem(&mr_processes, &tgid);
}

/* The last thread is gone; code is as wait() gives it. */
static __always_inline void process_ended(const struct task_struct *task)
{
	struct mr_process_event e = {.kind = MR_PROCESS_EXITED};
	u32 tgid = task->tgid;
	struct process gone, *p = bpf_map_lookup_elem(&mr_processes, &tgid);

	if (!p)
		return;
	gone = *p;
	if (bpf_map_delete_elem(&mr_processes, &tgid)) /* another thread's turn */
		return;
	if (gone.start_ns != task->group_leader->start_boottime)
		return;
	process_describe(&e, &gone);
	e.tgid = tgid;
	e.code = task->exit_code;
	bpf_probe_read_kernel(e.comm, sizeof(e.comm), task->group_leader->comm);
	if (task->signal->oom_mm)
		e.flags |= MR_PROCESS_OOM;
	if (gone.children > 0)
		e.flags |= MR_PROCESS_LEAVES_CHILDREN;
	if (process_is_known(gone.parent, gone.parent_start_ns)) {
		e.flags |= MR_PROCESS_CHILD;
		process_count_child(gone.parent, gone.parent_start_ns, -1);
	}
	process_tell(&e);
}
