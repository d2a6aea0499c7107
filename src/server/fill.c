/* SPDX-License-Identifier: Apache-2.0 */
/* See fill.h. */
#include "server/fill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/core.h"
#include "server/idmap.h"
#include "server/life.h"
#include "server/text.h"

#define FILL_NAMES 16384 /* the newest: as many as a core holds */

struct filler {
	struct core *core;
	struct reader *reader;
	const struct fill_request *request;
	struct fill_result *result;
	struct arena *arena; /* texts on their way */
	struct idmap reporters, actors, flows;
	struct reader_piece pieces[READER_PIECES_MAX];
	size_t piece_count;
	uint64_t *gauges_end_ns; /* by reporter's place: what its gauges are as of */
	uint64_t *numbers;       /* of the rows of a block */
	size_t numbers_capacity;
};

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

/* --- actors and flows ----------------------------------------------------------------------- */

static int other_actor(struct filler *f, uint32_t reporter, uint32_t *ret)
{
	return actor_table_add_other(&f->core->actors, reporter, ret);
}

static int add_actor(struct filler *f, const struct store_actor *s, uint32_t reporter,
		     uint32_t *ret)
{
	const struct wire_actor wire = {.pid = s->pid,
					.process = s->process,
					.unit = s->unit,
					.container = s->container,
					.pod = s->pod,
					.cgroup = s->cgroup};
	bool changed;
	int e = actor_table_add(&f->core->actors, reporter, &wire, ret, &changed);

	return e == -ENOSPC ? other_actor(f, reporter, ret) : e;
}

/* Holds a reference for as long as the filler does. */
static int find_actor(struct filler *f, uint64_t id, uint32_t reporter, uint32_t *ret)
{
	struct store_actor s;
	int e;

	if (idmap_get(&f->actors, id, ret))
		return 0;
	e = reader_actor(f->reader, id, f->arena, &s);
	if (!e)
		e = add_actor(f, &s, reporter, ret);
	else if (e == -ENOENT)
		e = other_actor(f, reporter, ret);
	if (e < 0)
		return e;
	f->core->actors.actors[*ret].permanent = id;
	return idmap_put(&f->actors, id, *ret);
}

static struct flow_id flow_id_from(const struct store_flow *s, uint32_t reporter, uint32_t actor,
				   bool coarse)
{
	struct flow_id id = {.machine = s->machine,
			     .reporter = reporter,
			     .actor = actor,
			     .transport = s->transport,
			     .role = s->role,
			     .coarse = coarse};

	if (coarse)
		return id;
	id.netns = s->netns;
	id.port = s->port;
	id.unresolved = s->unresolved;
	id.via_port = s->via_port;
	memcpy(id.local, s->local, 16);
	memcpy(id.remote, s->remote, 16);
	memcpy(id.via, s->via, 16);
	return id;
}

static int add_flow(struct filler *f, const struct store_flow *s, uint32_t reporter, uint32_t *ret)
{
	struct flow_table *t = &f->core->flows;
	struct flow_id id;
	struct flow *flow;
	uint32_t actor;
	int e = find_actor(f, s->actor, reporter, &actor);

	if (e < 0)
		return e;
	id = flow_id_from(s, reporter, actor, s->coarse);
	e = flow_acquire(t, &id, s->first_ns, ret);
	if (e == -ENOSPC && !s->coarse) {
		f->core->loss[LOSS_FLOWS_FULL]++;
		id = flow_id_from(s, reporter, actor, true);
		e = flow_acquire(t, &id, s->first_ns, ret);
	}
	if (e < 0)
		return e;
	flow = flow_at(t, *ret);
	flow->permanent = s->id;
	if (s->first_ns < flow->first_seen_ns)
		flow->first_seen_ns = s->first_ns;
	return idmap_put(&f->flows, s->id, *ret);
}

