/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See watch.h. The clock ticks once a second; a tick that comes late says that this server stood
 * still itself, and then nobody is silent before everybody had time to send.
 *
 * Long after an agent is gone what it held is given back: its handles, listeners, addresses, and
 * what was open. Should it come back after all, it is asked for its handles again.
 */
#include "server/watch.h"

#include "server/life.h"

#define TICK_LATE_NS UINT64_C(3000000000)
#define VACATE_NS    UINT64_C(60000000000)
#define GRACE_NS     UINT64_C(15000000000) /* longer than agents wait between two attempts */

static void tell(struct core *c, const struct reporter *r, uint8_t kind, uint64_t at_ns)
{
	const struct event event = {.first_ns = at_ns,
				    .last_ns = at_ns,
				    .actor = ACTOR_NONE,
				    .reporter = r->index,
				    .count = 1,
				    .kind = kind,
				    .scope = EVENT_AGENT};

	events_add(&c->events, &event);
	news_event(c, &event);
	c->version++;
}

void watch_heard(struct core *c, struct reporter *r, bool new_life, uint64_t now_ns)
{
	/* the first of all began with this server, which is no news */
	if (new_life && (r->batches || r->index))
		tell(c, r, WIRE_EVENT_STARTED, r->started_wall_ns);
	else if (r->told_silent)
		tell(c, r, EVENT_RETURNED, now_ns);
	r->told_silent = r->given_back = false;
}

static void give_back(struct core *c, struct reporter *r, uint64_t now_ns)
{
	/* while this server was not there it could not be heard */
	uint64_t since_ns = r->last_seen_wall_ns > c->began_ns ? r->last_seen_wall_ns : c->began_ns;

	/* one in this process is not asked for its handles */
	if (r->given_back || !r->elsewhere || now_ns < since_ns + c->config.retain_ns ||
	    life_end(c, r, now_ns) < 0)
		return;
	r->given_back = true;
	r->defined_for = 0;
}

void core_tick(struct core *c, uint64_t now_ns)
{
	bool late = now_ns > c->ticked_ns + TICK_LATE_NS;

	c->ticked_ns = now_ns;
	if (!c->began_ns)
		c->began_ns = now_ns;
	if (late)
		c->stood_still_until_ns = now_ns + GRACE_NS;
	if (now_ns < c->stood_still_until_ns)
		return;
	if (c->reporter_count == c->config.agents_max && now_ns > c->vacated_ns + VACATE_NS) {
		c->vacated_ns = now_ns;
		life_vacate(c);
	}
	for (uint32_t i = 0; i < c->reporter_count; i++) {
		struct reporter *r = &c->reporters[i];
		enum coverage_tail tail = reporter_tail(r, now_ns);

		if (r->vacant)
			continue;
		if (tail != COVERAGE_REPORTING && !r->told_silent) {
			r->told_silent = true;
			tell(c, r, EVENT_SILENT, r->last_seen_wall_ns);
		}
		if (tail == COVERAGE_GONE)
			give_back(c, r, now_ns);
	}
}
