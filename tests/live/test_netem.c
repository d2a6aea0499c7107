/* SPDX-License-Identifier: Apache-2.0 */
/* A link that delays, and one that loses: the round trip as it was made, retransmits as the kernel
 * counts them, and what the queue threw away under its reason. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "run.h"

#define PORT_DELAY 22800
#define PORT_LOSS  22801
#define DELAY_US   20000
#define PINGS      100

static int tc(const struct live *l, const char *const *words, char *out, size_t size)
{
	const char *argv[24] = {program_find("tc")};
	int n = 1;

	if (!argv[0])
		return -1;
	while (*words && n < 23)
		argv[n++] = *words++;
	return run(&(struct spawn){.netns = l->net.client}, argv, out, size, 20000);
}

#define TC(l, ...)                                                                                 \
	({                                                                                         \
		char ignored[512];                                                                 \
		tc(l, (const char *const[]){__VA_ARGS__, NULL}, ignored, sizeof(ignored));         \
	})

/* Answers a byte with a byte on one port, swallows all on the other. */
static pid_t server_start(struct live *l, uint16_t port)
{
	static char bytes[65536];
	pid_t pid = actor_fork(l, "netemserver", false);
	ssize_t n;
	int fd;

	if (pid)
		return pid;
	fd = actor_listen(NET_SERVER4, port);
	while (fd >= 0) {
		int peer = accept(fd, NULL, NULL);

		while ((n = read(peer, bytes, sizeof(bytes))) > 0)
			if (port == PORT_DELAY && write(peer, bytes, 1) != 1)
				break;
		close(peer);
	}
	_exit(1);
}

/* What the kernel told the program of its connection's round trip, in its memory and the test's. */
static uint32_t *round_us;

