/* SPDX-License-Identifier: Apache-2.0 */
#include "server/peers.h"

#include <string.h>

#include <linux/types.h>

#include "../../bpf/flow.h"

void peers_begin(struct peers *p, const struct core *c)
{
	*p = (struct peers){.core = c};
}

void peers_done(struct peers *p)
{
	hashindex_done(&p->by_pair);
}

bool peers_may_be(const struct flow_id *id)
{
	return id->transport == WIRE_TRANSPORT_UDP && id->role == MR_ROLE_SERVER && !id->coarse &&
	       id->port >= PEERS_PORT_MIN;
}

static const struct flow_id *id_of(const struct peers *p, uint32_t flow)
{
	return flow_id(&p->core->flows, flow_at(&p->core->flows, flow));
}

/* The same number for both. */
static uint32_t hash_of(const struct peers *p, const struct flow_id *id)
{
	bool first = memcmp(id->local, id->remote, 16) < 0;
	struct {
		uint32_t scope, pad;
		uint8_t low[16], high[16];
	} bytes = {.scope = flow_scope(id)};

	memcpy(bytes.low, first ? id->local : id->remote, 16);
	memcpy(bytes.high, first ? id->remote : id->local, 16);
	return hashindex_hash(p->core->flows.seed, &bytes, sizeof(bytes));
}

int peers_add(struct peers *p, uint32_t flow)
{
	return hashindex_insert(&p->by_pair, hash_of(p, id_of(p, flow)), flow);
}

static bool are_opposite(const struct peers *p, const struct flow_id *a, const struct flow_id *b)
{
	return a->port != b->port && !memcmp(a->local, b->remote, 16) &&
	       !memcmp(a->remote, b->local, 16) && flow_share_scope(&p->core->flows, a, b);
}

static uint32_t only_opposite(const struct peers *p, uint32_t flow)
{
	const struct flow_id *id = id_of(p, flow);
	struct hashindex_cursor at = hashindex_begin(hash_of(p, id));
	uint32_t other, found = FLOW_NONE;

	while (hashindex_next(&p->by_pair, &at, &other)) {
		if (other == flow || !are_opposite(p, id, id_of(p, other)))
			continue;
		if (found != FLOW_NONE)
			return FLOW_NONE;
		found = other;
	}
	return found;
}

uint32_t peers_find(const struct peers *p, uint32_t flow)
{
	uint32_t other = only_opposite(p, flow);

	return other != FLOW_NONE && only_opposite(p, other) == flow ? other : FLOW_NONE;
}

bool peers_serves(const struct flow_id *a, const struct flow_id *b)
{
	return a->port != b->port ? a->port < b->port : memcmp(a->local, b->local, 16) < 0;
}
