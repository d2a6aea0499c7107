/* SPDX-License-Identifier: Apache-2.0 */
/* See netns.h. */
#include "agent/netns.h"

#include <errno.h>
#include <stdlib.h>

#include "base/lru.h"

#define NETNS_MAX 1024

struct entry {
	struct wire_netns wire;
	uint32_t cookie;   /* 0: not known yet */
	uint32_t previous; /* of the one that had this inode before: late records are not ours */
};

struct netns {
	struct lru *namespaces; /* inode ─► struct entry */
};

struct netns *netns_new(void)
{
	struct netns *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->namespaces = lru_new(NETNS_MAX, sizeof(uint32_t), sizeof(struct entry));
	return n->namespaces ? n : netns_free(n);
}

struct netns *netns_free(struct netns *n)
{
	if (!n)
		return NULL;
	lru_free(n->namespaces);
	free(n);
	return NULL;
}

/* NULL: of a namespace that is gone. */
static struct wire_netns *netns_get(struct netns *n, const struct netns_id *id)
{
	struct entry *e = lru_put_evict(n->namespaces, &id->inode, NULL);

	if (id->cookie && id->cookie == e->previous)
		return NULL;
	if (id->cookie && e->cookie && id->cookie != e->cookie)
		*e = (struct entry){.previous = e->cookie};
	if (id->cookie)
		e->cookie = id->cookie;
	e->wire.netns = id->inode;
	return &e->wire;
}

/* Each end counts the segments that it sent again itself. */
void netns_add(struct netns *n, const struct mr_flow_key *key, const struct mr_flow_value *value)
{
	const struct netns_id id = {.inode = key->netns, .cookie = key->netns_cookie};
	struct wire_netns *w = key->transport == MR_TRANSPORT_TCP ? netns_get(n, &id) : NULL;

	if (!w)
		return;
	if (key->role == MR_ROLE_CLIENT) {
		w->attempted += value->counter[MR_ATTEMPTED];
		w->retransmits += value->counter[MR_RETRANSMITS_TO_SERVER];
	} else {
		w->accepted += value->counter[MR_OPENED];
		w->retransmits += value->counter[MR_RETRANSMITS_TO_CLIENT];
	}
	w->retransmits += value->counter[MR_SYNACK_RETRANSMITS];
}

void netns_set_baseline(struct netns *n, const struct netns_id *id, const struct snmp_tcp *now)
{
	struct wire_netns *w = netns_get(n, id);

	if (!w)
		return;
	w->baseline_active_opens = now->active_opens - w->attempted;
	w->baseline_passive_opens = now->passive_opens - w->accepted;
	w->baseline_retrans_segs = now->retrans_segs - w->retransmits;
}

int netns_report(const struct netns *n, struct wire_batch *batch)
{
	size_t count = lru_count(n->namespaces);
	struct wire_netns *rows = arena_alloc(batch->arena, count * sizeof(*rows)), *row = rows;

	if (!rows)
		return -ENOMEM;
	for (const struct wire_netns *w = lru_oldest(n->namespaces); w;
	     w = lru_newer(n->namespaces, w))
		*row++ = *w;
	batch->netns = rows;
	batch->netns_count = count;
	return 0;
}
