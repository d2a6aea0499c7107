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
	MR_ROLE_CLIENT = 1, /* connect() was called on this socket; UDP: see udp_role.h */
	MR_ROLE_SERVER = 2, /* this socket was accepted */
};

enum mr_transport {
	MR_TRANSPORT_TCP = 0, /* what a key is that says nothing */
	MR_TRANSPORT_UDP = 1,
	MR_TRANSPORT_COUNT,
};

/* Addresses are 16 bytes in network order; IPv4 is mapped (::ffff:a.b.c.d). Compared as bytes, so
 * every byte is set, the padding to 0. */
struct mr_flow_key {
	__u64 cgroup; /* id of the socket's cgroup v2; 0: unknown */
	__u8 local[16];
	__u8 remote[16];
	__u32 netns; /* inode of the network namespace, as in /proc/PID/ns/net */
	__u32 tgid;  /* client: who called connect(); 0: unknown. server: 0, the listener tells */
	__u16 port;  /* the server's, host order */
	__u8 role;   /* enum mr_role */
	__u8 coarse : 4;    /* 1: the flow map was full; addresses, ports and tgid are 0 */
	__u8 transport : 4; /* enum mr_transport */
	__u16 netns_cookie; /* its end; tells a namespace from one that had its inode before */
	__u16 ephemeral;    /* the client's port while the remote end is virtual, else 0 */
};

/* Where connections lead that somebody translates: to a client, the address and port it asks for;
 * to a server, where its clients seem to come from (and the server's own port). */
struct mr_virtual {
	__u8 address[16];
	__u16 port;
	__u8 role;      /* of the socket that sees it as its remote end */
	__u8 transport; /* enum mr_transport */
};

struct mr_flow_value {
	__u64 counter[MR_COUNTER_COUNT];
	struct mr_histogram
		rtt_us; /* smoothed RTT, one sample a socket and sweep with traffic, one at close */
	struct mr_histogram connect_us; /* connect() to ESTABLISHED, client only */
	__u64 process_start_ns;         /* of tgid, CLOCK_BOOTTIME; tells a reused tgid apart */
	char comm[16];                  /* of tgid's first thread */
};

/* A UDP flow's record: no state, so few counters. The agent carries it on as a struct
 * mr_flow_value. Compared with a TCP record it is a fifteenth of the memory. */
struct mr_udp_value {
	__u64 bytes_to_server, bytes_to_client; /* may be negative by two's complement: a datagram
						 * that was counted and then found no room */
	__u64 datagrams_to_server, datagrams_to_client;
	__u64 dropped_to_server, dropped_to_client;
	__u64 process_start_ns; /* as in mr_flow_value */
	char comm[16];
};

/* A listening socket, or a UDP socket that serves; key of its map is the socket's address in the
 * kernel (never shown). */
struct mr_listener {
	__u64 cgroup;
	__u64 process_start_ns;
	__u8 address[16];
	__u32 netns;
	__u32 tgid;  /* who called listen(), or who holds it when the agent started; 0: unknown */
	__u32 drops; /* connections refused for want of queue or memory (sk_drops) */
	__u32 queue; /* waiting for accept() */
	__u32 queue_max;
	__u16 port;
	__u8 closed;    /* not 0: listens no more, shown once for those it accepted before */
	__u8 transport; /* enum mr_transport */
	char comm[16];
};

#define MR_DROP_REASONS 256 /* enum skb_drop_reason, of the core; those of subsystems are above */

enum mr_drop_server { /* which end of a dropped packet is the server's */
		      MR_DROP_SERVER_UNKNOWN,
		      MR_DROP_SERVER_SENT,
		      MR_DROP_CLIENT_SENT,
};

/* A packet that this host dropped, as it is written on it. */
struct mr_drop_key {
	__u64 cgroup; /* of its socket; 0: none, or none known */
	__u8 source[16];
	__u8 destination[16];
	__u32 netns; /* 0: not known */
	__u32 tgid;  /* who called connect(), if that end's socket was known */
	__u16 source_port, destination_port; /* the client's is 0 where `server` is known */
	__u16 reason;                        /* enum skb_drop_reason of this kernel */
	__u8 transport;                      /* enum mr_transport */
	__u8 role;                           /* enum mr_role of its socket; 0: none known */
	__u8 server;                         /* enum mr_drop_server */
	__u8 pad[7];
};

struct mr_drop {
	__u64 count;
	__u64 process_start_ns; /* as in mr_flow_value */
	char comm[16];
};

/* Cost of the hooks on one CPU: of one run in so many. */
#define MR_COST_SAMPLE_EVERY 64

