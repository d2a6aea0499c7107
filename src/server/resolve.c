/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See resolve.h. In this order: an actor seen serving there in the time asked for, who listens
 * there now, an actor seen serving there at another time. The last keeps the name of a service
 * that has just gone: its clients are refused by it, not by an address.
 *
 * First on the flow's own machine. An address that this one does not have is looked for on the
 * others: whoever mirrors the flow, else the only machine that has it, else of several that have it
 * the only one where somebody was seen serving there in that time.
 */
#include "server/resolve.h"

#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/address.h"
#include "server/locate.h"

static struct endpoint_place place_of_server(const struct flow_id *id)
{
	struct endpoint_place place = {.machine = id->machine,
				       .netns = flow_scope(id),
				       .port = id->port,
				       .transport = id->transport};

	memcpy(place.address, id->remote, 16);
	return place;
}

/* On the machine of the place. *ret_past: seen there at another time. */
static uint32_t find_at(const struct resolver *r, const struct endpoint_place *place,
			uint32_t *ret_past)
{
	bool current;
	uint32_t seen = endpoint_find(&r->core->endpoints, place, r->from_ns, r->to_ns, &current);

	*ret_past = seen;
	return seen != ACTOR_NONE && current ? seen : listener_find(&r->core->listeners, place);
}

static bool was_there(const struct resolver *r, const struct flow *f)
{
	return f->first_seen_ns <= r->to_ns && f->last_seen_ns > r->from_ns;
}

/* Whoever says of itself to be the other end: of several the one seen last in that time. */
static uint32_t find_mirrored(const struct resolver *r, const struct flow *flow,
			      const struct flow_id *id)
{
	struct flow_mirrors at = flow_mirrors_begin(flow);
	uint32_t i, found = ACTOR_NONE;
	uint64_t seen_ns = 0;

	while (flow_mirrors_next(&r->core->flows, &at, &i)) {
		const struct flow *f = flow_at(&r->core->flows, i);

		if (!was_there(r, f) || (found != ACTOR_NONE && f->last_seen_ns <= seen_ns))
			continue;
		found = flow_id(&r->core->flows, f)->actor;
		seen_ns = f->last_seen_ns;
	}
	return found;
}

static uint32_t find_elsewhere(const struct resolver *r, const struct flow *flow,
			       const struct flow_id *id)
{
	const struct endpoint_table *t = &r->core->endpoints;
	struct endpoint_place place = place_of_server(id);
	uint32_t found = flow ? find_mirrored(r, flow, id) : ACTOR_NONE, past;
	struct endpoint_home home;
	bool several;

	if (found != ACTOR_NONE)
		return found;
	if (endpoint_home_elsewhere(t, id->machine, id->remote, &home, &several)) {
		place.machine = home.machine;
		found = find_at(r, &place, &past);
		return found != ACTOR_NONE ? found : past;
	}
	return several ? endpoint_find_elsewhere(t, &place, r->from_ns, r->to_ns) : ACTOR_NONE;
}

static bool may_be_elsewhere(const struct resolver *r, const struct flow_id *id)
{
	return !flow_scope(id) &&
	       !endpoint_address_is_local(&r->core->endpoints, id->machine, 0, id->remote);
}

uint32_t resolve_server(const struct resolver *r, const struct flow *flow, const struct flow_id *id)
{
	const struct endpoint_place place = place_of_server(id);
	uint32_t past, found = find_at(r, &place, &past);

	if (found == ACTOR_NONE && may_be_elsewhere(r, id))
		found = find_elsewhere(r, flow, id);
	return found != ACTOR_NONE ? found : past;
}

struct end resolve_actor(const struct core *c, uint32_t actor, const uint8_t address[16])
{
	const struct actor *a = &c->actors.actors[actor];
	struct end e = {.actor = a, .actor_index = actor, .reporter = a->reporter};

