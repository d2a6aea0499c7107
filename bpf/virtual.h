/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Virtual addresses: those that somebody translates, as the connection tracking's news say (news.h)
 * and as the agent knows from before. A connection to one keeps its ephemeral port in the flow's
 * key, so that the agent can look up where it really went; then the port is folded away.
 *
 * The agent forgets those that are unused for longest when it has half of what has room here.
 *
 * Cost: one word that is 0 where nothing is translated; else a look-up when a connection is first
 * folded and when it ends, or for each datagram.
 */
#pragma once

#include "flow.h"
#include "kernel.h"

static __always_inline void address_map_v4(u8 to[16], __be32 v4)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, &v4, 4);
}

#define VIRTUALS_MAX 8192 /* twice what the agent keeps, see nat.h */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VIRTUALS_MAX);
	__type(key, struct mr_virtual);
	__type(value, u8);
} mr_virtuals SEC(".maps");

__u32 mr_virtuals_in[MR_TRANSPORT_COUNT]; /* how many there are; the agent takes away */

static __always_inline void virtual_put(const struct mr_virtual *v)
{
	struct mr_virtual key = *v;
	u8 yes = 1;

	if (bpf_map_lookup_elem(&mr_virtuals, &key) ||
	    bpf_map_update_elem(&mr_virtuals, &key, &yes, BPF_NOEXIST))
		return;
	if (v->transport < MR_TRANSPORT_COUNT)
		__sync_fetch_and_add(&mr_virtuals_in[v->transport], 1);
}

/* A flow's key that is complete but for this. */
static __always_inline void key_keep_port(struct mr_flow_key *key, u8 transport, u16 ephemeral)
{
	struct mr_virtual virtual = {};

	if (!mr_virtuals_in[transport])
		return;
	virtual.port = key->port;
	virtual.role = key->role;
	virtual.transport = transport;
	__builtin_memcpy(virtual.address, key->remote, sizeof(virtual.address));
	if (bpf_map_lookup_elem(&mr_virtuals, &virtual))
		key->ephemeral = ephemeral;
}
