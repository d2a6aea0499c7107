/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for agents. The agent in this process is asked at once by its callbacks; to
 * others the question goes with the reply to their next batch, so nothing is queued: whoever waits
 * is looked through then. What has come by the deadline is the answer; it names who is missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server/api.h"
#include "wire/exchange.h"

#define REMOTE_MS     5000  /* at least: windows of a second, there and back */
#define REMOTE_MS_MAX 25000 /* before the reader gives up */

static void on_timer(uv_timer_t *timer);

/* The timer fires for whoever is due first. */
static void schedule(struct api *a)
{
	uint64_t now_ms = uv_now(a->wait_timer.loop), next_ms = UINT64_MAX;
	size_t i;

	for (i = 0; i < API_WAITS_MAX; i++)
		if (a->waits[i].request && a->waits[i].deadline_ms < next_ms)
			next_ms = a->waits[i].deadline_ms;
	if (next_ms == UINT64_MAX)
		uv_timer_stop(&a->wait_timer);
	else
		uv_timer_start(&a->wait_timer, on_timer, next_ms > now_ms ? next_ms - now_ms : 0,
			       0);
}

static void end_late(struct api *a, struct api_wait *w)
{
	char late[sizeof(w->late)];

	if (w->left < w->asked_count) {
		w->finish(a, w);
		return;
	}
	memcpy(late, w->late, sizeof(late));
	http_reply_error(api_wait_end(w), 504, "%s", late);
}

static void on_timer(uv_timer_t *timer)
{
	struct api *a = timer->data;
	uint64_t now_ms = uv_now(timer->loop);
	size_t i;

	for (i = 0; i < API_WAITS_MAX; i++)
		if (a->waits[i].request && a->waits[i].deadline_ms <= now_ms)
			end_late(a, &a->waits[i]);
	schedule(a);
}

void api_wait_init(struct api *a, uv_loop_t *loop)
{
	uv_timer_init(loop, &a->wait_timer);
	a->wait_timer.data = a;
}

void api_wait_close(struct api *a)
{
	size_t i;

	for (i = 0; i < API_WAITS_MAX; i++)
		api_wait_end(&a->waits[i]);
	uv_close((uv_handle_t *)&a->wait_timer, NULL);
}

struct http_request *api_wait_end(struct api_wait *w)
{
	struct http_request *request = w->request;

	filter_free(w->filter);
	emit_done(&w->json);
	free(w->asked);
	*w = (struct api_wait){0};
	return request;
}

/* --- asking --------------------------------------------------------------------------------- */

static bool has_local_agent(const struct api *a)
{
	return a->config->request != NULL;
}

static int choose_ids(struct api_asked *asked, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (getrandom(&asked[i].id, sizeof(asked[i].id), GRND_NONBLOCK) !=
		    sizeof(asked[i].id))
			return -1;
	return 0;
}

/* Whom to ask: the agent in here, though it has not reported yet, and all others that report. */
static int choose(struct api *a, struct api_wait *w, uint64_t now_ns, const char *node,
		  uint8_t batches)
{
	size_t max = query_agent_count(a->core) + 1;
	uint32_t i;

	w->asked = calloc(max, sizeof(*w->asked));
	if (!w->asked)
		return -1;
	for (i = 0; i + 1 < max; i++) {
		bool local = has_local_agent(a) && i == a->local_agent;

		if ((local || query_agent_reports(a->core, i, now_ns)) &&
		    (!node || !strcmp(node, query_agent_node(a->core, i))))
			w->asked[w->asked_count++] =
				(struct api_asked){.agent = i, .batches = batches, .local = local};
	}
	if (has_local_agent(a) && a->local_agent == UINT32_MAX && !node)
		w->asked[w->asked_count++] =
			(struct api_asked){.agent = UINT32_MAX, .batches = batches, .local = true};
	w->left = w->asked_count;
	return choose_ids(w->asked, w->asked_count);
}

static struct api_wait *find_place(struct api *a)
{
	size_t i;

	for (i = 0; i < API_WAITS_MAX; i++)
		if (!a->waits[i].request)
			return &a->waits[i];
	return NULL;
}

struct api_wait *api_wait_begin(struct api *a, struct http_request *request, const char *node,
				uint8_t batches)
{
	struct api_wait *w = find_place(a);

	if (!w) {
		http_reply_error(request, 503,
				 "%d requests wait for an agent already; try again later",
				 API_WAITS_MAX);
		return NULL;
	}
	*w = (struct api_wait){.request = request};
	if (choose(a, w, http_request_now_ns(request), node, batches) < 0) {
		http_reply_error(api_wait_end(w), 503, "out of memory; ask for less");
		return NULL;
	}
	if (w->asked_count)
		return w;
	api_wait_end(w);
	if (node)
		http_reply_error(request, 404,
				 "no agent of a node %.100s reports here; see /api/v1/agents",
				 node);
	else
		http_reply_error(request, 503, "no agent reports here now; see /api/v1/agents");
	return NULL;
}

