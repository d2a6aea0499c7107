/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Copies of the messages that are sent to and from a name server (UDP port 53), for the agent to
 * read: nothing of them is understood here.
 *
 * They go through a ring of a fixed size that the agent empties once a window, and when it is half
 * full. A message that finds no room is counted; what is longer than MR_DNS_LARGE, or lies outside
 * of a buffer's linear part, is cut. Datagrams to other ports cost one comparison.
 */
#pragma once

#include "udp_fold.h"
#include "udp_role.h"

#define DNS_PORT       53
#define DNS_RING_BYTES (512 * 1024)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DNS_RING_BYTES);
} mr_dns SEC(".maps");

static __always_inline int dns_is_message(const struct udp_ends *e, u8 role)
{
	return (role == MR_ROLE_SERVER ? e->local_port : e->remote_port) == DNS_PORT;
}

static __always_inline void dns_lost(void)
{
	__sync_fetch_and_add(&mr_totals.dns_full, 1);
}

/* The agent is woken only when it should not wait for its window. */
static __always_inline void dns_submit(void *message)
{
	int many = bpf_ringbuf_query(&mr_dns, BPF_RB_AVAIL_DATA) > DNS_RING_BYTES / 2;

	bpf_ringbuf_submit(message, many ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* What the agent needs besides the message; key is the flow's, held bytes are there to be copied.
 */
static __always_inline void dns_describe(struct mr_dns_head *h, const struct udp_ends *e,
					 u8 received, u32 length, u32 held)
{
	u8 role = h->key.role;

	h->time_ns = bpf_ktime_get_ns();
	h->client_port = role == MR_ROLE_SERVER ? e->remote_port : e->local_port;
	h->to_client = (role == MR_ROLE_SERVER) != received;
	h->length = length;
	h->size = held;
}

/* A size from 1 to max, said so that Linux 6.1's verifier hears it, whatever the compiler knows. */
static __always_inline u32 dns_bounded(u32 size, u32 max)
{
	size -= 1;
	asm volatile("" : "+r"(size));
	if (size > max - 1)
		size = max - 1;
	asm volatile("" : "+r"(size));
	return size + 1;
}