/* Of a flow that the dictionary does not know the figures still count. */
static struct store_flow unknown_flow(const struct filler *f, uint64_t id, uint32_t reporter)
{
	return (struct store_flow){.id = id,
				   .machine = f->core->reporters[reporter].machine,
				   .transport = WIRE_TRANSPORT_TCP,
				   .role = id & 1 ? MR_ROLE_CLIENT : MR_ROLE_SERVER,
				   .coarse = true,
				   .first_ns = f->request->range.to_ns};
}

static int find_flow(struct filler *f, uint64_t id, uint32_t reporter, uint32_t *ret)
{
	struct store_flow s;
	int e;

	if (idmap_get(&f->flows, id, ret))
		return 0;
	e = reader_flow(f->reader, id, &s);
	if (e == -ENOENT) {
		s = unknown_flow(f, id, reporter);
		e = 0;
	}
	return e ? e : add_flow(f, &s, reporter, ret);
}

/* --- windows -------------------------------------------------------------------------------- */

static int name_rows(struct filler *f, const struct block *b, uint32_t reporter, uint32_t *ret)
{
	int e = 0;

	if (f->numbers_capacity < b->rows) {
		uint64_t *numbers = realloc(f->numbers, 2 * (size_t)b->rows * sizeof(*numbers));

		if (!numbers)
			return -ENOMEM;
		f->numbers = numbers;
		f->numbers_capacity = 2 * (size_t)b->rows;
	}
	block_flows(b, f->numbers);
	for (uint32_t i = 0; !e && i < b->rows; i++)
		e = find_flow(f, f->numbers[i], reporter, &ret[i]);
	return e;
}

static size_t aligned(size_t size)
{
	return (size + sizeof(uint32_t) - 1) & ~(sizeof(uint32_t) - 1);
}

/* Losses and figures as history keeps them, behind them the places of flows. */
static int build_window(struct filler *f, const struct reader_block *b, struct window *w)
{
	struct row_writer writer = {0};
	size_t figures = b->block.data + b->block.size - b->block.figures;
	int e = fold_write_losses(&writer, b->loss);
	uint8_t *data;

	if (!e)
		e = row_write_bytes(&writer, b->block.figures, figures);
	data = e ? NULL
		 : realloc(writer.data,
			   aligned(writer.size) + (b->block.rows + 1) * sizeof(uint32_t));
	if (!data) {
		free(writer.data);
		return -ENOMEM;
	}
	w->data = data;
	w->size = writer.size;
	w->flows = (uint32_t *)(data + aligned(writer.size));
	return name_rows(f, &b->block, w->reporter, w->flows);
}

static void note_seen(struct filler *f, const struct window *w)
{
	for (uint32_t i = 0; i < w->rows; i++) {
		struct flow *flow = flow_at(&f->core->flows, w->flows[i]);

		if (flow->last_seen_ns < w->end_ns)
			flow->last_seen_ns = w->end_ns;
	}
}

/* What moved after the gauges were written. */
static void move_gauges(struct filler *f, const struct window *w)
{
	struct row_reader r = {w->data, w->data + w->size, 0};
	uint64_t loss[LOSS_COUNT] = {0};

	fold_read_losses(&r, loss);
	for (uint32_t i = 0; i < w->rows; i++) {
		struct flow *flow = flow_at(&f->core->flows, w->flows[i]);
		struct sums s = {0};

		row_add_counters(&r, &s);
		flow->active += sums_active(&s);
		flow->pending +=
			sums_pending(&s, flow_id(&f->core->flows, flow)->role == MR_ROLE_CLIENT);
	}
}

static int take_block(void *userdata, struct reader_block *b)
{
	struct filler *f = userdata;
	struct core *c = f->core;
	struct window w = {.start_ns = b->start_ns,
			   .end_ns = b->end_ns,
			   .rows = b->block.rows,
			   .merged = b->merged};
	int e;

	if (!idmap_get(&f->reporters, b->reporter, &w.reporter))
		return 0;
	e = build_window(f, b, &w);
	if (!e)
		e = history_append(&c->history, &w);
	if (e < 0) {
		free(w.data);
		return e;
	}
	note_seen(f, &w);
	c->took_merged |= w.merged;
	if (w.end_ns > f->gauges_end_ns[w.reporter])
		move_gauges(f, &w);
	if (w.end_ns > c->latest_ns)
		c->latest_ns = w.end_ns;
	f->result->blocks++;
	f->result->rows += w.rows;
	return f->request->rows_max && f->result->rows > f->request->rows_max ? -E2BIG : 0;
}

