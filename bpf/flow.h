/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side and the agent share: the records in the maps.
 *
 * A flow is all connections of one window from one actor to one server address and port. Ephemeral
 * ports are not in the key, so ten thousand short connections are one record.
 */
#pragma once

#include "counters.h"
#include "histogram.h"

enum mr_role {
	MR_ROLE_CLIENT = 1, /* connect() was called on this socket */
	MR_ROLE_SERVER = 2, /* this socket was accepted */
};

/* Addresses are 16 bytes in network order; IPv4 is mapped (::ffff:a.b.c.d). Compared as bytes, so
 * every byte is set, the padding to 0. */
struct mr_flow_key {
	__u64 cgroup;    /* id of the socket's cgroup v2; 0: unknown */
	__u8 local[16];
	__u8 remote[16];
	__u32 netns;     /* inode of the network namespace, as in /proc/PID/ns/net */
	__u32 tgid;      /* client: who called connect(); 0: unknown. server: 0, the listener tells */
	__u16 port;      /* the server's, host order */
	__u8 role;       /* enum mr_role */
	__u8 coarse;     /* 1: the flow map was full; addresses, port and tgid are 0 */
	__u32 pad;
};

struct mr_flow_value {
	__u64 counter[MR_COUNTER_COUNT];
	struct mr_histogram rtt_us;     /* smoothed RTT, one sample a socket and sweep with traffic, one at close */
	struct mr_histogram connect_us; /* connect() to ESTABLISHED, client only */
	__u64 process_start_ns;         /* of tgid, CLOCK_BOOTTIME; tells a reused tgid apart */
	char comm[16];                  /* of tgid's first thread */
};

/* A listening socket; key of its map is the socket's address in the kernel (never shown). */
struct mr_listener {
	__u64 cgroup;
	__u64 process_start_ns;
	__u8 address[16];
	__u32 netns;
	__u32 tgid; /* who called listen(), or who holds it when the agent started; 0: unknown */
	__u32 drops;   /* connections refused for want of queue or memory (sk_drops) */
	__u32 queue;     /* waiting for accept() */
	__u32 queue_max;
	__u16 port;
	__u16 pad;
	char comm[16];
};
