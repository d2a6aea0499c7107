/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

#define ARGUMENTS_MAX  40
#define LOG_TAIL       1500
#define SERVER_WAIT_MS 30000
#define AGENT_WAIT_MS  30000

bool cluster_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Signed by itself, so it is its own authority. */
static bool certificate_make(struct cluster *c)
{
	const struct spawn how = {.environment =
					  (const char *const[]){"OPENSSL_CONF=/dev/null", NULL}};
	const char *const argv[] = {"openssl",
				    "req",
				    "-x509",
				    "-newkey",
				    "ec",
				    "-pkeyopt",
				    "ec_paramgen_curve:prime256v1",
				    "-nodes",
				    "-days",
				    "2",
				    "-keyout",
				    c->key,
				    "-out",
				    c->cert,
				    "-subj",
				    "/CN=millrace",
				    "-addext",
				    "subjectAltName=IP:127.0.0.1,DNS:localhost",
				    "-addext",
				    "basicConstraints=critical,CA:TRUE",
				    NULL};
	char out[1000] = "";
	int r = run(&how, argv, out, sizeof(out), patience(c->live, 20000));

	return check(c->live, r == 0, "openssl makes a certificate %s", r ? out : "");
}

static bool files_make(struct cluster *c)
{
	struct live *l = c->live;

	snprintf(c->data, sizeof(c->data), "%s", live_file(l, "data"));
	snprintf(c->cert, sizeof(c->cert), "%s", live_file(l, "cert.pem"));
	snprintf(c->key, sizeof(c->key), "%s", live_file(l, "key.pem"));
	snprintf(c->agent_tokens, sizeof(c->agent_tokens), "%s", live_file(l, "agents.tokens"));
	snprintf(c->reader_tokens, sizeof(c->reader_tokens), "%s", live_file(l, "readers.tokens"));
	run(&(struct spawn){0}, (const char *const[]){"rm", "-rf", c->data, NULL}, NULL, 0, 20000);
	return check(l,
		     cluster_file(c->agent_tokens, "# agents\n" CLUSTER_TOKEN_AGENTS "\n") &&
			     cluster_file(c->reader_tokens, CLUSTER_TOKEN_READERS "\n"),
		     "token files") &&
	       (!c->tls || certificate_make(c));
}

static bool node_open(struct cluster *c, unsigned int i)
{
	static const char *const zones[] = {"zone-1", "zone-2", "zone-3", "zone-1"};
	struct cluster_node *n = &c->node[i];

	*n = (struct cluster_node){.cluster = c,
				   .index = i,
				   .zone = zones[i],
				   .region = "region-1",
				   .own_machine = true,
				   .netns = c->lan.node[i]};
	snprintf(n->name, sizeof(n->name), "node-%c", 'a' + (int)i);
	snprintf(n->cgroup, sizeof(n->cgroup), "%s/node-%c", c->live->net.cgroup, 'a' + (int)i);
	snprintf(n->log, sizeof(n->log), "%s/node-%c.log", c->live->directory, 'a' + (int)i);
	unlink(n->log);
	if (mkdir(n->cgroup, 0755) && errno != EEXIST)
		return false;
	return link_start(&n->link, n->netns, c->server.port, c->server.port);
}

bool cluster_open(struct cluster *c, struct live *l, unsigned int nodes, bool tls)
{
	int r;

	*c = (struct cluster){.live = l, .tls = tls};
	c->server = (struct millrace){.live = l, .port = port_free(), .started = clock_wall()};
	snprintf(c->server.log, sizeof(c->server.log), "%s", live_file(l, "server.log"));
	unlink(c->server.log);
	r = lan_open(&c->lan, &l->net, nodes);
	if (!check(l, r == 0, "%u machines on a network: %s", nodes, strerror(-r)) ||
	    !files_make(c))
		return false;
	c->server.ca = tls ? c->cert : NULL;
	cluster_tokens(c, tls);
	for (; c->count < nodes; c->count++)
		if (!check(l, node_open(c, c->count), "machine %u has a cgroup and a link",
			   c->count))
			return false;
	return true;
}

void cluster_tokens(struct cluster *c, bool wanted)
{
	c->tokens = wanted;
	c->server.token = wanted ? CLUSTER_TOKEN_READERS : NULL;
	c->server.token_file = wanted ? c->reader_tokens : NULL;
}

