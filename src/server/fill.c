/* SPDX-License-Identifier: Apache-2.0 */
/* See fill.h. */
#include "server/fill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/fill_internal.h"
#include "server/life.h"
#include "server/text.h"

#define FILL_NAMES 16384 /* the newest: as many as a core holds */

/* --- who reports ---------------------------------------------------------------------------- */

static int take_reporter(void *userdata, const void *row)
{
	struct filler *f = userdata;
	const struct store_reporter *s = row;
	struct core *c = f->core;
	struct reporter *r = life_find_reporter(c, s->node);
	int e;

	if (!r) /* one agent too many */
		return 0;
	if (life_is_known(c, r)) /* it had been forgotten, and came back */
		return idmap_put(&f->reporters, s->id, r->index);
	e = life_count_reporter(c, r, s->node);
	if (!e)
		e = idmap_put(&f->reporters, s->id, r->index);
	if (e < 0)
		return e;
	r->permanent = s->id;
	r->machine = s->machine;
	text_clean(r->boot_id, sizeof(r->boot_id), s->boot_id);
	text_clean(r->version, sizeof(r->version), s->version);
	text_clean(r->kernel, sizeof(r->kernel), s->kernel);
	text_clean(r->hooks, sizeof(r->hooks), s->hooks);
	text_clean(r->zone, sizeof(r->zone), s->zone);
	text_clean(r->region, sizeof(r->region), s->region);
	text_clean(r->cgroup, sizeof(r->cgroup), s->cgroup);
	r->started_ns = s->started_ns;
	r->started_wall_ns = s->started_wall_ns;
	r->last_seen_wall_ns = s->last_seen_ns;
	r->last_window_wall_ns = s->last_window_ns;
	r->window_ns = s->window_ns;
	r->sequence = s->sequence;
	r->batches = s->batches;
	memcpy(r->body_hash, s->hash, sizeof(r->body_hash));
	r->elsewhere =
		memcmp(s->hash, (const uint8_t[sizeof(r->body_hash)]){0}, sizeof(r->body_hash));
	r->told_silent = f->request->continues && s->last_seen_ns < f->request->range.from_ns;
	memcpy(r->loss, s->loss, sizeof(r->loss));
	return 0;
}

static int take_numbers(struct filler *f)
{
	struct reader_numbers n = {0};
	struct core *c = f->core;
	int e = reader_numbers(f->reader, &n);

	if (e < 0)
		return e;
	c->last_reporter = n.reporter;
	c->actors.last_permanent = n.actor;
	c->flows.last_permanent = n.flow;
	c->machine_count = n.machine;
	return 0;
}

static int take_name(void *userdata, const void *row)
{
	const struct store_name *s = row;

	names_learn(&((struct filler *)userdata)->core->names, s->machine, s->netns, s->address,
		    s->name);
	return 0;
}

static int take_reason(void *userdata, const void *row)
{
	const struct store_reason *s = row;

	reason_names_put(&((struct filler *)userdata)->core->reason_names, s->name);
	return 0;
}

/* The last of a reporter is always among them: it may go on. */
static int take_life(void *userdata, const void *row)
{
	struct filler *f = userdata;
	const struct reader_life *life = row;
	struct reporter *r;
	uint32_t place;

	if (!idmap_get(&f->reporters, life->reporter, &place))
		return 0;
	r = &f->core->reporters[place];
	r->covered = true;
	return coverage_add(&r->coverage, true, life->from_ns, life->to_ns);
}

