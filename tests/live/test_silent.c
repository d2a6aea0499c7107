/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents that say nothing for a while, that go for good, and that are replaced while all runs.
 *
 * silent: the client's agent is cut off. It is an event; meanwhile the edge is shown as its
 * server's agent sees it, as provisional; back again, the late report takes its place and nothing
 * counts twice. upgrade: agents and server are restarted one after the other under load.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cluster.h"
#include "run.h"

#define PORT 18300

static uint64_t up_of(const struct traffic *t)
{
	return __atomic_load_n(&t->told->up, __ATOMIC_ACQUIRE);
}

/* Something to wait for. */
struct sought {
	const struct cluster *cluster;
	const struct traffic *traffic;
	const char *node, *kind; /* of an event */
	uint64_t at_least, bytes, exchanges;
	bool provisional; /* wanted, and what was found */
	unsigned int edges;
};

static bool is_event(void *userdata)
{
	const struct sought *s = userdata;
	json_t *answer = NULL, *event;
	char path[128];
	bool found = false;
	size_t i;

	snprintf(path, sizeof(path), "/api/v1/events?from=%.0f&to=now",
		 s->cluster->server.started - 60);
	api_get(&s->cluster->server, path, NULL, &answer);
	json_array_foreach (json_object_get(answer, "events"), i, event)
		found |= strcmp(api_string(event, "scope"), "agent") == 0 &&
			 strcmp(api_string(event, "kind"), s->kind) == 0 &&
			 (strcmp(api_string(event, "node"), s->node) == 0 ||
			  strcmp(api_string(event, "who.node"), s->node) == 0);
	json_decref(answer);
	return found;
}

static bool is_shown(void *userdata)
{
	struct sought *s = userdata;
	json_t *graph = cluster_graph(s->cluster, "workload");
	const json_t *edge = graph ? cluster_edge(graph, s->traffic, &s->edges) : NULL;
	bool provisional = edge && json_is_true(api_at(edge, "provisional"));

	s->bytes = edge ? (uint64_t)api_counter(edge, MR_BYTES_TO_SERVER) : 0;
	json_decref(graph);
	return s->bytes >= s->at_least && provisional == s->provisional;
}

static bool has_gone_on(void *userdata)
{
	const struct sought *s = userdata;

	return __atomic_load_n(&s->traffic->told->exchanges, __ATOMIC_ACQUIRE) >= s->exchanges;
}

static void go_on(struct live *l, const struct traffic *t, unsigned int n)
{
	struct sought s = {.traffic = t, .exchanges = t->told->exchanges + n};

	if (!wait_until(has_gone_on, &s, patience(l, 30000)))
		check(l, false, "%s makes %u exchanges more", t->way.client, n);
}

static bool time_over(void *userdata)
{
	return clock_ns() >= *(uint64_t *)userdata;
}

static uint64_t bytes_in_ms(const struct traffic *t, unsigned int ms)
{
	uint64_t before = up_of(t), end = clock_ns() + ms * 1000000ull;

	wait_until(time_over, &end, 2 * ms);
	return up_of(t) - before;
}

static bool starts(struct cluster *c, struct traffic *t, const char *client, const char *server,
		   unsigned int from, unsigned int to, uint16_t port)
{
	struct traffic_way way = {.client = client,
				  .server = server,
				  .from = cluster_place(&c->node[from]),
				  .to = cluster_place(&c->node[to]),
				  .address = lan_address(to, AF_INET),
				  .port = port,
				  .pause_us = 5000};

	return traffic_start(t, c->live, &way);
}

/* silent */

static void check_silent_agent(struct cluster *c, const char *node, bool silent)
{
	json_t *answer;
	const json_t *a = cluster_agent(c, node, &answer);
	const json_t *since = a ? json_object_get(a, "silent_since") : NULL;

	check(c->live,
	      a && json_is_true(json_object_get(a, "reporting")) == !silent &&
		      (json_number_value(since) > 0) == silent,
	      "agents: %s is %s", node, silent ? "silent, since a time" : "reporting");
	json_decref(answer);
}

