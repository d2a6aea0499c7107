/* SPDX-License-Identifier: Apache-2.0 */
/* See netns.h. */
#include "agent/netns.h"

#include <errno.h>
#include <stdlib.h>

#include "base/lru.h"

#define NETNS_MAX 1024

struct netns {
	struct lru *namespaces; /* inode ─► struct wire_netns */
};

struct netns *netns_new(void)
{
	struct netns *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->namespaces = lru_new(NETNS_MAX, sizeof(uint32_t), sizeof(struct wire_netns));
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

static struct wire_netns *netns_get(struct netns *n, uint32_t inode)
{
	struct wire_netns *w = lru_put_evict(n->namespaces, &inode, NULL);

	w->netns = inode;
	return w;
}

/* Each end counts the segments that it sent again itself. */
void netns_add(struct netns *n, const struct mr_flow_key *key, const struct mr_flow_value *value)
{
	struct wire_netns *w = netns_get(n, key->netns);

	if (key->role == MR_ROLE_CLIENT) {
		w->attempted += value->counter[MR_ATTEMPTED];
		w->retransmits += value->counter[MR_RETRANSMITS_TO_SERVER];
	} else {
		w->accepted += value->counter[MR_OPENED];
		w->retransmits += value->counter[MR_RETRANSMITS_TO_CLIENT];
	}
	w->retransmits += value->counter[MR_SYNACK_RETRANSMITS];
}

void netns_set_baseline(struct netns *n, uint32_t inode, const struct snmp_tcp *now)
{
	struct wire_netns *w = netns_get(n, inode);

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
