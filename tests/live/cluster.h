/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster on one kernel: a server and up to four agents, each on a "machine" of its own: a
 * network namespace of the lan, a cgroup that it observes, and if wanted a boot id and host name
 * that no other has, so that the rules for agents of different machines hold. Between each agent
 * and the server is a link that the test may cut and slow.
 *
 * Agents run in their machine's namespace and outside of the cgroup that they observe.
 */
#pragma once

#include "lan.h"
#include "link.h"
#include "live.h"
#include "millrace.h"
#include "traffic.h"

#define CLUSTER_TOKEN_AGENTS  "agents-token-0123456789abcdef"
#define CLUSTER_TOKEN_READERS "readers-token-0123456789abcdef"

struct cluster_node {
	struct cluster *cluster;
	unsigned int index;
	/* set before agent_start() */
	const char *zone, *region;
	bool own_machine;
	int64_t clock_ahead_s;          /* CLOCK_MONOTONIC */
	const char *const *arguments;   /* further ones; may be NULL */
	const char *const *environment; /* may be NULL */
	/* */
	char name[16]; /* "node-a" */
	char cgroup[256];
	int netns;
	struct link link;
	pid_t agent; /* 0: none */
	char log[160];
};

struct cluster {
	struct live *live;
	struct lan lan;
	struct millrace server;
	bool tls, tokens;
	int64_t server_ahead_s;       /* its CLOCK_MONOTONIC */
	const char *const *arguments; /* of the server, further ones; may be NULL */
	char data[160], cert[160], key[160], agent_tokens[160], reader_tokens[160];
	struct cluster_node node[LAN_NODES_MAX];
	unsigned int count;
};

/* Namespaces, cgroups, files; nothing runs yet. With TLS go tokens. Sets what is to be set to its
 * default. A failed check says what is missing. */
bool cluster_open(struct cluster *c, struct live *l, unsigned int nodes, bool tls);
void cluster_tokens(struct cluster *c, bool wanted); /* without TLS, too; before all starts */
void cluster_close(struct cluster *c); /* ends what runs; also after a cluster_open() that failed */

/* Starts the server, or starts it again: at the same port, with the same data. */
bool cluster_server_start(struct cluster *c);
int cluster_server_stop(struct cluster *c, int sig);

bool cluster_file(const char *path, const char *text); /* written anew, for its owner only */
/* A file with a machine's own boot id, as struct spawn wants it. */
bool cluster_boot_id(const char *path, unsigned int machine);

bool agent_start(struct cluster_node *n);
/* Starts it and waits until it is this life that reports; a failed check if not. */
bool agent_start_anew(struct cluster_node *n);
int agent_stop(struct cluster_node *n, int sig);
bool agent_alive(struct cluster_node *n);
bool agents_start(struct cluster *c); /* all of them, and waits until all report */
/* So many agents report, within ms; a failed check if not. */
bool cluster_reporting(struct cluster *c, unsigned int count, unsigned int ms);
/* The object of /api/v1/agents of that node, borrowed from *ret_answer; NULL: none. */
const json_t *cluster_agent(const struct cluster *c, const char *node, json_t **ret_answer);

/* Ends agents and server by SIGTERM; each must go by itself, with 0. */
bool cluster_closes_well(struct cluster *c);

struct place cluster_place(const struct cluster_node *n);

/*
 * Waits until the graph has one edge for each of the traffics, with its counts, and no edge of
 * their ports more; then checks it, and that nothing is counted as lost. *ret_graph may be NULL.
 */
bool cluster_exact(struct cluster *c, struct traffic *const *traffic, unsigned int count,
		   unsigned int ms, json_t **ret_graph);
/* The edge of a traffic; *ret_count: edges of its port and names. */
const json_t *cluster_edge(const json_t *graph, const struct traffic *t, unsigned int *ret_count);
/* Graph since the server's first start. NULL: no answer. */
json_t *cluster_graph(const struct cluster *c, const char *group);
json_t *cluster_graph_of(const struct cluster *c, const char *group, double from, double to);
void cluster_say_logs(const struct cluster *c); /* what server and agents wrote, its ends */
