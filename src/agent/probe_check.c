/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this kernel gives, found by trying: each feature is a program of ours that is loaded,
 * attached and taken away again. No version is ever asked. See probe_check() in probe.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "agent/cgroup_mount.h"
#include "agent/preempt.h"
#include "agent/probe_internal.h"

/* One program, loaded alone; and attached, if a link can be had without more. */
struct trial {
	const char *program;
	bool attach;
	struct probe_feature feature; /* what it serves; the note is for when it fails */
};

static const struct trial trials[] = {
	{"mr_sock_ops",
	 true,
	 {"sock_ops", "life of TCP connections", true, false,
	  "nothing can replace it; use Linux 6.1 or newer"}},
	{"mr_sweep_run",
	 false,
	 {"run on demand", "live connections, once a window", true, false,
	  "nothing can replace it; use Linux 6.1 or newer (bpf_loop, raw_tp by "
	  "BPF_PROG_TEST_RUN)"}},
	{"mr_adopt_walk",
	 true,
	 {"iter/tcp", "connections open before the agent", true, false,
	  "nothing can replace it; use Linux 6.1 or newer"}},
	{"mr_holders_walk",
	 true,
	 {"iter/task_file", "their processes", true, false,
	  "nothing can replace it; use Linux 6.1 or newer"}},
	{"mr_connections_walk",
	 false,
	 {"iter/bpf_map_elem", "live connections on demand", true, false,
	  "nothing can replace it; use Linux 6.1 or newer"}},
	{"mr_error_report",
	 true,
	 {"inet_sk_error_report", "why a non-blocking connect() failed", false, false,
	  "a connect() rejected by ICMP may count as aborted"}},
	{"mr_retransmit_synack",
	 true,
	 {"tcp_retransmit_synack", "handshakes that the client's side never completes", false,
	  false, "such handshakes leave no trace on the server"}},
	{"mr_set_state",
	 true,
	 {"inet_sock_set_state", "closes of adopted connections, where they cannot be flagged",
	  false, false, "then such closes are found by the sweep only, and counted as a loss"}},
	{"mr_udp_egress",
	 true,
	 {"cgroup_skb", "UDP, where fentry cannot serve; runs for each packet", false, false,
	  "without fentry too, UDP is not seen"}},
	{"mr_udp_adopt_walk",
	 true,
	 {"iter/udp", "UDP sockets open before the agent", false, false,
	  "such sockets are known when they first send or receive"}},
	{"mr_udp_drop",
	 true,
	 {"udp_fail_queue_rcv_skb", "datagrams that found the receive queue full", false, false,
	  "such datagrams count as received"}},
	{"mr_drop_skb",
	 true,
	 {"kfree_skb", "what this host's firewall and stack drop, by reason", false, false,
	  "drops have no reasons; Linux 5.17 and newer tell them"}},
	{"mr_process_exit",
	 true,
	 {"sched_process_exit", "how processes end, restarts", false, false,
	  "starts, ends and restarts of processes are not told"}},
	{"mr_udp_bind4",
	 true,
	 {"post_bind", "who serves on a UDP port", false, false,
	  "a server that never answers is known by its cgroup only"}},
};

static struct millrace_bpf *load_alone(const char *program, struct bpf_program **ret)
{
	struct millrace_bpf *skel = millrace_bpf__open();

	if (!skel)
		return NULL;
	for (struct bpf_program *p = NULL; (p = bpf_object__next_program(skel->obj, p));) {
		bool wanted = strcmp(bpf_program__name(p), program) == 0;

		bpf_program__set_autoload(p, wanted);
		if (wanted)
			*ret = p;
	}
	if (millrace_bpf__load(skel)) {
		millrace_bpf__destroy(skel);
		return NULL;
	}
	return skel;
}

static bool is_of_cgroup(const struct bpf_program *program)
{
	enum bpf_prog_type type = bpf_program__type(program);

	return type == BPF_PROG_TYPE_SOCK_OPS || type == BPF_PROG_TYPE_CGROUP_SKB ||
	       type == BPF_PROG_TYPE_CGROUP_SOCK;
}

static struct bpf_link *attach_alone(struct bpf_program *program)
{
	struct bpf_link *link;
	char mount[PATH_MAX];
	int fd;

	if (!is_of_cgroup(program))
		return bpf_program__attach(program);
	if (cgroup_mount(mount, sizeof(mount)) < 0)
		return NULL;
	fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_cgroup(program, fd);
	close(fd);
	return link;
}

static void try_program(const struct trial *t, struct probe_feature *ret)
{
	struct bpf_program *program = NULL;
	struct millrace_bpf *skel = load_alone(t->program, &program);
	struct bpf_link *link = NULL;

	*ret = t->feature;
	if (skel && t->attach)
		link = attach_alone(program);
	ret->works = skel && (!t->attach || link);
	if (ret->works)
		ret->note[0] = '\0';
	bpf_link__destroy(link);
	millrace_bpf__destroy(skel);
}

