/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the live tests: the real binary, real traffic in namespaces of its own, the public API.
 * Closes with the line "N passed, N failed, N skipped".
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live.h"
#include "load.h"
#include "millrace.h"
#include "run.h"

#define ONLY_MAX 64 /* tests named on the command line */

const struct test live_tests[] = {
	{"load", "the load itself: programs, TCP_INFO and SNMP agree", test_load, false},
	{"exact", "the mix of shapes, 20 swaps a second: bytes, connections, failures", test_exact,
	 true},
	{"udp", "datagrams of all kinds, 20 swaps a second: sent, received, dropped", test_udp,
	 true},
	{"udp-packets", "… by cgroup_skb, where fentry is there too", test_udp_packets, true},
	{"adopt", "stopped, killed and started in the middle of connections", test_adopt, true},
	{"storm", "a connection per request: nothing lost", test_storm, true},
	{"storm-slots", "… with 16 slots: counted when they close", test_storm_slots, true},
	{"storm-flows", "… with 64 flows: detail goes, bytes stay", test_storm_flows, true},
	{"churn", "processes, cgroups, namespaces, connections, UDP peers come and go", test_churn,
	 true},
	{"failures", "each failure under its own reason", test_failures, true},
	{"pending", "a connect without answer shows within 2 s", test_pending, true},
	{"drops", "what this host's firewall drops, by its reason", test_drops, true},
	{"netem", "20 ms of delay, 2 % of loss, as they were made", test_netem, true},
	{"nat", "one virtual address, three back ends: DNAT, SNAT, both: who really served",
	 test_nat, true},
	{"follow", "flows and events with --follow: what is new, once", test_follow, true},
	{"fresh", "from connect() to the edge in the API", test_fresh, true},
	{"nginx", "nginx under wrk: edge, names, counts, bytes", test_nginx, true},
	{"redis", "redis under redis-benchmark", test_redis, true},
	{"postgres", "PostgreSQL under pgbench", test_postgres, true},
	{"iperf", "iperf3: bytes as it reports them", test_iperf, true},
	{"events", "processes and containers: starts, restarts, ends, to the last one", test_events,
	 true},
	{"dns", "a real resolver: names, codes, latency; a hostile one: counted", test_dns, true},
	{"top", "the live table in a terminal: 80 and 200 columns, keys, hostile names", test_top,
	 true},
	{"three", "three agents and a server over TLS: every edge once, names, zones, bytes",
	 test_three, true},
	{"outage", "server killed, networks cut and slow, an agent killed: all counted once",
	 test_outage, true},
	{"silent", "an agent cut off and back, another dead: provisional, replaced", test_silent,
	 true},
	{"upgrade", "agents and server replaced one after the other, under load", test_upgrade,
	 true},
	{"clocks", "an hour ahead, stepping, suspended: windows land where they belong",
	 test_clocks, true},
	{"hostile", "damaged, huge, forged, slow: refused, counted, nothing else disturbed",
	 test_hostile, true},
	{"carrier", "a redirect to one's own sidecar, tunnels: shown, not summed", test_carrier,
	 true},
	{"scopes", "the same addresses on two machines, SNAT in between: once each", test_scopes,
	 true},
	{"overlap", "agents that observe the same cgroup: once each", test_overlap, true},
	{"input", "wrong use, missing kernel features, garbage", test_input, true},
	{"privileges", "what the running agent may still do", test_privileges, true},
};
const unsigned int live_test_count = sizeof(live_tests) / sizeof(*live_tests);

static struct live live;
static pid_t owner;

