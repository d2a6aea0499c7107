/* SPDX-License-Identifier: Apache-2.0 */
/* Which core a question goes to: the one in memory, or one filled from the store (past.h). */
#include <errno.h>
#include <string.h>

#include "server/api.h"

#define EDGE_NS UINT64_C(15000000000) /* history forgets in steps of its long windows */

/* Where the store begins; UINT64_MAX: there is none, or nothing in it. */
static uint64_t store_from_ns(const struct api *a)
{
	uint64_t from = UINT64_MAX;
	struct store_status s;

	if (!a->past)
		return from;
	store_status(a->keep->store, &s);
	for (unsigned int i = 0; i < LEVEL_COUNT; i++)
		if (s.levels[i].oldest_ns && s.levels[i].oldest_ns < from)
			from = s.levels[i].oldest_ns;
	return from;
}

static bool is_past(const struct api *a, const struct query_range *range)
{
	uint64_t live = core_history_from_ns(a->core), stored;

	if (!a->past || range->from_ns >= range->to_ns || range->from_ns + EDGE_NS >= live)
		return false;
	stored = store_from_ns(a);
	return stored + EDGE_NS < live && range->to_ns > stored;
}

static void on_ready(void *userdata, void *request, struct core *core,
		     const struct query_range *range, int r)
{
	struct api_question *asked = userdata;
	const struct api_subject subject = {core, range};

	if (!r)
		asked->answer(asked->api, request, &subject);
	else if (r == -E2BIG)
		http_reply_error(request, 400,
				 "so much happened in that range that it does not fit into memory: "
				 "expected a shorter one");
	else
		http_reply_again(request, 503, 1, "the past cannot be read now: try again");
	asked->answer = NULL;
}

static struct api_question *find_place(struct api *a)
{
	for (size_t i = 0; i < PAST_WAITERS_MAX; i++)
		if (!a->questions[i].answer)
			return &a->questions[i];
	return NULL;
}

void api_ask(struct api *a, struct http_request *r, enum past_mode mode, api_answer_fn answer)
{
	const struct params *p = http_request_params(r);
	const struct query_range range = {params_number(p, "from"), params_number(p, "to")};
	const struct api_subject live = {a->core, NULL};
	struct api_question *asked;

	if (!is_past(a, &range)) {
		answer(a, r, &live);
		return;
	}
	asked = find_place(a);
	if (asked) {
		*asked = (struct api_question){a, answer};
		if (!past_ask(a->past, mode, &range, http_request_now_ns(r), on_ready, asked, r))
			return;
		asked->answer = NULL;
	}
	http_reply_again(r, 503, 1, "too many ask for the past at once: try again");
}
