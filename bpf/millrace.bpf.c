/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of hooks. What each does is in the headers: life.h (connections), sweep.h (live
 * sockets), adopt.h (what was open before), listeners.h; all fold through fold.h.
 *
 * No hook is on TCP's path of data: nothing runs per packet or per send(), but for cgroup_skb where
 * fentry is refused (udp.h).
 */
#include "kernel.h"

#include "adopt.h"
#include "connections.h"
#include "cost.h"
#include "drops.h"
#include "interrupted.h"
#include "news.h"
#include "process.h"
#include "sweep.h"
#include "udp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void want_state_changes(struct bpf_sock_ops *ctx)
{
	u32 flags = ctx->bpf_sock_ops_cb_flags;

	if (!(flags &
	      BPF_SOCK_OPS_STATE_CB_FLAG)) /* others may have theirs set: add, never replace */
		bpf_sock_ops_cb_flags_set(ctx, flags | BPF_SOCK_OPS_STATE_CB_FLAG);
}

static __always_inline void closed(const struct tcp_sock *tp, u32 from)
{
	if (from == MR_TCP_LISTEN)
		listener_close(tp);
	else
		life_closed(tp, from);
}

/* Most of what comes is not: the kernel asks for time-outs and windows here too. */
static __always_inline int is_ours(struct bpf_sock_ops *ctx)
{
	switch (ctx->op) {
	case BPF_SOCK_OPS_STATE_CB:
		return ctx->args[1] == MR_TCP_CLOSE;
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_TCP_LISTEN_CB:
		return 1;
	}
	return 0;
}

/*
 * tcp_connect(), tcp_init_transfer(), inet_listen(), tcp_set_state(): a few times a connection.
 * Without it there is nothing to see. Runs for every socket of the observed cgroup, in every
 * network namespace, on whichever CPU; unlike a tracepoint it is never skipped.
 */
SEC("sockops")
int mr_sock_ops(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *bsk = ctx->sk;
	struct tcp_sock *tp;
	u64 begin_ns;

	if (!is_ours(ctx))
		return 1;
	if (!bsk || bsk->protocol != IPPROTO_TCP) /* MPTCP's own sockets come as 262, on port 0 */
		return 1;
	tp = (void *)bpf_skc_to_tcp_sock(bsk);
	if (!tp)
		return 1;
	begin_ns = cost_begin(((struct sock *)tp)->sk_txhash);
	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		want_state_changes(ctx);
		life_connect(tp);
		break;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		want_state_changes(ctx);
		life_opened(tp, MR_ROLE_CLIENT);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		want_state_changes(ctx);
		life_opened(tp, MR_ROLE_SERVER);
		break;
	case BPF_SOCK_OPS_TCP_LISTEN_CB:
		want_state_changes(ctx);
		listener_open(tp);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		closed(tp, ctx->args[0]);
		break;
	}
	cost_end(begin_ns);
	return 1;
}

/*
 * tcp_v4_err() queues what ICMP said and reports it before it sets an error; while a system call
 * holds the socket that is the soft error only, which the program takes away with SO_ERROR before
 * it closes.
 */
static __always_inline u16 queued_error(const struct sock *sk)
{
	const struct sock_exterr_skb *report = (const void *)sk->sk_error_queue.prev->cb;
	u8 origin = 0;
	u32 error = 0;

	if (!sk->sk_error_queue.qlen)
		return 0;
	bpf_core_read(&origin, sizeof(origin), &report->ee.ee_origin);
	bpf_core_read(&error, sizeof(error), &report->ee.ee_errno);
	return origin == SO_EE_ORIGIN_ICMP || origin == SO_EE_ORIGIN_ICMP6 ? error : 0;
}

static __always_inline int error_reported(const struct sock *sk)
{
	struct slot *s;
	u32 number, error;

	if (sk->sk_protocol != IPPROTO_TCP || sk->__sk_common.skc_state != MR_TCP_SYN_SENT)
		return 0;
	error = sk->sk_err ? sk->sk_err : queued_error(sk);
	s = slot_find(sk, &number);
	if (s && error)
		s->error = error;
	return 0;
}

/* sk_error_report(): per error. Without it a connect() that is rejected by ICMP while a system call
 * holds the socket counts as aborted. The kernel skips a program that interrupts itself, so there
 * are two copies: rarely both are skipped (1 in 80,000 on 7.2), and both running does no harm. */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(mr_error_report, const struct sock *sk)
{
	return error_reported(sk);
}

SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(mr_error_report_2, const struct sock *sk)
{
	return error_reported(sk);
}

