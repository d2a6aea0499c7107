/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/v1/verify: the agents' own sums by network namespace, to be held against the kernel's
 * SNMP counters. With sweep=1 every socket is visited first: the batch that is on its way when we
 * ask may be older, so the second one after is the answer.
 */
#include "server/api.h"
#include "server/api_params.h"

#define SWEEP_TIMEOUT_MS 10000
#define SWEEP_BATCHES    2

const struct param_spec api_verify_params[] = {
	{"sweep", PARAM_FLAG, .fallback = "0",
	 .help = "1: the agent visits every socket first, the answer waits for it"},
	{0},
};

/* w: who was asked; NULL: nobody. */
static void answer(struct api *a, struct http_request *r, const struct api_wait *w)
{
	struct query_agents agents;
	struct api_query q;
	size_t i;
	int result;

	if (api_query_begin(&q, r) < 0)
		return;
	result = query_agents(a->core, q.now_ns, q.arena, &agents);
	if (!result) {
		emit_object_begin(&q.json, NULL);
		emit_array_begin(&q.json, "agents");
		for (i = 0; i < agents.agent_count; i++) {
			emit_object_begin(&q.json, NULL);
			api_emit_agent_name(&q.json, &agents.agents[i], q.now_ns);
			emit_string(&q.json, "hooks", agents.agents[i].hooks);
			api_emit_losses(&q.json, "losses", agents.agents[i].losses,
					agents.agents[i].loss_count);
			api_emit_netns(&q.json, &agents.agents[i]);
			emit_object_end(&q.json);
		}
		emit_array_end(&q.json);
		api_wait_emit_missing(a, w, &q.json);
		emit_object_end(&q.json);
	}
	api_query_end(&q, result);
}

static void finish(struct api *a, struct api_wait *w)
{
	struct http_request *r = w->request;

	answer(a, r, w);
	api_wait_end(w);
}

void api_verify(void *userdata, struct http_request *r)
{
	struct api *a = userdata;
	struct api_wait *w;

	if (!params_number(http_request_params(r), "sweep")) {
		answer(a, r, NULL);
		return;
	}
	w = api_wait_begin(a, r, NULL, SWEEP_BATCHES);
	if (!w)
		return;
	w->finish = finish;
	api_wait_ask(a, w, SWEEP_TIMEOUT_MS);
}
