/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that fail, each way on a port of its own, as the graph's edges show them.
 * A row of the table is a way to fail: what the network does, what connect() must have reported
 * (so that the test knows that it happened), and where it counts.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "run.h"

#define PORT 22000

struct way {
	const char *name;
	const char *rule; /* what the server's firewall does with the port; NULL: nothing */
	const char *address;
	int error;   /* what the client's program is told */
	bool wait;   /* blocking connect() */
	bool nobody; /* nobody listens */
	enum mr_counter counter;
	unsigned int count;
};

/* clang-format off */
static const struct way ways[] = {
	{"refused",                   NULL, NET_SERVER4, ECONNREFUSED, true,  true,  MR_FAILED_REFUSED,     20},
	{"refused, non-blocking",     NULL, NET_SERVER4, ECONNREFUSED, false, true,  MR_FAILED_REFUSED,     20},
	{"timed out",               "drop", NET_SERVER4, ETIMEDOUT,    true,  false, MR_FAILED_TIMED_OUT,    2},
	{"timed out, non-blocking", "drop", NET_SERVER4, ETIMEDOUT,    false, false, MR_FAILED_TIMED_OUT,    2},
	{"unreachable: no such host", NULL, NET_NOBODY4, EHOSTUNREACH, true,  true,  MR_FAILED_UNREACHABLE,  2},
	{"ICMP host-unreachable",     "reject with icmp type host-unreachable",
		NET_SERVER4, EHOSTUNREACH, true,  false, MR_FAILED_UNREACHABLE, 10},
	{"ICMP host-unreachable, non-blocking", "reject with icmp type host-unreachable",
		NET_SERVER4, EHOSTUNREACH, false, false, MR_FAILED_UNREACHABLE, 10},
	{"ICMP admin-prohibited, non-blocking", "reject with icmp type admin-prohibited",
		NET_SERVER4, EHOSTUNREACH, false, false, MR_FAILED_UNREACHABLE, 10},
	{"ICMP port-unreachable, non-blocking", "reject with icmp type port-unreachable",
		NET_SERVER4, ECONNREFUSED, false, false, MR_FAILED_REFUSED,     10},
	{"RST by the firewall",       "reject with tcp reset",
		NET_SERVER4, ECONNREFUSED, true,  false, MR_FAILED_REFUSED,     10},
	{"given up by the client",  "drop", NET_SERVER4, EINPROGRESS,  false, false, MR_FAILED_ABORTED,     10},
	{"reset by the server",       NULL, NET_SERVER4, ECONNRESET,   true,  false, MR_RESET_BY_SERVER,    10},
	{"server no longer answers", "meta length > 200 drop",
		NET_SERVER4, ETIMEDOUT,    true,  false, MR_BROKEN,              2},
	{"reset by the client",       NULL, NET_SERVER4, 0,            true,  false, MR_RESET_BY_CLIENT,    10},
};
/* clang-format on */
#define WAYS (sizeof(ways) / sizeof(*ways))

static const enum mr_counter reasons[] = {
	MR_FAILED_REFUSED,  MR_FAILED_TIMED_OUT, MR_FAILED_UNREACHABLE,
	MR_FAILED_RESET,    MR_FAILED_ABORTED,   MR_FAILED_OTHER,
	MR_RESET_BY_CLIENT, MR_RESET_BY_SERVER,  MR_BROKEN,
};

static uint16_t port_of(size_t way)
{
	return (uint16_t)(PORT + way);
}

static int rules_load(struct live *l)
{
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 "table inet failures {\nchain c {\n"
			 "type filter hook input priority 0;\n");

	for (size_t i = 0; i < WAYS; i++)
		if (ways[i].rule)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "tcp dport %u %s\n",
				      port_of(i), ways[i].rule);
	snprintf(text + n, sizeof(text) - (size_t)n, "}\n}\n");
	return net_nft(l->net.server, text);
}

static void rules_unload(struct live *l)
{
	net_nft(l->net.server, "delete table inet failures\n");
}

