/* SPDX-License-Identifier: Apache-2.0 */
#include "server/owner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/core.h"

void owners_done(struct owners *o)
{
	free(o->flows);
	*o = (struct owners){0};
}

int owners_begin(struct core *c, uint64_t now_ns)
{
	struct owners *o = &c->owners;
	size_t used = flow_table_used(&c->flows), capacity = o->capacity ? o->capacity : 256;
	struct owner *flows;

	while (capacity < used)
		capacity *= 2;
	if (capacity != o->capacity) {
		flows = realloc(o->flows, capacity * sizeof(*flows));
		if (!flows)
			return -ENOMEM;
		memset(flows + o->capacity, 0, (capacity - o->capacity) * sizeof(*flows));
		o->flows = flows;
		o->capacity = capacity;
	}
	if (!++o->question) {
		memset(o->flows, 0, o->capacity * sizeof(*o->flows));
		o->question = 1;
	}
	o->now_ns = now_ns;
	return 0;
}

/* --- who is who ----------------------------------------------------------------------------- */

/* Of two agents that see the same socket: who sees more of the machine, the same for both. */
static bool goes_first(const struct reporter *a, const struct reporter *b)
{
	size_t a_length = strlen(a->cgroup), b_length = strlen(b->cgroup);

	return a_length != b_length ? a_length < b_length : strcmp(a->node, b->node) < 0;
}

static bool is_twin(const struct core *c, const struct flow_id *a, const struct flow_id *b)
{
	const struct actor *actors = c->actors.actors;

	return a->reporter != b->reporter && a->machine == b->machine && a->role == b->role &&
	       a->netns == b->netns && a->port == b->port && a->transport == b->transport &&
	       !memcmp(a->local, b->local, 16) && !memcmp(a->remote, b->remote, 16) &&
	       !strcmp(actors[a->actor].cgroup, actors[b->actor].cgroup);
}

static void add_agent(uint32_t list[OWNER_AGENTS], uint32_t reporter)
{
	for (unsigned int i = 0; i < OWNER_AGENTS; i++) {
		if (list[i] == reporter)
			return;
		if (list[i] != OWNER_NONE)
			continue;
		list[i] = reporter;
		return;
	}
}

static void find_twins(const struct core *c, const struct flow *f, const struct flow_id *id,
		       struct owner *o)
{
	struct hashindex_cursor at = hashindex_begin(f->pair_hash);
	const struct reporter *own = &c->reporters[id->reporter];
	uint32_t i;

	if (!own->shares_machine)
		return;
	while (hashindex_next(&c->flows.by_pair, &at, &i)) {
		const struct flow_id *other = flow_id(&c->flows, flow_at(&c->flows, i));

		if (is_twin(c, id, other) && goes_first(&c->reporters[other->reporter], own))
			add_agent(o->twins, other->reporter);
	}
}

/* The agents of the flows that mirror it; those of several machines cannot all be it. */
static void find_mirrored(const struct core *c, const struct flow *f, struct owner *o)
{
	struct flow_mirrors at = flow_mirrors_begin(f);
	uint32_t machine = UINT32_MAX, i;
	bool several = false;

	while (flow_mirrors_next(&c->flows, &at, &i)) {
		const struct flow_id *id = flow_id(&c->flows, flow_at(&c->flows, i));

		several |= o->mirrored && machine != id->machine;
		machine = id->machine;
		o->mirrored = true;
		add_agent(o->clients, id->reporter);
	}
	if (several)
		o->clients[0] = OWNER_NONE;
}

/* Nothing mirrors it so far, but an agent told that its client's address is its machine's. */
static void find_home(const struct core *c, const struct flow_id *id, struct owner *o)
{
	const struct endpoint_table *t = &c->endpoints;
	struct endpoint_home home;
	bool several;

	if (!flow_scope(id) &&
	    (endpoint_home(t, id->machine, id->remote, &home) ||
	     endpoint_home_elsewhere(t, id->machine, id->remote, &home, &several)))
		o->clients[0] = home.reporter;
}

static const struct owner *find(struct core *c, uint32_t flow)
{
	struct owner *o = &c->owners.flows[flow];
	const struct flow *f = flow_at(&c->flows, flow);
	const struct flow_id *id = flow_id(&c->flows, f);

	if (o->asked == c->owners.question)
		return o;
	*o = (struct owner){.asked = c->owners.question,
			    .twins = {OWNER_NONE, OWNER_NONE},
			    .clients = {OWNER_NONE, OWNER_NONE}};
	if (id->coarse)
		return o;
	find_twins(c, f, id, o);
	if (id->role != MR_ROLE_SERVER)
		return o;
	find_mirrored(c, f, o);
	if (!o->mirrored)
		find_home(c, id, o);
	return o;
}

/* --- what counts as what -------------------------------------------------------------------- */

