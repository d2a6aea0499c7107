/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes over HTTP beside batches: the server's reply to a batch, on which its requests to the
 * agent ride, and the agent's answer to such a request.
 *
 *     POST /api/v1/batches   a batch (encode.h)            204, or 200 and a reply
 *     POST /api/v1/answers   an answer                     204
 *
 * Both are messages of wire/millrace.proto in a frame of zstd, as batches are, and bounded alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/batch.h"

#define WIRE_CONTENT_TYPE "application/x-millrace"
#define WIRE_NOW_HEADER   "Millrace-Now" /* the agent's CLOCK_MONOTONIC as it sends, ns, decimal */

#define WIRE_REPLY_REQUESTS_MAX  32
#define WIRE_ANSWER_CONNECTIONS_MAX 65536

struct wire_reply {
	bool sweep_now; /* end the window now and look at every socket */
	struct wire_request requests[WIRE_REPLY_REQUESTS_MAX];
	size_t request_count;
};

/* *ret: owned, for free(). -ENOMEM, -EINVAL as wire_encode(). */
int wire_reply_encode(const struct wire_reply *reply, uint8_t **ret, size_t *ret_size);
/* Errors as wire_decode(). */
int wire_reply_decode(const void *data, size_t size, struct wire_reply *ret, struct error *ret_error);

int wire_answer_encode(const struct wire_answer *answer, uint8_t **ret, size_t *ret_size);
int wire_answer_decode(const void *data, size_t size, struct wire_answer **ret, struct error *ret_error);
