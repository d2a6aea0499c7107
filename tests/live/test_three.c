/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three agents on machines, namespaces and zones of their own, and a server, over TLS with tokens:
 * each edge once, with its names, zones, class, counts and bytes as the programs had them; TCP and
 * UDP, IPv4 and IPv6, between machines, inside of one, and with an outside that no agent covers.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cluster.h"
#include "load.h"
#include "load_report.h"
#include "run.h"

#define EXCHANGES  2000
#define MIX_SCALE  0.05
#define NEXT_TOKEN "readers-next-token-0123456789"

/* Ends: a machine's number, or OUTSIDE, the router that nobody observes. */
#define OUTSIDE 3
#define EDGES   8
#define PORT    18000

struct edge {
	const char *client, *server;
	unsigned int from, to;
	int family; /* 0: loopback */
	enum traffic_kind kind;
	const char *class;
};

static const struct edge edges[EDGES] = {
	{"shop", "cart", 0, 1, AF_INET, TRAFFIC_SHORT, "cross_zone"},
	{"cart", "stock", 1, 2, AF_INET6, TRAFFIC_SHORT, "cross_region"},
	{"stock", "mail", 2, 0, AF_INET, TRAFFIC_UDP, "cross_region"},
	{"shop", "trace", 0, 2, AF_INET6, TRAFFIC_UDP, "cross_region"},
	{"cart", "db", 1, 0, AF_INET, TRAFFIC_LONG, "cross_zone"},
	{"shop", "cache", 0, 0, 0, TRAFFIC_SHORT, "same_node"},
	{"10.88.1.1", "front", OUTSIDE, 1, AF_INET, TRAFFIC_SHORT, "external"},
	{"stock", "10.88.2.1", 2, OUTSIDE, AF_INET, TRAFFIC_SHORT, "external"},
};

static struct place place_of(const struct cluster *c, unsigned int end)
{
	if (end == OUTSIDE)
		return (struct place){c->lan.router, c->live->net.cgroup};
	return cluster_place(&c->node[end]);
}

static const char *address_of(const struct edge *e)
{
	if (!e->family)
		return "127.0.0.1";
	if (e->to == OUTSIDE)
		return lan_gateway(e->from, e->family);
	return lan_address(e->to, e->family);
}

static bool edge_start(struct cluster *c, const struct edge *e, struct traffic *t)
{
	struct traffic_way way = {.client = e->client,
				  .server = e->server,
				  .from = place_of(c, e->from),
				  .to = place_of(c, e->to),
				  .kind = e->kind,
				  .address = address_of(e),
				  .port = (uint16_t)(PORT + (e - edges)),
				  .exchanges = scaled(c->live, EXCHANGES, 50)};

	return traffic_start(t, c->live, &way);
}

static void check_place(struct live *l, const json_t *graph, const struct edge *e,
			const struct traffic *t)
{
	static const char *const zones[] = {"zone-1", "zone-2", "zone-3", ""};
	static const char *const regions[] = {"region-1", "region-1", "region-2", ""};
	unsigned int count;
	const json_t *edge = cluster_edge(graph, t, &count);
	const char *class = edge ? api_string(edge, "class") : "";
	bool good = edge && strcmp(api_string(edge, "client_zone"), zones[e->from]) == 0 &&
		    strcmp(api_string(edge, "server_zone"), zones[e->to]) == 0 &&
		    strcmp(api_string(edge, "client_region"), regions[e->from]) == 0 &&
		    strcmp(api_string(edge, "server_region"), regions[e->to]) == 0;

	check(l, good && strcmp(class, e->class) == 0,
	      "%s to %s: %s/%s to %s/%s, %s (expected %s/%s to %s/%s, %s)", e->client, e->server,
	      edge ? api_string(edge, "client_region") : "",
	      edge ? api_string(edge, "client_zone") : "",
	      edge ? api_string(edge, "server_region") : "",
	      edge ? api_string(edge, "server_zone") : "", class, regions[e->from], zones[e->from],
	      regions[e->to], zones[e->to], e->class);
	if (e->from != OUTSIDE && e->to != OUTSIDE)
		check(l, edge && json_is_object(api_at(edge, "server_view")),
		      "%s to %s: seen by both ends", e->client, e->server);
	check(l,
	      edge && !json_is_true(api_at(edge, "provisional")) && !*api_string(edge, "carrier"),
	      "%s to %s: counts, for good", e->client, e->server);
}

/* All edges between two nodes of a grouping, and what they carry. */
struct sum {
	unsigned int edges;
	uint64_t bytes;
};

static const char *id_of(const json_t *graph, const char *name)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(graph, "nodes"), i, node)
		if (strcmp(api_string(node, "name"), name) == 0)
			return api_string(node, "id");
	return "(none)";
}

