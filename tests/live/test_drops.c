/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that this host's own firewall drops, where they arrive and where they leave: with their
 * reason on their edge, as many as the firewall's own rule counted, and named by `why`. Few of TCP,
 * then floods of UDP in both places at once, so that drops interrupt drops. */
#include <arpa/inet.h>
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
#include "tracer.h"

#define PORT_IN    22700
#define PORT_OUT   22701
#define FLOOD_IN   22702
#define FLOOD_OUT  22703
#define SCANNED    22704 /* nobody's */
#define SCAN       50
#define ATTEMPTS   6
#define FLOOD      20000
#define SMALL      8 /* bytes that pass, so that the flow is known */
#define LARGE      200
#define REASON     "NETFILTER_DROP"
#define TRACEPOINT "skb/kfree_skb"

static int rule_load(int netns, const char *hook, uint16_t tcp, uint16_t udp)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "table inet drops {\nchain c {\ntype filter hook %s priority 0;\n"
		 "tcp dport %u counter drop\nudp dport %u meta length > 100 counter drop\n"
		 "udp dport %u drop\n}\n}\n",
		 hook, tcp, udp, SCANNED);
	return net_nft(netns, text);
}

static int rules_load(struct live *l)
{
	int r = rule_load(l->net.server, "input", PORT_IN, FLOOD_IN);

	return r ? r : rule_load(l->net.client, "output", PORT_OUT, FLOOD_OUT);
}

static void rules_unload(struct live *l)
{
	net_nft(l->net.server, "delete table inet drops\n");
	net_nft(l->net.client, "delete table inet drops\n");
}

/* What the rule for this port has counted in this namespace; -1: it cannot be asked. */
static long long rule_packets(int netns, uint16_t port)
{
	const char *const argv[] = {program_find("nft"), "list", "table", "inet", "drops", NULL};
	static const char word[] = "counter packets ";
	char out[4096], rule[16];
	const char *at;

	if (!argv[0] || run(&(struct spawn){.netns = netns}, argv, out, sizeof(out), 20000))
		return -1;
	snprintf(rule, sizeof(rule), "dport %u ", port);
	at = strstr(out, rule);
	at = at ? strstr(at, word) : NULL;
	return at ? atoll(at + strlen(word)) : -1;
}

static int udp_socket(uint16_t port,
		      int (*take)(int fd, const struct sockaddr *address, socklen_t length))
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, NET_SERVER4, &in.sin_addr);
	return fd < 0 || take(fd, (struct sockaddr *)&in, sizeof(in)) ? -1 : fd;
}

