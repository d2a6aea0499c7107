/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process, one virtual address, three back ends: nftables translates where each connection
 * goes, where it seems to come from, and both. What the client was told by the back end that really
 * served it is what the API says, back end by back end; what it does not know it calls unresolved,
 * and nothing is where it does not belong.
 *
 * Each phase asks for an address that nobody has asked for before, and millrace stands still while
 * its first connections come and go: which address is virtual must not depend on who reads when.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "nat_load.h"
#include "run.h"

#define CONNECTIONS 10000
#define UNHEARD_MS  300
#define ALL_TOLD_MS 60000 /* the budget stretches windows, and rows wait two of them */
#define UNHEARD_MAX 3     /* datagrams on their way to an address when it is found virtual */
#define SEEN_AS4    "10.77.0.5"
#define SEEN_AS6    "fd77::5"

static const struct nat_phase phases[] = {
	{"DNAT, IPv4", NAT_DNAT, AF_INET, 0, MR_TRANSPORT_TCP},
	{"SNAT, IPv4", NAT_SNAT, AF_INET, 1, MR_TRANSPORT_TCP},
	{"both, IPv4", NAT_DNAT | NAT_SNAT, AF_INET, 2, MR_TRANSPORT_TCP},
	{"DNAT, IPv6", NAT_DNAT, AF_INET6, 3, MR_TRANSPORT_TCP},
	{"SNAT, IPv6", NAT_SNAT, AF_INET6, 4, MR_TRANSPORT_TCP},
	{"both, IPv6", NAT_DNAT | NAT_SNAT, AF_INET6, 5, MR_TRANSPORT_TCP},
	{"UDP, DNAT, IPv4", NAT_DNAT, AF_INET, 6, MR_TRANSPORT_UDP},
	{"UDP, SNAT, IPv4", NAT_SNAT, AF_INET, 7, MR_TRANSPORT_UDP},
	{"UDP, both, IPv4", NAT_DNAT | NAT_SNAT, AF_INET, 8, MR_TRANSPORT_UDP},
	{"UDP, DNAT, IPv6", NAT_DNAT, AF_INET6, 9, MR_TRANSPORT_UDP},
	{"UDP, SNAT, IPv6", NAT_SNAT, AF_INET6, 10, MR_TRANSPORT_UDP},
	{"UDP, both, IPv6", NAT_DNAT | NAT_SNAT, AF_INET6, 11, MR_TRANSPORT_UDP},
};

/* Translation, in the client's namespace */

static int translate(const struct live *l, const struct nat_phase *p)
{
	const char *ip = p->family == AF_INET ? "ip" : "ip6";
	const char *transport = p->transport == MR_TRANSPORT_UDP ? "udp" : "tcp";
	char to[512] = "", from[256] = "", rules[1024];

	if (p->translates & NAT_DNAT)
		snprintf(to, sizeof(to),
			 "%s daddr %s %s dport %d dnat to numgen inc mod 3 map "
			 "{ 0 : %s, 1 : %s, 2 : %s } : %u;",
			 ip, nat_asked_address(p), transport, NAT_PORT_ASKED + (int)p->index,
			 nat_backend_address(p, 0), nat_backend_address(p, 1),
			 nat_backend_address(p, 2), NAT_PORT_SERVES + p->index);
	if (p->translates & NAT_SNAT)
		snprintf(from, sizeof(from), "%s dport %u snat to %s;", transport,
			 NAT_PORT_SERVES + p->index, p->family == AF_INET ? SEEN_AS4 : SEEN_AS6);
	snprintf(rules, sizeof(rules),
		 "table %s mrnat {}\ndelete table %s mrnat\ntable %s mrnat {\n"
		 "chain o { type nat hook output priority -100; %s }\n"
		 "chain p { type nat hook postrouting priority 100; %s }\n}\n",
		 ip, ip, ip, to, from);
	return net_nft(l->net.client, rules);
}

