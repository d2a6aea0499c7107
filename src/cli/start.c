/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents.h"
#include "client.h"
#include "field.h"
#include "graph.h"
#include "human.h"
#include "server/listen.h"

#define WAIT_STEP_NS   250000000 /* 0.25 s */
#define WAIT_STEPS     16
#define WINDOWS_WANTED 2

struct sums {
	double bytes_to_server, bytes_to_client, active;
	size_t listening, failing, degraded;
	const struct graph_edge *worst;
};

static struct sums add_up(const struct graph *g)
{
	struct sums s = {0};
	int worst = 0;

	for (size_t i = 0; i < g->edge_count; i++) {
		const struct graph_edge *e = &g->edges[i];
		char words[64];
		int level = graph_judge(e, words, sizeof(words));

		if (*e->carrier)
			continue;
		s.bytes_to_server += e->bytes_to_server;
		s.bytes_to_client += e->bytes_to_client;
		s.active += e->active;
		s.failing += level == 2;
		s.degraded += level == 1;
		if (level > worst) {
			worst = level;
			s.worst = e;
		}
	}
	for (size_t i = 0; i < g->node_count; i++)
		s.listening += json_array_size(field_array(g->nodes[i].json, "listeners")) > 0;
	return s;
}

static void write_label(char *label, FILE *out)
{
	human_print(out, label ? label : "?");
	free(label);
}

static void write_wrong(const struct sums *s, FILE *out)
{
	char words[64];

	if (!s->worst) {
		fputs("wrong now:    nothing\n", out);
		return;
	}
	fprintf(out, "wrong now:    %zu failing, %zu degraded; first ", s->failing, s->degraded);
	write_label(graph_label(s->worst->client, -1), out);
	fputs(" -> ", out);
	write_label(graph_server_label(s->worst), out);
	graph_judge(s->worst, words, sizeof(words));
	fprintf(out, " (%s)\n", words);
}

static void write_graph(const struct graph *g, FILE *out)
{
	char a[HUMAN_NUMBER_SIZE], b[HUMAN_NUMBER_SIZE];
	struct sums s = add_up(g);

	fprintf(out, "services:     %zu, of which %zu listen\n", g->node_count, s.listening);
	fprintf(out, "dependencies: %zu, over %.0f open connections\n", g->edge_count, s.active);
	fprintf(out, "traffic:      %s to servers, %s to clients so far\n",
		human_bytes(a, s.bytes_to_server), human_bytes(b, s.bytes_to_client));
	write_wrong(&s, out);
}

/* What was lost and what it was mostly; `millrace agents` tells the rest. */
static void write_losses(const json_t *lost, FILE *out)
{
	const char *cause, *largest = NULL;
	json_t *count;
	double sum = 0, most = 0;

	json_object_foreach ((json_t *)lost, cause, count) {
		double n = json_number_value(count);

		sum += n;
		if (n > most) {
			most = n;
			largest = cause;
		}
	}
	fprintf(out, ", %.0f losses", sum);
	if (largest) {
		fputs(", most of them ", out);
		human_print(out, largest);
	}
	fputc('\n', out);
}

static void write_complete(const json_t *graph, FILE *out)
{
	char share[HUMAN_NUMBER_SIZE];

	fprintf(out, "complete:     %s of what happened is in the numbers",
		human_percent(share, field_number(graph, "completeness.share"), 1));
	write_losses(field_get(graph, "completeness.lost"), out);
}

static long memory_kb(void)
{
	FILE *status = fopen("/proc/self/statm", "re");
	long total, resident = 0;

	if (status && fscanf(status, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	if (status)
		fclose(status);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void write_agent(const json_t *agent, FILE *out)
{
	char bytes[HUMAN_NUMBER_SIZE];

	fprintf(out, "costs:        %.3f %% of this machine's CPU (budget %g %%), %s of memory\n",
		agents_percent(agent), field_number(agent, "cost.cpu_budget_percent"),
		human_bytes(bytes, 1024.0 * (double)memory_kb()));
	fputs("kernel:       ", out);
	human_print(out, field_text(agent, "hooks"));
	fputc('\n', out);
}

int start_write(const char *url, const json_t *graph, const json_t *agents, FILE *out)
{
	const json_t *agent = json_array_get(field_array(agents, "agents"), 0);
	struct graph g;
	int r = graph_parse(&g, graph);

	if (r < 0)
		return r;
	fputs("millrace " MILLRACE_VERSION " watches who talks to whom on this machine\n", out);
	write_graph(&g, out);
	write_complete(graph, out);
	write_agent(agent, out);
	fprintf(out, "page:         %s/ (the API: %s/api/v1)\n", url, url);
	fputs("ask it:       millrace map, flows, why CLIENT SERVER, --help; Ctrl-C "
	      "ends\n",
	      out);
	graph_done(&g);
	return 0;
}

/* Whether the agent has reported enough for first figures. */
static bool is_warm(const char *url, struct client_answer *ret)
{
	const struct server_access server = {.url = url};
	struct error ignored;
	const json_t *agent;

	if (client_get(&server, "/api/v1/agents", NULL, ret, &ignored) < 0)
		return false;
	agent = json_array_get(field_array(ret->json, "agents"), 0);
	if (field_number(agent, "batches") >= WINDOWS_WANTED)
		return true;
	client_answer_done(ret);
	return false;
}

static void report(const char *url, const struct client_answer *agents)
{
	const struct server_access server = {.url = url};
	struct client_answer graph;
	struct error error;

	if (client_get(&server, "/api/v1/graph", NULL, &graph, &error) < 0)
		return;
	start_write(url, graph.json, agents->json, stdout);
	fflush(stdout);
	client_answer_done(&graph);
}

bool start_report(const struct listen_address *address, const sigset_t *ending)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_NS};
	struct client_answer agents = {0};
	char url[80];

	snprintf(url, sizeof(url), "http://%s:%u", address->host, address->port);
	for (int i = 0; i < WAIT_STEPS; i++) {
		if (sigtimedwait(ending, NULL, &step) > 0)
			return false;
		if (is_warm(url, &agents))
			break;
	}
	report(url, &agents);
	client_answer_done(&agents);
	return true;
}