static enum coverage_state state_of(const struct core *c, uint32_t reporter, uint64_t from_ns,
				    uint64_t to_ns)
{
	const struct reporter *r = &c->reporters[reporter];

	return coverage_of(&r->coverage, reporter_tail(r, c->owners.now_ns), from_ns, to_ns);
}

static bool is_gap(enum coverage_state state)
{
	return state == COVERAGE_GAP || state == COVERAGE_OPEN_GAP;
}

static bool is_told_by_twin(const struct core *c, const struct owner *o, uint64_t from_ns,
			    uint64_t to_ns, bool *ret_provisional)
{
	for (unsigned int i = 0; i < OWNER_AGENTS && o->twins[i] != OWNER_NONE; i++) {
		enum coverage_state state = state_of(c, o->twins[i], from_ns, to_ns);

		if (!is_gap(state))
			return true;
		*ret_provisional |= state == COVERAGE_OPEN_GAP;
	}
	return false;
}

/* Of all agents that see the client's end: what one of them tells is told. */
static enum coverage_state state_of_clients(const struct core *c, const struct owner *o,
					    uint64_t from_ns, uint64_t to_ns)
{
	enum coverage_state best = COVERAGE_GAP;

	for (unsigned int i = 0; i < OWNER_AGENTS && o->clients[i] != OWNER_NONE; i++) {
		enum coverage_state state = state_of(c, o->clients[i], from_ns, to_ns);

		if (!is_gap(state))
			return state;
		if (state == COVERAGE_OPEN_GAP)
			best = state;
	}
	return best;
}

/* Nobody sees the client's end, or who sees it is this agent itself. */
static bool is_on_its_own(const struct owner *o, uint32_t reporter)
{
	for (unsigned int i = 0; i < OWNER_AGENTS; i++)
		if (o->clients[i] == reporter)
			return true;
	return o->clients[0] == OWNER_NONE;
}

enum fold_part owner_part(void *userdata, const struct window *w, uint32_t flow,
			  bool *ret_provisional)
{
	enum fold_part part = w->merged ? FOLD_MERGED : FOLD_USUAL;
	struct core *c = userdata;
	const struct owner *o = find(c, flow);
	enum coverage_state state;

	if (is_told_by_twin(c, o, w->start_ns, w->end_ns, ret_provisional))
		return FOLD_NOWHERE;
	if (is_on_its_own(o, w->reporter))
		return part;
	state = state_of_clients(c, o, w->start_ns, w->end_ns);
	if (state == COVERAGE_TO_COME && !o->mirrored)
		return FOLD_NOWHERE;
	*ret_provisional |= state == COVERAGE_OPEN_GAP;
	return is_gap(state) ? part | FOLD_ALONE : part;
}

/* Somebody else still tells what is open at the other end. */
static bool has_stand_in(const struct core *c, const struct flow *f, uint64_t from_ns,
			 uint64_t to_ns)
{
	struct flow_mirrors at = flow_mirrors_begin(f);
	uint32_t i;

	while (flow_mirrors_next(&c->flows, &at, &i)) {
		uint32_t reporter = flow_id(&c->flows, flow_at(&c->flows, i))->reporter;

		if (!is_gap(state_of(c, reporter, from_ns, to_ns)))
			return true;
	}
	return false;
}

/* In a gap what was told last is the best there is, unless somebody knows better, or nobody comes
 * back. */
static bool is_stale(const struct core *c, const struct flow *f, uint64_t from_ns, uint64_t to_ns)
{
	const struct flow_id *id = flow_id(&c->flows, f);
	const struct reporter *own = &c->reporters[id->reporter];

	if (!is_gap(state_of(c, id->reporter, from_ns, to_ns)))
		return false;
	if (from_ns >= coverage_end(&own->coverage) &&
	    reporter_tail(own, c->owners.now_ns) == COVERAGE_GONE)
		return true;
	return id->role == MR_ROLE_CLIENT && has_stand_in(c, f, from_ns, to_ns);
}

enum fold_part owner_gauges(struct core *c, uint32_t flow, uint64_t at_ns, bool *ret_provisional)
{
	const struct flow *f = flow_at(&c->flows, flow);
	uint32_t own = flow_id(&c->flows, f)->reporter;
	const struct owner *o = find(c, flow);
	uint64_t before_ns = at_ns ? at_ns - 1 : 0;
	enum coverage_state state;

	if (is_stale(c, f, before_ns, at_ns) ||
	    is_told_by_twin(c, o, before_ns, at_ns, ret_provisional))
		return FOLD_NOWHERE;
	if (is_on_its_own(o, own))
		return FOLD_USUAL;
	state = state_of_clients(c, o, before_ns, at_ns);
	if (state == COVERAGE_TO_COME && !o->mirrored &&
	    f->first_seen_ns > coverage_end(&c->reporters[o->clients[0]].coverage))
		return FOLD_NOWHERE;
	*ret_provisional |= state == COVERAGE_OPEN_GAP;
	return is_gap(state) ? FOLD_ALONE : FOLD_USUAL;
}