static void run_cut(struct cluster *c, struct traffic *t)
{
	struct live *l = c->live;
	struct traffic *all[] = {t};
	struct sought s = {.cluster = c, .traffic = t, .node = "node-a", .kind = "silent"};
	uint64_t at_cut;
	bool good;

	go_on(l, t, 100);
	s.at_least = up_of(t);
	check(l, wait_until(is_shown, &s, patience(l, 15000)), "the edge is there, for good");
	at_cut = up_of(t);
	link_set(&c->node[0].link, LINK_CUT);
	check(l, wait_until(is_event, &s, patience(l, 30000)), "silence is an event");
	go_on(l, t, 200);
	s.at_least = at_cut + (up_of(t) - at_cut) / 2;
	s.provisional = true;
	good = wait_until(is_shown, &s, patience(l, 20000));
	check(l, good && s.edges == 1,
	      "meanwhile its server's agent tells: provisional, one edge (%u), %llu bytes of %llu",
	      s.edges, (unsigned long long)s.bytes, (unsigned long long)up_of(t));
	check_silent_agent(c, "node-a", true);
	link_set(&c->node[0].link, LINK_OPEN);
	s.kind = "returned";
	check(l, wait_until(is_event, &s, patience(l, 30000)), "its return is an event");
	traffic_stop(t, l);
	cluster_exact(c, all, 1, 20000, NULL);
	s.provisional = false;
	check(l, wait_until(is_shown, &s, patience(l, 15000)), "no longer provisional");
	check_silent_agent(c, "node-a", false);
}

/* The client's agent is killed for good: what its server's agent saw is all there is. */
static void run_dead(struct cluster *c, struct traffic *t)
{
	struct live *l = c->live;
	struct sought s = {.cluster = c, .traffic = t};
	uint64_t at_death, second;
	bool good;

	go_on(l, t, 100);
	s.at_least = up_of(t);
	check(l, wait_until(is_shown, &s, patience(l, 15000)), "the edge is there");
	at_death = up_of(t);
	agent_stop(&c->node[0], SIGKILL);
	second = bytes_in_ms(t, 1000);
	go_on(l, t, 1000);
	traffic_stop(t, l);
	/* what it had not told, and the other's windows that lie across its end: two windows each
	 */
	s.at_least = up_of(t) - 4 * second;
	s.provisional = true;
	good = wait_until(is_shown, &s, patience(l, 30000));
	check(l, good && s.edges == 1 && s.bytes <= up_of(t) && s.bytes > at_death,
	      "an agent dead for good: %u edge, %llu bytes of %llu, %llu of them after its death, "
	      "%llu a second",
	      s.edges, (unsigned long long)s.bytes, (unsigned long long)up_of(t),
	      (unsigned long long)(up_of(t) - at_death), (unsigned long long)second);
}

enum verdict test_silent(struct live *l)
{
	struct traffic t[2] = {0};
	struct cluster c;

	if (cluster_open(&c, l, 2, false) && cluster_server_start(&c) && agents_start(&c)) {
		if (starts(&c, &t[0], "asker", "teller", 0, 1, PORT))
			run_cut(&c, &t[0]);
		if (starts(&c, &t[1], "widow", "bank", 0, 1, PORT + 1))
			run_dead(&c, &t[1]);
	}
	for (int i = 0; i < 2; i++)
		traffic_end(&t[i]);
	cluster_close(&c);
	return verdict(l);
}

/* upgrade */

#define UPGRADE_EDGES 3

/* What may be missing of an edge: what went by while an agent of its was not there. */
struct upgraded {
	struct traffic traffic[UPGRADE_EDGES];
	uint64_t missing[UPGRADE_EDGES];
};