static int lay_out(const struct live *l)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < NAT_BACKENDS; i++) {
		char text[128];

		snprintf(text, sizeof(text), "address add %s/24 dev veth1",
			 nat_backend_address(&phases[0], i));
		r = net_ip(l->net.server, text);
		snprintf(text, sizeof(text), "address add %s/64 dev veth1 nodad",
			 nat_backend_address(&phases[3], i));
		r = r ? r : net_ip(l->net.server, text);
	}
	r = r ? r : net_ip(l->net.client, "address add " SEEN_AS4 "/24 dev veth0");
	r = r ? r
	      : net_ip(l->net.client,
		       "address add " SEEN_AS6 "/64 dev veth0 nodad preferred_lft 0");
	r = r ? r
	      : net_ip(l->net.client, "route add 10.99.0.1 via " NET_SERVER4 " src " NET_CLIENT4);
	return r ? r
		 : net_ip(l->net.client, "route add fd99::1 via " NET_SERVER6 " src " NET_CLIENT6);
}

/* Leaves the namespaces as they were, for the tests that follow. */
static void take_down(const struct live *l)
{
	net_nft(l->net.client, "table ip mrnat {}\ndelete table ip mrnat\n"
			       "table ip6 mrnat {}\ndelete table ip6 mrnat\n");
	net_ip(l->net.client, "route del 10.99.0.1");
	net_ip(l->net.client, "route del fd99::1");
	net_ip(l->net.client, "address del " SEEN_AS4 "/24 dev veth0");
	net_ip(l->net.client, "address del " SEEN_AS6 "/64 dev veth0");
	for (unsigned int i = 0; i < NAT_BACKENDS; i++) {
		char text[128];

		snprintf(text, sizeof(text), "address del %s/24 dev veth1",
			 nat_backend_address(&phases[0], i));
		net_ip(l->net.server, text);
		snprintf(text, sizeof(text), "address del %s/64 dev veth1",
			 nat_backend_address(&phases[3], i));
		net_ip(l->net.server, text);
	}
}

/* What the API says */

struct seen {
	struct nat_told client[NAT_BACKENDS], server[NAT_BACKENDS]; /* as each end saw it */
	struct nat_told unresolved, wrong;                          /* of the client's end */
	uint64_t server_unresolved, server_wrong;                   /* connections */
};

static uint64_t opened_by(const json_t *row)
{
	bool is_udp = strcmp(api_string(row, "transport"), "udp") == 0;

	return (uint64_t)api_counter(row, is_udp ? MR_DATAGRAMS_TO_SERVER : MR_OPENED);
}

static void add(struct nat_told *t, const json_t *row)
{
	t->connections += opened_by(row);
	t->up += (uint64_t)api_counter(row, MR_BYTES_TO_SERVER);
	t->down += (uint64_t)api_counter(row, MR_BYTES_TO_CLIENT);
}

static int backend_of(const struct nat_phase *p, const char *address)
{
	for (unsigned int i = 0; i < NAT_BACKENDS; i++)
		if (strcmp(address, nat_backend_address(p, i)) == 0)
			return (int)i;
	return -1;
}

static void see_client(const struct nat_phase *p, const json_t *row, struct seen *s)
{
	int backend = backend_of(p, api_string(row, "server.address"));

	if (json_is_true(api_at(row, "unresolved")))
		add(&s->unresolved, row);
	else if (backend < 0)
		add(&s->wrong, row);
	else
		add(&s->client[backend], row);
}

static void see_server(const struct nat_phase *p, const json_t *row, struct seen *s)
{
	const char *client = p->family == AF_INET ? NET_CLIENT4 : NET_CLIENT6;
	int backend = backend_of(p, api_string(row, "server.address"));
	uint64_t opened = opened_by(row);

	if (json_is_true(api_at(row, "unresolved")))
		s->server_unresolved += opened;
	else if (backend < 0 || strcmp(api_string(row, "client.address"), client) != 0)
		s->server_wrong += opened;
	else
		add(&s->server[backend], row);
}

