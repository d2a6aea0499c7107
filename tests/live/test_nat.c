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
#include "run.h"

#define BACKENDS    3
#define THREADS     100
#define CONNECTIONS 10000
#define UNHEARD_MS  300
#define PORT_ASKED  8000 /* and on, one a phase */
#define PORT_SERVES 9000
#define SEEN_AS4    "10.77.0.5"
#define SEEN_AS6    "fd77::5"

enum { DNAT = 1, SNAT = 2 };

struct phase {
	const char *name;
	int translates, family;
	unsigned int index;
};

static const struct phase phases[] = {
	{"DNAT, IPv4", DNAT, AF_INET, 0},        {"SNAT, IPv4", SNAT, AF_INET, 1},
	{"both, IPv4", DNAT | SNAT, AF_INET, 2}, {"DNAT, IPv6", DNAT, AF_INET6, 3},
	{"SNAT, IPv6", SNAT, AF_INET6, 4},       {"both, IPv6", DNAT | SNAT, AF_INET6, 5},
};

/* Shared with the client's process. */
struct told {
	uint64_t connections, up, down;
};

struct work {
	const struct phase *phase;
	unsigned int connections, next, failed;
	struct told told[BACKENDS];
};

static const char *backend_address(const struct phase *p, unsigned int i)
{
	static const char *const v4[] = {"10.77.0.11", "10.77.0.12", "10.77.0.13"};
	static const char *const v6[] = {"fd77::11", "fd77::12", "fd77::13"};

	return p->family == AF_INET ? v4[i] : v6[i];
}

static const char *asked_address(const struct phase *p)
{
	return p->family == AF_INET ? "10.99.0.1" : "fd99::1";
}

static socklen_t address_of(const struct phase *p, const char *text, uint16_t port,
			    struct sockaddr_in6 *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->sin6_family = (sa_family_t)p->family;
	ret->sin6_port = htons(port);
	inet_pton(p->family, text, p->family == AF_INET ? (void *)&v4->sin_addr : &ret->sin6_addr);
	return p->family == AF_INET ? sizeof(*v4) : sizeof(*ret);
}

/* A back end: how much comes and goes stands in the first bytes; the answer begins with its name.
 */
struct order {
	uint32_t up, down;
};

static int listener_fd;
static unsigned char backend_name;

static bool read_all(int fd, void *to, size_t size)
{
	return !size || recv(fd, to, size, MSG_WAITALL) == (ssize_t)size;
}

static void serve(int fd)
{
	static const char zeros[4096];
	char rest[4096];
	struct order order;

	if (read_all(fd, &order, sizeof(order)) && read_all(fd, rest, order.up - sizeof(order)) &&
	    send(fd, &backend_name, 1, MSG_MORE | MSG_NOSIGNAL) == 1)
		send(fd, zeros, order.down - 1, MSG_NOSIGNAL);
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
	close(fd);
}

static void *serve_all(void *unused)
{
	for (int fd; (fd = accept(listener_fd, NULL, NULL)) >= 0;)
		serve(fd);
	return NULL;
}

static void run_threads(void *(*fn)(void *), void *userdata)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, fn, userdata))
			_exit(3);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static pid_t backend_start(const struct live *l, const struct phase *p, unsigned int i)
{
	char name[16];
	struct sockaddr_in6 a;
	socklen_t size =
		address_of(p, backend_address(p, i), (uint16_t)(PORT_SERVES + p->index), &a);
	pid_t pid;

	snprintf(name, sizeof(name), "natback%u", i);
	pid = actor_fork(l, name, false);
	if (pid)
		return pid;
	backend_name = (unsigned char)i;
	listener_fd = socket(p->family, SOCK_STREAM, 0);
	setsockopt(listener_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener_fd, (struct sockaddr *)&a, size) || listen(listener_fd, 1024))
		_exit(2);
	run_threads(serve_all, NULL);
	_exit(0);
}

/* The client */