static pid_t server_start(struct live *l)
{
	pid_t pid = actor_fork(l, "dropserver", false);

	if (pid)
		return pid;
	if (udp_socket(FLOOD_IN, bind) < 0 || udp_socket(FLOOD_OUT, bind) < 0 ||
	    actor_listen(NET_SERVER4, PORT_IN) < 0 || actor_listen(NET_SERVER4, PORT_OUT) < 0)
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

/* What the firewall takes away where it leaves, send() is told. */
static pid_t flood_start(struct live *l, uint16_t port)
{
	static const char data[LARGE];
	pid_t pid = actor_fork(l, "dropflood", true);
	int fd;

	if (pid)
		return pid;
	fd = udp_socket(port, connect);
	if (fd < 0 || send(fd, data, SMALL, 0) != SMALL)
		_exit(1);
	for (int i = 0; i < FLOOD; i++)
		if (send(fd, data, LARGE, 0) != LARGE && errno != EPERM)
			_exit(1);
	_exit(0);
}

struct looking {
	const struct millrace *millrace;
	const char *client;
	uint16_t port;
	long long wanted, got, timed_out, skipped;
};

static bool edge_shows(void *userdata)
{
	struct looking *k = userdata;
	json_t *graph;
	const json_t *edge = api_edge(k->millrace, k->client, NULL, k->port, &graph);
	const json_t *drops = json_object_get(edge, "drops");

	k->got = json_integer_value(json_object_get(drops, REASON));
	k->timed_out = edge ? api_counter(edge, MR_FAILED_TIMED_OUT) : -1;
	k->skipped = json_integer_value(api_at(graph, "completeness.lost.recursion"));
	json_decref(graph);
	return k->got >= k->wanted;
}

static void edge_wait(struct live *l, struct looking *k, int netns)
{
	k->wanted = rule_packets(netns, k->port);
	wait_until(edge_shows, k, patience(l, 5000));
}

static bool all_timed_out(void *looking)
{
	edge_shows(looking);
	return ((struct looking *)looking)->timed_out == ATTEMPTS;
}

static void attempts_check(struct live *l, const struct millrace *m, uint16_t port, int netns,
			   const char *where)
{
	struct looking k = {.millrace = m, .client = "dropclient", .port = port};

	edge_wait(l, &k, netns);
	check(l, k.wanted >= ATTEMPTS && k.got == k.wanted,
	      "%s: the rule dropped %lld packets, %lld are on the edge", where, k.wanted, k.got);
	wait_until(all_timed_out, &k, patience(l, 5000));
	check_equal(l, "attempts that timed out", ATTEMPTS, (uint64_t)k.timed_out);
}

static void tracer_start(struct tracer *t)
{
	int reason = tracer_symbol(TRACEPOINT, REASON);
	char filter[32];

	*t = (struct tracer){0};
	snprintf(filter, sizeof(filter), "reason == %d", reason);
	if (reason < 0 || tracer_open(t, TRACEPOINT, filter))
		say("no tracer beside millrace's own here");
}

/* What comes while both programs of the hook are held up is skipped, which the kernel counts. */
static void floods_run(struct live *l, const struct millrace *m)
{
	struct looking in = {.millrace = m, .client = "dropflood", .port = FLOOD_IN};
	struct looking out = {.millrace = m, .client = "dropflood", .port = FLOOD_OUT};
	struct tracer tracer;
	long long untold;
	pid_t first, second;

	tracer_start(&tracer);
	first = flood_start(l, FLOOD_IN);
	second = flood_start(l, FLOOD_OUT);
	check(l, process_wait(first, patience(l, 60000)) == 0, "arriving: the flood ended");
	check(l, process_wait(second, patience(l, 60000)) == 0, "leaving: the flood ended");
	edge_wait(l, &in, l->net.server);
	edge_wait(l, &out, l->net.client);
	untold = (long long)tracer_untold(&tracer, (uint64_t)(in.wanted + out.wanted));
	tracer_close(&tracer);
	check(l,
	      in.got <= in.wanted && out.got <= out.wanted && out.skipped <= FLOOD / 1000 &&
		      untold <= FLOOD / 2 &&
		      in.got + out.got + out.skipped + untold == in.wanted + out.wanted,
	      "floods: the rules dropped %lld where they arrive and %lld where they leave; "
	      "on the edges %lld and %lld, skipped by the kernel %lld, told to no tracer %lld",
	      in.wanted, out.wanted, in.got, out.got, out.skipped, untold);
}

/* Of a raw socket, so of no flow. */
static pid_t scan_start(struct live *l)
{
	struct {
		uint16_t source, destination, length, checksum;
	} header = {htons(40000), htons(SCANNED), htons(sizeof(header)), 0};
	struct sockaddr_in in = {.sin_family = AF_INET};
	pid_t pid = actor_fork(l, "dropscan", true);
	int fd;

	if (pid)
		return pid;
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	inet_pton(AF_INET, NET_SERVER4, &in.sin_addr);
	for (int i = 0; i < SCAN; i++)
		if (sendto(fd, &header, sizeof(header), 0, (struct sockaddr *)&in, sizeof(in)) <
			    0 &&
		    errno != EPERM)
			_exit(1);
	_exit(0);
}

static bool scan_shows(void *millrace)
{
	json_t *answer = NULL;
	long long drops;

	api_get(millrace, "/api/v1/agents", NULL, &answer);
	drops = json_integer_value(json_object_get(
		json_array_get(json_object_get(answer, "agents"), 0), "foreign_drops"));
	json_decref(answer);
	return drops == SCAN;
}

static void scan_check(struct live *l, struct millrace *m)
{
	check(l, process_wait(scan_start(l), patience(l, 20000)) == 0, "the scan ended");
	check(l, wait_until(scan_shows, m, patience(l, 5000)),
	      "%d packets of no flow, dropped, are told", SCAN);
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
	attempts_check(l, m, PORT_IN, l->net.server, "dropped where they arrive");
	attempts_check(l, m, PORT_OUT, l->net.client, "dropped where they leave");
	floods_run(l, m);
	scan_check(l, m);
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
