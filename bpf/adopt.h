/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Adoption: what was open before the agent came. Runs once, after the hooks are attached.
 *
 * First a walk over all open files notes which process holds which TCP socket; then a walk over the
 * TCP sockets of each network namespace, which holds the socket's lock while it shows it, gives
 * each connection a slot. What a socket has carried so far becomes adopted bytes and the base line
 * from which the rest is counted.
 */
#pragma once

#include "life.h"
#include "listeners.h"

struct holder {
	u64 process_start_ns;
	u32 tgid;
	u32 pad;
	char comm[16];
};

/* Filled and emptied while adopting. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct holder);
} mr_holders SEC(".maps");

const volatile __u64 mr_root_cgroup; /* observe only below this one; 0: everything */
__u32 mr_adopted;                    /* connections that got a slot */
__u32 mr_adopted_unflagged; /* … whose close only a tracepoint shows (before Linux 6.12) */

static __always_inline int cgroup_is_observed(const struct sock *sk)
{
	struct cgroup_subsys_state *css;
	struct cgroup *cgroup = sk->sk_cgrp_data.cgroup;

	if (!mr_root_cgroup)
		return 1;
	for (int depth = 0; cgroup && depth < CGROUP_DEPTH_MAX; depth++) {
		if (cgroup->kn->id == mr_root_cgroup)
			return 1;
		css = cgroup->self.parent;
		cgroup = css ? css->cgroup : NULL;
	}
	return 0;
}

static __always_inline void holder_tell(const struct task_struct *leader, const struct sock *sk,
					const struct holder *h)
{
	u32 flags = MR_PROCESS_ADOPTED;

	if (!cgroup_is_observed(sk))
		return;
	if (sk->__sk_common.skc_state == MR_TCP_LISTEN)
		flags |= MR_PROCESS_LISTENS;
	process_adopt_forked(leader, sock_cgroup_id(sk));
	process_has_socket(h->tgid, h->process_start_ns, h->comm, sock_cgroup_id(sk), flags);
}

static __always_inline void holder_note(struct task_struct *task, const struct sock *sk)
{
	struct task_struct *leader = task->group_leader;
	struct holder h = {.process_start_ns = leader->start_boottime, .tgid = task->tgid};
	u64 key = address_of(sk);

	bpf_probe_read_kernel(h.comm, sizeof(h.comm), leader->comm);
	holder_tell(leader, sk, &h);
	bpf_map_update_elem(&mr_holders, &key, &h,
			    BPF_NOEXIST); /* the first holder is the oldest */
}

static __always_inline void adopt_listener(const struct sock *sk)
{
	struct mr_listener l = {};
	u64 key = address_of(sk);
	struct holder *h = bpf_map_lookup_elem(&mr_holders, &key);

	if (bpf_map_lookup_elem(&mr_listeners, &key))
		return;
	listener_fill(&l, sk);
	if (h) {
		l.tgid = h->tgid;
		l.process_start_ns = h->process_start_ns;
		__builtin_memcpy(l.comm, h->comm, sizeof(l.comm));
	}
	listener_put(key, &l);
}

/* The base line: what the live formulas give now. The socket is locked. */
static __always_inline void adopt_base(struct slot *s, struct report *r, const struct mr_tcp *t,
				       const struct tcp_sock *tp)
{
	final_words(r->word, t, tp);
	r->word[WORD_SENT] = mr_tcp_acked(t);
	__builtin_memset(&r->key, 0, sizeof(r->key));
	key_of(&r->key, tp, s->role);
	r->key.tgid = s->tgid;
	s->reported_phase = t->phase == MR_PHASE_OPENED ? MR_PHASE_OPENED : MR_PHASE_NONE;
	s->swept = 1;
}

static __always_inline void adopt_fold(const struct report *r, u32 number)
{
	struct mr_flow_key key = r->key;
	struct fold f = FOLD_NOTHING;

	f.delta[WORD_SENT] = r->word[WORD_SENT];
	f.delta[WORD_RECEIVED] = r->word[WORD_RECEIVED];
	f.slot = number;
	f.adopted = 1;
	flow_fold(&key, &f);
}

/* 1: has a slot now. */
static __always_inline int adopt_connection(const struct tcp_sock *tp, u8 state)
{
	struct mr_tcp t = {};
	u64 address = address_of(tp);
	u8 role = role_of((const struct sock *)tp);
	struct holder *h;
	struct report *r;
	struct slot *s;
	u32 number;

	if (slot_seek(address) != SLOT_NONE)
		return 0;
	number = slot_claim(address);
	s = slot_at(number);
	r = report_at(number);
	if (!s || !r) {
		__sync_fetch_and_add(&mr_totals.unadopted, 1);
		return 0;
	}
	tcp_read(&t, tp, state);
	t.connected = role == MR_ROLE_CLIENT;
	t.phase = state == MR_TCP_SYN_SENT ? MR_PHASE_ATTEMPTED : MR_PHASE_OPENED;
	slot_start(s, tp, role, t.phase == MR_PHASE_OPENED ? connect_opened(0) : 0);
	h = bpf_map_lookup_elem(&mr_holders, &address);
	if (h) {
		s->tgid = role == MR_ROLE_CLIENT ? h->tgid : 0;
		s->process_start_ns = h->process_start_ns;
		__builtin_memcpy(s->comm, h->comm, sizeof(s->comm));
	}
	s->adopted = 1;
	adopt_base(s, r, &t, tp);
	if (t.phase == MR_PHASE_OPENED)
		adopt_fold(r, number);
	slot_publish(s, number, address);
	return 1;
}