/* Agents of one machine see the same sockets. */
static void note_shared_machines(struct core *c)
{
	for (uint32_t i = 0; i < c->reporter_count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (c->reporters[i].machine == c->reporters[k].machine)
				c->reporters[i].shares_machine = c->reporters[k].shares_machine =
					true;
}

/* --- events, listeners, addresses ----------------------------------------------------------- */

static int take_event(void *userdata, const void *row)
{
	struct filler *f = userdata;
	const struct store_event *s = row;
	struct event event = {.first_ns = s->first_ns,
			      .last_ns = s->last_ns,
			      .pid = s->pid,
			      .count = s->count,
			      .code = s->code,
			      .oom = s->oom,
			      .child = s->child};
	struct store_actor actor;
	uint32_t reporter;
	int e;

	event.scope = s->scope == STORE_EVENT_AGENT ? EVENT_AGENT : s->scope;
	event.kind = s->kind == STORE_EVENT_SILENT     ? EVENT_SILENT
		     : s->kind == STORE_EVENT_RETURNED ? EVENT_RETURNED
						       : s->kind;
	if (event.scope > EVENT_AGENT || event.kind >= EVENT_KIND_COUNT)
		return 0;
	if (event.scope == EVENT_AGENT) {
		event.actor = ACTOR_NONE;
		if (idmap_get(&f->reporters, s->reporter, &event.reporter))
			events_add(&f->core->events, &event);
		return 0;
	}
	if (!idmap_get(&f->actors, s->actor, &event.actor)) {
		e = reader_actor(f->reader, s->actor, f->arena, &actor);
		if (e < 0 || !idmap_get(&f->reporters, actor.reporter, &reporter))
			return e == -ENOENT ? 0 : e;
		e = fill_find_actor(f, s->actor, reporter, &event.actor);
		if (e < 0)
			return e;
	}
	events_add(&f->core->events, &event);
	return 0;
}

struct of_reporter {
	struct filler *filler;
	struct reporter *reporter;
};

static int take_listener(void *userdata, const void *row)
{
	struct of_reporter *of = userdata;
	const struct store_listener *s = row;
	struct listener l = {.reporter = of->reporter->index,
			     .machine = of->reporter->machine,
			     .netns = s->netns,
			     .queue_max = s->queue_max,
			     .port = s->port,
			     .transport = s->transport};
	int e = fill_find_actor(of->filler, s->actor, of->reporter->index, &l.actor);

	if (e < 0)
		return e;
	memcpy(l.address, s->address, 16);
	e = listener_table_add(&of->filler->core->listeners, &l, of->reporter->last_window_wall_ns);
	return e == -ENOSPC ? 0 : e;
}

static int take_cover(void *userdata, const void *row)
{
	struct of_reporter *of = userdata;
	const struct store_cover *s = row;
	struct reporter *r = of->reporter;
	struct endpoint_key key = {.machine = r->machine, .netns = s->netns, .actor = ACTOR_NONE};
	uint32_t *homes;
	int e;

	if (r->home_count == REPORTER_COVERS_MAX)
		return 0;
	homes = realloc(r->homes, (r->home_count + 1) * sizeof(*homes));
	if (!homes)
		return -ENOMEM;
	r->homes = homes;
	memcpy(key.address, s->address, 16);
	e = endpoint_acquire(&of->filler->core->endpoints, &key, r->index, r->last_window_wall_ns,
			     &homes[r->home_count]);
	r->home_count += !e;
	return e == -ENOSPC ? 0 : e;
}

static int take_places(struct filler *f)
{
	int e = 0;

	for (uint32_t i = 0; !e && i < f->core->reporter_count; i++) {
		struct of_reporter of = {f, &f->core->reporters[i]};

		e = reader_covers(f->reader, of.reporter->permanent, take_cover, &of);
		if (!e && f->request->now)
			e = reader_listeners(f->reader, of.reporter->permanent, take_listener, &of);
	}
	return e;
}

/* --- the end -------------------------------------------------------------------------------- */

/* Until when each serves is known only now. */
static void note_endpoints(struct filler *f)
{
	struct flow_table *t = &f->core->flows;

	for (uint32_t i = 0; i < flow_table_used(t); i++) {
		const struct flow *flow = flow_at(t, i);

		if (flow && flow->last_seen_ns)
			endpoint_seen(&f->core->endpoints, flow->bound, flow->last_seen_ns);
	}
}

/* Actors live on by what names them, flows by history, until a batch names them. */
static void let_go(struct filler *f)
{
	for (size_t i = 0; f->actors.slots && i <= f->actors.mask; i++)
		if (f->actors.slots[i].id)
			actor_release(&f->core->actors, f->actors.slots[i].place);
	for (size_t i = 0; f->request->continues && f->flows.slots && i <= f->flows.mask; i++)
		if (f->flows.slots[i].id)
			flow_release(&f->core->flows, f->flows.slots[i].place);
}

static int fill(struct filler *f)
{
	const struct reader_range *range = &f->request->range;
	int e = reader_reporters(f->reader, f->arena, take_reporter, f);

	note_shared_machines(f->core);
	if (!e)
		e = reader_lives(f->reader, range->from_ns, UINT64_MAX >> 1, take_life, f);
	if (!e)
		e = reader_reasons(f->reader, take_reason, f);
	fill_choose_pieces(f);
	if (!e)
		e = fill_gauges(f);
	if (!e)
		e = f->request->sums ? fill_sums(f) : fill_windows(f);
	if (!e)
		e = take_places(f);
	if (!e)
		e = reader_events(f->reader, range->from_ns, range->to_ns, EVENTS_MAX, take_event,
				  f);
	if (!e && f->request->continues)
		e = reader_names(f->reader, FILL_NAMES, take_name, f);
	if (!e)
		e = take_numbers(f); /* what was given to those that came back does not count */
	if (!e)
		note_endpoints(f);
	return e;
}

int core_fill(struct core *c, struct reader *r, const struct fill_request *request,
	      struct fill_result *ret)
{
	struct fill_result result = {0};
	struct filler f = {.core = c, .reader = r, .request = request, .result = &result};
	int e;

	f.arena = arena_new();
	e = f.arena ? fill(&f) : -ENOMEM;
	let_go(&f);
	c->version++;
	c->news.reasons_told = c->reason_names.count;
	idmap_done(&f.reporters);
	idmap_done(&f.actors);
	idmap_done(&f.flows);
	free(f.gauges_end_ns);
	free(f.numbers);
	arena_free(f.arena);
	c->resolution_ns = request->continues ? 0 : result.resolution_ns;
	if (!e)
		*ret = result;
	return e;
}
