/* SPDX-License-Identifier: Apache-2.0 */
/* See exchange.h. A reply's limits are its own; an answer's are a batch's. */
#include "wire/exchange.h"

#include <errno.h>

#include "wire/decode_internal.h"
#include "wire/encode.h"
#include "wire/encode_internal.h"

#define REPLY_SIZE_MAX (64u << 10) /* room for fields to come */

static const struct wire_limits reply_limits = {
	.compressed_size_max = REPLY_SIZE_MAX,
	.content_size_max = REPLY_SIZE_MAX,
	.memory_size_max = 16 * REPLY_SIZE_MAX,
};

int wire_reply_encode(const struct wire_reply *reply, uint8_t **ret, size_t *ret_size)
{
	uint64_t id[WIRE_REPLY_REQUESTS_MAX], max[WIRE_REPLY_REQUESTS_MAX];
	Millrace__Reply m = MILLRACE__REPLY__INIT;
	struct encoder e;
	int r = encode_begin(&e);

	if (reply->request_count > WIRE_REPLY_REQUESTS_MAX)
		r = -EINVAL;
	for (size_t i = 0; !r && i < reply->request_count; i++) {
		id[i] = reply->requests[i].id;
		max[i] = reply->requests[i].connections_max;
	}
	m.version = WIRE_VERSION;
	m.sweep_now = reply->sweep_now;
	m.n_request_id = m.n_connections_max = reply->request_count;
	m.request_id = id;
	m.connections_max = max;
	r = r ? r : encode_message(&e, &m.base, ret, ret_size);
	encode_end(&e);
	return r;
}

static int decode_reply(struct decoder *d, const Millrace__Reply *m, struct wire_reply *ret)
{
	struct wire_reply reply = {.sweep_now = m->sweep_now, .request_count = m->n_request_id};

	if (reply.request_count > WIRE_REPLY_REQUESTS_MAX)
		return decode_fail(d, -E2BIG, "%zu requests, at most %d are taken at once",
				   reply.request_count, WIRE_REPLY_REQUESTS_MAX);
	if (m->n_connections_max != reply.request_count)
		return decode_fail_length(d, "reply", "connections_max", m->n_connections_max,
					  reply.request_count);
	for (size_t i = 0; i < reply.request_count; i++) {
		if (m->connections_max[i] > UINT32_MAX)
			return decode_fail_value(d, "reply", "connections_max",
						 m->connections_max[i], UINT32_MAX);
		reply.requests[i] = (struct wire_request){
			.id = m->request_id[i], .connections_max = (uint32_t)m->connections_max[i]};
	}
	*ret = reply;
	return 0;
}

int wire_reply_decode(const void *data, size_t size, struct wire_reply *ret,
		      struct error *ret_error)
{
	struct decoder d = {.limits = &reply_limits, .what = "a reply", .error = ret_error};
	ProtobufCMessage *m;
	int r;

	d.arena = arena_new();
	r = decode_message(&d, data, size, &millrace__reply__descriptor, &m);
	r = r ? r : decode_reply(&d, (const Millrace__Reply *)m, ret);
	decode_end(&d);
	arena_free(d.arena);
	return r;
}

int wire_answer_encode(const struct wire_answer *answer, uint8_t **ret, size_t *ret_size)
{
	Millrace__Answer m = MILLRACE__ANSWER__INIT;
	struct encoder e;
	int r = encode_begin(&e);

	m.version = WIRE_VERSION;
	m.id = answer->id;
	m.total = answer->total;
	r = r ? r
	      : ENCODE_ROWS(&e, Actors, actors, actors, answer->actors, answer->actor_count,
			    &m.actors);
	r = r ? r
	      : ENCODE_ROWS(&e, Connections, connections, connections, answer->connections,
			    answer->connection_count, &m.connections);
	r = r ? r : encode_tables(&e, &m.strings, &m.addresses);
	r = r ? r : encode_message(&e, &m.base, ret, ret_size);
	encode_end(&e);
	return r;
}

static int decode_answer(struct decoder *d, const Millrace__Answer *m, struct wire_answer *a)
{
	int r = decode_blobs(d, m->strings, m->addresses);

	a->id = m->id;
	a->total = m->total;
	r = r ? r
	      : decode_columns(d, &wire_actors_kind, m->actors, d->limits->actors_max, &a->actors,
			       &a->actor_count);
	return r ? r
		 : decode_columns(d, &wire_connections_kind, m->connections,
				  d->limits->connections_max, &a->connections,
				  &a->connection_count);
}

int wire_answer_decode(const void *data, size_t size, struct wire_answer **ret,
		       struct error *ret_error)
{
	struct decoder d = {
		.limits = &wire_limits_default, .what = "an answer", .error = ret_error};
	struct wire_answer *a = wire_answer_new();
	ProtobufCMessage *m;
	int r;

	d.arena = a ? a->arena : NULL;
	r = decode_message(&d, data, size, &millrace__answer__descriptor, &m);
	r = r ? r : decode_answer(&d, (const Millrace__Answer *)m, a);
	decode_end(&d);
	if (r)
		wire_answer_free(a);
	else
		*ret = a;
	return r;
}
