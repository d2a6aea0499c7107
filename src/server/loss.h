/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every cause of loss there is: first those that agents report (wire/batch.h), then the server's
 * own. One numbering, so that a window carries both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/batch.h"

/* id, name, whether figures are missing because of it, meaning */
#define SERVER_LOSSES(X)                                                                           \
	X(DUPLICATES, "server_duplicates", false, "batches that came twice: ignored")              \
	X(GAPS, "server_gaps", true, "batches that never came")                                    \
	X(STALE, "server_stale", true, "batches of an agent's earlier life: ignored")              \
	X(REFUSED_BATCHES, "server_refused_batches", true,                                         \
	  "batches that made no sense as a whole")                                                 \
	X(REFUSED_AGENTS, "server_refused_agents", true, "batches of one agent too many")          \
	X(REFUSED_ACTORS, "server_refused_actors", true, "actors that made no sense")              \
	X(REFUSED_FLOWS, "server_refused_flows", true, "flows that made no sense")                 \
	X(REFUSED_UPDATES, "server_refused_updates", true,                                         \
	  "updates that made no sense: bytes missing from the sums")                               \
	X(REFUSED_LISTENERS, "server_refused_listeners", false, "listeners that made no sense")    \
	X(REFUSED_DNS_NAMES, "server_refused_dns_names", false, "names of addresses that made no sense") \
	X(REFUSED_EVENTS, "server_refused_events", true, "events of processes that made no sense") \
	X(REPAIRED_NAMES, "server_repaired_names", false,                                          \
	  "names that were no clean text, shown with U+FFFD")                                      \
	X(FLOWS_FULL, "server_flows_full", true, "flows that became their actor's coarse one")     \
	X(ACTORS_FULL, "server_actors_full", true, "actors that became ~other")                    \
	X(LISTENERS_FULL, "server_listeners_full", false, "listeners that are not shown")          \
	X(COVERS_FULL, "server_covers_full", false, "addresses of machines that found no room")       \
	X(NO_MEMORY, "server_no_memory", true, "updates lost for want of memory")                  \
	X(EVENTS_CUT, "server_events_cut", true,                                                   \
	  "events of processes forgotten before their hour was over")                              \
	X(HISTORY_CUT, "server_history_cut", true, "rows forgotten before their hour was over")

#define SERVER_LOSS_ENUM(id, name, counts, help) LOSS_##id,
enum loss {
	LOSS_OF_AGENTS = WIRE_LOSS_COUNT - 1, /* below: enum wire_loss */
	SERVER_LOSSES(SERVER_LOSS_ENUM) LOSS_COUNT
};

const char *loss_name(unsigned int cause);
const char *loss_help(unsigned int cause);
bool loss_counts(unsigned int cause); /* false: worth knowing, but nothing is missing */
