/* SPDX-License-Identifier: Apache-2.0 */
/* The order of top's rows: keys are a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "top_row.h"

const char *const top_sort_names[TOP_SORT_COUNT] = {
	[TOP_SORT_TRAFFIC] = "traffic",
	[TOP_SORT_CLIENT] = "client",
	[TOP_SORT_SERVER] = "server",
	[TOP_SORT_TO_SERVER] = "to-server",
	[TOP_SORT_TO_CLIENT] = "to-client",
	[TOP_SORT_OPEN] = "open",
	[TOP_SORT_NEW] = "new",
	[TOP_SORT_RTT] = "rtt",
	[TOP_SORT_CONNECT] = "connect",
	[TOP_SORT_RETRANSMITS] = "retransmits",
	[TOP_SORT_FAILED] = "failed",
	[TOP_SORT_WAITS] = "waits",
	[TOP_SORT_HEALTH] = "health",
};

int top_sort_parse(const char *text, enum top_sort *ret)
{
	for (int i = 0; i < TOP_SORT_COUNT; i++) {
		if (strcmp(text, top_sort_names[i]))
			continue;
		*ret = (enum top_sort)i;
		return 0;
	}
	return -EINVAL;
}

/* What a row weighs by this key; those by name weigh nothing. */
static double weight(const struct top_row *row, enum top_sort sort)
{
	switch (sort) {
	case TOP_SORT_TRAFFIC:
		return row->to_server + row->to_client;
	case TOP_SORT_TO_SERVER:
		return row->to_server;
	case TOP_SORT_TO_CLIENT:
		return row->to_client;
	case TOP_SORT_OPEN:
		return row->edge->active;
	case TOP_SORT_NEW:
		return row->opened;
	case TOP_SORT_RTT:
		return row->rtt_p50;
	case TOP_SORT_CONNECT:
		return row->connect_p50;
	case TOP_SORT_RETRANSMITS:
		return row->edge->retransmits;
	case TOP_SORT_FAILED:
		return row->edge->failed_total;
	case TOP_SORT_WAITS:
		/* the network is what every sender waits for; the others are news */
		return row->wait_share + (row->wait && row->wait != TOP_WAIT_NETWORK);
	case TOP_SORT_HEALTH:
		return row->level + (row->edge->pending > 0 ? 0.5 : 0);
	default:
		return 0;
	}
}

struct order {
	enum top_sort sort;
	bool reverse;
};

static int compare_names(const struct top_row *a, const struct top_row *b, bool server_first)
{
	int client = strcmp(a->client, b->client), server = strcmp(a->server, b->server);
	int r = server_first ? server : client;

	r = r ? r : server_first ? client : server;
	return r ? r : strcmp(a->id, b->id);
}

static int compare_rows(const void *x, const void *y, void *userdata)
{
	const struct top_row *a = x, *b = y;
	const struct order *order = userdata;
	double left = weight(a, order->sort), right = weight(b, order->sort);
	bool by_name = order->sort == TOP_SORT_CLIENT || order->sort == TOP_SORT_SERVER;
	int names;

	if (left != right)
		return (left > right) == order->reverse ? 1 : -1;
	names = compare_names(a, b, order->sort == TOP_SORT_SERVER);
	return by_name && order->reverse ? -names : names;
}

void top_table_sort(struct top_table *t, enum top_sort sort, bool reverse)
{
	struct order order = {sort, reverse};

	if (t->count)
		qsort_r(t->rows, t->count, sizeof(*t->rows), compare_rows, &order);
}
