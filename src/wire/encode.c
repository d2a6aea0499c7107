/* SPDX-License-Identifier: Apache-2.0 */
/* Batch ─► messages of columns; see encode.h. */
#include "wire/encode.h"

#include <errno.h>

#include "wire/encode_internal.h"

static int encode_netns(struct encoder *e, const struct wire_batch *b, Millrace__Batch *m)
{
	const uint64_t **ours = arena_alloc(e->arena, b->netns_count * sizeof(*ours));
	const uint64_t **baseline = arena_alloc(e->arena, b->netns_count * sizeof(*baseline));
	int r = ENCODE_ROWS(e, Netns, netns, netns, b->netns, b->netns_count, &m->netns);

	if (r || !ours || !baseline)
		return r ? r : -ENOMEM;
	if (!b->netns_count)
		return 0;
	for (size_t i = 0; i < b->netns_count; i++) {
		ours[i] = b->netns[i].ours;
		baseline[i] = b->netns[i].baseline;
	}
	r = encode_counters(e, &wire_netns_numbers, ours, b->netns_count, &m->netns->n_ours,
			    &m->netns->ours);
	return r ? r
		 : encode_counters(e, &wire_netns_numbers, baseline, b->netns_count,
				   &m->netns->n_baseline, &m->netns->baseline);
}

static int encode_losses(struct encoder *e, const struct wire_batch *b, Millrace__Batch *m)
{
	m->loss_number = arena_alloc(e->arena, WIRE_LOSS_COUNT * sizeof(*m->loss_number));
	m->loss = arena_alloc(e->arena, WIRE_LOSS_COUNT * sizeof(*m->loss));
	if (!m->loss_number || !m->loss)
		return -ENOMEM;
	for (unsigned int i = 0; i < WIRE_LOSS_COUNT; i++) {
		if (!b->loss[i])
			continue;
		m->loss_number[m->n_loss_number++] = wire_loss_numbers.number[i];
		m->loss[m->n_loss++] = b->loss[i];
	}
	return 0;
}

static int encode_status(struct encoder *e, const struct wire_status *s, Millrace__Status **ret)
{
	Millrace__Status *m = *ret = arena_alloc(e->arena, sizeof(*m));

	if (!m)
		return -ENOMEM;
	millrace__status__init(m);
	m->agent_cpu_ns = s->agent_cpu_ns;
	m->kernel_cpu_ns = s->kernel_cpu_ns;
	m->sweep_ns = s->sweep_ns;
	m->sweep_sockets = s->sweep_sockets;
	m->window_wanted_ns = s->window_wanted_ns;
	m->window_ns = s->window_ns;
	m->cpu_budget_percent = s->cpu_budget_percent;
	m->sockets = s->sockets;
	m->slots = s->slots;
	m->flows_max = s->flows_max;
	m->listeners = s->listeners;
	m->cpus = s->cpus;
	m->process_records = s->process_records;
	m->foreign_drops = s->foreign_drops;
	return encode_string(e, s->hooks, &m->hooks);
}

static int encode_head(struct encoder *e, const struct wire_batch *b, Millrace__Batch *m)
{
	int r;

	m->version = WIRE_VERSION;
	m->started_ns = b->started_ns;
	m->sequence = b->sequence;
	m->window_start_ns = b->window_start_ns;
	m->window_end_ns = b->window_end_ns;
	m->sent_ns = b->sent_ns;
	m->listeners_changed = b->listeners_changed;
	m->covers_changed = b->covers_changed;
	m->windows = b->windows;
	m->definitions = b->definitions;
	r = encode_string(e, b->node, &m->node);
	r = r ? r : encode_string(e, b->boot_id, &m->boot_id);
	r = r ? r : encode_string(e, b->version, &m->agent_version);
	r = r ? r : encode_string(e, b->kernel, &m->kernel);
	r = r ? r : encode_string(e, b->zone, &m->zone);
	r = r ? r : encode_string(e, b->region, &m->region);
	return r ? r : encode_string(e, b->cgroup, &m->observed);
}

static int encode_kinds(struct encoder *e, const struct wire_batch *b, Millrace__Batch *m)
{
	int r = ENCODE_ROWS(e, Actors, actors, actors, b->actors, b->actor_count, &m->actors);

	r = r ? r : ENCODE_ROWS(e, Flows, flows, flows, b->flows, b->flow_count, &m->flows);
	r = r ? r
	      : ENCODE_ROWS(e, Retired, retired, retired, b->retired, b->retired_count,
			    &m->retired);
	r = r ? r
	      : ENCODE_ROWS(e, Retired, retired, retired_actors, b->retired_actors,
			    b->retired_actor_count, &m->retired_actors);
	r = r || !b->update_count ? r : encode_updates(e, b, &m->updates);
	r = r ? r : ENCODE_ROWS(e, Names, names, names, b->names, b->name_count, &m->names);
	r = r ? r
	      : ENCODE_ROWS(e, Listeners, listeners, listeners, b->listeners, b->listener_count,
			    &m->listeners);
	r = r ? r : ENCODE_ROWS(e, Covers, covers, covers, b->covers, b->cover_count, &m->covers);
	r = r ? r : ENCODE_ROWS(e, Events, events, events, b->events, b->event_count, &m->events);
	r = r ? r : encode_netns(e, b, m);
	r = r ? r : encode_losses(e, b, m);
	return r ? r : encode_status(e, &b->status, &m->status);
}

static int encode_batch(struct encoder *e, const struct wire_batch *b, uint8_t **ret,
			size_t *ret_size)
{
	Millrace__Batch m = MILLRACE__BATCH__INIT;
	int r = encode_head(e, b, &m);

	r = r ? r : encode_kinds(e, b, &m);
	r = r ? r : encode_tables(e, &m.strings, &m.addresses);
	return r ? r : encode_message(e, &m.base, ret, ret_size);
}

int wire_encode(const struct wire_batch *b, uint8_t **ret, size_t *ret_size)
{
	struct encoder e;
	int r = encode_begin(&e);

	r = r ? r : encode_batch(&e, b, ret, ret_size);
	encode_end(&e);
	return r;
}
