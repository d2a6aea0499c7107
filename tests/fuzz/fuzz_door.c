/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes to the server's door for agents: bodies and the header beside them, in any order. Each
 * piece of the input is one request: how it is sent, the header's text, a body. Bodies are frames,
 * what is in one, or a batch as the agent would send it with some of its numbers changed.
 *
 * Whatever comes: a good agent's batches in between are taken, each once, and its bytes are there.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/intake.h"
#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/exchange.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECOND   UINT64_C(1000000000)
#define EPOCH    (UINT64_C(1700000000) * SECOND)
#define REQUESTS 24

struct door {
	struct core *core;
	struct intake intake;
	uint64_t now_ns, good; /* batches of the good agent that were taken */
	int answers;           /* done() calls that are still to come */
};

static void hold(bool condition)
{
	if (!condition)
		abort();
}

static void on_done(void *userdata, int r)
{
	struct door *d = userdata;

	hold(!r && d->answers == 1);
	d->answers = 0;
}

static int take(struct door *d, const struct wire_batch *b, uint8_t body)
{
	const uint8_t hash[INTAKE_HASH_SIZE] = {body};
	int r;

	d->answers = 1;
	r = intake_take(&d->intake, b, hash, EPOCH + d->now_ns, on_done, d);
	hold(r ? d->answers == 1 : d->answers == 0);
	return r;
}

/* --- the good agent -------------------------------------------------------------------------- */

static void describe(struct wire_batch *b, const char *node, uint64_t sequence, uint64_t now_ns)
{
	b->node = node;
	b->boot_id = "boot";
	b->version = b->kernel = b->status.hooks = "";
	b->started_ns = 1;
	b->sequence = sequence;
	b->window_end_ns = b->sent_ns = now_ns;
	b->window_start_ns = now_ns - SECOND;
}

/* One flow that carries 1000 bytes a window. */
static struct wire_batch *good_batch(uint64_t sequence, uint64_t now_ns)
{
	struct wire_actor actor = {1, 7, "good", "good.service", "", "", "/"};
	struct wire_flow flow = {.handle = 1,
				 .actor = 1,
				 .transport = WIRE_TRANSPORT_TCP,
				 .role = 1,
				 /* client */ .port = 80};
	struct wire_update update = {.flow = 1};
	struct wire_batch *b = wire_batch_new();

	hold(b);
	describe(b, "good", sequence, now_ns);
	memset(flow.local, 1, 16);
	memset(flow.remote, 2, 16);
	update.counter[MR_BYTES_TO_SERVER] = 1000;
	b->actors = arena_copy(b->arena, &actor, sizeof(actor));
	b->flows = arena_copy(b->arena, &flow, sizeof(flow));
	b->updates = arena_copy(b->arena, &update, sizeof(update));
	b->actor_count = b->flow_count = sequence == 1;
	b->update_count = 1;
	return b;
}

/* Its next batch counts, and the same bytes again count for nothing. */
static void good_goes_on(struct door *d)
{
	struct wire_batch *b = good_batch(d->good + 1, d->now_ns);
	uint8_t body = (uint8_t)d->good;

	hold(take(d, b, body) == 0);
	hold(take(d, b, body) == 0);
	hold(take(d, b, (uint8_t)(body + 1)) == -EBADE);
	d->good++;
	wire_batch_free(b);
}

static void hold_bytes(struct door *d)
{
	struct query_flows_request request = {.range = {0, EPOCH + d->now_ns + SECOND},
					      .view = QUERY_VIEW_ENDS,
					      .now_ns = EPOCH + d->now_ns};
	struct arena *arena = arena_new();
	struct query_flows flows;
	uint64_t sum = 0;

	hold(arena && query_flows(d->core, &request, arena, &flows) == 0);
	for (size_t i = 0; i < flows.flow_count; i++)
		if (!strcmp(flows.flows[i].client.process ? flows.flows[i].client.process : "",
			    "good"))
			sum += flows.flows[i].measures.counter[MR_BYTES_TO_SERVER];
	hold(sum == 1000 * d->good);
	arena_free(arena);
}

/* --- everybody else -------------------------------------------------------------------------- */

