/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See resolve.h. In this order: an actor seen serving there in the time asked for, who listens
 * there now, an actor seen serving there at another time. The last keeps the name of a service
 * that has just gone: its clients are refused by it, not by an address.
 */
#include "server/resolve.h"

#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/address.h"

uint32_t resolve_server(const struct resolver *r, const struct flow_id *id)
{
	struct endpoint_place place = {.machine = id->machine,
				       .netns = flow_scope(id),
				       .port = id->port,
				       .transport = id->transport};
	uint32_t seen, listens;
	bool current;

	memcpy(place.address, id->remote, 16);
	seen = endpoint_find(&r->core->endpoints, &place, r->from_ns, r->to_ns, &current);
	if (seen != ACTOR_NONE && current)
		return seen;
	listens = listener_find(&r->core->listeners, &place);
	return listens != ACTOR_NONE ? listens : seen;
}

static struct end end_of_actor(const struct resolver *r, const struct flow_id *id, uint32_t actor,
			       const uint8_t address[16])
{
	struct end e = {.actor = &r->core->actors.actors[actor],
			.actor_index = actor,
			.machine = id->machine};

	memcpy(e.address, address, 16);
	return e;
}

/* Nobody we know. The address may still be one of the machine: a port nobody listens on. */
static struct end end_of_address(const struct resolver *r, const struct flow_id *id,
				 const uint8_t address[16])
{
	struct end e = {.actor_index = ACTOR_NONE, .machine = id->machine};

	e.local = address_is_loopback(address) ||
		  endpoint_address_is_local(&r->core->endpoints, id->machine, 0, address);
	memcpy(e.address, address, 16);
	/* who is a server was looked up by its name; a client's address was not */
	if (!e.local && id->role == MR_ROLE_CLIENT)
		e.name = names_find(&r->core->names, id->machine, id->netns, address);
	return e;
}

static struct end end_remote(const struct resolver *r, const struct flow_id *id)
{
	uint32_t actor;

	if (id->coarse)
		return (struct end){.actor_index = ACTOR_NONE, .other = true};
	actor = id->role == MR_ROLE_CLIENT ? resolve_server(r, id) : ACTOR_NONE;
	if (actor == ACTOR_NONE)
		return end_of_address(r, id, id->remote);
	return end_of_actor(r, id, actor, id->remote);
}

void resolve_flow(const struct resolver *r, const struct flow_id *id, struct ends *ret)
{
	struct end own = end_of_actor(r, id, id->actor, id->local);
	struct end remote = end_remote(r, id);
	bool client = id->role == MR_ROLE_CLIENT;

	*ret = (struct ends){.client = client ? own : remote,
			     .server = client ? remote : own,
			     .port = id->port,
			     .transport = id->transport,
			     .coarse = id->coarse,
			     .via_port = id->via_port};
	memcpy(ret->via, id->via, 16);
}

static void describe(const struct end *e, char text[ADDRESS_TEXT_MAX], struct filter_end *ret)
{
	*ret = (struct filter_end){.workload = "", .process = "", .container = ""};
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

bool resolve_matches(const struct filter *filter, const struct ends *ends)
{
	char client[ADDRESS_TEXT_MAX], server[ADDRESS_TEXT_MAX];
	struct filter_subject subject = {.port = ends->port,
					 .protocol = wire_transport_name(ends->transport)};

	if (!filter)
		return true;
	describe(&ends->client, client, &subject.client);
	describe(&ends->server, server, &subject.server);
	return filter_matches(filter, &subject);
}
