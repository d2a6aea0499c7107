/* SPDX-License-Identifier: Apache-2.0 */
/* See baseline.h. */
#include "agent/baseline.h"

#include <errno.h>
#include <string.h>

#include "agent/netns_scan.h"
#include "base/lru.h"

#define TRIES     20
#define NETNS_MAX 1024

struct reading {
	struct snmp kernel;
	bool settled;
};

struct baselines {
	struct netns *netns;
	struct lru *readings; /* struct netns_id ─► struct reading, before ours were taken */
	size_t moving;
};

static void on_before(void *userdata, const struct netns_id *id, const struct snmp *kernel)
{
	struct baselines *b = userdata;
	struct reading *reading = lru_put(b->readings, id, NULL);

	if (reading && !reading->settled)
		reading->kernel = *kernel;
}

static void on_after(void *userdata, const struct netns_id *id, const struct snmp *kernel)
{
	struct baselines *b = userdata;
	struct reading *reading = lru_get(b->readings, id);

	if (!reading || reading->settled)
		return;
	netns_set_baseline(b->netns, id, &reading->kernel);
	reading->settled = memcmp(&reading->kernel, kernel, sizeof(*kernel)) == 0;
	b->moving += !reading->settled;
}

static int baseline_try(struct baselines *b, const char *proc, baseline_collect_fn collect,
			void *userdata)
{
	int r = netns_scan(proc, on_before, b);

	if (r == 0)
		r = collect(userdata);
	b->moving = 0;
	return r < 0 ? r : netns_scan(proc, on_after, b);
}

int baseline_note(struct netns *netns, const char *proc, baseline_collect_fn collect,
		  void *userdata)
{
	struct baselines b = {.netns = netns, .moving = 1};
	int r = 0;

	b.readings = lru_new(NETNS_MAX, sizeof(struct netns_id), sizeof(struct reading));
	if (!b.readings)
		return -ENOMEM;
	for (int i = 0; i < TRIES && b.moving && r == 0; i++)
		r = baseline_try(&b, proc, collect, userdata);
	lru_free(b.readings);
	return r;
}
