/* SPDX-License-Identifier: Apache-2.0 */
/* Names, codes, silence and latency as a real resolver (unbound) served them and a client was told;
 * a hostile one is counted and harms nobody. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "dns_client.h"
#include "millrace.h"
#include "run.h"

#define TYPE_A     1
#define TYPE_AAAA  28
#define NXDOMAIN   3
#define REFUSED    5
#define TIMEOUT_MS 6000 /* longer than millrace waits */
#define PORT       443

/* api.example is an alias of an alias of an address where nobody is. */
static const char zone[] = "$ORIGIN example.\n"
			   "@ 60 IN SOA ns.example. root.example. 1 60 60 60 60\n"
			   "@ 60 IN NS ns.example.\n"
			   "ns 60 IN A " NET_SERVER4 "\n"
			   "www 60 IN A 10.77.0.98\n"
			   "api 60 IN CNAME lb.cdn.example.\n"
			   "lb.cdn 60 IN CNAME edge.cdn.example.\n"
			   "edge.cdn 60 IN A " NET_NOBODY4 "\n"
			   "edge.cdn 60 IN AAAA fd77::99\n";

static const char configuration[] =
	"server:\n interface: " NET_SERVER4
	"\n access-control: 0.0.0.0/0 allow\n do-daemonize: no\n"
	" username: \"\"\n chroot: \"\"\n use-syslog: no\n pidfile: \"\"\n do-tcp: no\n"
	" module-config: \"iterator\"\n local-zone: \"refused.test.\" refuse\n"
	" local-zone: \"silent.test.\" deny\n directory: \"%s\"\n"
	"auth-zone:\n name: \"example.\"\n zonefile: \"%s\"\n for-downstream: yes\n"
	" for-upstream: no\n";

struct asker {
	struct live *live;
	struct dns_told *told, *hostile; /* shared with the clients */
	unsigned int rounds;
};

static bool file_make(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	fputs(text, f);
	return !fclose(f);
}

static pid_t resolver_start(struct live *l, const char *unbound)
{
	char text[2048];

	snprintf(text, sizeof(text), configuration, l->directory, live_file(l, "zone"));
	if (!file_make(live_file(l, "zone"), zone) ||
	    !file_make(live_file(l, "unbound.conf"), text))
		return -1;
	return actor_spawn(
		l, false, 0, live_file(l, "unbound.log"),
		(const char *const[]){unbound, "-c", live_file(l, "unbound.conf"), NULL});
}

/* A query that is not part of what is compared: before millrace looks. */
static bool resolver_answers(void *userdata)
{
	struct live *l = userdata;
	struct dns_told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = actor_fork(l, "dnswaiter", true);
	bool answers;

	if (pid == 0) {
		dns_ask(told, NET_SERVER4, "www.example", TYPE_A, 500);
		_exit(0);
	}
	process_wait(pid, 5000);
	answers = told->code[0] == 1;
	munmap(told, sizeof(*told));
	return answers;
}

static void ask_all(const struct asker *a)
{
	for (unsigned int i = 0; i < a->rounds; i++) {
		char name[64];

		snprintf(name, sizeof(name), "no%u.example", i);
		dns_ask(a->told, NET_SERVER4, "www.example", TYPE_A, TIMEOUT_MS);
		dns_ask(a->told, NET_SERVER4, "API.example", i % 2 ? TYPE_A : TYPE_AAAA,
			TIMEOUT_MS);
		dns_ask(a->told, NET_SERVER4, name, TYPE_A, TIMEOUT_MS);
		if (i % 4 == 0)
			dns_ask(a->told, NET_SERVER4, "a.refused.test", TYPE_A, TIMEOUT_MS);
	}
	dns_ask(a->told, NET_SERVER4, "b.silent.test", TYPE_A, TIMEOUT_MS);
}

/* Then it uses what it was told. */
static pid_t client_start(const struct asker *a)
{
	pid_t pid = actor_fork(a->live, "dnsclient", true);
	int error;

	if (pid)
		return pid;
	ask_all(a);
	actor_connect(NET_NOBODY4, PORT, false, &error);
	pause();
	_exit(0);
}

static pid_t hostile_client_start(const struct asker *a)
{
	pid_t pid = actor_fork(a->live, "dnsvictim", true);

	if (pid)
		return pid;
	for (unsigned int i = 0; i < DNS_HOSTILE_KINDS * 4; i++)
		dns_ask(a->hostile, NET_SERVER6, "victim.example", TYPE_A, 1000);
	_exit(0);
}

static bool all_asked(void *userdata)
{
	const struct asker *a = userdata;

	return __atomic_load_n(&a->told->silent, __ATOMIC_ACQUIRE) >= 1;
}

static uint64_t figure(const json_t *dns, const char *path)
{
	return (uint64_t)json_number_value(api_at(dns, path));
}

struct edge_shown {
	const struct millrace *millrace;
	const char *server;
	uint16_t port;
};

static bool edge_there(void *userdata)
{
	const struct edge_shown *e = userdata;
	json_t *graph;
	bool there = api_edge(e->millrace, "dnsclient", e->server, e->port, &graph) != NULL;

	json_decref(graph);
	return there;
}

static void compare_names(struct live *l, struct millrace *m)
{
	struct edge_shown e = {m, "api.example", PORT};
	const json_t *flow;
	json_t *answer;
	int status;

	check(l, wait_until(edge_there, &e, patience(l, 5000)),
	      "who connects to %s after asking for api.example means api.example", NET_NOBODY4);
	status = api_get(m, "/api/v1/flows?filter=server:api.example", NULL, &answer);
	flow = json_array_get(json_object_get(answer, "flows"), 0);
	check(l, status == 200 && !strcmp(api_string(flow, "server.address"), NET_NOBODY4),
	      "its address stays to be seen: %s", api_string(flow, "server.address"));
	json_decref(answer);
}

