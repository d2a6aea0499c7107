/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other tools beside millrace on the same traffic, at the same time: what each of them uses, and
 * what share of it they see. Packet and flow tools also cost in the kernel, inside whoever sends (a
 * tap a packet, an entry a connection); that is not in their figures, millrace's hooks are in its.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "beside.h"
#include "report.h"

#define NETFLOW_PORT 9995

static struct watcher watchers[] = {
	{.name = "beside: `ss -tin`, each second",
	 .command = "while :; do ss -tinHO >>ss.out; sleep 1; done",
	 .output = "ss.out",
	 .bytes = PAYLOAD,
	 .read = watcher_read_ss},
	{.name = "beside: `conntrack -L`, each second",
	 .command = "while :; do conntrack -L -p tcp >>conntrack.out; sleep 1; done",
	 .output = "conntrack.out",
	 .bytes = PACKETS,
	 .read = watcher_read_conntrack},
	{.name = "beside: pmacctd, sums each second",
	 .command = "exec pmacctd -f pmacct.conf",
	 .output = "pmacct.out",
	 .bytes = PACKETS,
	 .read = watcher_read_pmacct},
	{.name = "beside: softflowd, NetFlow 5",
	 .command = "exec softflowd -d -i lo -n 127.0.0.1:9995 -v 5 -p softflowd.pid "
		    "-c softflowd.ctl",
	 .finish = "softflowctl -c softflowd.ctl expire-all; sleep 1; "
		   "softflowctl -c softflowd.ctl shutdown",
	 .output = "netflow.out",
	 .bytes = PACKETS,
	 .read = watcher_read_netflow},
};

#define WATCHER_COUNT (sizeof(watchers) / sizeof(*watchers))

static void file_make(const struct bench *b, const char *name, const char *text)
{
	FILE *f = fopen(bench_file(b, name), "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		bench_die("write %s: %m", name);
}

/* Connections are tracked in that namespace only, with bytes. */
static void track(const struct known *k)
{
	static const char rules[] = "table inet bench {\n"
				    "chain output {\n"
				    "type filter hook output priority 0\n"
				    "ct state new counter\n"
				    "}\n}\n";
	static const char acct[] = "echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct";
	char out[512];

	if (run(&(struct spawn){.netns = k->netns, .input = rules},
		(const char *const[]){"nft", "-f", "-", NULL}, out, sizeof(out), 10000))
		bench_die("have connections tracked: nft says: %s", out);
	if (run(&(struct spawn){.netns = k->netns},
		(const char *const[]){"/bin/sh", "-c", acct, NULL}, out, sizeof(out), 10000))
		bench_die("have tracked bytes counted: %s", out);
}

static int collector_open(const struct known *k)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(NETFLOW_PORT),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), size = 16 << 20, fd;

	setns(k->netns, CLONE_NEWNET);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setns(home, CLONE_NEWNET);
	close(home);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		bench_die("receive NetFlow: %m");
	return fd;
}

/* What waits in the socket, to a file. */
static void collect(const struct bench *b, int fd)
{
	FILE *f = fopen(bench_file(b, "netflow.out"), "we");
	char datagram[2048];
	ssize_t n;

	while (f && (n = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT)) > 0)
		fwrite(datagram, (size_t)n, 1, f);
	if (f)
		fclose(f);
	close(fd);
}

void line_beside(const struct bench *b)
{
	struct known k = {.seconds = bench_amount(b, 20, 5)};
	struct beside s;
	int netflow;

	k.connections = 500 * k.seconds;
	k.long_bytes = 100000000ull * k.seconds;
	known_init(&k, b);
	track(&k);
	netflow = collector_open(&k);
	file_make(b, "pmacct.conf",
		  "daemonize: false\npcap_interface: lo\npcap_filter: tcp\nplugins: print\n"
		  "aggregate: src_host, dst_host, src_port, dst_port, proto\n"
		  "print_refresh_time: 1\nprint_output: csv\nprint_output_file: pmacct.out\n"
		  "print_output_file_append: true\n");
	s = (struct beside){.bench = b,
			    .known = &k,
			    .watchers = watchers,
			    .watcher_count = WATCHER_COUNT,
			    .name = "beside: millrace",
			    .remark = ""};
	beside_run(&s);
	collect(b, netflow);
	report_note("%u connections and %.0f MB in %u s", k.connections + 1,
		    (double)known_payload(&k) / 1e6, k.seconds);
	beside_report(&s);
	known_done(&k);
}
