/* SPDX-License-Identifier: Apache-2.0 */
/* Columns ─► batch, each within its limits; see decode.h. */
#include "wire/decode.h"

#include <errno.h>
#include <math.h>

#include "wire/decode_internal.h"
#include "wire/encode.h"
#include "wire/exchange.h"

const struct wire_limits wire_limits_default = {
	.compressed_size_max = 4u << 20,
	.content_size_max = 16u << 20,
	.memory_size_max = 160u << 20,
	.string_size_max = WIRE_STRING_SIZE_MAX,
	.strings_max = 131072,
	.addresses_max = 262144,
	.actors_max = 32768,
	.flows_max = 131072,
	.retired_max = 131072,
	.updates_max = 81920,
	.names_max = 16384,
	.listeners_max = 16384,
	.covers_max = 4096,
	.connections_max = WIRE_ANSWER_CONNECTIONS_MAX,
	.events_max = 16384,
	.netns_max = 4096,
	.shapes_max = 16384,
	.handle_max = UINT32_MAX - 1,
};

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
	b->covers_changed = m->covers_changed;
	b->windows = m->windows;
	b->definitions = m->definitions;
	b->status.hooks = "";
	r = decode_string(d, "node", m->node, &b->node);
	r = r ? r : decode_string(d, "boot_id", m->boot_id, &b->boot_id);
	r = r ? r : decode_string(d, "agent_version", m->agent_version, &b->version);
	r = r ? r : decode_string(d, "kernel", m->kernel, &b->kernel);
	r = r ? r : decode_string(d, "zone", m->zone, &b->zone);
	r = r ? r : decode_string(d, "region", m->region, &b->region);
	r = r ? r : decode_string(d, "observed", m->observed, &b->cgroup);
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
		{&wire_retired_actors_kind, m->retired_actors, l->actors_max, &b->retired_actors,
		 &b->retired_actor_count},
		{&wire_names_kind, m->names, l->names_max, &b->names, &b->name_count},
		{&wire_listeners_kind, m->listeners, l->listeners_max, &b->listeners,
		 &b->listener_count},
		{&wire_covers_kind, m->covers, l->covers_max, &b->covers, &b->cover_count},
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

static int decode_batch(struct decoder *d, const Millrace__Batch *m, struct wire_batch *b)
{
	int r = decode_blobs(d, m->strings, m->addresses);

	r = r ? r : decode_head(d, m, b);
	r = r ? r : decode_kinds(d, m, b);
	r = r ? r : decode_netns(d, m->netns, b);
	return r ? r : decode_updates(d, m->updates, b);
}

int wire_decode(const void *data, size_t size, const struct wire_limits *limits,
		struct wire_batch **ret, struct error *ret_error)
{
	struct decoder d = {.limits = limits ? limits : &wire_limits_default,
			    .what = "a batch",
			    .error = ret_error};
	struct wire_batch *b = wire_batch_new();
	ProtobufCMessage *m;
	int r;

	d.arena = b ? b->arena : NULL;
	r = decode_message(&d, data, size, &millrace__batch__descriptor, &m);
	r = r ? r : decode_batch(&d, (const Millrace__Batch *)m, b);
	decode_end(&d);
	if (r)
		wire_batch_free(b);
	else
		*ret = b;
	return r;
}