static void network_tune(struct live *l)
{
	net_sysctl(&l->net, l->net.client, "ipv4/tcp_syn_retries", "1");
	net_sysctl(&l->net, l->net.client, "ipv4/tcp_syn_linear_timeouts", "0");
	net_sysctl(&l->net, l->net.client, "ipv4/neigh/veth0/retrans_time_ms", "200");
	for (int i = 0; i < 2; i++)
		net_sysctl(&l->net, i ? l->net.client : l->net.server, "ipv4/icmp_ratelimit", "0");
}

static void network_restore(struct live *l)
{
	net_sysctl(&l->net, l->net.client, "ipv4/tcp_syn_retries", "6");
	net_sysctl(&l->net, l->net.client, "ipv4/tcp_syn_linear_timeouts", "4");
}

static void reset_hard(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(fd);
}

/* What came of a connect() that did not wait. */
static int later_error(int fd)
{
	struct pollfd ready = {fd, POLLOUT, 0};
	socklen_t size = sizeof(int);
	int error = 0;

	poll(&ready, 1, 30000);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

/* Sends what the firewall drops and waits for the kernel to lose patience. */
static int silence_error(int fd)
{
	static char large[1000];
	char byte;

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){1500}, sizeof(int));
	if (send(fd, large, sizeof(large), MSG_NOSIGNAL) < 0)
		return errno;
	return recv(fd, &byte, 1, 0) < 0 ? errno : 0;
}

static int attempt(const struct way *w, uint16_t port)
{
	int error, fd = actor_connect(w->address, port, w->wait, &error);
	char byte;

	if (error == EINPROGRESS && w->error != EINPROGRESS)
		error = later_error(fd);
	if (error == 0) { /* the ways that open: wait for the server's first word */
		error = recv(fd, &byte, 1, 0) == 1 ? 0 : errno;
		if (error == 0 && w->counter == MR_BROKEN)
			error = silence_error(fd);
		if (error == 0)
			reset_hard(fd);
		if (error == 0)
			return 0;
	}
	close(fd);
	return error;
}

static pid_t client_start(struct live *l, size_t way)
{
	pid_t pid = actor_fork(l, "failclient", true);

	if (pid)
		return pid;
	for (unsigned int i = 0; i < ways[way].count; i++)
		if (attempt(&ways[way], port_of(way)) != ways[way].error)
			_exit(1);
	_exit(0);
}

static pid_t server_start(struct live *l, size_t way)
{
	pid_t pid = actor_fork(l, "failserver", false);
	int listener, fd;

	if (pid)
		return pid;
	listener = actor_listen(NET_SERVER4, port_of(way));
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (ways[way].counter == MR_RESET_BY_SERVER) {
			reset_hard(fd);
		} else if (send(fd, "", 1, MSG_NOSIGNAL) == 1 && ways[way].counter != MR_BROKEN) {
			recv(fd, &(char){0}, 1, 0);
			close(fd);
		}
	}
	_exit(0);
}

/* connect() itself may see the server's reset; then it counts just the same. */
/*
 * A non-blocking program may take ICMP's error away before the kernel has ended the attempt; then
 * which ICMP it was is known to nobody. It takes a CPU that stops between two stores for longer
 * than a system call takes. Emulated CPUs do: in guests up to three in ten may be filed so, else
 * one.
 */
static unsigned int taken_first(const struct live *l, const json_t *edge, const struct way *w)
{
	unsigned int taken;

	if (w->wait || !w->rule || !strstr(w->rule, "icmp type") || !edge)
		return 0;
	taken = (unsigned int)api_counter(edge, MR_FAILED_ABORTED);
	if (w->counter != MR_FAILED_UNREACHABLE)
		taken += (unsigned int)api_counter(edge, MR_FAILED_UNREACHABLE);
	return taken <= w->count * (l->scale < 1 ? 3 : 1) / 10 ? taken : 0;
}

static bool edge_right(const struct live *l, const json_t *edge, const struct way *w, char *text,
		       size_t size)
{
	unsigned int taken = taken_first(l, edge, w);
	bool right = true;
	size_t used = 0;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		long long got = edge ? api_counter(edge, reasons[i]) : -1;
		long long expected = reasons[i] == w->counter ? w->count - taken : 0;

		if (reasons[i] == w->counter || !taken ||
		    (reasons[i] != MR_FAILED_ABORTED && reasons[i] != MR_FAILED_UNREACHABLE))
			right = right && got == expected;
		if (got && used < size)
			used += (size_t)snprintf(text + used, size - used, " %d:%lld", reasons[i],
						 got);
	}
	return right && api_counter(edge, MR_ATTEMPTED) == w->count;
}

