/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of processes, containers and agents: a row for each actor, way and ten
 * seconds, oldest first, for as long as history is kept.
 *
 * A row that comes again within the span of a coarse window is the same row with a higher count, so
 * that a crash loop or a worker for each connection cannot push everything else out. Rows refer to
 * their actors.
 *
 * Limit: EVENTS_MAX rows; the oldest goes first, counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/actor.h"
#include "wire/batch.h"

#define EVENTS_MAX 16384 /* a power of two */

/* Beyond what agents tell of others: what became of themselves. */
#define EVENT_AGENT WIRE_EVENT_SCOPE_COUNT /* a scope; its actor is ACTOR_NONE */
enum event_agent_kind { EVENT_SILENT = WIRE_EVENT_KIND_COUNT, EVENT_RETURNED, EVENT_KIND_COUNT };

struct event {
	uint64_t first_ns, last_ns; /* wall clock */
	uint32_t actor, pid, count;
	uint32_t reporter;         /* of scope EVENT_AGENT: which one; else 0 */
	uint8_t kind, scope, code; /* enum wire_event_kind, wire_event_scope */
	bool oom, child;
};

struct events {
	struct event *rows; /* a ring */
	uint64_t begin, end;
	uint64_t merge_ns;
	uint64_t cut;               /* rows forgotten before their time */
	uint64_t cut_until_ns;      /* the newest of them */
	struct actor_table *actors; /* borrowed */
};

int events_init(struct events *e, struct actor_table *actors, uint64_t merge_ns); /* -ENOMEM */
void events_done(struct events *e); /* accepts an all-zero one; releases no actor */

/* Whether a row off the wire makes sense; its actor is another's to judge. */
bool events_is_sane(const struct wire_event *event);

void events_add(struct events *e, const struct event *event);

/* Forgets what ended before. */
void events_forget(struct events *e, uint64_t before_ns);

size_t events_count(const struct events *e);
const struct event *events_at(const struct events *e, size_t i); /* by first_ns, as a rule */

/* Sums of rows; `started` has the restarted in it, `exited` all ends, `killed` those for want of
 * memory. */
struct event_counts {
	uint64_t started, restarted, exited, failed, killed, oom;
};
void event_counts_add(struct event_counts *c, const struct event *event);