static void restart_agent(struct cluster *c, struct upgraded *u, unsigned int i)
{
	struct live *l = c->live;
	uint64_t before[UPGRADE_EDGES];

	for (int e = 0; e < UPGRADE_EDGES; e++)
		before[e] = up_of(&u->traffic[e]);
	check_equal(l, "an agent's exit status", 0, (uint64_t)agent_stop(&c->node[i], SIGTERM));
	if (!agent_start_anew(&c->node[i]))
		return;
	for (int e = 0; e < UPGRADE_EDGES; e++)
		u->missing[e] += up_of(&u->traffic[e]) - before[e];
}

static void check_upgraded(struct cluster *c, const struct upgraded *u, int e)
{
	struct sought s = {.cluster = c,
			   .traffic = &u->traffic[e],
			   .at_least = up_of(&u->traffic[e]) - u->missing[e]};
	bool good = wait_until(is_shown, &s, patience(c->live, 20000));

	bytes_in_ms(&u->traffic[e], 1500); /* nothing comes a second time */
	is_shown(&s);
	check(c->live, good && s.edges == 1 && s.bytes <= up_of(&u->traffic[e]),
	      "%s to %s: %u edge, %llu bytes, missing %lld, at most %llu went by in gaps",
	      u->traffic[e].way.client, u->traffic[e].way.server, s.edges,
	      (unsigned long long)s.bytes, (long long)(up_of(&u->traffic[e]) - s.bytes),
	      (unsigned long long)u->missing[e]);
}

static void check_gaps(struct cluster *c)
{
	json_t *graph = cluster_graph(c, "workload"), *gap;
	unsigned int of[2] = {0};
	size_t i;

	json_array_foreach (json_object_get(json_object_get(graph, "completeness"), "gaps"), i,
			    gap) {
		double from = json_number_value(json_object_get(gap, "from"));
		double to = json_number_value(json_object_get(gap, "to"));

		say("gap: %s, %.2f s", api_string(gap, "node"), to - from);
		for (int n = 0; n < 2; n++)
			of[n] += strcmp(api_string(gap, "node"), c->node[n].name) == 0;
	}
	check(c->live, of[0] == 1 && of[1] == 1, "one gap is told of each agent (%u, %u)", of[0],
	      of[1]);
	json_decref(graph);
}

static void run_upgrade(struct cluster *c, struct upgraded *u)
{
	struct live *l = c->live;

	for (int e = 0; e < UPGRADE_EDGES; e++)
		go_on(l, &u->traffic[e], 100);
	restart_agent(c, u, 0);
	go_on(l, &u->traffic[0], 200);
	check_equal(l, "the server's exit status", 0, (uint64_t)cluster_server_stop(c, SIGTERM));
	go_on(l, &u->traffic[0], 200);
	if (!cluster_server_start(c) || !cluster_reporting(c, c->count, 30000))
		return;
	restart_agent(c, u, 1);
	go_on(l, &u->traffic[0], 200);
	for (int e = 0; e < UPGRADE_EDGES; e++)
		traffic_stop(&u->traffic[e], l);
	for (int e = 0; e < UPGRADE_EDGES; e++)
		check_upgraded(c, u, e);
	check_gaps(c);
}

enum verdict test_upgrade(struct live *l)
{
	struct upgraded u = {0};
	struct cluster c;

	if (cluster_open(&c, l, 2, true) && cluster_server_start(&c) && agents_start(&c) &&
	    starts(&c, &u.traffic[0], "till", "books", 0, 1, PORT + 2) &&
	    starts(&c, &u.traffic[1], "books-cron", "archive", 1, 0, PORT + 3) &&
	    starts(&c, &u.traffic[2], "till-self", "till-cache", 0, 0, PORT + 4)) {
		run_upgrade(&c, &u);
		cluster_closes_well(&c);
	}
	for (int e = 0; e < UPGRADE_EDGES; e++)
		traffic_end(&u.traffic[e]);
	cluster_close(&c);
	return verdict(l);
}
