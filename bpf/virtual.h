/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Virtual addresses: those that somebody translates, as the agent has learnt from the connection
 * tracking. A connection to one keeps its ephemeral port in the flow's key, so that the agent can
 * look up where it really went; then the port is folded away.
 *
 * Cost: one word that is 0 where nothing is translated; else a look-up when a connection is first
 * folded and when it ends.
 */
#pragma once

#include "flow.h"
#include "kernel.h"

#define VIRTUALS_MAX 4096 /* as the agent keeps them, see nat.h */

/* Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VIRTUALS_MAX);
	__type(key, struct mr_virtual);
	__type(value, u8);
} mr_virtuals SEC(".maps");

__u32 mr_virtuals_in; /* how many there are; written by the agent */

/* A TCP flow's key that is complete but for this. */
static __always_inline void key_keep_port(struct mr_flow_key *key, u16 ephemeral)
{
	struct mr_virtual virtual = {.port = key->port, .role = key->role};

	if (!mr_virtuals_in)
		return;
	__builtin_memcpy(virtual.address, key->remote, sizeof(virtual.address));
	if (bpf_map_lookup_elem(&mr_virtuals, &virtual))
		key->ephemeral = ephemeral;
}