static void check_group(struct cluster *c, const char *group, const char *const names[3],
			const struct traffic *traffic)
{
	json_t *graph = cluster_graph(c, group), *edge;
	struct sum got[3][3] = {0}, expected[3][3] = {0};
	size_t n;

	json_array_foreach (json_object_get(graph, "edges"), n, edge)
		for (int i = 0; i < 9; i++) {
			json_int_t port = json_integer_value(api_at(edge, "port"));

			if (port < PORT || port >= PORT + EDGES ||
			    strcmp(api_string(edge, "client"), id_of(graph, names[i / 3])) ||
			    strcmp(api_string(edge, "server"), id_of(graph, names[i % 3])))
				continue;
			got[i / 3][i % 3].edges++;
			got[i / 3][i % 3].bytes += (uint64_t)api_counter(edge, MR_BYTES_TO_SERVER);
		}
	for (int i = 0; i < EDGES; i++)
		if (edges[i].from != OUTSIDE && edges[i].to != OUTSIDE) {
			expected[edges[i].from][edges[i].to].edges++;
			expected[edges[i].from][edges[i].to].bytes += traffic[i].told->up;
		}
	for (int i = 0; i < 9; i++)
		check(c->live,
		      got[i / 3][i % 3].edges == expected[i / 3][i % 3].edges &&
			      got[i / 3][i % 3].bytes == expected[i / 3][i % 3].bytes,
		      "by %s: %s to %s: %u edges, %llu bytes (expected %u, %llu)", group,
		      names[i / 3], names[i % 3], got[i / 3][i % 3].edges,
		      (unsigned long long)got[i / 3][i % 3].bytes, expected[i / 3][i % 3].edges,
		      (unsigned long long)expected[i / 3][i % 3].bytes);
	json_decref(graph);
}

static void check_agents(struct cluster *c)
{
	for (unsigned int i = 0; i < c->count; i++) {
		json_t *answer;
		const struct cluster_node *n = &c->node[i];
		const json_t *a = cluster_agent(c, n->name, &answer);
		const char *cgroup = strstr(n->cgroup, "/millrace-live.");

		check(c->live,
		      a && strcmp(api_string(a, "zone"), n->zone) == 0 &&
			      strcmp(api_string(a, "region"), n->region) == 0 &&
			      *api_string(a, "version") && *api_string(a, "kernel") &&
			      *api_string(a, "hooks"),
		      "agents: %s in %s, %s", n->name, a ? api_string(a, "zone") : "",
		      a ? api_string(a, "region") : "");
		check(c->live, a && strstr(api_string(a, "coverage"), cgroup + 1),
		      "agents: %s observes \"%s\"", n->name, a ? api_string(a, "coverage") : "");
		json_decref(answer);
	}
}

static void check_command(struct cluster *c)
{
	static char out[65536];
	int r = millrace_command(&c->server, (const char *const[]){"agents", NULL}, out,
				 sizeof(out));

	check(c->live,
	      r == 0 && strstr(out, "node-a") && strstr(out, "node-b") && strstr(out, "node-c"),
	      "millrace agents names all three (status %d)", r);
	if (r)
		say("it said: %s", out);
}

/* Live sockets are asked of every agent, over the replies to what it reports. */
struct asked {
	const struct cluster *cluster;
	unsigned int client_ends, server_ends, missing;
};

static bool has_both_ends(void *userdata)
{
	struct asked *a = userdata;
	json_t *answer = NULL, *row;
	size_t i;

	a->client_ends = a->server_ends = 0;
	api_get(&a->cluster->server, "/api/v1/connections?filter=server:callee", NULL, &answer);
	json_array_foreach (json_object_get(answer, "connections"), i, row) {
		bool client = strcmp(api_string(row, "seen_by"), "client") == 0;

		a->client_ends +=
			client && strcmp(api_string(row, "client.process"), "caller") == 0;
		a->server_ends +=
			!client && strcmp(api_string(row, "server.process"), "callee") == 0;
	}
	a->missing = (unsigned int)json_array_size(json_object_get(answer, "missing"));
	json_decref(answer);
	return a->client_ends == 1 && a->server_ends == 1;
}

static void ask_connections(struct cluster *c)
{
	struct traffic t = {0};
	struct traffic_way way = {.client = "caller",
				  .server = "callee",
				  .from = cluster_place(&c->node[0]),
				  .to = cluster_place(&c->node[1]),
				  .kind = TRAFFIC_LONG,
				  .address = lan_address(1, AF_INET),
				  .port = PORT + EDGES,
				  .pause_us = 20000};
	struct asked asked = {.cluster = c};
	bool good;

	if (traffic_start(&t, c->live, &way)) {
		good = wait_until(has_both_ends, &asked, patience(c->live, 20000));
		check(c->live, good && !asked.missing,
		      "connections: a live one by both ends (%u, %u), of %u agents no answer",
		      asked.client_ends, asked.server_ends, asked.missing);
		link_set(&c->node[1].link, LINK_SILENT);
		has_both_ends(&asked);
		check(c->live, asked.client_ends == 1 && asked.missing == 1,
		      "… one agent out of reach: %u end, and %u is named as missing",
		      asked.client_ends, asked.missing);
		link_set(&c->node[1].link, LINK_OPEN);
		traffic_stop(&t, c->live);
	}
	traffic_end(&t);
}

