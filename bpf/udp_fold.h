/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Folding datagrams into flows: the only place that writes the UDP flow maps.
 *
 * Like TCP's (fold.h) there are two, of which one is written, but small records need no map of
 * maps: mr_udp_active says which. The agent changes it just before it exchanges TCP's map, which
 * waits for RCU: when that is done no program writes UDP's quiet map either. One wait for all.
 *
 * Full means coarser, as in fold.h.
 */
#pragma once

#include "fold.h"
#include "udp_socket.h"

struct udp_flow_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* the agent says how many */
	__type(key, struct mr_flow_key);
	__type(value, struct mr_udp_value);
};

struct udp_flow_map mr_udp_a SEC(".maps");
struct udp_flow_map mr_udp_b SEC(".maps");

__u32 mr_udp_active; /* 0: a is written, 1: b */

/* What one datagram, or several in one buffer, adds. */
struct udp_count {
	struct mr_flow_key key;
	u64 bytes;
	u32 datagrams;
	u8 to_client;
};

static __always_inline void *udp_lookup(u32 which, const struct mr_flow_key *key)
{
	if (which)
		return bpf_map_lookup_elem(&mr_udp_b, key);
	return bpf_map_lookup_elem(&mr_udp_a, key);
}

static __always_inline struct mr_udp_value *udp_insert(u32 which, const struct mr_flow_key *key,
						       const struct udp_socket *s)
{
	struct mr_udp_value v = {};
	long r;

	if (s) {
		v.process_start_ns = s->process_start_ns;
		__builtin_memcpy(v.comm, s->comm, sizeof(v.comm));
	}
	if (which)
		r = bpf_map_update_elem(&mr_udp_b, key, &v, BPF_NOEXIST);
	else
		r = bpf_map_update_elem(&mr_udp_a, key, &v, BPF_NOEXIST);
	if (!r) {
		__sync_fetch_and_add(&mr_totals.udp_flows_in, 1);
		flow_came(key);
	}
	return udp_lookup(which, key); /* ours, or another CPU's that came first */
}

/* The record of a flow that has none yet, or of the finest coarse one that has room. Changes key to
 * what it found. */
static __always_inline struct mr_udp_value *udp_make(u32 which, struct mr_flow_key *key,
						     const struct udp_socket *s)
{
	struct mr_udp_value *v;

	if (mr_totals.udp_flows_in < mr_flows_max) {
		v = udp_insert(which, key, s);
		if (v)
			return v;
	}
	__sync_fetch_and_add(&mr_totals.flows_full, 1);
	__builtin_memset(key->local, 0, sizeof(key->local));
	__builtin_memset(key->remote, 0, sizeof(key->remote));
	key->netns = key->netns_cookie = key->ephemeral = 0;
	key->tgid = 0;
	key->port = 0;
	key->coarse = 1;
	v = udp_lookup(which, key);
	if (v)
		return v;
	v = udp_insert(which, key, NULL);
	if (v)
		return v;
	__sync_fetch_and_add(&mr_totals.coarse_full, 1);
	key->cgroup = 0;
	return udp_lookup(which, key);
}

static __always_inline void udp_add(struct mr_udp_value *v, const struct udp_count *c)
{
	if (c->to_client) {
		__sync_fetch_and_add(&v->bytes_to_client, c->bytes);
		__sync_fetch_and_add(&v->datagrams_to_client, c->datagrams);
	} else {
		__sync_fetch_and_add(&v->bytes_to_server, c->bytes);
		__sync_fetch_and_add(&v->datagrams_to_server, c->datagrams);
	}
}

/* Adds to a flow's record. Not static, so that the verifier looks at it once. */
__noinline int udp_fold(const struct udp_count *c, u64 cookie, u64 address)
{
	struct mr_flow_key key; /* Linux 6.1 takes keys only from a program's own stack */
	struct mr_udp_value *v;
	struct udp_socket *s;
	u32 which = mr_udp_active;

	if (!c)
		return 0;
	key = c->key;
	v = udp_lookup(which, &key);
	if (!v) {
		s = bpf_map_lookup_elem(&mr_udp_sockets, &cookie);
		if (s && key.role == MR_ROLE_SERVER)
			udp_listener_put(s, address);
		v = udp_make(which, &key, s);
	}
	if (v)
		udp_add(v, c);
	else
		__sync_fetch_and_add(&mr_totals.dropped, 1);
	return 0;
}

/* Takes back what udp_fold() added: it found the receive queue full. */
__noinline int udp_unfold(const struct udp_count *c)
{
	struct mr_flow_key key;
	struct mr_udp_value *v;
	u32 which = mr_udp_active;

	if (!c)
		return 0;
	key = c->key;
	v = udp_lookup(which, &key);
	if (!v)
		v = udp_make(which, &key, NULL);
	if (!v) {
		__sync_fetch_and_add(&mr_totals.dropped, 1);
		return 0;
	}
	__sync_fetch_and_add(c->to_client ? &v->dropped_to_client : &v->dropped_to_server,
			     c->datagrams);
	__sync_fetch_and_add(c->to_client ? &v->bytes_to_client : &v->bytes_to_server, -c->bytes);
	__sync_fetch_and_add(c->to_client ? &v->datagrams_to_client : &v->datagrams_to_server,
			     -(u64)c->datagrams);
	return 0;
}
