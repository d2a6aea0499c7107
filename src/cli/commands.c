/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "options.h"

/* What is watched, and at what cost; who and where the machine is. */
#define OPTIONS_WATCH \
	OPTION("node", "NAME", OPTION_TEXT, node, "what this machine is called (its host name)"), \
	OPTION("zone", "ZONE", OPTION_TEXT, zone, "its availability zone (as its cloud says)"), \
	OPTION("region", "REGION", OPTION_TEXT, region, "its region (as its cloud says)"), \
	OPTION("metadata", "WHO", OPTION_TEXT, metadata, \
	       "ask this cloud's metadata service: aws, gcp, azure, off (auto)"), \
	OPTION("cgroup", "PATH", OPTION_TEXT, cgroup, \
	       "observe only this directory of cgroup v2 and what is below it"), \
	OPTION("cpu-budget", "PCT", OPTION_PERCENT, cpu_budget_percent, \
	       "CPU the agent may use, in percent of the machine (0.1)"), \
	OPTION("window", "DURATION", OPTION_WINDOW, window_ns, \
	       "how often it reads the kernel, from 10ms on, such as 50ms (1s)"), \
	OPTION("slots", "N", OPTION_COUNT, slots, \
	       "live connections it can follow (by machine size)"), \
	OPTION("flows", "N", OPTION_COUNT, flows, \
	       "flows it can hold in a window (by machine size)"), \
	OPTION("no-udp", NULL, OPTION_FLAG, no_udp, "watch TCP only"), \
	OPTION("udp-hook", "HOOK", OPTION_TEXT, udp_hook, \
	       "how to watch UDP: fentry or cgroup_skb (what this kernel gives)")