static int ping(int fd)
{
	struct tcp_info info;
	char byte = 0;

	for (unsigned int i = 0; i < PINGS; i++) {
		socklen_t size = sizeof(info);

		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1 ||
		    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
			return 1;
		round_us[i] = info.tcpi_rtt;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int stream(int fd, size_t size)
{
	static char bytes[65536];

	while (size) {
		ssize_t n = write(fd, bytes, size < sizeof(bytes) ? size : sizeof(bytes));

		if (n <= 0)
			return 1;
		size -= (size_t)n;
	}
	shutdown(fd, SHUT_WR);
	return read(fd, bytes, 1) != 0; /* until the server has it all */
}

/* Its exit status. */
static int client_run(struct live *l, uint16_t port, size_t size)
{
	pid_t pid = actor_fork(l, "netemclient", true);
	int error, fd;

	if (pid)
		return process_wait(pid, patience(l, 60000));
	fd = actor_connect(NET_SERVER4, port, true, &error);
	if (fd < 0 || error)
		_exit(1);
	_exit(port == PORT_DELAY ? ping(fd) : stream(fd, size));
}

struct looking {
	const struct millrace *millrace;
	uint16_t port;
	double rtt_p50;
	long long samples, retransmits, drops;
};

static bool edge_closed(void *userdata)
{
	struct looking *k = userdata;
	json_t *graph;
	const json_t *edge = api_edge(k->millrace, "netemclient", NULL, k->port, &graph);
	const json_t *drops = json_object_get(edge, "drops");
	bool closed = edge && api_counter(edge, MR_CLOSED) >= 1;

	k->rtt_p50 = json_number_value(api_at(edge, "rtt_us.p50"));
	k->samples = json_integer_value(api_at(edge, "rtt_us.count"));
	k->retransmits = edge ? api_counter(edge, MR_RETRANSMITS_TO_SERVER) : -1;
	k->drops = json_integer_value(json_object_get(drops, "QDISC_DROP"));
	json_decref(graph);
	return closed;
}

static struct looking look(struct live *l, const struct millrace *m, uint16_t port)
{
	struct looking k = {.millrace = m, .port = port};

	check(l, wait_until(edge_closed, &k, patience(l, 5000)), "the edge of port %u", port);
	return k;
}

/* Packets that the queue has dropped; -1: not told. */
static long long queue_dropped(struct live *l)
{
	char out[2048] = "";
	const char *const show[] = {"-s", "qdisc", "show", "dev", "veth0", NULL};
	const char *at;

	if (tc(l, show, out, sizeof(out)))
		return -1;
	at = strstr(out, "(dropped ");
	return at ? atoll(at + strlen("(dropped ")) : -1;
}

/* A machine that is busy with other things, or emulated, adds delay of its own, now more, now less:
 * then the middle half of what the kernel told is what it was. On a quiet one that is 20 ms. */
static void check_delay(struct live *l, struct millrace *m)
{
	struct looking k;
	double low_us, high_us;
	int status = client_run(l, PORT_DELAY, 0);

	check(l, status == 0, "%d questions and answers at 20 ms (status %d)", PINGS, status);
	qsort(round_us, PINGS, sizeof(*round_us), by_value);
	low_us = round_us[PINGS / 4];
	high_us = round_us[PINGS * 3 / 4];
	k = look(l, m, PORT_DELAY);
	check(l,
	      k.samples && k.rtt_p50 > DELAY_US * 0.9 && k.rtt_p50 > low_us * 0.9 &&
		      k.rtt_p50 < high_us * 1.1,
	      "round trip p50 %.1f ms, %lld samples; 20 ms were added, the kernel had %.1f to %.1f",
	      k.rtt_p50 / 1000, k.samples, low_us / 1000, high_us / 1000);
}

static void check_loss(struct live *l, struct millrace *m)
{
	long long before = net_snmp(&l->net, l->net.client, "Tcp:", "RetransSegs");
	size_t size = scaled(l, 8 << 20, 2 << 20);
	int status = client_run(l, PORT_LOSS, size);
	struct looking k;
	long long retransmits, dropped;

	check(l, status == 0, "%zu bytes through 2 %% loss (status %d)", size, status);
	k = look(l, m, PORT_LOSS);
	retransmits = net_snmp(&l->net, l->net.client, "Tcp:", "RetransSegs") - before;
	dropped = queue_dropped(l);
	check(l, retransmits > 0, "%lld segments sent again", retransmits);
	check_equal(l, "retransmits, the kernel's RetransSegs", (uint64_t)retransmits,
		    (uint64_t)k.retransmits);
	check_equal(l, "packets the queue dropped (QDISC_DROP)", (uint64_t)dropped,
		    (uint64_t)k.drops);
}

enum verdict test_netem(struct live *l)
{
	struct millrace m;
	pid_t servers[2];

	round_us = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (TC(l, "qdisc", "add", "dev", "veth0", "root", "netem", "delay", "20ms"))
		return skip(l, "no queue that delays here (sch_netem)");
	if (!millrace_start(&m, l, (const char *const[]){"--window", "100ms", NULL}))
		return FAIL;
	for (unsigned int i = 0; i < 2; i++) {
		struct actor_port p = {l, NET_SERVER4, (uint16_t)(PORT_DELAY + i)};

		servers[i] = server_start(l, p.port);
		wait_until(actor_accepts, &p, patience(l, 5000));
	}
	check_delay(l, &m);
	TC(l, "qdisc", "del", "dev", "veth0", "root");
	/* A buffer of many segments is lost as one: then too few are, or none. */
	net_ip(l->net.client, "link set veth0 gso_max_segs 1");
	if (TC(l, "qdisc", "add", "dev", "veth0", "root", "netem", "loss", "2%"))
		check(l, false, "a queue that loses");
	else
		check_loss(l, &m);
	for (unsigned int i = 0; i < 2; i++)
		process_end(servers[i], SIGKILL, 5000);
	net_ip(l->net.client, "link set veth0 gso_max_segs 65535");
	TC(l, "qdisc", "del", "dev", "veth0", "root");
	return verdict(l);
}
