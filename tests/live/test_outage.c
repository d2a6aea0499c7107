/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not cost a byte: the server killed and started again, networks cut, slow, silent, at
 * random for five minutes (a minute in short). Afterwards every edge has what the programs counted,
 * once, and nothing is counted as lost.
 *
 * And what costs something, and says so: an agent that is killed while it cannot reach the server
 * loses at most what the server has not taken, and completeness shows the gap.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cluster.h"
#include "run.h"

#define SECONDS       300
#define SECONDS_SHORT 60
#define QUIET_SHARE   6 /* the last sixth: all is well again */
#define EDGES         6
#define PORT          18100
#define AWAY_MS       12000 /* at most, of a link or the server */
#define CATCH_UP_MS   60000

struct edge {
	const char *client, *server;
	unsigned int from, to;
	int family; /* 0: loopback */
	enum traffic_kind kind;
	unsigned int pause_us;
};

static const struct edge edges[EDGES] = {
	{"shop", "cart", 0, 1, AF_INET, TRAFFIC_SHORT, 3000},
	{"cart", "stock", 1, 2, AF_INET6, TRAFFIC_SHORT, 5000},
	{"stock", "db", 2, 0, AF_INET, TRAFFIC_LONG, 5000},
	{"shop", "cache", 0, 0, 0, TRAFFIC_SHORT, 5000},
	{"cart", "trace", 1, 0, AF_INET, TRAFFIC_UDP, 5000},
	{"stock", "names", 2, 2, AF_INET6, TRAFFIC_UDP, 5000},
};

static bool edge_start(struct cluster *c, const struct edge *e, struct traffic *t)
{
	struct traffic_way way = {
		.client = e->client,
		.server = e->server,
		.from = cluster_place(&c->node[e->from]),
		.to = cluster_place(&c->node[e->to]),
		.kind = e->kind,
		.address = e->family ? lan_address(e->to, e->family) : "127.0.0.1",
		.port = (uint16_t)(PORT + (e - edges)),
		.pause_us = e->pause_us,
	};

	return traffic_start(t, c->live, &way);
}

/* Trouble */

struct trouble {
	struct cluster *cluster;
	uint64_t random, end_ns;
	uint64_t server_back_ns;              /* 0: it is there */
	uint64_t link_well_ns[LAN_NODES_MAX]; /* 0: it is well */
	unsigned int kills, cuts, silences, slows, resets;
};

static uint64_t any(struct trouble *t, uint64_t below)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random % below;
}

static uint64_t soon(struct trouble *t)
{
	return clock_ns() + (300 + any(t, AWAY_MS - 300)) * 1000000ull;
}

static bool server_recover(struct trouble *t)
{
	if (!t->server_back_ns || clock_ns() < t->server_back_ns)
		return true;
	t->server_back_ns = 0;
	return cluster_server_start(t->cluster);
}

static void link_recover(struct trouble *t, unsigned int i)
{
	struct link *k = &t->cluster->node[i].link;

	if (!t->link_well_ns[i] || clock_ns() < t->link_well_ns[i])
		return;
	t->link_well_ns[i] = 0;
	link_slow(k, 0, 0);
	link_set(k, LINK_OPEN);
}

static void link_spoil(struct trouble *t, unsigned int i)
{
	struct link *k = &t->cluster->node[i].link;

	if (t->link_well_ns[i])
		return;
	t->link_well_ns[i] = soon(t);
	switch (any(t, 4)) {
	case 0:
		link_set(k, LINK_CUT);
		t->cuts++;
		break;
	case 1:
		link_set(k, LINK_SILENT);
		t->silences++;
		break;
	case 2:
		link_slow(k, 100 + (uint32_t)any(t, 1500), 1000 + (uint32_t)any(t, 40000));
		t->slows++;
		break;
	default:
		link_reset(k);
		t->link_well_ns[i] = 0;
		t->resets++;
	}
}

static void server_kill(struct trouble *t)
{
	if (t->server_back_ns)
		return;
	cluster_server_stop(t->cluster, SIGKILL);
	t->server_back_ns = soon(t);
	t->kills++;
}

/* One thing each half to three seconds. False: the server did not come back. */
static bool trouble_run(struct trouble *t)
{
	uint64_t next_ns = 0;

	while (clock_ns() < t->end_ns) {
		if (clock_ns() >= next_ns) {
			if (any(t, 4) == 0)
				server_kill(t);
			else
				link_spoil(t, (unsigned int)any(t, t->cluster->count));
			next_ns = clock_ns() + (500 + any(t, 2500)) * 1000000ull;
		}
		if (!server_recover(t))
			return false;
		for (unsigned int i = 0; i < t->cluster->count; i++)
			link_recover(t, i);
		pause_us(10000);
	}
	return true;
}

static bool trouble_end(struct trouble *t)
{
	if (t->server_back_ns)
		t->server_back_ns = 1;
	for (unsigned int i = 0; i < t->cluster->count; i++) {
		t->link_well_ns[i] = 1;
		link_recover(t, i);
	}
	return server_recover(t);
}

static bool time_over(void *userdata)
{
	return clock_ns() >= *(uint64_t *)userdata;
}

static unsigned int seconds_of(const struct live *l)
{
	return l->seconds ? l->seconds : l->is_short ? SECONDS_SHORT : SECONDS;
}