void cluster_close(struct cluster *c)
{
	for (unsigned int i = 0; i < c->count; i++) {
		struct cluster_node *n = &c->node[i];

		if (n->agent)
			agent_stop(n, SIGTERM);
		link_end(&n->link);
		rmdir(n->cgroup);
	}
	if (c->server.pid)
		cluster_server_stop(c, SIGTERM);
	lan_close(&c->lan);
}

/* The server */

static int server_arguments(const struct cluster *c, const char **argv, char listen[32])
{
	int n = 0;

	snprintf(listen, 32, "127.0.0.1:%u", c->server.port);
	argv[n++] = c->live->millrace;
	argv[n++] = "server";
	argv[n++] = "--listen";
	argv[n++] = listen;
	argv[n++] = "--data";
	argv[n++] = c->data;
	if (c->tokens) {
		argv[n++] = "--agent-tokens";
		argv[n++] = c->agent_tokens;
		argv[n++] = "--reader-tokens";
		argv[n++] = c->reader_tokens;
	}
	if (c->tls) {
		argv[n++] = "--cert";
		argv[n++] = c->cert;
		argv[n++] = "--key";
		argv[n++] = c->key;
	}
	for (const char *const *a = c->arguments; a && *a && n < ARGUMENTS_MAX - 1; a++)
		argv[n++] = *a;
	argv[n] = NULL;
	return n;
}

static bool server_answers(void *userdata)
{
	struct cluster *c = userdata;

	return api_get(&c->server, "/healthz", NULL, NULL) == 200 || !millrace_alive(&c->server);
}

bool cluster_server_start(struct cluster *c)
{
	const char *argv[ARGUMENTS_MAX];
	char listen[32];

	server_arguments(c, argv, listen);
	c->server.pid = spawn(
		&(struct spawn){.log = c->server.log, .clock_ahead_s = c->server_ahead_s}, argv);
	millrace_watch(c->server.pid);
	wait_until(server_answers, c, patience(c->live, SERVER_WAIT_MS));
	if (millrace_alive(&c->server) && api_get(&c->server, "/healthz", NULL, NULL) == 200)
		return true;
	check(c->live, false, "millrace server answers");
	cluster_say_logs(c);
	return false;
}

int cluster_server_stop(struct cluster *c, int sig)
{
	return millrace_stop(&c->server, sig);
}

/* Agents */

static int agent_arguments(const struct cluster_node *n, const char **argv, char url[64])
{
	const struct cluster *c = n->cluster;
	int i = 0;

	snprintf(url, 64, "%s://127.0.0.1:%u", c->tls ? "https" : "http", c->server.port);
	argv[i++] = c->live->millrace;
	argv[i++] = "agent";
	argv[i++] = "--server";
	argv[i++] = url;
	argv[i++] = "--node";
	argv[i++] = n->name;
	argv[i++] = "--cgroup";
	argv[i++] = n->cgroup;
	if (n->zone) {
		argv[i++] = "--zone";
		argv[i++] = n->zone;
	}
	if (n->region) {
		argv[i++] = "--region";
		argv[i++] = n->region;
	}
	if (c->tokens) {
		argv[i++] = "--token-file";
		argv[i++] = c->agent_tokens;
	}
	if (c->tls) {
		argv[i++] = "--ca";
		argv[i++] = c->cert;
	}
	for (const char *const *a = n->arguments; a && *a && i < ARGUMENTS_MAX - 1; a++)
		argv[i++] = *a;
	argv[i] = NULL;
	return i;
}

bool cluster_boot_id(const char *path, unsigned int machine)
{
	char text[64];

	snprintf(text, sizeof(text), "b007b007-0000-4000-8000-%012u\n", machine);
	return cluster_file(path, text);
}

bool agent_start(struct cluster_node *n)
{
	const char *argv[ARGUMENTS_MAX];
	struct spawn how = {.netns = n->netns,
			    .log = n->log,
			    .clock_ahead_s = n->clock_ahead_s,
			    .environment = n->environment};
	char url[64];

	agent_arguments(n, argv, url);
	if (n->own_machine) {
		how.boot_id = live_file(n->cluster->live, n->name);
		how.hostname = n->name;
		if (!cluster_boot_id(how.boot_id, n->index + 1))
			return false;
	}
	n->agent = spawn(&how, argv);
	millrace_watch(n->agent);
	return n->agent > 0;
}

