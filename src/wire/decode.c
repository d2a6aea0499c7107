/* SPDX-License-Identifier: Apache-2.0 */
/* zstd ─► protobuf ─► columns ─► batch, each within its limits; see decode.h. */
#include "wire/decode.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "wire/decode_internal.h"
#include "wire/encode.h"
#include "wire/frame.h"

const struct wire_limits wire_limits_default = {
	.compressed_size_max = 4u << 20,
	.content_size_max = 16u << 20,
	.memory_size_max = 160u << 20,
	.string_size_max = WIRE_STRING_SIZE_MAX,
	.strings_max = 131072,
	.addresses_max = 262144,
	.actors_max = 16384,
	.flows_max = 131072,
	.retired_max = 131072,
	.updates_max = 81920,
	.names_max = 16384,
	.listeners_max = 16384,
	.events_max = 16384,
	.netns_max = 4096,
	.shapes_max = 16384,
	.handle_max = UINT32_MAX - 1,
};

int decode_fail(struct decoder *d, int code, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(d->error, code, "cannot read a batch: %s: %s", text,
			 code == -E2BIG    ? "look at what its agent watches"
			 : code == -ENOMEM ? "free some memory"
			 : code == -EPROTONOSUPPORT
				 ? "upgrade this server, or use an agent of its age"
				 : "see that it comes from a millrace agent, and "
				   "nothing on the way changes it");
}

void *decode_alloc(struct decoder *d, struct arena *arena, size_t count, size_t size)
{
	const size_t align = _Alignof(max_align_t); /* of which an arena gives multiples */
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > d->memory_left / align * align) {
		d->refused = decode_fail(d, -E2BIG, "it takes more than %zu bytes of memory",
					 d->limits->memory_size_max);
		return NULL;
	}
	d->memory_left -= (bytes + align - 1) / align * align;
	p = arena_alloc(arena, bytes);
	if (!p)
		d->refused = decode_fail(d, -ENOMEM, "out of memory");
	return p;
}

static void *message_alloc(void *userdata, size_t size)
{
	struct decoder *d = userdata;

	return decode_alloc(d, d->messages, 1, size);
}

/* All of them go with their arena. */
static void message_free(void *userdata, void *p)
{
}

static int decode_status(struct decoder *d, const Millrace__Status *m, struct wire_status *s)
{
	if (!m)
		return 0;
	if (!isfinite(m->cpu_budget_percent))
		return decode_fail(d, -EBADMSG, "status.cpu_budget_percent is no number");
	s->agent_cpu_ns = m->agent_cpu_ns;
	s->kernel_cpu_ns = m->kernel_cpu_ns;
	s->sweep_ns = m->sweep_ns;
	s->sweep_sockets = m->sweep_sockets;
	s->window_wanted_ns = m->window_wanted_ns;
	s->window_ns = m->window_ns;
	s->cpu_budget_percent = m->cpu_budget_percent;
	s->sockets = m->sockets;
	s->slots = m->slots;
	s->flows_max = m->flows_max;
	s->listeners = m->listeners;
	s->cpus = m->cpus;
	s->process_records = m->process_records;
	s->foreign_drops = m->foreign_drops;
	return decode_string(d, "status.hooks", m->hooks, &s->hooks);
}

static int decode_losses(struct decoder *d, const Millrace__Batch *m, struct wire_batch *b)
{
	if (m->n_loss_number != m->n_loss)
		return decode_fail_length(d, "batch", "loss", m->n_loss, m->n_loss_number);
	for (size_t i = 0; i < m->n_loss; i++) {
		int place = wire_number_find(&wire_loss_numbers, m->loss_number[i]);

		if (place >= 0)
			b->loss[place] = m->loss[i];
	}
	return 0;
}

static int decode_head(struct decoder *d, const Millrace__Batch *m, struct wire_batch *b)
{
	int r;

	b->started_ns = m->started_ns;
	b->sequence = m->sequence;
	b->window_start_ns = m->window_start_ns;
	b->window_end_ns = m->window_end_ns;
	b->sent_ns = m->sent_ns;
	b->listeners_changed = m->listeners_changed;
	b->status.hooks = "";
	r = decode_string(d, "node", m->node, &b->node);
	r = r ? r : decode_string(d, "boot_id", m->boot_id, &b->boot_id);
	r = r ? r : decode_string(d, "agent_version", m->agent_version, &b->version);
	r = r ? r : decode_string(d, "kernel", m->kernel, &b->kernel);
	r = r ? r : decode_losses(d, m, b);
	return r ? r : decode_status(d, m->status, &b->status);
}