static void compare_figures(struct live *l, const struct dns_told *told, const json_t *dns,
			    const char *whose)
{
	say("%s:", whose);
	check_equal(l, "queries", told->asked, figure(dns, "queries"));
	check_equal(l, "answers", told->answered, figure(dns, "answers"));
	check_equal(l, "time-outs", told->silent, figure(dns, "timeouts"));
	check_equal(l, "NXDOMAIN", told->code[NXDOMAIN], figure(dns, "errors.nxdomain"));
	check_equal(l, "REFUSED", told->code[REFUSED], figure(dns, "errors.refused"));
	check_equal(l, "latencies", told->answered, figure(dns, "latency_us.count"));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The client's clock runs a system call longer at both ends. */
static void compare_latency(struct live *l, struct dns_told *told, const json_t *dns)
{
	double p50, max, ours = json_number_value(api_at(dns, "latency_us.p50"));

	qsort(told->latency_us, told->latency_count, sizeof(double), by_value);
	p50 = told->latency_us[told->latency_count / 2];
	max = told->latency_us[told->latency_count - 1];
	check(l, ours <= p50 * 1.1 && ours >= p50 * 0.2 && figure(dns, "latency_us.max") <= max,
	      "latency: the client's p50 %.0f us, max %.0f us; ours %.0f us, %llu us", p50, max,
	      ours, (unsigned long long)figure(dns, "latency_us.max"));
}

static bool timed_out(void *userdata)
{
	const struct edge_shown *e = userdata;
	json_t *graph;
	const json_t *edge = api_edge(e->millrace, "dnsclient", NULL, 53, &graph);
	bool there = edge && figure(api_at(edge, "dns"), "timeouts") > 0;

	json_decref(graph);
	return there;
}

static void compare(struct live *l, struct millrace *m, const struct asker *a)
{
	struct edge_shown e = {m, NULL, 53};
	json_t *graph;
	const json_t *edge;

	check(l, wait_until(timed_out, &e, patience(l, 10000)), "the edge to the resolver");
	edge = api_edge(m, "dnsclient", "unbound", 53, &graph);
	if (check(l, edge != NULL, "dnsclient -> unbound, port 53")) {
		compare_figures(l, a->told, api_at(edge, "dns"), "as its client told");
		compare_figures(l, a->told, api_at(edge, "server_view.dns"), "as its server told");
		compare_latency(l, a->told, api_at(edge, "dns"));
	}
	json_decref(graph);
}

/* A cause of the agent's losses: those that leave no figure incomplete are told there only. */
static uint64_t lost_of(const struct millrace *m, const char *cause)
{
	const json_t *losses, *loss;
	json_t *answer;
	uint64_t count = 0;
	size_t i;

	api_get(m, "/api/v1/agents", NULL, &answer);
	losses = json_object_get(json_array_get(json_object_get(answer, "agents"), 0), "losses");
	for (i = 0; (loss = json_array_get(losses, i)); i++)
		if (!strcmp(api_string(loss, "cause"), cause))
			count += figure(loss, "count");
	json_decref(answer);
	return count;
}

static void face_the_hostile(struct live *l, struct millrace *m, struct asker *a)
{
	pid_t server = actor_fork(l, "dnshostile", false), client;
	uint64_t bad;
	json_t *flows;

	if (server == 0)
		dns_serve_hostile(NET_SERVER6);
	pause_us(300000);
	client = hostile_client_start(a);
	process_wait(client, patience(l, 60000));
	pause_us(2500000);
	bad = lost_of(m, "dns_bad");
	check(l, a->hostile->answered > 0 && bad >= a->hostile->asked,
	      "%u hostile answers reached the client; at both ends %llu were refused and counted",
	      a->hostile->answered, (unsigned long long)bad);
	check(l, millrace_alive(m), "alive after all of it");
	api_get(m, "/api/v1/flows?filter=server:victim.example", NULL, &flows);
	check_equal(l, "names that they taught", 0,
		    (uint64_t)json_number_value(api_at(flows, "total")));
	json_decref(flows);
	process_end(server, SIGKILL, 5000);
}

static void run_clients(struct live *l, struct asker *a)
{
	pid_t client;
	struct millrace m;

	if (!millrace_start(&m, l, NULL))
		return;
	client = client_start(a);
	check(l, wait_until(all_asked, a, patience(l, 60000)), "all names were asked for");
	compare_names(l, &m);
	compare(l, &m, a);
	process_end(client, SIGKILL, 5000);
	face_the_hostile(l, &m, a);
}

enum verdict test_dns(struct live *l)
{
	const char *unbound = program_find("unbound");
	struct asker a = {.live = l, .rounds = scaled(l, l->is_short ? 100 : 1000, 20)};
	pid_t resolver;

	if (!unbound)
		return skip(l, "no unbound on this machine");
	a.told = mmap(NULL, 2 * sizeof(*a.told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	a.hostile = a.told + 1;
	resolver = resolver_start(l, unbound);
	if (check(l, wait_until(resolver_answers, l, patience(l, 15000)), "unbound answers"))
		run_clients(l, &a);
	process_end(resolver, SIGTERM, 5000);
	munmap(a.told, 2 * sizeof(*a.told));
	return verdict(l);
}
