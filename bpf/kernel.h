/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's structs, reduced to the fields we read. CO-RE finds each field by name in the
 * running kernel's BTF, so order, size and neighbours here mean nothing. A field that a kernel
 * lacks fails the load, with its name, instead of reading something else.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define AF_INET            2
#define AF_INET6           10
#define ETH_P_IP           0x0800
#define ETH_P_IPV6         0x86dd
#define IPPROTO_TCP        6
#define IPPROTO_UDP        17
#define SOCK_DGRAM         2
#define SOCK_BINDPORT_LOCK 8 /* bind() named the port */
#define SO_EE_ORIGIN_ICMP  2
#define SO_EE_ORIGIN_ICMP6 3
#define SOL_TCP            6
#define SOCK_DONE_BIT      1 /* enum sock_flags */
#define PF_FORKNOEXEC      0x00000040
#define PF_KTHREAD         0x00200000
#define TCP_CB_FLAGS_OPT   1008 /* TCP_BPF_SOCK_OPS_CB_FLAGS, Linux 6.12 */
#define CGROUP_DEPTH_MAX   32

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	unsigned long skc_flags;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	int owned; /* by a process, which the kernel's own work leaves alone */
} socket_lock_t;

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct sock *sk;
	char cb[48];
	unsigned int len, data_len; /* of which outside of the linear part */
	__be16 protocol;
	struct net_device *dev;
	__u16 network_header, transport_header; /* from head */
	unsigned int tail;                      /* from head: where the packet's bytes end */
	unsigned int end;                       /* from head: where skb_shared_info is */
	unsigned char *head;
	unsigned long _nfct; /* the connection tracking's entry, and in its low bits what it is to it */
};

/* Of a module. */
struct nf_conntrack_tuple {
	char all[40]; /* read as a whole */
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2]; /* the original direction, the reply's */
	unsigned long status;
};

struct skb_shared_info {
	unsigned short gso_segs;
};

struct sk_buff_head {
	struct sk_buff *prev; /* the last one */
	__u32 qlen;
};

struct sock_extended_err {
	__u32 ee_errno;
	__u8 ee_origin;
};

/* What cb holds in a socket's error queue. */
struct sock_exterr_skb {
	struct sock_extended_err ee;
};

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	struct sk_buff_head sk_error_queue;
	struct sock_cgroup_data sk_cgrp_data;
	unsigned long sk_pacing_rate;
	__u32 sk_txhash; /* random */
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	int sk_err;
	int sk_err_soft;
	__u16 sk_protocol;
	__u16 sk_type;
	__u8 sk_userlocks : 4;
	atomic_t sk_drops;
	struct numa_drop_counters *sk_drop_counters; /* Linux 6.18 */
};

struct numa_drop_counters {
	atomic_t drops0, drops1;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
};

/* icsk_ack is a struct without a name of its own; only its lrcvtime is read. */
struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct {
		__u32 lrcvtime;
	} icsk_ack;
};

struct minmax_sample {
	__u32 t, v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u32 segs_in;
	__u32 segs_out;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 write_seq;
	__u32 total_retrans;
	__u32 srtt_us; /* times 8 */
	__u32 mdev_us; /* times 4 */
	struct minmax rtt_min;
	__u32 chrono_start;
	__u32 chrono_stat[3];
	__u8 chrono_type : 2;
	__u32 snd_cwnd;
	__u32 snd_ssthresh;
	__u32 mss_cache;
	__u32 packets_out;
	__u32 lsndtime;
	__u32 rate_delivered;
	__u32 rate_interval_us;
	__u8 bpf_sock_ops_cb_flags;
};

struct request_sock {
	struct sock_common __req_common;
};

struct mm_struct;

struct signal_struct {
	atomic_t live;            /* threads */
	struct mm_struct *oom_mm; /* of one that is killed for want of memory */
};

struct task_struct {
	void *stack;
	int pid, tgid;
	int exit_code;
	unsigned int flags;
	char comm[16];
	__u64 start_boottime;
	struct mm_struct *mm;
	struct task_struct *group_leader, *real_parent;
	struct signal_struct *signal;
};

struct socket {
	struct sock *sk;
};

struct file;
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct udp_sock;

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

#pragma clang attribute pop