struct looking {
	const struct live *live;
	const struct millrace *millrace;
	size_t way;
	char text[256];
};

static bool edge_shows(void *userdata)
{
	struct looking *k = userdata;
	json_t *graph;
	const json_t *edge = api_edge(k->millrace, "failclient", NULL, port_of(k->way), &graph);
	bool right;

	snprintf(k->text, sizeof(k->text), "no such edge");
	right = edge_right(k->live, edge, &ways[k->way], k->text, sizeof(k->text));
	json_decref(graph);
	return right;
}

static void way_check(struct live *l, const struct millrace *m, size_t i, int status)
{
	struct looking k = {.live = l, .millrace = m, .way = i};
	bool shown = false;

	if (check(l, status == 0, "%s: the client's program saw it %u times", ways[i].name,
		  ways[i].count))
		shown = wait_until(edge_shows, &k, patience(l, 5000));
	if (status == 0)
		check(l, shown, "%s: %u, all under their reason%s%s", ways[i].name, ways[i].count,
		      shown ? "" : "; by counter:", shown ? "" : k.text);
}

enum verdict test_failures(struct live *l)
{
	pid_t clients[WAYS], servers[WAYS] = {0};
	struct millrace m;

	if (!l->net.nft)
		return skip(l, "no nftables here");
	network_tune(l);
	if (rules_load(l))
		return skip(l, "nftables cannot reject here (nft_reject)");
	if (millrace_start(&m, l, NULL)) {
		for (size_t i = 0; i < WAYS; i++)
			servers[i] = ways[i].nobody ? 0 : server_start(l, i);
		for (size_t i = 0; i < WAYS; i++) {
			struct actor_port p = {l, NET_SERVER4, port_of(i)};

			if (servers[i])
				wait_until(actor_accepts, &p, patience(l, 5000));
			clients[i] = client_start(l, i);
		}
		for (size_t i = 0; i < WAYS; i++)
			way_check(l, &m, i, process_wait(clients[i], patience(l, 60000)));
		for (size_t i = 0; i < WAYS; i++)
			process_end(servers[i], SIGKILL, 5000);
	}
	rules_unload(l);
	network_restore(l);
	return verdict(l);
}

static bool pending_shows(void *userdata)
{
	json_t *graph;
	const json_t *edge = api_edge(userdata, "waitclient", NULL, PORT + 100, &graph);
	bool shows = json_integer_value(api_at(edge, "connections.pending")) == 1;

	json_decref(graph);
	return shows;
}

static bool pending_gone(void *userdata)
{
	json_t *graph;
	const json_t *edge = api_edge(userdata, "waitclient", NULL, PORT + 100, &graph);
	bool gone = edge && json_integer_value(api_at(edge, "connections.pending")) == 0;

	json_decref(graph);
	return gone;
}

enum verdict test_pending(struct live *l)
{
	struct millrace m;
	uint64_t start;
	pid_t client;
	int error;

	if (!l->net.nft ||
	    net_nft(l->net.server, "table inet pending {\nchain c {\ntype filter hook input "
				   "priority 0;\ntcp dport 22100 drop\n}\n}\n"))
		return skip(l, "no nftables here");
	if (!millrace_start(&m, l, NULL))
		return FAIL;
	start = clock_ns();
	client = actor_fork(l, "waitclient", true);
	if (client == 0) {
		actor_connect(NET_SERVER4, PORT + 100, false, &error);
		pause();
		_exit(0);
	}
	wait_until(pending_shows, &m, patience(l, 10000));
	check(l, clock_ns() - start < (uint64_t)(l->scale < 1 ? 20 : 2) * 1000000000,
	      "pending on its edge %.2f s after its first SYN", (double)(clock_ns() - start) / 1e9);
	process_end(client, SIGKILL, 5000);
	check(l, wait_until(pending_gone, &m, patience(l, 5000)),
	      "no longer pending after close()");
	net_nft(l->net.server, "delete table inet pending\n");
	return verdict(l);
}