	e.machine = c->reporters[a->reporter].machine;
	memcpy(e.address, address, 16);
	return e;
}

/* Whose machine an address is: the flow's own, else the only other that has it. */
static bool find_home(const struct resolver *r, const struct flow_id *id, const uint8_t address[16],
		      struct endpoint_home *ret)
{
	const struct endpoint_table *t = &r->core->endpoints;
	bool several;

	if (endpoint_home(t, id->machine, address, ret))
		return true;
	*ret = (struct endpoint_home){id->machine, id->reporter};
	return address_is_loopback(address) ||
	       endpoint_home_elsewhere(t, id->machine, address, ret, &several);
}

/* Nobody we know. The address may still be one of a machine: a port nobody listens on. */
static struct end end_of_address(const struct resolver *r, const struct flow_id *id,
				 const uint8_t address[16])
{
	struct end e = {.actor_index = ACTOR_NONE, .reporter = RESOLVE_NO_REPORTER};
	struct endpoint_home home;

	e.machine = id->machine;
	e.local = find_home(r, id, address, &home);
	if (e.local) {
		e.machine = home.machine;
		e.reporter = home.reporter;
	}
	memcpy(e.address, address, 16);
	/* who is a server was looked up by its name; a client's address was not */
	if (!e.local && id->role == MR_ROLE_CLIENT)
		e.name = names_find(&r->core->names, id->machine, id->netns, address);
	return e;
}

static struct end end_remote(const struct resolver *r, const struct flow *flow,
			     const struct flow_id *id)
{
	uint32_t actor;

	if (id->coarse)
		return (struct end){
			.actor_index = ACTOR_NONE, .reporter = RESOLVE_NO_REPORTER, .other = true};
	actor = id->role == MR_ROLE_CLIENT ? resolve_server(r, flow, id) : ACTOR_NONE;
	return actor == ACTOR_NONE ? end_of_address(r, id, id->remote)
				   : resolve_actor(r->core, actor, id->remote);
}

void resolve_flow(const struct resolver *r, const struct flow *flow, const struct flow_id *id,
		  struct ends *ret)
{
	struct end own = resolve_actor(r->core, id->actor, id->local);
	struct end remote = end_remote(r, flow, id);
	bool client = id->role == MR_ROLE_CLIENT;

	*ret = (struct ends){.client = client ? own : remote,
			     .server = client ? remote : own,
			     .port = id->port,
			     .transport = id->transport,
			     .coarse = id->coarse,
			     .carrier = carrier_of(r->core, id, client ? remote.actor : NULL),
			     .via_port = id->via_port};
	memcpy(ret->via, id->via, 16);
}

static void describe(const struct core *c, const struct end *e, char text[ADDRESS_TEXT_MAX],
		     struct filter_end *ret)
{
	*ret = (struct filter_end){.workload = "",
				   .process = "",
				   .container = "",
				   .node = locate_node(c, e),
				   .zone = locate_zone(c, e)};
	if (e->other) {
		ret->workload = "~other";
		return;
	}
	memcpy(ret->address, e->address, 16);
	ret->address_known = !address_is_unspecified(e->address);
	if (!e->actor) {
		ret->workload = e->name ? e->name : address_format(e->address, text);
		return;
	}
	ret->workload = e->actor->workload;
	ret->process = e->actor->process;
	ret->container = e->actor->container;
}

bool resolve_matches(const struct core *c, const struct filter *filter, const struct ends *ends)
{
	char client[ADDRESS_TEXT_MAX], server[ADDRESS_TEXT_MAX];
	struct filter_subject subject = {.port = ends->port,
					 .protocol = wire_transport_name(ends->transport),
					 .class_name = locate_class_name(locate_class(c, ends)),
					 .carrier = carrier_name(ends->carrier)};

	if (!filter)
		return true;
	describe(c, &ends->client, client, &subject.client);
	describe(c, &ends->server, server, &subject.server);
	return filter_matches(filter, &subject);
}