struct input {
	const uint8_t *at, *end;
};

static uint8_t byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* So many bytes as one says, or as are left. */
static size_t piece(struct input *in, const uint8_t **ret)
{
	size_t size = (size_t)byte(in) << 4, left;

	left = (size_t)(in->end - in->at);
	size = size < left ? size : left;
	*ret = in->at;
	in->at += size;
	return size;
}

/* A text out of the input, as a header comes: without a 0 in it. */
static void read_header(struct input *in, char ret[32])
{
	size_t size = byte(in) % 31, i;

	for (i = 0; i < size; i++)
		ret[i] = (char)(byte(in) % 255 + 1);
	ret[size] = '\0';
}

static bool is_good_ones(const struct wire_batch *b)
{
	return !strcmp(b->node, "good");
}

static void take_any(struct door *d, struct wire_batch *b, const char *header, uint8_t body)
{
	uint64_t now_ns;

	if (intake_parse_now(header, &now_ns) < 0)
		return;
	b->sent_ns = now_ns;
	if (now_ns >= b->window_end_ns && !is_good_ones(b))
		take(d, b, body);
}

/* As the server does with a body. */
static void send_bytes(struct door *d, const uint8_t *data, size_t size, const char *header)
{
	struct wire_limits limits = wire_limits_default;
	struct wire_batch *b = NULL;
	struct error error = {""};
	int r;

	limits.memory_size_max = 4u << 20;
	r = wire_decode(data, size, &limits, &b, &error);
	hold(r ? !b && error.text[0] : b != NULL);
	if (b)
		take_any(d, b, header, size ? data[size - 1] : 0);
	wire_batch_free(b);
}

static void send_content(struct door *d, const uint8_t *content, size_t size, const char *header)
{
	uint8_t *frame;
	size_t frame_size;

	hold(frame_pack(content, size, &frame, &frame_size) == 0);
	send_bytes(d, frame, frame_size, header);
	free(frame);
}

/* What an agent sends, but for some of its numbers. */
static void send_changed(struct door *d, struct input *in)
{
	static const char *const nodes[] = {"evil", "good ", "", "evil\xff"};
	struct wire_batch *b = good_batch(byte(in) % 4, d->now_ns);
	uint8_t how = byte(in);
	char header[32];

	b->node = nodes[byte(in) % 4];
	b->actors[0].process = "evil";
	b->boot_id = how & 1 ? "boot" : "other";
	b->started_ns = byte(in) % 4;
	b->definitions = how & 2;
	if (how & 4)
		b->window_end_ns = (uint64_t)byte(in) << byte(in) % 64;
	if (how & 8)
		b->window_start_ns = (uint64_t)byte(in) << byte(in) % 64;
	b->updates[0].flow = byte(in) % 3;
	b->updates[0].counter[byte(in) % MR_COUNTER_COUNT] = (uint64_t)byte(in) << byte(in) % 64;
	snprintf(header, sizeof(header), "%lu", how & 16 ? UINT64_MAX / 2 : d->now_ns);
	take_any(d, b, header, byte(in));
	wire_batch_free(b);
}

static void request(struct door *d, struct input *in)
{
	uint8_t how = byte(in);
	const uint8_t *data;
	char header[32];
	size_t size;

	if (how % 4 == 0) {
		send_changed(d, in);
		return;
	}
	read_header(in, header);
	size = piece(in, &data);
	if (how % 4 == 1)
		send_content(d, data, size, header);
	else
		send_bytes(d, data, size, header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct core_config config = {.flows_max = 64, .actors_max = 64, .agents_max = 8};
	struct input in = {data, data + size};
	struct door d = {.now_ns = 1000 * SECOND};

	hold(core_new(&d.core, &config) == 0);
	intake_init(&d.intake, d.core, NULL);
	good_goes_on(&d);
	for (int i = 0; i < REQUESTS && in.at < in.end; i++) {
		d.now_ns += SECOND;
		request(&d, &in);
		good_goes_on(&d);
	}
	hold_bytes(&d);
	intake_done(&d.intake);
	core_free(d.core);
	return 0;
}