/* What a token is answered with. */
struct answered {
	struct millrace as;
	int status;
};

static bool is_answered(void *userdata)
{
	struct answered *a = userdata;

	return api_get(&a->as, "/api/v1/graph", NULL, NULL) == a->status;
}

/* A new token joins the old one, then stands alone: nothing is started again. */
static void rotate_token(struct cluster *c)
{
	struct answered with_new = {c->server, 200}, with_old = {c->server, 401};

	with_new.as.token = NEXT_TOKEN;
	cluster_file(c->reader_tokens, CLUSTER_TOKEN_READERS "\n# next\n" NEXT_TOKEN "\n");
	check(c->live, wait_until(is_answered, &with_new, patience(c->live, 10000)),
	      "a token added to the file is good");
	cluster_file(c->reader_tokens, NEXT_TOKEN "\n");
	check(c->live,
	      wait_until(is_answered, &with_old, patience(c->live, 10000)) &&
		      is_answered(&with_new),
	      "one removed is not, the other still is");
	c->server.token = with_new.as.token;
}

static void run_edges(struct cluster *c)
{
	static const char *const zones[] = {"zone-1", "zone-2", "zone-3"};
	static const char *const nodes[] = {"node-a", "node-b", "node-c"};
	struct traffic traffic[EDGES] = {0}, *all[EDGES];
	json_t *graph = NULL;
	bool good = true;

	for (int i = 0; i < EDGES; i++) {
		all[i] = &traffic[i];
		good = good && edge_start(c, &edges[i], &traffic[i]);
	}
	for (int i = 0; good && i < EDGES; i++)
		good = traffic_wait(&traffic[i], c->live);
	if (good && cluster_exact(c, all, EDGES, 15000, &graph)) {
		for (int i = 0; i < EDGES; i++)
			check_place(c->live, graph, &edges[i], &traffic[i]);
		check_group(c, "zone", zones, traffic);
		check_group(c, "node", nodes, traffic);
		check_agents(c);
		check_command(c);
	}
	json_decref(graph);
	for (int i = 0; i < EDGES; i++)
		traffic_end(&traffic[i]);
}

/* Shapes that need nothing but two ends and a network. */
static const char *const mix_shapes[] = {
	"short4",     "short6",     "mapped",      "loopback4",   "long4",         "duplex",
	"empty",      "fire",       "half_client", "half_server", "drip",          "before",
	"rst_client", "rst_server", "cut_client",  "cut_server",  "unread_client", "unread_server",
	"reconnect",  "sendfile",   "forked",      "pass_server", "refused",
};
#define MIX (sizeof(mix_shapes) / sizeof(*mix_shapes))

/* Ends every way a connection can, from one machine to another. */
static void run_mix(struct cluster *c)
{
	struct live *l = c->live;
	struct net net = l->net;
	unsigned int pick[MIX + 1], n = 0;
	struct load load = {
		.net = &net, .seed = l->seed, .scale = l->scale * MIX_SCALE, .pick = pick};

	for (size_t i = 0; i < MIX; i++)
		for (unsigned int k = 0; k < load_shape_count; k++)
			if (strcmp(load_shapes[k].name, mix_shapes[i]) == 0)
				pick[n++] = k;
	pick[n] = UINT_MAX;
	net.client = c->node[0].netns;
	net.server = c->node[1].netns;
	net.client_cgroup = c->node[0].cgroup;
	net.cgroup = c->node[1].cgroup;
	net.server4 = lan_address(1, AF_INET);
	net.server6 = lan_address(1, AF_INET6);
	if (check(l, load_start(&load) == 0, "the mix starts") && agents_start(c)) {
		load_go(&load);
		load_wait(&load, patience(l, 60000));
		if (load_check(l, &load))
			load_compare(l, &load, &c->server);
	}
	load_free(&load);
}

enum verdict test_three(struct live *l)
{
	static const char *const hurry[] = {"--cpu-budget", "100", NULL};
	struct cluster c;

	if (cluster_open(&c, l, 3, true)) {
		c.node[2].region = "region-2";
		for (unsigned int i = 0; i < 3; i++)
			c.node[i].arguments = hurry;
		if (cluster_server_start(&c)) {
			run_mix(&c);
			if (!l->failures)
				run_edges(&c);
			if (!l->failures)
				ask_connections(&c);
			if (!l->failures)
				rotate_token(&c);
			cluster_closes_well(&c);
		}
	}
	cluster_close(&c);
	return verdict(l);
}