/* tcp_rtx_synack(): per SYN-ACK sent again, at the listener. Without it a handshake that the
 * client's side never completes leaves no trace on the server. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(mr_retransmit_synack, const struct sock *listener, const struct request_sock *req)
{
	struct mr_flow_key key = {.role = MR_ROLE_SERVER};
	struct fold f = FOLD_NOTHING;

	if (!cgroup_is_observed(listener))
		return 0;
	f.synack_retransmits = 1;
	key.cgroup = sock_cgroup_id(listener);
	key_netns(&key, listener);
	key.port = listener->__sk_common.skc_num;
	key_addresses(&key, &req->__req_common);
	key_keep_port(&key, MR_TRANSPORT_TCP, bpf_ntohs(req->__req_common.skc_dport));
	flow_fold(&key, &f);
	return 0;
}

static __always_inline int adopted_state_changed(const struct sock *sk, int from, int to)
{
	struct tcp_sock *tp;
	struct slot *s;
	u32 number;

	if (to != MR_TCP_CLOSE || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (from == MR_TCP_LISTEN) {
		listener_close(sk);
		return 0;
	}
	s = slot_find(sk, &number);
	if (!s || !s->adopted)
		return 0;
	tp = (void *)bpf_skc_to_tcp_sock((void *)sk);
	if (tp)
		close_slot(s, number, tp, from);
	return 0;
}

/* inet_sk_state_store(): per state change, attached only while there are adopted connections on a
 * kernel that cannot flag them for sock_ops. The kernel skips a program that interrupts itself; of
 * two copies one nearly always runs, and who takes the slot's words first folds. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(mr_set_state, const struct sock *sk, int from, int to)
{
	return adopted_state_changed(sk, from, to);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(mr_set_state_2, const struct sock *sk, int from, int to)
{
	return adopted_state_changed(sk, from, to);
}

/* Run by the agent once, before the hooks are attached. */
SEC("raw_tp")
int mr_start_run(void *ctx)
{
	address_learn();
	return 0;
}

/* Run by the agent once a window (BPF_PROG_TEST_RUN), in its own time and context. */
SEC("raw_tp")
int mr_sweep_run(void *ctx)
{
	mr_sweep.visited = mr_sweep.live = 0;
	mr_sweep.next_region = mr_sweep.first_region;
	bpf_loop(mr_sweep.regions, region_sweep, NULL, 0);
	return 0;
}

/* Run by the agent when it wants the listeners. */
SEC("raw_tp")
int mr_listeners_run(void *ctx)
{
	bpf_for_each_map_elem(&mr_listeners, listener_refresh, NULL, 0);
	return 0;
}

/* Per open file, once at start. */
SEC("iter/task_file")
int mr_holders_walk(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = (void *)bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (sk && (sk->sk_protocol == IPPROTO_TCP || sk->sk_protocol == IPPROTO_UDP))
		holder_note(task, sk);
	return 0;
}

/* Per TCP socket of a network namespace, once at start, with the socket locked. */
SEC("iter/tcp")
int mr_adopt_walk(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp;
	u32 flags;
	u8 state;

	if (!skc)
		return 0;
	tp = (void *)bpf_skc_to_tcp_sock((void *)skc);
	if (!tp || ((struct sock *)tp)->sk_protocol != IPPROTO_TCP ||
	    !cgroup_is_observed((struct sock *)tp))
		return 0;
	state = skc->skc_state;
	if (state == MR_TCP_LISTEN) {
		adopt_listener((struct sock *)tp);
	} else if (state != MR_TCP_CLOSE && state != MR_TCP_SYN_RECV) {
		if (!adopt_connection(tp, state))
			return 0;
		mr_adopted++;
	} else {
		return 0;
	}
	flags = tp->bpf_sock_ops_cb_flags;
	if (flags & BPF_SOCK_OPS_STATE_CB_FLAG)
		return 0;
	flags |= BPF_SOCK_OPS_STATE_CB_FLAG;
	if (bpf_setsockopt(skc, SOL_TCP, TCP_CB_FLAGS_OPT, &flags, sizeof(flags)))
		mr_adopted_unflagged++;
	return 0;
}

/* Per UDP socket of a network namespace, once at start. */
SEC("iter/udp")
int mr_udp_adopt_walk(struct bpf_iter__udp *ctx)
{
	struct udp_sock *sk = ctx->udp_sk;

	if (sk)
		udp_socket_adopt(bpf_get_socket_cookie(sk), address_of(sk));
	return 0;
}

/* ip_send_skb(), ip6_send_skb(): per datagram sent, or per buffer of several (UDP_SEGMENT). Not on
 * TCP's path. Without them, or cgroup_skb instead, no UDP is seen. Not where tasks take the CPU
 * from each other in the kernel (interrupted.h). */