int agent_stop(struct cluster_node *n, int sig)
{
	int r = process_end(n->agent, sig, patience(n->cluster->live, 20000));

	millrace_forget(n->agent);
	n->agent = 0;
	return r;
}

bool agent_alive(struct cluster_node *n)
{
	return n->agent > 0 && process_wait(n->agent, 0) == -ETIMEDOUT;
}

const json_t *cluster_agent(const struct cluster *c, const char *node, json_t **ret_answer)
{
	json_t *agent;
	size_t i;

	*ret_answer = NULL;
	if (api_get(&c->server, "/api/v1/agents", NULL, ret_answer) != 200)
		return NULL;
	json_array_foreach (json_object_get(*ret_answer, "agents"), i, agent)
		if (strcmp(api_string(agent, "node"), node) == 0)
			return agent;
	return NULL;
}

struct reporting {
	struct cluster *cluster;
	unsigned int wanted, got;
};

static bool all_report(void *userdata)
{
	struct reporting *r = userdata;
	json_t *answer = NULL, *agent;
	size_t i;

	r->got = 0;
	api_get(&r->cluster->server, "/api/v1/agents", NULL, &answer);
	json_array_foreach (json_object_get(answer, "agents"), i, agent)
		r->got += json_is_true(json_object_get(agent, "reporting"));
	json_decref(answer);
	return r->got == r->wanted;
}

static bool report_or_gone(void *userdata)
{
	const struct reporting *r = userdata;

	for (unsigned int i = 0; i < r->cluster->count; i++)
		if (r->cluster->node[i].agent && !agent_alive(&r->cluster->node[i]))
			return true;
	return all_report(userdata);
}

bool cluster_reporting(struct cluster *c, unsigned int count, unsigned int ms)
{
	struct reporting r = {.cluster = c, .wanted = count};
	bool good;

	wait_until(report_or_gone, &r, patience(c->live, ms));
	good = check(c->live, r.got == r.wanted, "%u agents report, of %u", r.got, count);
	if (!good)
		cluster_say_logs(c);
	return good;
}

struct life {
	struct cluster_node *node;
	double from; /* wall clock */
};

static bool life_reports(void *userdata)
{
	const struct life *life = userdata;
	json_t *answer;
	const json_t *a = cluster_agent(life->node->cluster, life->node->name, &answer);
	bool good = a && json_is_true(json_object_get(a, "reporting")) &&
		    json_number_value(json_object_get(a, "started")) >= life->from;

	json_decref(answer);
	return good || !agent_alive(life->node);
}

bool agent_start_anew(struct cluster_node *n)
{
	struct life life = {.node = n, .from = clock_wall() - 0.1};
	struct live *l = n->cluster->live;
	bool good = agent_start(n) && wait_until(life_reports, &life, patience(l, AGENT_WAIT_MS));

	good = check(l, good && agent_alive(n), "%s starts again and reports", n->name);
	if (!good)
		cluster_say_logs(n->cluster);
	return good;
}

bool agents_start(struct cluster *c)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (!check(c->live, agent_start(&c->node[i]), "millrace agent runs"))
			return false;
	return cluster_reporting(c, c->count, AGENT_WAIT_MS);
}

bool cluster_closes_well(struct cluster *c)
{
	bool good = true;

	for (unsigned int i = 0; i < c->count; i++)
		if (c->node[i].agent)
			good &= check_equal(c->live, "an agent's exit status after SIGTERM", 0,
					    (uint64_t)agent_stop(&c->node[i], SIGTERM));
	return good & check_equal(c->live, "the server's exit status after SIGTERM", 0,
				  (uint64_t)cluster_server_stop(c, SIGTERM));
}

struct place cluster_place(const struct cluster_node *n)
{
	return (struct place){.netns = n->netns, .cgroup = n->cgroup};
}

static void log_say(const char *name, const char *path)
{
	static char text[1 << 20];
	size_t size;

	if (file_read(path, text, sizeof(text)) || !text[0])
		return;
	size = strlen(text);
	say("%s said: %s%s", name, size > LOG_TAIL ? "… " : "",
	    text + (size > LOG_TAIL ? size - LOG_TAIL : 0));
}

void cluster_say_logs(const struct cluster *c)
{
	log_say("server", c->server.log);
	for (unsigned int i = 0; i < c->count; i++)
		log_say(c->node[i].name, c->node[i].log);
}
