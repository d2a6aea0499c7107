/* SPDX-License-Identifier: Apache-2.0 */
/* See netns.h. */
#include "agent/netns.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/lru.h"

#define NETNS_MAX 1024

struct entry {
	struct wire_netns wire;
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
	if (id->cookie && e->wire.cookie && id->cookie != e->wire.cookie)
		*e = (struct entry){.previous = e->wire.cookie};
	if (id->cookie)
		e->wire.cookie = id->cookie;
	e->wire.netns = id->inode;
	return &e->wire;
}

/* Each end counts the segments that it sent again itself. */
static void add_tcp(uint64_t *ours, bool client, const __u64 *counter)
{
	if (client)
		ours[NETNS_ATTEMPTED] += counter[MR_ATTEMPTED];
	else
		ours[NETNS_ACCEPTED] += counter[MR_OPENED];
	ours[NETNS_RETRANSMITS] +=
		counter[MR_SYNACK_RETRANSMITS] +
		counter[client ? MR_RETRANSMITS_TO_SERVER : MR_RETRANSMITS_TO_CLIENT];
}

static void add_udp(uint64_t *ours, bool client, const __u64 *counter)
{
	ours[NETNS_DATAGRAMS_SENT] +=
		counter[client ? MR_DATAGRAMS_TO_SERVER : MR_DATAGRAMS_TO_CLIENT];
	ours[NETNS_DATAGRAMS_RECEIVED] +=
		counter[client ? MR_DATAGRAMS_TO_CLIENT : MR_DATAGRAMS_TO_SERVER];
	ours[NETNS_DATAGRAMS_DROPPED] +=
		counter[client ? MR_DROPPED_TO_CLIENT : MR_DROPPED_TO_SERVER];
}

void netns_add(struct netns *n, const struct mr_flow_key *key, const struct mr_flow_value *value)
{
	const struct netns_id id = {.inode = key->netns, .cookie = key->netns_cookie};
	struct wire_netns *w = netns_get(n, &id);

	if (!w)
		return;
	if (key->transport == MR_TRANSPORT_UDP)
		add_udp(w->ours, key->role == MR_ROLE_CLIENT, value->counter);
	else
		add_tcp(w->ours, key->role == MR_ROLE_CLIENT, value->counter);
}

void netns_set_baseline(struct netns *n, const struct netns_id *id, const struct snmp *now)
{
	struct wire_netns *w = netns_get(n, id);

	if (!w)
		return;
	for (int c = 0; c < NETNS_COUNTER_COUNT; c++)
		w->baseline[c] = now->counter[c] - w->ours[c];
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
