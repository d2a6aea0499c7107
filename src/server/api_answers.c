/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/answers: what an agent on another machine answers to a request that rode on the
 * reply to a batch. It is for whoever waits for that number; what nobody waits for is dropped.
 */
#include <errno.h>

#include "server/api.h"
#include "wire/exchange.h"

static unsigned int status_of(int r)
{
	return r == -EPROTONOSUPPORT ? 422 : r == -E2BIG ? 413 : r == -ENOMEM ? 503 : 400;
}

void api_answers(void *userdata, struct http_request *r)
{
	struct wire_answer *answer = NULL;
	struct api *a = userdata;
	struct error error = {"out of memory"};
	const void *body;
	size_t size;
	int e;

	body = http_request_body(r, &size);
	e = wire_answer_decode(body, size, &answer, &error);
	http_request_drop_body(r);
	if (e < 0) {
		a->intake->count[INTAKE_BAD_ANSWERS]++;
		http_reply_error(r, status_of(e), "%s", error.text);
		return;
	}
	a->intake->count[api_on_answer(a, answer) ? INTAKE_ANSWERS : INTAKE_BAD_ANSWERS]++;
	wire_answer_free(answer);
	http_reply_nothing(r, 204);
}