SEC("fentry/ip_send_skb")
int BPF_PROG(mr_udp_send4, struct net *net, struct sk_buff *skb)
{
	udp_sent(skb, 0);
	return 0;
}

SEC("fentry/ip6_send_skb")
int BPF_PROG(mr_udp_send6, struct sk_buff *skb)
{
	udp_sent(skb, 1);
	return 0;
}

/* Never runs: it is attached and taken away to see whether this kernel lets fentry attach, where no
 * traffic comes by while the kernel changes its own code. */
SEC("fentry/bpf_fentry_test1")
int BPF_PROG(mr_fentry_try)
{
	return 0;
}

/* __udp_enqueue_schedule_skb(): per datagram received, or per buffer of several (GRO). */
SEC("fentry/__udp_enqueue_schedule_skb")
int BPF_PROG(mr_udp_receive, struct sock *sk, struct sk_buff *skb)
{
	if (udp_is_datagram(sk))
		udp_received(sk, skb);
	return 0;
}

/* ip_finish_output(), sk_filter_trim_cap(): per packet of any protocol, where fentry cannot serve.
 */
SEC("cgroup_skb/egress")
int mr_udp_egress(struct __sk_buff *packet)
{
	if (!udp_is_other(packet))
		udp_packet(packet, 0);
	return 1;
}

SEC("cgroup_skb/ingress")
int mr_udp_ingress(struct __sk_buff *packet)
{
	if (!udp_is_other(packet))
		udp_packet(packet, 1);
	return 1;
}

/* __udp_enqueue_schedule_skb() failed: per datagram that found the receive queue full. Without it
 * such datagrams count as received. Always in a softirq, so it never interrupts itself. */
SEC("tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(mr_udp_drop, int error, const struct sock *sk)
{
	udp_dropped(address_of(sk));
	return 0;
}

static __always_inline int udp_bind(struct bpf_sock *sk)
{
	if (sk->type == SOCK_DGRAM && sk->protocol == IPPROTO_UDP)
		udp_socket_bound(bpf_get_socket_cookie(sk), address_of(sk), sk->src_port);
	return 1;
}

/* __inet_bind(): per bind(). Without it a server that never answers is known by its cgroup only. */
SEC("cgroup/post_bind4")
int mr_udp_bind4(struct bpf_sock *sk)
{
	return udp_bind(sk);
}

SEC("cgroup/post_bind6")
int mr_udp_bind6(struct bpf_sock *sk)
{
	return udp_bind(sk);
}

/* kfree_skb(): per packet dropped. Without it there are no reasons for what this host drops. In two
 * programs, since a task that drops may be interrupted by packets that are dropped as they arrive
 * (interrupted.h). */
SEC("tp_btf/kfree_skb")
int BPF_PROG(mr_drop_skb, struct sk_buff *skb, void *location, u32 reason)
{
	if (!drop_is_ignored(reason) && is_first(ctx, skb))
		drop_seen(skb, reason);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(mr_drop_skb_2, struct sk_buff *skb, void *location, u32 reason)
{
	if (!drop_is_ignored(reason) && is_missed(ctx, skb))
		drop_seen(skb, reason);
	return 0;
}

/* netlink_broadcast(): per entry that the connection tracking makes or forgets, of any namespace;
 * the filter of the agent's socket. Without it an address is virtual only once the agent has read
 * of it, and the connections before stay unresolved. */
SEC("socket")
int mr_news(struct __sk_buff *news)
{
	return news_filter(news);
}

/* kernel_clone(): per process and thread. Without it the workers of a server are not known, and a
 * server that puts itself into the background seems to have ended. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(mr_process_fork, struct task_struct *parent, struct task_struct *child)
{
	process_forked(parent, child);
	return 0;
}

/* exec_binprm(): per exec(). Without it a program that a server starts seems to be a worker. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(mr_process_exec, struct task_struct *task)
{
	process_execed(task);
	return 0;
}

/* do_exit(): per thread that ends. Without it neither ends nor restarts are told. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(mr_process_exit, struct task_struct *task)
{
	if (!task->signal->live.counter)
		process_ended(task);
	return 0;
}

/* Per region of slots, when somebody asks for live connections. */
SEC("iter/bpf_map_elem")
int mr_connections_walk(struct bpf_iter__bpf_map_elem *ctx)
{
	u32 *region = ctx->key;

	if (!region || !ctx->value)
		return 0;
	for (u32 i = 0; i < REGION_SLOTS; i++)
		connection_show(ctx->meta->seq, *region << REGION_SHIFT | i);
	return 0;
}
