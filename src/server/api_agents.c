/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/agents: what the agents and the server cost, hold and lost. */
#include "server/api.h"

static void emit_agent_cost(struct emit *e, const struct query_agent *agent)
{
	emit_object_begin(e, "cost"); /* over the last minute or so, unless said otherwise */
	emit_number(e, "cpu_percent", agent->cpu_share * 100);
	emit_number(e, "cpu_budget_percent", agent->cpu_budget_percent);
	emit_number(e, "agent_cores", agent->cpu_cores);
	emit_number(e, "kernel_cores", agent->kernel_cpu_cores);
	emit_integer(e, "cpus", agent->cpus);
	emit_number(e, "agent_cpu_s", agent->agent_cpu_ns / 1e9); /* since it started */
	emit_number(e, "kernel_cpu_s", agent->kernel_cpu_ns / 1e9);
	emit_number(e, "sweep_s", agent->sweep_ns / 1e9);
	emit_counter(e, "sweep_sockets", agent->sweep_sockets);
	emit_object_end(e);
}

#define NETNS_NAMES(id, ours, baseline, kernel) {ours, baseline},
static const struct {
	const char *ours, *baseline;
} netns_names[] = {WIRE_NETNS_COUNTERS(NETNS_NAMES)};

void api_emit_netns(struct emit *e, const struct query_agent *agent)
{
	size_t i;

	emit_array_begin(e, "netns");
	for (i = 0; i < agent->netns_count; i++) {
		const struct wire_netns *n = &agent->netns[i];

		emit_object_begin(e, NULL);
		emit_integer(e, "netns", n->netns);
		emit_integer(e, "cookie", n->cookie);
		for (int c = 0; c < NETNS_COUNTER_COUNT; c++) {
			emit_counter(e, netns_names[c].ours, n->ours[c]);
			emit_counter(e, netns_names[c].baseline, n->baseline[c]);
		}
		emit_object_end(e);
	}
	emit_array_end(e);
}

void api_emit_agent_name(struct emit *e, const struct query_agent *agent, uint64_t now_ns)
{
	emit_string(e, "node", agent->node);
	emit_string(e, "boot_id", agent->boot_id);
	emit_string(e, "version", agent->version);
	emit_string(e, "kernel", agent->kernel);
	emit_boolean(e, "reporting", agent->reporting);
	emit_string(e, "status", agent->status);
	emit_seconds(e, "started", agent->started_ns);
	emit_seconds(e, "last_seen", agent->last_seen_ns);
	emit_number(e, "lag_s", now_ns > agent->newest_ns ? (now_ns - agent->newest_ns) / 1e9 : 0);
	emit_counter(e, "batches", agent->batches);
	emit_counter(e, "sequence", agent->sequence);
}

static void emit_agent(struct emit *e, const struct query_agent *agent, uint64_t now_ns)
{
	emit_object_begin(e, NULL);
	api_emit_agent_name(e, agent, now_ns);
	emit_string(e, "zone", agent->zone);
	emit_string(e, "region", agent->region);
	emit_string(e, "coverage", agent->coverage);
	if (agent->silent_since_ns)
		emit_seconds(e, "silent_since", agent->silent_since_ns);
	else
		emit_null(e, "silent_since");
	emit_string(e, "hooks", agent->hooks);
	emit_number(e, "window_s", agent->window_s);
	emit_number(e, "window_wanted_s", agent->window_wanted_s);
	emit_agent_cost(e, agent);
	emit_integer(e, "sockets", agent->sockets);
	emit_integer(e, "slots", agent->slots);
	emit_integer(e, "flows_max", agent->flows_max);
	emit_integer(e, "listeners", agent->listeners);
	emit_counter(e, "process_records", agent->process_records);
	emit_counter(e, "foreign_drops", agent->foreign_drops);
	api_emit_losses(e, "losses", agent->losses, agent->loss_count);
	api_emit_netns(e, agent);
	emit_object_end(e);
}

static void emit_queue(struct emit *e, const struct api *a)
{
	uint64_t dropped, waited;

	inbox_losses(a->inbox, &dropped, &waited);
	emit_object_begin(e, "queue");
	emit_counter(e, "batches_dropped", dropped);
	emit_counter(e, "waits", waited);
	emit_object_end(e);
}

