/* SPDX-License-Identifier: Apache-2.0 */
/* What the core holds. For the files behind query.h only. */
#pragma once

#include "server/actor.h"
#include "server/endpoint.h"
#include "server/flow.h"
#include "server/history.h"
#include "server/layout.h"
#include "server/listener.h"
#include "server/loss.h"
#include "server/names.h"
#include "server/news.h"
#include "server/owner.h"
#include "server/query.h"
#include "server/reporter.h"

struct core {
	struct core_config config; /* every value set */
	struct actor_table actors;
	struct endpoint_table endpoints;
	struct flow_table flows;
	struct listener_table listeners;
	struct names names;
	struct events events;
	struct reason_names reason_names;
	struct reporter *reporters; /* config.agents_max places */
	struct hashindex reporters_by_node;
	uint32_t reporter_count, machine_count;
	uint64_t resolution_ns;    /* of what was read from the store; 0: as it came */
	uint64_t last_reporter;    /* the last permanent number given */
	struct history history;
	struct news news;          /* for the store */
	struct layout *layout;     /* where nodes stand on the map */
	uint64_t loss[LOSS_COUNT]; /* the server's own, since it started */
	uint64_t version, latest_ns, forgotten_ns;
	uint64_t began_ns, ticked_ns, stood_still_until_ns; /* watch.c */
	uint64_t vacated_ns;                      /* likewise */
	bool took_merged; /* history may hold merged windows */
	uint64_t *order; /* ingest: updates by flow */
	size_t order_capacity;
	struct fold range, step; /* what questions sum into */
	struct owners owners;
};
