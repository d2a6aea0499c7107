/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/batches: what an agent on another machine says, once a window.
 *
 * The answer means durable: the request is kept until the intake says so. What is to be asked of
 * the agent rides on it. Each refusal has a status that tells the agent what to do next: say what
 * the handles mean (409), send the same bytes again later (429, 503), give the batch up (400, 413,
 * 422), or give up itself (403, 410).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/api.h"
#include "server/digest.h"
#include "wire/decode.h"
#include "wire/exchange.h"

/* A batch that waits for its answer; lives as long as its request. */
struct taking {
	struct api *api;
	struct http_request *request;
	uint32_t agent; /* whose it is; UINT32_MAX: nobody's */
};

static const struct {
	int error;
	unsigned int status, again_s; /* again_s 0: not again as it is */
	const char *text;
} refusals[] = {
	{-ENOKEY, 409, 0,
	 "these handles are not known here: send a batch of definitions with this sequence, then "
	 "the same bytes again"},
	{-EADDRINUSE, 403, 0,
	 "another machine reports under this node's name and is there: give this one another with "
	 "--node"},
	{-ESTALE, 410, 0, "a newer life of this agent reports already"},
	{-EBADE, 422, 0, "a batch with this sequence was taken with other bytes"},
	{-EINVAL, 422, 0,
	 "this batch makes no sense: expected a sequence from 1 and a window that ends after its "
	 "begin"},
	{-EUSERS, 429, 10, "as many agents report here as may: try again later"},
	{-EAGAIN, 503, 1, "it cannot be made durable now: send the same bytes again"},
	{-EPROTONOSUPPORT, 422, 0, NULL}, /* these have words of their own */
	{-E2BIG, 413, 0, NULL},
	{-EBADMSG, 400, 0, NULL},
	{-ENOMEM, 503, 1, "out of memory: send the same bytes again later"},
	{0, 503, 1, "it could not be made durable: send the same bytes again"},
};

static void refuse(struct http_request *r, int error, const char *text)
{
	size_t i;

	for (i = 0; refusals[i].error && refusals[i].error != error; i++)
		;
	if (refusals[i].text)
		text = refusals[i].text;
	if (refusals[i].again_s)
		http_reply_again(r, refusals[i].status, refusals[i].again_s, text);
	else
		http_reply_error(r, refusals[i].status, "%s", text);
}

/* What is asked of the agent, if anything is. */
static void reply(struct taking *t)
{
	struct wire_reply requests;
	uint8_t *bytes;
	size_t size;

	if (!api_take_requests(t->api, t->agent, &requests) ||
	    wire_reply_encode(&requests, &bytes, &size) < 0)
		http_reply_nothing(t->request, 204);
	else
		http_reply_bytes(t->request, 200, WIRE_CONTENT_TYPE, bytes, size);
}

static void on_done(void *userdata, int r)
{
	struct taking *t = userdata;

	if (r < 0)
		refuse(t->request, 0, NULL);
	else
		reply(t);
}

static void count_undecodable(struct api *a, int r)
{
	a->intake->count[INTAKE_OTHER_SCHEMA] += r == -EPROTONOSUPPORT;
	a->intake->count[INTAKE_TOO_LARGE] += r == -E2BIG;
	a->intake->count[INTAKE_NO_BATCH] += r == -EBADMSG;
	a->intake->count[INTAKE_NOT_DURABLE] += r == -ENOMEM;
}

static void refuse_header(struct api *a, struct http_request *r)
{
	a->intake->count[INTAKE_BAD_HEADER]++;
	http_reply_error(r, 400,
			 WIRE_NOW_HEADER " is missing or wrong: expected the agent's "
					 "CLOCK_MONOTONIC now, in nanoseconds, not earlier than "
					 "the end of the window");
}

static void take(struct taking *t, struct wire_batch *batch, const uint8_t *hash)
{
	struct api *a = t->api;
	uint64_t version = core_version(a->core);
	int r;

	t->agent = intake_agent(a->intake, batch);
	r = intake_take(a->intake, batch, hash, http_request_now_ns(t->request), on_done, t);
	if (r < 0)
		refuse(t->request, r, NULL);
	else if (core_version(a->core) != version)
		api_on_batch(a, t->agent, false);
}

void api_batches(void *userdata, struct http_request *r)
{
	struct taking *t = calloc(1, sizeof(*t));
	struct wire_batch *batch = NULL;
	struct digest hash;
	struct api *a = userdata;
	struct error error;
	const void *body;
	uint64_t now_ns;
	size_t size;
	int e;

	if (!t) {
		refuse(r, -ENOMEM, NULL);
		return;
	}
	*t = (struct taking){a, r, UINT32_MAX};
	http_request_on_gone(r, free, t);
	if (intake_parse_now(http_request_header(r, WIRE_NOW_HEADER), &now_ns) < 0) {
		refuse_header(a, r);
		return;
	}
	body = http_request_body(r, &size);
	hash = digest_of(body, size);
	e = wire_decode(body, size, NULL, &batch, &error);
	http_request_drop_body(r);
	if (e < 0) {
		count_undecodable(a, e);
		refuse(r, e, error.text);
		return;
	}
	batch->sent_ns = now_ns;
	if (now_ns < batch->window_end_ns)
		refuse_header(a, r);
	else
		take(t, batch, hash.bytes);
	wire_batch_free(batch);
}