static void ask_local(struct api *a, const struct api_wait *w, struct api_asked *asked)
{
	struct wire_request request = {.id = asked->id, .connections_max = w->connections_max};

	asked->carried = true;
	if (asked->batches)
		a->config->sweep_now(a->config->userdata);
	else
		a->config->request(a->config->userdata, &request);
}

/* Twice their longest window, within bounds: the question rides on one reply, the answer comes
 * when it likes. */
static uint64_t patience_ms(const struct api *a, const struct api_wait *w, uint64_t timeout_ms)
{
	uint64_t longest_ns = 0, wanted_ms;
	size_t i;

	for (i = 0; i < w->asked_count; i++) {
		uint64_t window_ns =
			w->asked[i].local ? 0 : query_agent_window_ns(a->core, w->asked[i].agent);

		longest_ns = window_ns > longest_ns ? window_ns : longest_ns;
	}
	if (!longest_ns)
		return timeout_ms;
	wanted_ms = (w->asked[0].batches + 2) * longest_ns / 1000000;
	if (wanted_ms < REMOTE_MS)
		wanted_ms = REMOTE_MS;
	if (wanted_ms < timeout_ms)
		wanted_ms = timeout_ms;
	return wanted_ms < REMOTE_MS_MAX ? wanted_ms : REMOTE_MS_MAX;
}

void api_wait_ask(struct api *a, struct api_wait *w, uint64_t timeout_ms)
{
	uint64_t wait_ms = patience_ms(a, w, timeout_ms);
	size_t i;

	snprintf(w->late, sizeof(w->late), "%s %s within %lu s; see /api/v1/agents",
		 w->asked_count == 1 ? "the agent" : "no agent",
		 w->asked[0].batches   ? "sent no window"
		 : w->asked_count == 1 ? "did not answer"
				       : "answered",
		 wait_ms / 1000);
	uv_update_time(a->wait_timer.loop);
	w->deadline_ms = uv_now(a->wait_timer.loop) + wait_ms;
	schedule(a);
	for (i = 0; i < w->asked_count; i++)
		if (w->asked[i].local)
			ask_local(a, w, &w->asked[i]);
}

/* --- hearing -------------------------------------------------------------------------------- */

static void heard(struct api *a, struct api_wait *w, struct api_asked *asked)
{
	asked->done = true;
	if (!--w->left)
		w->finish(a, w);
}

static struct api_asked *find_id(struct api_wait *w, uint64_t id)
{
	size_t i;

	for (i = 0; i < w->asked_count; i++)
		if (w->asked[i].id == id && !w->asked[i].done && !w->asked[i].batches)
			return &w->asked[i];
	return NULL;
}

bool api_on_answer(struct api *a, const struct wire_answer *answer)
{
	struct api_asked *asked;
	size_t i;

	for (i = 0; i < API_WAITS_MAX; i++) {
		struct api_wait *w = &a->waits[i];

		asked = w->request ? find_id(w, answer->id) : NULL;
		if (!asked)
			continue;
		api_connections_answer(a, w, asked->local ? a->local_agent : asked->agent, answer);
		heard(a, w, asked);
		return true;
	}
	return false;
}

static struct api_asked *find_agent(struct api_wait *w, uint32_t agent, bool local)
{
	size_t low = 0, high = w->asked_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (w->asked[middle].agent < agent)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < w->asked_count && w->asked[low].agent == agent)
		return &w->asked[low];
	/* the one in here had not reported when it was asked: it is the last */
	return local && w->asked_count && w->asked[w->asked_count - 1].local
		       ? &w->asked[w->asked_count - 1]
		       : NULL;
}

bool api_take_requests(struct api *a, uint32_t agent, struct wire_reply *ret)
{
	size_t i;

	ret->sweep_now = false;
	ret->request_count = 0;
	for (i = 0; i < API_WAITS_MAX; i++) {
		struct api_wait *w = &a->waits[i];
		struct api_asked *asked = w->request ? find_agent(w, agent, false) : NULL;

		if (!asked || asked->carried || asked->done)
			continue;
		asked->carried = true;
		if (asked->batches)
			ret->sweep_now = true;
		else if (ret->request_count < WIRE_REPLY_REQUESTS_MAX)
			ret->requests[ret->request_count++] = (struct wire_request){
				.id = asked->id, .connections_max = w->connections_max};
	}
	return ret->sweep_now || ret->request_count;
}

void api_wait_on_batch(struct api *a, uint32_t agent, bool local)
{
	size_t i;

	if (local)
		a->local_agent = agent;
	for (i = 0; i < API_WAITS_MAX; i++) {
		struct api_wait *w = &a->waits[i];
		struct api_asked *asked = w->request ? find_agent(w, agent, local) : NULL;

		if (asked && asked->carried && asked->batches && !--asked->batches)
			heard(a, w, asked);
	}
}

void api_wait_emit_missing(const struct api *a, const struct api_wait *w, struct emit *e)
{
	size_t i;

	emit_array_begin(e, "missing");
	for (i = 0; w && i < w->asked_count; i++)
		if (!w->asked[i].done && w->asked[i].agent != UINT32_MAX)
			emit_string(e, NULL, query_agent_node(a->core, w->asked[i].agent));
	emit_array_end(e);
}
