/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that this host's own firewall drops, where they arrive and where they leave: with their
 * reason on their edge, as many as the firewall's own rule counted, and named by `why`. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "run.h"

#define PORT_IN  22700
#define PORT_OUT 22701
#define ATTEMPTS 6
#define REASON   "NETFILTER_DROP"

static int rules_load(struct live *l)
{
	int r = net_nft(l->net.server, "table inet drops {\nchain c {\ntype filter hook input "
				       "priority 0;\ntcp dport 22700 counter drop\n}\n}\n");

	return r ? r
		 : net_nft(l->net.client, "table inet drops {\nchain c {\ntype filter hook output "
					  "priority 0;\ntcp dport 22701 counter drop\n}\n}\n");
}

static void rules_unload(struct live *l)
{
	net_nft(l->net.server, "delete table inet drops\n");
	net_nft(l->net.client, "delete table inet drops\n");
}

/* What the rule in this namespace has counted; -1: it cannot be asked. */
static long long rule_packets(int netns)
{
	const char *const argv[] = {program_find("nft"), "list", "table", "inet", "drops", NULL};
	static const char word[] = "counter packets ";
	char out[4096];
	const char *at;

	if (!argv[0] || run(&(struct spawn){.netns = netns}, argv, out, sizeof(out), 20000))
		return -1;
	at = strstr(out, word);
	return at ? atoll(at + strlen(word)) : -1;
}

static pid_t server_start(struct live *l)
{
	pid_t pid = actor_fork(l, "dropserver", false);

	if (pid)
		return pid;
	if (actor_listen(NET_SERVER4, PORT_IN) < 0 || actor_listen(NET_SERVER4, PORT_OUT) < 0)
		_exit(1);
	pause();
	_exit(0);
}

/* Ends when each of its attempts has timed out. */
static pid_t client_start(struct live *l, uint16_t port)
{
	struct pollfd fds[ATTEMPTS];
	pid_t pid = actor_fork(l, "dropclient", true);
	int error;

	if (pid)
		return pid;
	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		fds[i] = (struct pollfd){.events = POLLOUT};
		fds[i].fd = actor_connect(NET_SERVER4, port, false, &error);
	}
	for (unsigned int i = 0; i < ATTEMPTS; i++)
		if (poll(&fds[i], 1, 60000) != 1)
			_exit(1);
	_exit(0);
}

struct looking {
	const struct millrace *millrace;
	uint16_t port;
	long long wanted, got, timed_out, skipped;
};

static bool edge_shows(void *userdata)
{
	struct looking *k = userdata;
	json_t *graph;
	const json_t *edge = api_edge(k->millrace, "dropclient", NULL, k->port, &graph);
	const json_t *drops = json_object_get(edge, "drops");

	k->got = json_integer_value(json_object_get(drops, REASON));
	k->timed_out = edge ? api_counter(edge, MR_FAILED_TIMED_OUT) : -1;
	k->skipped = json_integer_value(api_at(graph, "completeness.lost.recursion"));
	json_decref(graph);
	return k->got >= k->wanted && k->timed_out == ATTEMPTS;
}

/* The kernel skips a program that interrupts itself, and says how often. */
static void edge_check(struct live *l, const struct millrace *m, uint16_t port, int netns,
		       const char *where)
{
	struct looking k = {.millrace = m, .port = port, .wanted = rule_packets(netns)};

	check(l, k.wanted >= ATTEMPTS, "%s: the rule dropped %lld packets", where, k.wanted);
	wait_until(edge_shows, &k, patience(l, 5000));
	check(l, k.got <= k.wanted && k.got + k.skipped >= k.wanted,
	      "%s: %lld on the edge; the kernel skipped the program %lld times", where, k.got,
	      k.skipped);
	check_equal(l, "attempts that timed out", ATTEMPTS, (uint64_t)k.timed_out);
}

static void why_check(struct live *l, struct millrace *m, uint16_t port)
{
	char server[32], out[8192] = "";
	int status;

	snprintf(server, sizeof(server), "dropserver:%u", port);
	status = millrace_command(m, (const char *const[]){"why", "dropclient", server, NULL}, out,
				  sizeof(out));
	check(l, status == 0 && strstr(out, REASON) && strstr(out, "by its firewall"),
	      "why names the reason and the firewall (status %d)%s%s", status,
	      strstr(out, REASON) ? "" : ": ", strstr(out, REASON) ? "" : out);
}

static bool reasons_are_told(void *millrace)
{
	char out[8192] = "";

	millrace_command(millrace, (const char *const[]){"agents", "--json", NULL}, out,
			 sizeof(out));
	return strstr(out, "kfree_skb");
}

static void losses_tell(const struct millrace *m)
{
	char text[512] = "";

	api_losses(m, text, sizeof(text));
	say("losses: %s", text[0] ? text : "none");
}

static void run_both(struct live *l, struct millrace *m)
{
	struct actor_port p = {l, NET_SERVER4, PORT_OUT};
	pid_t server = server_start(l), in, out;

	wait_until(actor_accepts, &p, patience(l, 1000));
	in = client_start(l, PORT_IN);
	out = client_start(l, PORT_OUT);
	check(l, process_wait(in, patience(l, 60000)) == 0, "arriving: every attempt ended");
	check(l, process_wait(out, patience(l, 60000)) == 0, "leaving: every attempt ended");
	edge_check(l, m, PORT_IN, l->net.server, "dropped where they arrive");
	edge_check(l, m, PORT_OUT, l->net.client, "dropped where they leave");
	losses_tell(m);
	why_check(l, m, PORT_IN);
	why_check(l, m, PORT_OUT);
	process_end(server, SIGKILL, 5000);
}

enum verdict test_drops(struct live *l)
{
	struct millrace m;

	if (!l->net.nft || rules_load(l))
		return skip(l, "no nftables here");
	net_sysctl(&l->net, l->net.client, "ipv4/tcp_syn_retries", "1");
	net_sysctl(&l->net, l->net.client, "ipv4/tcp_syn_linear_timeouts", "0");
	if (millrace_start(&m, l, NULL)) {
		if (!wait_until(reasons_are_told, &m, patience(l, 5000)))
			skip(l, "this kernel tells no reasons (kfree_skb)");
		else
			run_both(l, &m);
	}
	rules_unload(l);
	net_sysctl(&l->net, l->net.client, "ipv4/tcp_syn_retries", "6");
	net_sysctl(&l->net, l->net.client, "ipv4/tcp_syn_linear_timeouts", "4");
	return l->reason[0] ? SKIP : verdict(l);
}
