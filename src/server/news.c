/* SPDX-License-Identifier: Apache-2.0 */
/* See news.h. Strings are copied: what they are of may be forgotten before the disk has them. */
#include "server/news.h"

#include <errno.h>
#include <string.h>

#include "server/core.h"

void core_news_want(struct core *c)
{
	c->news.wanted = true;
	c->flows.fresh.wanted = true;
}

void news_done(struct news *n)
{
	n->item = store_item_free(n->item);
}

/* A new row of one of the item's lists; NULL: no memory, or nobody wants it. */
static void *push(struct core *c, size_t list)
{
	struct news *n = &c->news;
	void *row;

	if (!n->wanted || n->failed)
		return NULL;
	if (!n->item)
		n->item = store_item_new();
	row = n->item ? vector_push((struct vector *)((char *)n->item + list)) : NULL;
	n->failed |= !row;
	return row;
}

#define PUSH(c, list) push(c, offsetof(struct store_item, list))

static const char *copy(struct core *c, const char *text)
{
	char *p = arena_strdup(c->news.item->arena, text ? text : "");

	c->news.failed |= !p;
	return p ? p : "";
}

static void tell_actor(struct core *c, uint32_t place, uint64_t seen_ns)
{
	const struct actor *a = &c->actors.actors[place];
	struct vector *told = c->news.item ? &c->news.item->actors : NULL;
	struct store_actor *s;

	if (told && told->count &&
	    ((struct store_actor *)vector_at(told, told->count - 1))->id == a->permanent)
		return;
	s = PUSH(c, actors);
	if (!s)
		return;
	*s = (struct store_actor){.id = a->permanent,
				  .reporter = c->reporters[a->reporter].permanent,
				  .pid = a->pid,
				  .other = a->other,
				  .process = copy(c, a->process),
				  .unit = copy(c, a->unit),
				  .container = copy(c, a->container),
				  .pod = copy(c, a->pod),
				  .cgroup = copy(c, a->cgroup),
				  .first_ns = seen_ns,
				  .last_ns = seen_ns};
}

static void tell_flow(struct core *c, uint32_t place)
{
	const struct flow *f = flow_at(&c->flows, place);
	const struct flow_id *id;
	struct store_flow *s;

	if (!f) /* came and went */
		return;
	id = flow_id(&c->flows, f);
	tell_actor(c, id->actor, f->first_seen_ns);
	s = PUSH(c, flows);
	if (!s)
		return;
	*s = (struct store_flow){.id = f->permanent,
				 .reporter = c->reporters[id->reporter].permanent,
				 .actor = c->actors.actors[id->actor].permanent,
				 .machine = id->machine,
				 .netns = id->netns,
				 .port = id->port,
				 .via_port = id->via_port,
				 .transport = id->transport,
				 .role = id->role,
				 .coarse = id->coarse,
				 .unresolved = id->unresolved,
				 .first_ns = f->first_seen_ns,
				 .last_ns = f->last_seen_ns ? f->last_seen_ns : f->first_seen_ns};
	memcpy(s->local, id->local, 16);
	memcpy(s->remote, id->remote, 16);
	memcpy(s->via, id->via, 16);
}

static void tell_flows(struct core *c)
{
	struct fresh *fresh = &c->flows.fresh;

	for (size_t i = 0; !fresh->all && i < fresh->count; i++)
		tell_flow(c, fresh->places[i]);
	for (uint32_t i = 0; fresh->all && i < flow_table_size(&c->flows); i++)
		tell_flow(c, i);
	fresh_clear(fresh);
}

/* Which flow each row is of, by its permanent number. */
static void name_rows(struct core *c, const struct window *w, uint64_t *ret)
{
	struct row_reader r = {w->data, w->data + w->size, 0};
	uint64_t loss[LOSS_COUNT] = {0};
	size_t size;

	fold_read_losses(&r, loss);
	for (uint32_t i = 0; i < w->rows; i++) {
		ret[i] = flow_at(&c->flows, (uint32_t)row_flow(&r))->permanent;
		row_figures(&r, &size);
	}
}

void news_window(struct core *c, const struct window *w)
{
	struct store_window *s = PUSH(c, windows);
	struct arena *arena;

	if (!s)
		return;
	arena = c->news.item->arena;
	*s = (struct store_window){.reporter = c->reporters[w->reporter].permanent,
				   .start_ns = w->start_ns,
				   .end_ns = w->end_ns,
				   .rows = w->rows,
				   .merged = w->merged,
				   .size = w->size};
	s->data = arena_copy(arena, w->data, w->size);
	s->flows = arena_alloc(arena, (w->rows + 1) * sizeof(*s->flows));
	c->news.failed |= !s->data || !s->flows;
	if (!c->news.failed)
		name_rows(c, w, s->flows);
	c->news.item->size += w->size + w->rows * sizeof(*s->flows);
}