static void see(const struct millrace *m, const struct nat_phase *p, struct seen *ret)
{
	json_t *answer = api_ends(m);
	size_t i;
	json_t *row;

	*ret = (struct seen){0};
	json_array_foreach (json_object_get(answer, "flows"), i, row) {
		json_int_t port = json_integer_value(api_at(row, "server.port"));

		if (port != NAT_PORT_ASKED + (json_int_t)p->index &&
		    port != NAT_PORT_SERVES + (json_int_t)p->index)
			continue;
		if (strcmp(api_string(row, "seen_by"), "client") == 0)
			see_client(p, row, ret);
		else
			see_server(p, row, ret);
	}
	json_decref(answer);
}

struct waiting {
	const struct millrace *millrace;
	const struct nat_work *work;
	struct seen seen;
};

/* Everything is there, in whatever place, at both ends, and closed. */
static bool all_there(void *userdata)
{
	struct waiting *w = userdata;
	uint64_t client = 0, server = 0, up = 0, down = 0, expected_up = 0, expected_down = 0;

	see(w->millrace, w->work->phase, &w->seen);
	for (int i = 0; i < NAT_BACKENDS; i++) {
		client += w->seen.client[i].connections;
		server += w->seen.server[i].connections;
		up += w->seen.client[i].up;
		down += w->seen.client[i].down;
		expected_up += w->work->told[i].up;
		expected_down += w->work->told[i].down;
	}
	client += w->seen.unresolved.connections + w->seen.wrong.connections;
	server += w->seen.server_unresolved + w->seen.server_wrong;
	return client >= w->work->connections && server >= w->work->connections &&
	       up + w->seen.unresolved.up >= expected_up &&
	       down + w->seen.unresolved.down >= expected_down;
}

static void compare(struct live *l, const struct nat_work *w, const struct seen *s)
{
	uint64_t share_ok = w->connections - w->connections / 1000 -
			    (w->phase->transport == MR_TRANSPORT_UDP ? UNHEARD_MAX : 0);
	uint64_t up = s->unresolved.up, down = s->unresolved.down, expected_up = 0,
		 expected_down = 0;
	uint64_t client = 0, server = 0;

	for (int i = 0; i < NAT_BACKENDS; i++) {
		const struct nat_told *t = &w->told[i], *c = &s->client[i], *e = &s->server[i];

		check(l, c->connections <= t->connections && c->up <= t->up && c->down <= t->down,
		      "back end %d: %llu connections, %llu and %llu bytes; of them at the client's "
		      "end: %llu, %llu and %llu",
		      i, (unsigned long long)t->connections, (unsigned long long)t->up,
		      (unsigned long long)t->down, (unsigned long long)c->connections,
		      (unsigned long long)c->up, (unsigned long long)c->down);
		client += c->connections;
		server += e->connections;
		up += c->up;
		down += c->down;
		expected_up += t->up;
		expected_down += t->down;
	}
	check(l, client >= share_ok && server >= share_ok,
	      "at least 99.9 %% of %u are where they belong: %llu at the client's end, %llu at the "
	      "servers'; unresolved %llu and %llu",
	      w->connections, (unsigned long long)client, (unsigned long long)server,
	      (unsigned long long)s->unresolved.connections,
	      (unsigned long long)s->server_unresolved);
	check_equal(l, "connections in a wrong place", 0, s->wrong.connections + s->server_wrong);
	check_equal(l, "bytes to servers, with the unresolved", expected_up, up);
	check_equal(l, "bytes to the client, with the unresolved", expected_down, down);
}