static const struct option_row up_options[] = {
	OPTION("listen", "ADDR:PORT", OPTION_TEXT, listen,
	       "where the API is; loopback only (127.0.0.1:7070)"),
	OPTIONS_WATCH,
	OPTION_DATA(""),
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row agent_options[] = {
	OPTION("server", "URL", OPTION_TEXT, server.url,
	       "server to report to (http://127.0.0.1:7070)"),
	OPTION_CREDENTIALS,
	OPTIONS_WATCH,
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row map_options[] = {
	OPTION("dot", NULL, OPTION_FLAG, dot,
	       "print a Graphviz graph: millrace map --dot | dot -Tsvg"),
	OPTION_RANGE,
	OPTION_FILTER,
	OPTION_JSON,
	OPTION_SERVER,
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row flows_options[] = {
	OPTION("limit", "N", OPTION_COUNT, limit, "rows at most, the largest first (1000)"),
	OPTION("follow", NULL, OPTION_FLAG, follow, "print new windows as they come, until Ctrl-C"),
	OPTION_RANGE,
	OPTION_FILTER,
	OPTION_JSON,
	OPTION_SERVER,
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row events_options[] = {
	OPTION("follow", NULL, OPTION_FLAG, follow,
	       "print new ones as they come; a row that grew comes again with its count"),
	OPTION("from", "TIME", OPTION_TEXT, from, "begin: -15m, -7d, 2024-05-01T12:00, unix seconds (-1h)"),
	OPTION("to", "TIME", OPTION_TEXT, to, "end: now, -1m, 2024-05-01, unix seconds (now)"),
	OPTION_FILTER_PROCESSES,
	OPTION_JSON,
	OPTION_SERVER,
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row connections_options[] = {
	OPTION("limit", "N", OPTION_COUNT, limit, "at most so many (1000)"),
	OPTION("node", "NAME", OPTION_TEXT, ask_node, "ask only the agent of this node (all)"),
	OPTION_FILTER,
	OPTION_JSON,
	OPTION_SERVER,
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row top_options[] = {
	OPTION("sort", "KEY", OPTION_TEXT, sort,
	       "order by traffic, health, rtt, new, failed, … (traffic); man tells all"),
	OPTION("group", "GROUP", OPTION_TEXT, group,
	       "rows between workload, process, container, … (workload); man tells all"),
	OPTION("span", "DURATION", OPTION_DURATION, span_ns,
	       "the time that figures are of, such as 2s or 5m (10s)"),
	OPTION("once", NULL, OPTION_FLAG, once, "print the table once, as text or --json"),
	OPTION_FILTER,
	OPTION_JSON,
	OPTION_SERVER,
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row why_options[] = {
	OPTION_RANGE, OPTION_JSON, OPTION_SERVER, OPTION_HELP, OPTION_END,
};

static const struct option_row server_options[] = {
	OPTION("listen", "ADDR:PORT", OPTION_TEXT, listen,
	       "where agents report and readers ask (127.0.0.1:7070)"),
	OPTION("host", "NAME,...", OPTION_TEXT, hosts,
	       "other names and addresses that this server is asked by"),
	OPTION("agent-tokens", "FILE", OPTION_TEXT, agent_tokens,
	       "tokens that agents may report with, one a line"),
	OPTION("reader-tokens", "FILE", OPTION_TEXT, reader_tokens,
	       "tokens that readers may ask with, one a line"),
	OPTION("cert", "FILE", OPTION_TEXT, server.certificate,
	       "TLS: this server's certificate with its chain, PEM"),
	OPTION("key", "FILE", OPTION_TEXT, server.key, "TLS: its key, PEM"),
	OPTION("agent-ca", "FILE", OPTION_TEXT, agent_ca,
	       "who has a certificate of this CA may report, PEM"),
	OPTION("reader-ca", "FILE", OPTION_TEXT, reader_ca,
	       "who has a certificate of this CA may ask, PEM"),
	OPTION("plain-http", NULL, OPTION_FLAG, plain_http,
	       "no TLS beyond loopback: for where something else encrypts"),
	OPTION_DATA(" (/var/lib/millrace)"),
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row plain_options[] = {
	OPTION_JSON,
	OPTION_SERVER,
	OPTION_HELP,
	OPTION_END,
};

static const struct option_row check_options[] = {
	OPTION_JSON,
	OPTION_HELP,
	OPTION_END,
};

const struct command commands[] = {
	{"up", "", "watch this machine and serve what is seen; needs root",
	 "Loads its programs into the kernel, gives up all privileges and runs until Ctrl-C. "
	 "Leaves\n"
	 "nothing behind. Changes no application and no packet.",
	 up_options, 0, up_run},
	{"agent", "", "watch this machine and report to a server; needs root",
	 "Loads its programs into the kernel, gives up all privileges, and reports to a millrace\n"
	 "server until Ctrl-C. While the server is away it keeps all sums, in bounded memory.\n"
	 "Changes no application and no packet.",
	 agent_options, 0, agent_run},
	{"server", "", "takes what agents on other machines report, and serves it",
	 "Joins, keeps and serves what agents report (millrace agent), until Ctrl-C. Needs no "
	 "privilege.\nBeyond loopback it wants credentials of agents and of readers, and TLS.",
	 server_options, 0, server_run},
	{"map", "", "who talks to whom, as a tree",
	 "Prints every workload with the servers it uses: bytes each way, open and new "
	 "connections,\n"
	 "median round-trip time, and what is wrong.",
	 map_options, 0, map_run},
	{"flows", "", "the same as a table with addresses and processes",
	 "Prints one row for each client and server address: who they are, what went over, what\n"
	 "failed. A narrow terminal leaves columns out; --json has all.",
	 flows_options, 0, flows_run},
	{"connections", "", "live sockets with what ss -ti shows",
	 "Asks the agents for their live sockets, now: round-trip time, congestion window, segments "
	 "not\n"
	 "yet acknowledged, rates. A narrow terminal leaves columns out; --json has all.",
	 connections_options, 0, connections_run},
	{"top", "", "a live table of who talks to whom; ? tells its keys",
	 "Shows every dependency with bytes a second each way, connections, round trips,\n"
	 "what was sent again, what failed and why senders wait. Enter explains a row,\n"
	 "/ filters, q quits. A wider terminal shows more columns.",
	 top_options, 0, top_run},
	{"why", "CLIENT SERVER", "what is known about one client and one server",
	 "Says in plain words whether CLIENT reaches SERVER, what failed and why, and what to do\n"
	 "next. Names are those of millrace map; SERVER may be an address, and end in :PORT or\n"
	 ":PORT/udp.",
	 why_options, 2, why_run},
	{"events", "", "what started, restarted and ended, and how",
	 "Prints what became of the processes that had a socket, and of their containers: "
	 "started,\n"
	 "restarted, ended well, with which code, by which signal, for want of memory. Agents that\n"
	 "fell silent or came back are told, too.",
	 events_options, 0, events_run},
	{"agents", "", "what millrace itself does, costs and loses",
	 "Prints the agent's state: its window, its hooks in the kernel, its CPU time and every\n"
	 "loss by cause. Of several agents a line each: zone, whether it reports, how far behind it\n"
	 "is; and which times they never told.",
	 plain_options, 0, agents_run},
	{"check", "", "what this kernel gives; needs root",
	 "Tries every hook that millrace can use and says what works, what serves instead and "
	 "what\n"
	 "is missing. Leaves nothing behind.",
	 check_options, 0, check_run},
	{"verify", "", "our sums beside the kernel's own; needs root",
	 "Compares opened, accepted and retransmitted, and datagrams sent and dropped, with the\n"
	 "kernel's SNMP counters in every network namespace. The difference should be 0; exits 1\n"
	 "if it is not.",
	 plain_options, 0, verify_run},
	{.name = NULL},
};