static void run_trouble(struct cluster *c, struct traffic *traffic)
{
	struct live *l = c->live;
	uint64_t whole_ns = seconds_of(l) * 1000000000ull, start = clock_ns();
	struct trouble t = {.cluster = c,
			    .random = l->seed * 2 + 1,
			    .end_ns = start + whole_ns - whole_ns / QUIET_SHARE};
	struct traffic *all[EDGES];
	bool good = trouble_run(&t);

	good = trouble_end(&t) && good;
	start += whole_ns;
	wait_until(time_over, &start, 600000);
	say("%u times killed, links %u cut, %u silent, %u slow, %u reset, in %u s", t.kills, t.cuts,
	    t.silences, t.slows, t.resets, seconds_of(l));
	for (int i = 0; i < EDGES; i++) {
		all[i] = &traffic[i];
		good = traffic_stop(&traffic[i], l) && good;
	}
	for (unsigned int i = 0; i < c->count; i++)
		check(l, agent_alive(&c->node[i]), "%s has lived through it", c->node[i].name);
	if (good)
		cluster_exact(c, all, EDGES, CATCH_UP_MS, NULL);
}

static void all_edges(struct cluster *c)
{
	struct traffic traffic[EDGES] = {0};
	bool good = true;

	for (int i = 0; i < EDGES; i++)
		good = good && edge_start(c, &edges[i], &traffic[i]);
	if (good)
		run_trouble(c, traffic);
	for (int i = 0; i < EDGES; i++)
		traffic_end(&traffic[i]);
}

/* An agent killed */

static uint64_t bytes_of(const struct traffic *t)
{
	return __atomic_load_n(&t->told->up, __ATOMIC_ACQUIRE) +
	       __atomic_load_n(&t->told->down, __ATOMIC_ACQUIRE);
}

struct shown {
	const struct cluster *cluster;
	const struct traffic *traffic;
	uint64_t at_least, bytes;
	uint64_t exchanges; /* waited for */
};

static bool is_shown(void *userdata)
{
	struct shown *s = userdata;
	json_t *graph = cluster_graph(s->cluster, "workload");
	unsigned int count;
	const json_t *edge = graph ? cluster_edge(graph, s->traffic, &count) : NULL;

	s->bytes = edge ? (uint64_t)(api_counter(edge, MR_BYTES_TO_SERVER) +
				     api_counter(edge, MR_BYTES_TO_CLIENT))
			: 0;
	json_decref(graph);
	return s->bytes >= s->at_least;
}

static bool went_on(void *userdata)
{
	struct shown *s = userdata;

	return __atomic_load_n(&s->traffic->told->exchanges, __ATOMIC_ACQUIRE) >= s->exchanges;
}

/* True once it has made n more exchanges. */
static bool go_on(struct live *l, const struct traffic *t, unsigned int n)
{
	struct shown s = {.traffic = t, .exchanges = t->told->exchanges + n};

	return check(l, wait_until(went_on, &s, patience(l, 30000)), "%s: %u exchanges more",
		     t->way.client, n);
}

static bool gap_shown(const struct cluster *c, const char *node, double at, double *ret_length)
{
	json_t *graph = cluster_graph(c, "workload"), *gap;
	bool found = false;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(graph, "completeness"), "gaps"), i,
			    gap) {
		double from = json_number_value(json_object_get(gap, "from"));
		double to = json_number_value(json_object_get(gap, "to"));

		say("gap: %s, %.1f s from %.1f s before it was killed", api_string(gap, "node"),
		    to - from, at - from);
		if (strcmp(api_string(gap, "node"), node) == 0 && from <= at && to >= at) {
			found = true;
			*ret_length = to - from;
		}
	}
	json_decref(graph);
	return found;
}

static void kill_agent(struct cluster *c, struct traffic *t)
{
	struct live *l = c->live;
	struct cluster_node *n = &c->node[0];
	struct shown s = {.cluster = c, .traffic = t};
	uint64_t before, after;
	double killed_at, length = 0, back_at;
	bool good;

	go_on(l, t, 200);
	before = bytes_of(t);
	s.at_least = before;
	check(l, wait_until(is_shown, &s, patience(l, 20000)), "what there was is shown");
	link_set(&n->link, LINK_CUT);
	go_on(l, t, 500);
	killed_at = clock_wall();
	agent_stop(n, SIGKILL);
	link_set(&n->link, LINK_OPEN);
	go_on(l, t, 100);
	if (!agent_start_anew(n))
		return;
	after = bytes_of(t);
	back_at = clock_wall();
	go_on(l, t, 100);
	traffic_stop(t, l);
	s.at_least = bytes_of(t) - (after - before);
	good = wait_until(is_shown, &s, patience(l, 15000));
	check(l, good,
	      "of %llu bytes %llu are shown; %llu went by between the last shown and the return",
	      (unsigned long long)bytes_of(t), (unsigned long long)s.bytes,
	      (unsigned long long)(after - before));
	check(l, s.bytes < bytes_of(t), "not more, and not all");
	good = gap_shown(c, n->name, killed_at, &length);
	check(l, good && length < back_at - killed_at + 20, "completeness.gaps has it: %.1f s",
	      length);
}

static void run_killed(struct cluster *c)
{
	const struct edge e = {"till", "ledger", 0, 0, 0, TRAFFIC_SHORT, 3000};
	struct traffic t = {0};
	struct traffic_way way = {.client = e.client,
				  .server = e.server,
				  .from = cluster_place(&c->node[0]),
				  .to = cluster_place(&c->node[0]),
				  .address = "127.0.0.1",
				  .port = PORT + EDGES,
				  .pause_us = e.pause_us};

	say("an agent is killed");
	if (traffic_start(&t, c->live, &way))
		kill_agent(c, &t);
	traffic_end(&t);
}

enum verdict test_outage(struct live *l)
{
	struct cluster c;

	if (cluster_open(&c, l, 3, true) && cluster_server_start(&c) && agents_start(&c)) {
		all_edges(&c);
		run_killed(&c);
	}
	cluster_close(&c);
	return verdict(l);
}