/* What the core adds to the wire's enums has places that change when those grow. */
static void number_event(struct store_event *s, const struct event *e)
{
	s->scope = e->scope == EVENT_AGENT ? STORE_EVENT_AGENT : e->scope;
	s->kind = e->kind == EVENT_SILENT     ? STORE_EVENT_SILENT
		  : e->kind == EVENT_RETURNED ? STORE_EVENT_RETURNED
					      : e->kind;
}

void news_event(struct core *c, const struct event *e)
{
	bool of_agent = e->actor == ACTOR_NONE;
	struct store_event *s;

	if (!c->news.wanted)
		return;
	if (!of_agent)
		tell_actor(c, e->actor, e->last_ns);
	s = PUSH(c, events);
	if (!s)
		return;
	*s = (struct store_event){.first_ns = e->first_ns,
				  .last_ns = e->last_ns,
				  .actor = of_agent ? 0 : c->actors.actors[e->actor].permanent,
				  .reporter = of_agent ? c->reporters[e->reporter].permanent : 0,
				  .pid = e->pid,
				  .count = e->count,
				  .code = e->code,
				  .oom = e->oom,
				  .child = e->child};
	number_event(s, e);
}

void news_name(struct core *c, uint32_t machine, uint32_t netns, const uint8_t address[16],
	       const char *name)
{
	struct store_name *s = PUSH(c, names);

	if (!s)
		return;
	*s = (struct store_name){.machine = machine, .netns = netns, .name = copy(c, name)};
	memcpy(s->address, address, 16);
}

static void tell_reasons(struct core *c)
{
	struct news *n = &c->news;
	struct store_reason *s;

	while (n->reasons_told < c->reason_names.count) {
		s = PUSH(c, reasons);
		if (!s)
			return;
		s->number = ++n->reasons_told;
		s->name = copy(c, reason_names_get(&c->reason_names, (uint16_t)s->number));
	}
}

static void tell_listeners(struct core *c, const struct reporter *r)
{
	const struct listener_table *t = &c->listeners;
	struct store_listener *s;

	for (uint32_t i = 0; r->listeners_untold && i < t->count; i++) {
		const struct listener *l = &t->listeners[i];

		if (l->reporter != r->index)
			continue;
		tell_actor(c, l->actor, c->latest_ns);
		s = PUSH(c, listeners);
		if (!s)
			return;
		*s = (struct store_listener){.actor = c->actors.actors[l->actor].permanent,
					     .netns = l->netns,
					     .queue_max = l->queue_max,
					     .port = l->port,
					     .transport = l->transport};
		memcpy(s->address, l->address, 16);
	}
}

static void tell_covers(struct core *c, const struct reporter *r)
{
	struct store_cover *s;

	for (size_t i = 0; r->covers_untold && i < r->home_count; i++) {
		const struct endpoint_key *key =
			lru_key(c->endpoints.entries, lru_at(c->endpoints.entries, r->homes[i]));

		s = PUSH(c, covers);
		if (!s)
			return;
		s->netns = key->netns;
		memcpy(s->address, key->address, 16);
	}
}

static void tell_reporter(struct core *c, const struct reporter *r, struct store_reporter *s)
{
	*s = (struct store_reporter){.id = r->permanent,
				     .machine = r->machine,
				     .node = copy(c, r->node),
				     .boot_id = copy(c, r->boot_id),
				     .version = copy(c, r->version),
				     .kernel = copy(c, r->kernel),
				     .hooks = copy(c, r->hooks),
				     .zone = copy(c, r->zone),
				     .region = copy(c, r->region),
				     .cgroup = copy(c, r->cgroup),
				     .started_ns = r->started_ns,
				     .started_wall_ns = r->started_wall_ns,
				     .last_seen_ns = r->last_seen_wall_ns,
				     .last_window_ns = r->last_window_wall_ns,
				     .window_ns = r->window_ns,
				     .sequence = r->sequence,
				     .batches = r->batches};
	if (r->coverage.count) {
		s->life_from_ns = r->coverage.lives[r->coverage.count - 1].from_ns;
		s->life_to_ns = coverage_end(&r->coverage);
	}
	memcpy(s->hash, r->body_hash, sizeof(s->hash));
	memcpy(s->loss, r->loss, sizeof(s->loss));
}

int core_news_take(struct core *c, uint64_t now_ns, struct store_item **ret)
{
	struct news *n = &c->news;
	struct store_item *item;
	struct reporter *r;

	if (!n->wanted)
		return -ENOENT;
	r = &c->reporters[n->reporter];
	if (!n->item)
		n->item = store_item_new();
	if (n->item) {
		tell_flows(c);
		tell_reasons(c);
		tell_listeners(c, r);
		tell_covers(c, r);
		tell_reporter(c, r, &n->item->reporter);
		n->item->listeners_changed = r->listeners_untold;
		n->item->covers_changed = r->covers_untold;
		n->item->now_ns = now_ns;
	}
	item = n->failed ? store_item_free(n->item) : n->item;
	n->item = NULL;
	n->failed = false;
	if (!item)
		return -ENOMEM;
	r->listeners_untold = r->covers_untold = false;
	*ret = item;
	return 0;
}
