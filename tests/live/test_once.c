/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where one connection could count twice, or two be taken for one, with agents on two machines:
 *
 *   sidecar   a client redirected into its own namespace: that hop carries, and is not summed
 *   tunnel    what is inside of it counts, its outside carries
 *   snat      a box without an agent between them gives the client another address
 *   symmetric UDP between sockets that are both bound to the same port: one edge, one server
 *   docker    127.0.0.1, 172.17.0.2 and 172.17.0.3 are on both, and are not each other
 *   overlap   two agents that observe the same cgroup
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster.h"
#include "run.h"
#include "tunnel.h"

#define PORT      18400
#define EXCHANGES 300

static struct traffic_way between(const struct cluster *c, const char *client, const char *server,
				  unsigned int from, unsigned int to, uint16_t port)
{
	return (struct traffic_way){.client = client,
				    .server = server,
				    .from = cluster_place(&c->node[from]),
				    .to = cluster_place(&c->node[to]),
				    .address = lan_address(to, AF_INET),
				    .port = port,
				    .exchanges = scaled(c->live, EXCHANGES, 20)};
}

/* Runs them at once and to their end, and compares. */
static bool run_all(struct cluster *c, struct traffic *t, const struct traffic_way *ways,
		    unsigned int count, json_t **ret_graph)
{
	struct traffic *all[8];
	bool good = true;

	for (unsigned int i = 0; i < count; i++) {
		all[i] = &t[i];
		good = good && traffic_start(&t[i], c->live, &ways[i]);
	}
	for (unsigned int i = 0; good && i < count; i++)
		good = traffic_wait(&t[i], c->live);
	return good && cluster_exact(c, all, count, 20000, ret_graph);
}

static void end_all(struct traffic *t, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		traffic_end(&t[i]);
}

static void check_carrier(struct live *l, const json_t *graph, const struct traffic *t,
			  const char *expected)
{
	unsigned int count;
	const json_t *edge = graph ? cluster_edge(graph, t, &count) : NULL;

	check(l, edge && strcmp(api_string(edge, "carrier"), expected) == 0,
	      "%s to %s carries \"%s\" (is \"%s\")", t->way.client, t->way.server, expected,
	      edge ? api_string(edge, "carrier") : "no edge");
}

/* sidecar: who asks node 1 at its port is sent to a process of its own namespace. */

#define SIDECAR_PORT 15001

static int redirect(const struct cluster *c, uint16_t port)
{
	char rules[400];

	snprintf(rules, sizeof(rules),
		 "table ip mrside {}\ndelete table ip mrside\ntable ip mrside {\n"
		 "chain o { type nat hook output priority -100; "
		 "ip daddr %s tcp dport %u redirect to :%u; }\n}\n",
		 lan_address(1, AF_INET), port, SIDECAR_PORT);
	return net_nft(c->node[0].netns, rules);
}

static void run_sidecar(struct cluster *c)
{
	struct traffic t[2] = {0};
	struct traffic_way ways[] = {between(c, "app", "sidecar", 0, 0, SIDECAR_PORT),
				     between(c, "sidecar", "real", 0, 1, PORT)};
	json_t *graph = NULL;
	unsigned int count;
	const json_t *edge;
	char via[64];

	say("sidecar");
	ways[0].address = "127.0.0.1";
	ways[0].asked = lan_address(1, AF_INET);
	ways[0].asked_port = PORT + 1;
	if (redirect(c, PORT + 1)) {
		say("skipped: this kernel's nftables cannot redirect");
		return;
	}
	run_all(c, t, ways, 2, &graph);
	check_carrier(c->live, graph, &t[0], "sidecar");
	check_carrier(c->live, graph, &t[1], "");
	snprintf(via, sizeof(via), "%s:%u", lan_address(1, AF_INET), PORT + 1);
	edge = graph ? cluster_edge(graph, &t[0], &count) : NULL;
	check(c->live, edge && strcmp(api_string(edge, "via"), via) == 0,
	      "it was asked for by %s (\"%s\")", via, edge ? api_string(edge, "via") : "");
	json_decref(graph);
	net_nft(c->node[0].netns, "delete table ip mrside\n");
	end_all(t, 2);
}