static void check_via(struct live *l, const struct millrace *m, const struct nat_phase *p)
{
	char expected[64];
	json_t *graph;
	const json_t *edge = api_edge(m, "natclient", "natback1",
				      (uint16_t)(NAT_PORT_SERVES + p->index), &graph);

	snprintf(expected, sizeof(expected), p->family == AF_INET ? "%s:%u" : "[%s]:%u",
		 nat_asked_address(p), NAT_PORT_ASKED + p->index);
	if (!(p->translates & NAT_DNAT))
		expected[0] = '\0';
	check(l,
	      edge && strcmp(api_string(edge, "via"), expected) == 0 &&
		      json_is_object(api_at(edge, "server_view")),
	      "the edge joins both ends, via \"%s\" (is \"%s\")", expected,
	      edge ? api_string(edge, "via") : "no edge");
	json_decref(graph);
}

static void run_phase(struct live *l, const struct millrace *m, struct nat_work *w)
{
	struct waiting waiting = {.millrace = m, .work = w};
	pid_t backend[NAT_BACKENDS], client;

	say("%s", w->phase->name);
	for (unsigned int i = 0; i < NAT_BACKENDS; i++)
		backend[i] = nat_backend_start(l, w->phase, i);
	pause_us(200000);
	kill(m->pid, SIGSTOP);
	client = nat_client_start(l, w);
	pause_us(UNHEARD_MS * 1000);
	kill(m->pid, SIGCONT);
	check_equal(l, "the client ends", 0, (uint64_t)process_wait(client, patience(l, 120000)));
	check_equal(l, "connections that failed", 0, w->failed);
	check(l, wait_until(all_there, &waiting, patience(l, ALL_TOLD_MS)), "all is told");
	compare(l, w, &waiting.seen);
	check_via(l, m, w->phase);
	for (unsigned int i = 0; i < NAT_BACKENDS; i++)
		process_end(backend[i], 15, 2000);
}

/* It joins its cgroup before its namespace, and the kernel takes its time for the one. */
static bool is_elsewhere(void *userdata)
{
	char ours[64], theirs[64], path[64];
	ssize_t n = readlink("/proc/self/ns/net", ours, sizeof(ours)), m;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", *(pid_t *)userdata);
	m = readlink(path, theirs, sizeof(theirs));
	return n > 0 && m > 0 && (n != m || memcmp(ours, theirs, (size_t)n) != 0);
}

/* A namespace that nothing links to ours is found by who is in it when millrace starts. */
static pid_t resident_start(struct live *l)
{
	pid_t pid = actor_fork(l, "resident", true);

	if (!pid)
		for (;;)
			pause();
	check(l, wait_until(is_elsewhere, &pid, patience(l, 5000)), "somebody lives there");
	return pid;
}

enum verdict test_nat(struct live *l)
{
	struct nat_work *w =
		mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char text[1000];
	struct millrace m;
	pid_t resident;

	if (w == MAP_FAILED || !l->net.nft)
		return skip(l, "no nftables");
	if (lay_out(l) || translate(l, &phases[0])) {
		take_down(l);
		return skip(l, "this kernel's nftables cannot translate");
	}
	resident = resident_start(l);
	/* the default budget stretches windows, which is harder and takes its time */
	if (millrace_start(&m, l,
			   l->is_short ? (const char *const[]){"--cpu-budget", "100", NULL}
				       : NULL)) {
		for (unsigned int i = 0; i < sizeof(phases) / sizeof(*phases); i++) {
			*w = (struct nat_work){.phase = &phases[i],
					       .connections =
						       l->is_short ? scaled(l, 1000, 100)
								   : scaled(l, CONNECTIONS, 100)};
			if (check(l, translate(l, &phases[i]) == 0, "rules"))
				run_phase(l, &m, w);
		}
		api_losses(&m, text, sizeof(text));
		say("counted as lost: %s", text[0] ? text : "nothing");
		millrace_stop(&m, 15);
	}
	process_end(resident, 9, 2000);
	take_down(l);
	munmap(w, sizeof(*w));
	return verdict(l);
}