static int move_only(void *userdata, struct reader_block *b)
{
	struct filler *f = userdata;
	struct window w = {.end_ns = b->end_ns, .rows = b->block.rows};
	int e;

	if (!idmap_get(&f->reporters, b->reporter, &w.reporter) ||
	    w.end_ns <= f->gauges_end_ns[w.reporter])
		return 0;
	e = build_window(f, b, &w);
	if (!e)
		move_gauges(f, &w);
	free(w.data);
	return e;
}

/* Gauges are as of the last minute that is closed; the range may begin later. */
static int take_gap(struct filler *f)
{
	uint64_t closed = f->reader->levels[LEVEL_MINUTES].closed_ns;
	uint64_t minute = level_floor(LEVEL_MINUTES, f->result->to_ns);
	struct reader_range gap = {minute < closed ? minute : closed, f->result->from_ns,
				   LEVEL_FINE, LEVEL_TENS};
	struct reader_piece pieces[READER_PIECES_MAX];
	size_t count = reader_cover(f->reader, &gap, pieces);
	int e = 0;

	for (size_t i = 0; !e && i < count; i++)
		e = reader_blocks(f->reader, &pieces[i], move_only, f, &f->result->damaged);
	return e;
}

static int take_blocks(struct filler *f)
{
	int e = take_gap(f);

	for (size_t i = 0; !e && i < f->piece_count; i++)
		e = reader_blocks(f->reader, &f->pieces[i], take_block, f, &f->result->damaged);
	return e;
}

static void choose_pieces(struct filler *f)
{
	const struct reader_range *range = &f->request->range;
	struct fill_result *result = f->result;

	f->piece_count = reader_cover(f->reader, range, f->pieces);
	result->resolution_ns = reader_resolution(f->reader, range);
	result->from_ns = range->from_ns;
	result->to_ns = range->to_ns;
	for (size_t i = 0; i < f->piece_count; i++) {
		const struct reader_piece *p = &f->pieces[i];
		uint64_t width = p->level ? level_width(p->level) : 0;

		result->from_ns = i ? result->from_ns : p->from_ns;
		result->to_ns = p->to_ns;
		/* steps are as long as the longest; sums lose nothing in the middle */
		if (range->finest == range->coarsest && width > result->resolution_ns)
			result->resolution_ns = width;
	}
}

/* --- gauges --------------------------------------------------------------------------------- */

static int take_gauges(struct filler *f, const struct reporter *r)
{
	struct gauge_list open = {0};
	uint32_t place;
	int e = reader_gauges(f->reader, r->permanent, f->result->to_ns, &open,
			      &f->gauges_end_ns[r->index]);

	for (size_t i = 0; !e && i < open.count; i++) {
		e = find_flow(f, open.items[i].flow, r->index, &place);
		if (e < 0)
			break;
		flow_at(&f->core->flows, place)->active += open.items[i].active;
		flow_at(&f->core->flows, place)->pending += open.items[i].pending;
	}
	gauge_list_done(&open);
	return e;
}

static int take_all_gauges(struct filler *f)
{
	int e = 0;

	f->gauges_end_ns = calloc(f->core->reporter_count + 1, sizeof(*f->gauges_end_ns));
	if (!f->gauges_end_ns)
		return -ENOMEM;
	for (uint32_t i = 0; !e && i < f->core->reporter_count; i++)
		e = take_gauges(f, &f->core->reporters[i]);
	return e;
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
		e = find_actor(f, s->actor, reporter, &event.actor);
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
	int e = find_actor(of->filler, s->actor, of->reporter->index, &l.actor);

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
	choose_pieces(f);
	if (!e)
		e = take_all_gauges(f);
	if (!e)
		e = take_blocks(f);
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