/* What came from agents on other machines, and what became of it. */
static void emit_intake(struct emit *e, const struct api *a)
{
	emit_object_begin(e, "intake");
	for (unsigned int i = 0; i < INTAKE_COUNTER_COUNT; i++)
		emit_counter(e, intake_counter_name(i), a->intake->count[i]);
	emit_integer(e, "waiting", a->intake->waiter_count);
	emit_object_end(e);
}

static void emit_auth(struct emit *e, const struct api *a, uint64_t now_ms)
{
	const struct auth *auth = a->auth;
	const struct auth_stats *s = &auth->stats;

	emit_object_begin(e, "auth");
	emit_integer(e, "agent_tokens", auth->agents ? tokens_count(auth->agents) : 0);
	emit_integer(e, "reader_tokens", auth->readers ? tokens_count(auth->readers) : 0);
	emit_boolean(e, "tls", auth->tls != NULL);
	emit_integer(e, "sessions", sessions_count(&auth->sessions, now_ms));
	emit_counter(e, "unauthorized", s->unauthorized);
	emit_counter(e, "forbidden", s->forbidden);
	emit_counter(e, "cross_site", s->cross_site);
	emit_counter(e, "sign_ins", s->sign_ins);
	emit_counter(e, "sign_ins_failed", s->sign_ins_failed);
	emit_counter(e, "sign_ins_stopped", s->sign_ins_stopped);
	emit_counter(e, "files_failed",
		     (auth->agents ? tokens_failures(auth->agents) : 0) +
			     (auth->readers ? tokens_failures(auth->readers) : 0) +
			     (auth->tls ? tls_failures(auth->tls) : 0));
	emit_object_end(e);
}

static void emit_http(struct emit *e, const struct api *a)
{
	struct http_stats stats;
	int subscribers = 0;
	size_t i;

	for (i = 0; i < API_STREAMS_MAX; i++)
		subscribers += a->subscribers[i].stream != NULL;
	http_stats(a->http, &stats);
	emit_object_begin(e, "http");
	emit_counter(e, "requests", stats.requests);
	emit_counter(e, "refused", stats.refused);
	emit_counter(e, "crowded", stats.crowded);
	emit_counter(e, "bodies_late", stats.late);
	emit_integer(e, "connections", stats.connections);
	emit_integer(e, "connections_of_agents", stats.agents);
	emit_integer(e, "connections_of_readers", stats.readers);
	emit_integer(e, "bodies", stats.bodies);
	emit_integer(e, "stream_subscribers", subscribers);
	emit_counter(e, "stream_dropped", a->streams_dropped);
	emit_object_end(e);
}

static void emit_server(struct emit *e, const struct api *a, const struct query_agents *agents)
{
	emit_object_begin(e, "server");
	emit_string(e, "version", a->config->version);
	emit_seconds(e, "started", a->started_ns);
	emit_integer(e, "flows", agents->flows);
	emit_integer(e, "flows_max", agents->flows_max);
	emit_integer(e, "actors", agents->actors);
	emit_integer(e, "actors_max", agents->actors_max);
	emit_integer(e, "windows", agents->windows);
	emit_integer(e, "history_bytes", (int64_t)agents->history_bytes);
	emit_integer(e, "history_bytes_max", (int64_t)agents->history_bytes_max);
	emit_seconds(e, "history_from", agents->history_from_ns);
	api_emit_losses(e, "losses", agents->server_losses, agents->server_loss_count);
	emit_queue(e, a);
	emit_intake(e, a);
	api_emit_store(e, a);
	emit_auth(e, a, uv_now(a->wait_timer.loop));
	emit_http(e, a);
	emit_object_end(e);
}

void api_agents(void *userdata, struct http_request *r)
{
	struct query_agents agents;
	struct api *a = userdata;
	struct api_query q;
	size_t i;
	int result;

	if (api_query_begin(&q, r) < 0)
		return;
	result = query_agents(a->core, q.now_ns, q.arena, &agents);
	if (!result) {
		emit_object_begin(&q.json, NULL);
		emit_array_begin(&q.json, "agents");
		for (i = 0; i < agents.agent_count; i++)
			emit_agent(&q.json, &agents.agents[i], q.now_ns);
		emit_array_end(&q.json);
		emit_server(&q.json, a, &agents);
		api_emit_completeness(&q.json, a, &agents.completeness);
		emit_object_end(&q.json);
	}
	api_query_end(&q, result);
}