static bool connection(const struct work *w, unsigned int number, struct order order,
		       unsigned char *ret_backend)
{
	const struct phase *p = w->phase;
	bool asks = p->translates & DNAT;
	uint16_t port = (uint16_t)((asks ? PORT_ASKED : PORT_SERVES) + p->index);
	const char *to = asks ? asked_address(p) : backend_address(p, number % BACKENDS);
	char bytes[4096] = {0};
	struct sockaddr_in6 a;
	socklen_t size = address_of(p, to, port, &a);
	int fd = socket(p->family, SOCK_STREAM, 0);
	bool good;

	memcpy(bytes, &order, sizeof(order));
	good = connect(fd, (struct sockaddr *)&a, size) == 0 &&
	       send(fd, bytes, order.up, MSG_NOSIGNAL) == (ssize_t)order.up &&
	       read_all(fd, bytes, order.down);
	*ret_backend = (unsigned char)bytes[0];
	pause_us(1000 + number * 7919u % 500 * 1000);
	close(fd);
	return good && *ret_backend < BACKENDS;
}

static void *connect_all(void *userdata)
{
	struct work *w = userdata;
	unsigned char backend;
	unsigned int i;

	while ((i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED)) < w->connections) {
		const struct order order = {.up = sizeof(order) + i * 31 % 2000,
					    .down = 1 + i * 17 % 3000};

		if (!connection(w, i, order, &backend)) {
			__atomic_fetch_add(&w->failed, 1, __ATOMIC_RELAXED);
			continue;
		}
		__atomic_fetch_add(&w->told[backend].connections, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&w->told[backend].up, order.up, __ATOMIC_RELAXED);
		__atomic_fetch_add(&w->told[backend].down, order.down, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Translation, in the client's namespace */

static int translate(const struct live *l, const struct phase *p)
{
	const char *ip = p->family == AF_INET ? "ip" : "ip6";
	char to[512] = "", from[256] = "", rules[1024];

	if (p->translates & DNAT)
		snprintf(to, sizeof(to),
			 "%s daddr %s tcp dport %d dnat to numgen inc mod 3 map "
			 "{ 0 : %s, 1 : %s, 2 : %s } : %u;",
			 ip, asked_address(p), PORT_ASKED + (int)p->index, backend_address(p, 0),
			 backend_address(p, 1), backend_address(p, 2), PORT_SERVES + p->index);
	if (p->translates & SNAT)
		snprintf(from, sizeof(from), "tcp dport %u snat to %s;", PORT_SERVES + p->index,
			 p->family == AF_INET ? SEEN_AS4 : SEEN_AS6);
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

	for (unsigned int i = 0; !r && i < BACKENDS; i++) {
		char text[128];

		snprintf(text, sizeof(text), "address add %s/24 dev veth1",
			 backend_address(&phases[0], i));
		r = net_ip(l->net.server, text);
		snprintf(text, sizeof(text), "address add %s/64 dev veth1 nodad",
			 backend_address(&phases[3], i));
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
	for (unsigned int i = 0; i < BACKENDS; i++) {
		char text[128];

		snprintf(text, sizeof(text), "address del %s/24 dev veth1",
			 backend_address(&phases[0], i));
		net_ip(l->net.server, text);
		snprintf(text, sizeof(text), "address del %s/64 dev veth1",
			 backend_address(&phases[3], i));
		net_ip(l->net.server, text);
	}
}

/* What the API says */

struct seen {
	struct told client[BACKENDS], server[BACKENDS]; /* as each end saw it */
	struct told unresolved, wrong;                  /* of the client's end */
	uint64_t server_unresolved, server_wrong;       /* connections */
};

static void add(struct told *t, const json_t *row)
{
	t->connections += (uint64_t)api_counter(row, MR_OPENED);
	t->up += (uint64_t)api_counter(row, MR_BYTES_TO_SERVER);
	t->down += (uint64_t)api_counter(row, MR_BYTES_TO_CLIENT);
}

static int backend_of(const struct phase *p, const char *address)
{
	for (unsigned int i = 0; i < BACKENDS; i++)
		if (strcmp(address, backend_address(p, i)) == 0)
			return (int)i;
	return -1;
}

static void see_client(const struct phase *p, const json_t *row, struct seen *s)
{
	int backend = backend_of(p, api_string(row, "server.address"));

	if (json_is_true(api_at(row, "unresolved")))
		add(&s->unresolved, row);
	else if (backend < 0)
		add(&s->wrong, row);
	else
		add(&s->client[backend], row);
}

static void see_server(const struct phase *p, const json_t *row, struct seen *s)
{
	const char *client = p->family == AF_INET ? NET_CLIENT4 : NET_CLIENT6;
	int backend = backend_of(p, api_string(row, "server.address"));
	uint64_t opened = (uint64_t)api_counter(row, MR_OPENED);

	if (json_is_true(api_at(row, "unresolved")))
		s->server_unresolved += opened;
	else if (backend < 0 || strcmp(api_string(row, "client.address"), client) != 0)
		s->server_wrong += opened;
	else
		add(&s->server[backend], row);
}

static void see(const struct millrace *m, const struct phase *p, struct seen *ret)
{
	json_t *answer = api_ends(m);
	size_t i;
	json_t *row;

	*ret = (struct seen){0};
	json_array_foreach (json_object_get(answer, "flows"), i, row) {
		json_int_t port = json_integer_value(api_at(row, "server.port"));

		if (port != PORT_ASKED + (json_int_t)p->index &&
		    port != PORT_SERVES + (json_int_t)p->index)
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
	const struct work *work;
	struct seen seen;
};

/* Everything is there, in whatever place, at both ends, and closed. */
static bool all_there(void *userdata)
{
	struct waiting *w = userdata;
	uint64_t client = 0, server = 0, up = 0, down = 0, expected_up = 0, expected_down = 0;

	see(w->millrace, w->work->phase, &w->seen);
	for (int i = 0; i < BACKENDS; i++) {
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

static void compare(struct live *l, const struct work *w, const struct seen *s)
{
	uint64_t share_ok = w->connections - w->connections / 1000;
	uint64_t up = s->unresolved.up, down = s->unresolved.down, expected_up = 0,
		 expected_down = 0;
	uint64_t client = 0, server = 0;

	for (int i = 0; i < BACKENDS; i++) {
		const struct told *t = &w->told[i], *c = &s->client[i], *e = &s->server[i];

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

static void check_via(struct live *l, const struct millrace *m, const struct phase *p)
{
	char expected[64];
	json_t *graph;
	const json_t *edge =
		api_edge(m, "natclient", "natback1", (uint16_t)(PORT_SERVES + p->index), &graph);

	snprintf(expected, sizeof(expected), p->family == AF_INET ? "%s:%u" : "[%s]:%u",
		 asked_address(p), PORT_ASKED + p->index);
	if (!(p->translates & DNAT))
		expected[0] = '\0';
	check(l,
	      edge && strcmp(api_string(edge, "via"), expected) == 0 &&
		      json_is_object(api_at(edge, "server_view")),
	      "the edge joins both ends, via \"%s\" (is \"%s\")", expected,
	      edge ? api_string(edge, "via") : "no edge");
	json_decref(graph);
}

static void run_phase(struct live *l, const struct millrace *m, struct work *w)
{
	struct waiting waiting = {.millrace = m, .work = w};
	pid_t backend[BACKENDS], client;

	say("%s", w->phase->name);
	for (unsigned int i = 0; i < BACKENDS; i++)
		backend[i] = backend_start(l, w->phase, i);
	pause_us(200000);
	kill(m->pid, SIGSTOP);
	client = actor_fork(l, "natclient", true);
	if (!client) {
		run_threads(connect_all, w);
		_exit(0);
	}
	pause_us(UNHEARD_MS * 1000);
	kill(m->pid, SIGCONT);
	check_equal(l, "the client ends", 0, (uint64_t)process_wait(client, patience(l, 120000)));
	check_equal(l, "connections that failed", 0, w->failed);
	check(l, wait_until(all_there, &waiting, patience(l, 15000)), "all is told");
	compare(l, w, &waiting.seen);
	check_via(l, m, w->phase);
	for (unsigned int i = 0; i < BACKENDS; i++)
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
	struct work *w =
		mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct millrace m;
	pid_t resident;

	if (w == MAP_FAILED || !l->net.nft)
		return skip(l, "no nftables");
	if (lay_out(l) || translate(l, &phases[0])) {
		take_down(l);
		return skip(l, "this kernel's nftables cannot translate");
	}
	resident = resident_start(l);
	/* each connection is a row of its own until it is translated: a budget that stretches
	 * windows would fill the map, and what comes then is coarse */
	if (millrace_start(&m, l, (const char *const[]){NULL})) {
		for (unsigned int i = 0; i < sizeof(phases) / sizeof(*phases); i++) {
			*w = (struct work){.phase = &phases[i],
					   .connections = l->is_short
								  ? scaled(l, 1000, 100)
								  : scaled(l, CONNECTIONS, 100)};
			if (check(l, translate(l, &phases[i]) == 0, "rules"))
				run_phase(l, &m, w);
		}
		millrace_stop(&m, 15);
	}
	process_end(resident, 9, 2000);
	take_down(l);
	munmap(w, sizeof(*w));
	return verdict(l);
}