struct mr_cost {
	__u64 sampled_events;
	__u64 sampled_ns;
};

/* A live connection, as the iterator writes it; see struct wire_connection. */
struct mr_connection {
	struct mr_flow_key key;
	__u64 process_start_ns;
	char comm[16];
	__u64 age_ns; /* of one that is not open yet; 0: not known, or it is */
	__u64 bytes_sent, bytes_received, bytes_acked;
	__u64 pacing_rate; /* bytes a second */
	__u32 rtt_us, rttvar_us, min_rtt_us, cwnd, ssthresh, mss, unacked_segments, retransmits;
	__u32 segments_sent, segments_received;
	__u32 rate_delivered, rate_interval_us; /* segments in µs */
	__u32 age_jiffies;                      /* of an open one; 0: not known */
	__u32 now_jiffies, last_send_jiffies, last_receive_jiffies;
	__u16 local_port, remote_port;
	__u8 state;
	__u8 pad[3];
};

/* Written by the programs, read by the agent; sums since the start unless said otherwise. */
struct mr_totals {
	__u64 slots_full;
	__u64 flows_full;
	__u64 coarse_full;
	__u64 dropped;
	__u64 listeners_full;
	__u64 close_unseen;
	__u64 handovers; /* closes that found the sweep at work on their slot; nothing is lost by it
			  */
	__u64 unadopted;
	__u64 dns_full; /* messages of name servers that found no room in the ring */
	__u64 drops_full;
	__u64 processes_full;      /* that found no room: neither start nor end is told */
	__u64 process_events_full; /* starts and ends that found no room in the ring */
	__u64 listeners_version;   /* moves when a listener comes or goes */
	__u32 flows_in;     /* records in the map being written; the agent resets it after a swap */
	__s32 stateless;    /* live connections without a slot */
	__u32 udp_flows_in; /* as flows_in, of the UDP maps */
	__u32 translated_in; /* records in both that have an ephemeral port, as flows_in */
};

/* A message to or from a name server. */
#define MR_DNS_SMALL 256
#define MR_DNS_LARGE 1232 /* what EDNS promises to come through in one piece */

struct mr_dns_head {
	struct mr_flow_key key;
	__u64 process_start_ns; /* as in mr_flow_value */
	__u64 time_ns;          /* CLOCK_MONOTONIC */
	char comm[16];
	__u32 length; /* of the message */
	__u16 size;   /* of what is here of it */
	__u16 client_port;
	__u8 to_client;
	__u8 pad[7];
};

struct mr_dns_small {
	struct mr_dns_head head;
	__u8 data[MR_DNS_SMALL];
};

struct mr_dns_large {
	struct mr_dns_head head;
	__u8 data[MR_DNS_LARGE];
};

enum mr_process_kind {
	MR_PROCESS_STARTED = 1, /* has a socket now, and was not known */
	MR_PROCESS_EXECED,      /* became another program */
	MR_PROCESS_EXITED,
};

enum mr_process_flags {
	MR_PROCESS_TOLD = 1,    /* as started */
	MR_PROCESS_LISTENS = 2, /* or did, or the one that it was forked from */
	MR_PROCESS_ADOPTED = 4, /* was there before the agent */
	MR_PROCESS_CHILD = 8,   /* the one that it was forked from is there, with its sockets */
	MR_PROCESS_LEAVES_CHILDREN = 16, /* that hold its sockets */
	MR_PROCESS_OOM = 32,             /* killed for want of memory */
};

struct mr_process_event {
	__u64 time_ns;                /* CLOCK_MONOTONIC */
	__u64 time_boot_ns, start_ns; /* of the record and of the process, CLOCK_BOOTTIME */
	__u64 cgroup;                 /* of its first socket */
	__u64 origin_start_ns;
	__u32 tgid;
	__u32 origin; /* tgid of the first of its forefathers that had a socket of its own; maybe
			 its own */
	__u32 code;   /* as wait() gives it */
	__u8 kind;    /* enum mr_process_kind */
	__u8 flags;   /* enum mr_process_flags */
	__u16 pad;
	char comm[16];
};

/* One run of the sweep: what the agent asks, and what it tells. */
struct mr_sweep {
	__u32 first_region, regions; /* in: which part of the table, see slot.h */
	__u32 window;                /* in: number of this window */
	__u32 backoff_max;           /* in: windows between visits to an idle socket */
	__u32 everything;            /* in: visit also what is not due */
	__u32 sockets_max;           /* in */
	__u32 next_region;           /* out: where to go on */
	__u32 visited, live;         /* out */
};