/* tunnel */

static const json_t *outside_of(const json_t *graph)
{
	json_t *edge;
	size_t i;

	json_array_foreach (json_object_get(graph, "edges"), i, edge)
		if (json_integer_value(json_object_get(edge, "port")) == TUNNEL_PORT)
			return edge;
	return NULL;
}

static void run_tunnel(struct cluster *c)
{
	struct traffic t = {0};
	struct traffic_way way = between(c, "inner", "inner-db", 0, 1, PORT + 2);
	struct tunnel tunnel;
	json_t *graph = NULL;
	const json_t *edge;

	say("tunnel, by a process");
	if (!tunnel_start(&tunnel, c)) {
		say("skipped: no TUN devices here");
		tunnel_end(&tunnel);
		return;
	}
	way.address = TUNNEL_THERE;
	run_all(c, &t, &way, 1, &graph);
	check_carrier(c->live, graph, &t, "");
	edge = outside_of(graph);
	check(c->live, edge && strcmp(api_string(edge, "carrier"), "tunnel") == 0,
	      "its outside, port %u, carries \"%s\": %lld datagrams", TUNNEL_PORT,
	      edge ? api_string(edge, "carrier") : "no edge",
	      edge ? api_counter(edge, MR_DATAGRAMS_TO_SERVER) : -1);
	json_decref(graph);
	tunnel_end(&tunnel);
	traffic_end(&t);
}

static int vxlan_add(const struct cluster *c, unsigned int i)
{
	char text[200];
	int r;

	snprintf(text, sizeof(text), "link add vx0 type vxlan id 7 remote %s local %s dstport 4789",
		 lan_address(!i, AF_INET), lan_address(i, AF_INET));
	r = net_ip(c->node[i].netns, text);
	snprintf(text, sizeof(text), "addr add 10.91.0.%u/24 dev vx0", i + 1);
	r = r ? r : net_ip(c->node[i].netns, text);
	return r ? r : net_ip(c->node[i].netns, "link set vx0 up");
}

/* The kernel's own: its outside is no socket of the cgroup's, and so no edge at all. */
static void run_vxlan(struct cluster *c)
{
	struct traffic t[2] = {0};
	struct traffic_way ways[] = {between(c, "vx", "vx-db", 0, 1, PORT + 3),
				     between(c, "vx", "vx-log", 0, 1, PORT + 4)};

	say("tunnel, the kernel's (VXLAN)");
	if (vxlan_add(c, 0) || vxlan_add(c, 1)) {
		say("skipped: this kernel has no VXLAN");
		return;
	}
	ways[0].address = ways[1].address = "10.91.0.2";
	ways[1].kind = TRAFFIC_UDP;
	run_all(c, t, ways, 2, NULL);
	end_all(t, 2);
}

enum verdict test_carrier(struct live *l)
{
	struct cluster c;

	if (cluster_open(&c, l, 2, false) && cluster_server_start(&c) && agents_start(&c)) {
		if (l->net.nft)
			run_sidecar(&c);
		run_tunnel(&c);
		run_vxlan(&c);
	}
	cluster_close(&c);
	return verdict(l);
}

/* snat */

static void run_snat(struct cluster *c)
{
	struct traffic t[3] = {0};
	struct traffic_way ways[] = {between(c, "hidden", "seen", 0, 1, PORT + 10),
				     between(c, "hidden-2", "seen", 0, 1, PORT + 10),
				     between(c, "hidden", "seen-udp", 0, 1, PORT + 11)};

	say("snat by a box between them");
	ways[1].server = "seen-too";
	ways[1].port = PORT + 12;
	ways[2].kind = TRAFFIC_UDP;
	if (net_nft(c->lan.router, "table ip mrbox {\nchain p { type nat hook postrouting "
				   "priority 100; oifname \"to1\" masquerade; }\n}\n")) {
		say("skipped: this kernel's nftables cannot masquerade");
		return;
	}
	run_all(c, t, ways, 3, NULL);
	net_nft(c->lan.router, "delete table ip mrbox\n");
	end_all(t, 3);
}

/* symmetric: the lower address serves, whoever speaks first */