static int decode_netns(struct decoder *d, const Millrace__Netns *m, struct wire_batch *b)
{
	uint64_t **ours, **baseline;
	int r = decode_columns(d, &wire_netns_kind, m, d->limits->netns_max, &b->netns,
			       &b->netns_count);

	if (r || !m)
		return r;
	ours = decode_alloc(d, d->messages, b->netns_count, sizeof(*ours));
	baseline = ours ? decode_alloc(d, d->messages, b->netns_count, sizeof(*baseline)) : NULL;
	if (!baseline)
		return d->refused;
	for (size_t i = 0; i < b->netns_count; i++) {
		ours[i] = b->netns[i].ours;
		baseline[i] = b->netns[i].baseline;
	}
	r = decode_counters(d, "netns.ours", &wire_netns_numbers, m->ours, m->n_ours, ours,
			    b->netns_count);
	return r ? r
		 : decode_counters(d, "netns.baseline", &wire_netns_numbers, m->baseline,
				   m->n_baseline, baseline, b->netns_count);
}

static int decode_kinds(struct decoder *d, const Millrace__Batch *m, struct wire_batch *b)
{
	const struct wire_limits *l = d->limits;
	const struct {
		const struct wire_kind *kind;
		const void *message;
		size_t max;
		void *rows;
		size_t *count;
	} kinds[] = {
		{&wire_actors_kind, m->actors, l->actors_max, &b->actors, &b->actor_count},
		{&wire_flows_kind, m->flows, l->flows_max, &b->flows, &b->flow_count},
		{&wire_retired_kind, m->retired, l->retired_max, &b->retired, &b->retired_count},
		{&wire_names_kind, m->names, l->names_max, &b->names, &b->name_count},
		{&wire_listeners_kind, m->listeners, l->listeners_max, &b->listeners,
		 &b->listener_count},
		{&wire_events_kind, m->events, l->events_max, &b->events, &b->event_count},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int r = decode_columns(d, kinds[i].kind, kinds[i].message, kinds[i].max,
				       kinds[i].rows, kinds[i].count);

		if (r)
			return r;
	}
	return 0;
}

/* Field 1 comes first in every version, and can be read when nothing else can. */
static int check_version(struct decoder *d, const uint8_t *content, size_t size)
{
	uint64_t version = 0;
	size_t at = 1;

	if (size < 2 || content[0] != 0x08)
		return decode_fail(d, -EBADMSG, "it does not begin with a version");
	for (unsigned int shift = 0; at < size && shift < 35; shift += 7) {
		version |= (uint64_t)(content[at] & 0x7f) << shift;
		if (!(content[at++] & 0x80))
			break;
	}
	if (version == WIRE_VERSION)
		return 0;
	if (version == 0)
		return decode_fail(d, -EBADMSG, "it does not begin with a version");
	return decode_fail(d, -EPROTONOSUPPORT, "it is of version %llu of the schema, not %d",
			   (unsigned long long)version, WIRE_VERSION);
}

static int decode_content(struct decoder *d, const uint8_t *content, size_t size,
			  struct wire_batch *b)
{
	ProtobufCAllocator allocator = {message_alloc, message_free, d};
	Millrace__Batch *m;
	int r = check_version(d, content, size);

	if (r)
		return r;
	m = millrace__batch__unpack(&allocator, size, content);
	if (!m)
		return d->refused ? d->refused
				  : decode_fail(d, -EBADMSG, "it does not follow the schema");
	r = decode_blobs(d, m);
	r = r ? r : decode_head(d, m, b);
	r = r ? r : decode_kinds(d, m, b);
	r = r ? r : decode_netns(d, m->netns, b);
	return r ? r : decode_updates(d, m->updates, b);
}

static int decode_frame(struct decoder *d, const void *data, size_t size, struct wire_batch *b)
{
	const struct wire_limits *l = d->limits;
	uint64_t content_size;
	uint8_t *content;
	int r;

	if (size > l->compressed_size_max)
		return decode_fail(d, -E2BIG, "it has %zu bytes, at most %zu are taken", size,
				   l->compressed_size_max);
	r = frame_measure(data, size, &content_size);
	if (r)
		return decode_fail(d, r, "it is not one zstd frame that states its size");
	if (content_size > l->content_size_max)
		return decode_fail(d, -E2BIG, "it unpacks to %llu bytes, at most %zu are taken",
				   (unsigned long long)content_size, l->content_size_max);
	content = decode_alloc(d, d->messages, 1, content_size);
	if (!content)
		return d->refused;
	r = frame_unpack(data, size, content, content_size);
	if (r)
		return decode_fail(d, r, r == -ENOMEM ? "out of memory" : "it is damaged");
	return decode_content(d, content, content_size, b);
}

int wire_decode(const void *data, size_t size, const struct wire_limits *limits,
		struct wire_batch **ret, struct error *ret_error)
{
	struct decoder d = {.limits = limits ? limits : &wire_limits_default, .error = ret_error};
	struct wire_batch *b = wire_batch_new();
	int r;

	d.memory_left = d.limits->memory_size_max;
	d.messages = arena_new();
	if (b && d.messages) {
		d.arena = b->arena;
		r = decode_frame(&d, data, size, b);
	} else {
		r = decode_fail(&d, -ENOMEM, "out of memory");
	}
	arena_free(d.messages);
	if (r)
		wire_batch_free(b);
	else
		*ret = b;
	return r;
}