void say(const char *format, ...)
{
	va_list args;

	fputs("    ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

bool check(struct live *l, bool held, const char *format, ...)
{
	va_list args;

	fputs(held ? "    ok  " : "    NOT ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	l->failures += !held;
	return held;
}

bool check_equal(struct live *l, const char *what, uint64_t expected, uint64_t got)
{
	return check(l, expected == got, "%s: expected %llu, got %llu, difference %lld", what,
		     (unsigned long long)expected, (unsigned long long)got,
		     (long long)(got - expected));
}

enum verdict skip(struct live *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(l->reason, sizeof(l->reason), format, args);
	va_end(args);
	return SKIP;
}

enum verdict verdict(const struct live *l)
{
	return l->failures ? FAIL : PASS;
}

unsigned int scaled(const struct live *l, unsigned int full, unsigned int least)
{
	unsigned int n = (unsigned int)(full * l->scale);

	return n < least ? least : n;
}

unsigned int patience(const struct live *l, unsigned int ms)
{
	return l->scale < 1 ? ms * 10 : ms;
}

const char *live_file(const struct live *l, const char *name)
{
	static char path[8][160];
	static unsigned int turn;
	char *p = path[turn++ % 8];

	snprintf(p, sizeof(*path), "%s/%s", l->directory, name);
	return p;
}

static enum verdict run_test(struct live *l, const struct test *t)
{
	static const char *const words[] = {"PASS", "FAIL", "SKIP"};
	uint64_t start = clock_ns();
	enum verdict v;

	printf("== %s: %s\n", t->name, t->about);
	fflush(stdout);
	l->failures = 0;
	l->reason[0] = 0;
	if (t->needs_millrace && access(l->millrace, X_OK))
		v = skip(l, "no binary at %s", l->millrace);
	else
		v = t->run(l);
	millrace_stop_all();
	printf("%s %s (%.1f s)%s%s\n", words[v], t->name, (double)(clock_ns() - start) / 1e9,
	       v == SKIP ? ": " : "", v == SKIP ? l->reason : "");
	fflush(stdout);
	return v;
}

/* Also after a failed exit; in the process that made it all only. */
static void clean_up(void)
{
	if (getpid() != owner)
		return;
	millrace_stop_all();
	net_close(&live.net);
	if (live.directory[0])
		run(&(struct spawn){0}, (const char *const[]){"rm", "-rf", live.directory, NULL},
		    NULL, 0, 60000);
}

static void on_signal(int sig)
{
	exit(128 + sig);
}

static int usage(int code)
{
	fputs("usage: live-tests [--millrace PATH] [--short] [--scale F] [--seed N] "
	      "[--seconds N]\n"
	      "                  [--only NAME]... [--shape NAME] [--whole-machine] [--list]\n",
	      code ? stderr : stdout);
	return code;
}

static int list(void)
{
	for (unsigned int i = 0; i < live_test_count; i++)
		printf("%-12s %s\n", live_tests[i].name, live_tests[i].about);
	return 0;
}

static bool known_test(const char *name)
{
	for (unsigned int i = 0; i < live_test_count; i++)
		if (strcmp(live_tests[i].name, name) == 0)
			return true;
	fprintf(stderr, "live-tests: there is no test \"%s\"; see --list\n", name);
	return false;
}

static bool wanted(const char *const *only, unsigned int count, const char *name)
{
	for (unsigned int i = 0; i < count; i++)
		if (strcmp(only[i], name) == 0)
			return true;
	return count == 0;
}

static int set_up(struct live *l)
{
	if (geteuid()) {
		fputs("live-tests: cannot make namespaces: this needs root\n", stderr);
		return 1;
	}
	owner = getpid();
	atexit(clean_up);
	for (int i = 0; i < 3; i++)
		signal((const int[]){SIGINT, SIGTERM, SIGHUP}[i], on_signal);
	signal(SIGPIPE, SIG_IGN);
	snprintf(l->directory, sizeof(l->directory), "/tmp/millrace-live.XXXXXX");
	if (!mkdtemp(l->directory) || chmod(l->directory, 0755) || net_open(&l->net)) {
		fputs("live-tests: cannot set up the two namespaces (is `ip` there, and cgroup "
		      "v2?)\n",
		      stderr);
		return 1;
	}
	printf("seed %llu, scale %g, %s, MPTCP %s, nftables %s\n", (unsigned long long)l->seed,
	       l->scale, l->net.rps, l->net.mptcp ? "yes" : "no", l->net.nft ? "yes" : "no");
	return 0;
}

static int run_all(struct live *l, const char *const *only, unsigned int only_count)
{
	unsigned int count[3] = {0};

	for (unsigned int i = 0; i < live_test_count; i++)
		if (wanted(only, only_count, live_tests[i].name))
			count[run_test(l, &live_tests[i])]++;
	clean_up();
	printf("%u passed, %u failed, %u skipped\n", count[PASS], count[FAIL], count[SKIP]);
	return count[FAIL] ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"millrace", required_argument, NULL, 'm'},
						{"short", no_argument, NULL, 's'},
						{"scale", required_argument, NULL, 'f'},
						{"seed", required_argument, NULL, 'r'},
						{"seconds", required_argument, NULL, 't'},
						{"only", required_argument, NULL, 'o'},
						{"shape", required_argument, NULL, 'p'},
						{"list", no_argument, NULL, 'l'},
						{"whole-machine", no_argument, NULL, 'w'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	const char *only[ONLY_MAX];
	unsigned int only_count = 0;
	int o;

	live = (struct live){
		.millrace = "build/millrace", .scale = 1, .seed = clock_ns() % 1000000};
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'm')
			live.millrace = optarg;
		else if (o == 's')
			live.is_short = true;
		else if (o == 'f')
			live.scale = atof(optarg);
		else if (o == 'r')
			live.seed = strtoull(optarg, NULL, 0);
		else if (o == 't')
			live.seconds = (unsigned int)strtoul(optarg, NULL, 0);
		else if (o == 'o' && only_count < ONLY_MAX && known_test(optarg))
			only[only_count++] = optarg;
		else if (o == 'p')
			live.shape = optarg;
		else if (o == 'w')
			live.whole_machine = true;
		else if (o == 'l')
			return list();
		else
			return usage(o == 'h' ? 0 : 2);
	}
	if (optind < argc || live.scale <= 0)
		return usage(2);
	return set_up(&live) ? 1 : run_all(&live, only, only_count);
}