static void run_symmetric(struct cluster *c)
{
	struct traffic t = {0};
	struct traffic_way way = between(c, "higher", "lower", 1, 0, PORT + 13);

	say("UDP between two sockets of the same port");
	way.kind = TRAFFIC_UDP;
	way.source = lan_address(1, AF_INET);
	way.source_port = way.port;
	run_all(c, &t, &way, 1, NULL);
	traffic_end(&t);
}

/* docker */

/* Two containers of a machine, on a network that every machine has. */
static bool containers_open(struct cluster *c, int netns[2])
{
	char text[160];

	netns[0] = net_namespace(c->lan.home);
	netns[1] = net_namespace(c->lan.home);
	if (netns[0] < 0 || netns[1] < 0)
		return false;
	snprintf(text, sizeof(text), "link add eth0 type veth peer name eth0 netns /proc/%d/fd/%d",
		 getpid(), netns[1]);
	if (net_ip(netns[0], text))
		return false;
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "addr add 172.17.0.%d/16 dev eth0", i + 2);
		if (net_ip(netns[i], "link set lo up") || net_ip(netns[i], text) ||
		    net_ip(netns[i], "link set eth0 up"))
			return false;
	}
	return true;
}

/* On each machine: 172.17.0.2 asks 172.17.0.3, and 127.0.0.1 itself, twice: in two containers. */
static void ways_docker(struct cluster *c, int netns[2][2], struct traffic_way ways[6])
{
	static const char *const names[2][6] = {
		{"web-a", "redis-a", "lo-a", "lodb-a", "lo2-a", "lodb2-a"},
		{"web-b", "redis-b", "lo-b", "lodb-b", "lo2-b", "lodb2-b"}};

	for (unsigned int m = 0; m < 2; m++)
		for (unsigned int k = 0; k < 3; k++) {
			struct traffic_way *w = &ways[3 * m + k];

			*w = between(c, names[m][2 * k], names[m][2 * k + 1], m, m,
				     (uint16_t)(k ? PORT + 21 : PORT + 20));
			w->from.netns = netns[m][k == 2];
			w->to.netns = netns[m][k == 2 ? 1 : !k];
			w->address = k ? "127.0.0.1" : "172.17.0.3";
			w->exchanges += 7 * (3 * m + k);
		}
}

static void run_docker(struct cluster *c)
{
	struct traffic t[6] = {0};
	struct traffic_way ways[6];
	int netns[2][2];

	say("the same addresses on both machines");
	if (!check(c->live, containers_open(c, netns[0]) && containers_open(c, netns[1]),
		   "two containers on each"))
		return;
	ways_docker(c, netns, ways);
	run_all(c, t, ways, 6, NULL);
	end_all(t, 6);
	for (int i = 0; i < 4; i++)
		close(netns[i / 2][i % 2]);
}

enum verdict test_scopes(struct live *l)
{
	struct cluster c;

	if (cluster_open(&c, l, 2, false) && cluster_server_start(&c) && agents_start(&c)) {
		run_docker(&c);
		run_symmetric(&c);
		if (l->net.nft)
			run_snat(&c);
	}
	cluster_close(&c);
	return verdict(l);
}

/* overlap: the third agent observes what the other two do, on their machine. */

enum verdict test_overlap(struct live *l)
{
	struct traffic t[3] = {0};
	struct traffic_way ways[3];
	struct cluster c;

	if (cluster_open(&c, l, 3, false)) {
		for (unsigned int i = 0; i < 3; i++)
			c.node[i].own_machine = false;
		snprintf(c.node[2].cgroup, sizeof(c.node[2].cgroup), "%s", l->net.cgroup);
		if (cluster_server_start(&c) && agents_start(&c)) {
			ways[0] = between(&c, "twice", "twice-db", 0, 1, PORT + 30);
			ways[1] = between(&c, "twice", "twice-log", 1, 0, PORT + 31);
			ways[1].client = "again";
			ways[1].kind = TRAFFIC_UDP;
			ways[2] = between(&c, "inside", "inside-db", 1, 1, PORT + 32);
			ways[2].address = "127.0.0.1";
			run_all(&c, t, ways, 3, NULL);
			end_all(t, 3);
		}
	}
	cluster_close(&c);
	return verdict(l);
}