static void try_btf(struct probe_feature *ret)
{
	*ret = (struct probe_feature){
		"BTF", "where the kernel's fields are", true,
		access("/sys/kernel/btf/vmlinux", R_OK) == 0,
		"/sys/kernel/btf/vmlinux is missing; use a kernel with CONFIG_DEBUG_INFO_BTF"};
	if (ret->works)
		ret->note[0] = '\0';
}

static void try_cgroup(struct probe_feature *ret)
{
	char mount[PATH_MAX];

	*ret = (struct probe_feature){"cgroup v2", "which sockets are seen, and whose they are",
				      true, cgroup_mount(mount, sizeof(mount)) == 0,
				      "mount it: mount -t cgroup2 none /sys/fs/cgroup/unified"};
	if (ret->works)
		snprintf(ret->note, sizeof(ret->note), "%.200s", mount);
}

static int listen_anywhere(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 1))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void probe_check_note(char *note, size_t size, const char *error)
{
	const char *hint = strstr(error, "; ");

	if (!hint || !strstr(hint, "millrace check"))
		snprintf(note, size, "%s", error);
	else
		snprintf(note, size,
			 "%.*s; a required row that fails tells why; if none does, report this "
			 "line and `uname -r`",
			 (int)(hint - error), error);
}

/* What each does alone it need not do together: the kernel bounds their stacks over all calls. And
 * whether an open socket can be made to tell sock_ops its close, tried on one of our own. */
static void try_together(struct probe_feature *ret_all, struct probe_feature *ret_flag)
{
	struct probe_config config = {.slots_max = REGION_SLOTS, .flows_max = 64};
	struct probe *p = NULL;
	struct error e = {0};
	int fd = listen_anywhere();

	*ret_all = (struct probe_feature){.name = "all together",
					  .serves = "the kernel side as `up` loads it",
					  .required = true};
	*ret_flag = (struct probe_feature){
		"flag open sockets", "closes of adopted connections, by sock_ops", false, false,
		"Linux before 6.12: inet_sock_set_state serves, while there are any"};
	ret_all->works = probe_open(&p, &config, &e) == 0;
	probe_check_note(ret_all->note, sizeof(ret_all->note), e.text);
	ret_flag->works = fd >= 0 && p && !p->skel->bss->mr_adopted_unflagged;
	if (ret_flag->works)
		ret_flag->note[0] = '\0';
	probe_free(p);
	if (fd >= 0)
		close(fd);
}

static void try_fentry(struct probe_feature *ret)
{
	static const char *const notes[] = {
		[PREEMPT_NOTHING] = "",
		[PREEMPT_TASKS] = "tasks preempt each other here: cgroup_skb for what is sent",
		[PREEMPT_ALL] = "a real-time kernel: cgroup_skb serves",
	};

	*ret = (struct probe_feature){"fentry", "UDP, at no cost for TCP", false,
				      probe_udp_fentry_works(),
				      "this kernel has none or is locked down: cgroup_skb serves"};
	if (ret->works)
		snprintf(ret->note, sizeof(ret->note), "%s", notes[preempt_here()]);
}

/* The answer to "list all": entries or the list's end; an error where the kernel has no such table.
 */
static bool conntrack_answers(int fd)
{
	const struct {
		struct nlmsghdr head;
		struct nfgenmsg body;
	} ask = {{.nlmsg_len = sizeof(ask),
		  .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
		  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		 {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0}};
	char answer[16384];
	const struct nlmsghdr *head = (const void *)answer;
	struct timeval patience = {.tv_sec = 1};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, &ask, sizeof(ask), 0) != sizeof(ask) ||
	    recv(fd, answer, sizeof(answer), 0) < (ssize_t)sizeof(*head))
		return false;
	return head->nlmsg_type != NLMSG_ERROR;
}

static void try_conntrack(struct probe_feature *ret)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	*ret = (struct probe_feature){
		"conntrack", "which address a translated connection really goes to (NAT)", false,
		fd >= 0 && conntrack_answers(fd),
		"translated connections show the address that was asked for; if this host "
		"translates: modprobe nf_conntrack_netlink"};
	if (ret->works)
		ret->note[0] = '\0';
	if (fd >= 0)
		close(fd);
}

int probe_check(struct probe_feature *ret, size_t max, size_t *ret_count)
{
	size_t n = 0;

	if (max < sizeof(trials) / sizeof(trials[0]) + 6)
		return -ENOSPC;
	probe_quiet();
	try_btf(&ret[n++]);
	try_cgroup(&ret[n++]);
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		try_program(&trials[i], &ret[n++]);
	try_together(&ret[n], &ret[n + 1]);
	n += 2;
	try_fentry(&ret[n++]);
	try_conntrack(&ret[n++]);
	*ret_count = n;
	return 0;
}
