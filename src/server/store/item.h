/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one batch adds to the store, on its way from the core to the disk: all of it is written in
 * one transaction, or none.
 *
 * Whatever is named by number here has a permanent one: it is never given to anything else, in this
 * run of the server or another. Everything a row names comes with the item or came with one before.
 *
 * Ownership: all of it lives in the item's arena and dies with it. Times: wall clock, ns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vector.h"
#include "server/loss.h"
#include "server/row.h"

#define STORE_HASH_SIZE 16

struct store_reporter {
	uint64_t id; /* 0: nobody; the item is of agents that fell silent */
	uint32_t machine;
	const char *node, *boot_id, *version, *kernel, *hooks, *zone, *region, *cgroup;
	uint64_t started_ns; /* the agent's clock; with boot_id names its life */
	uint64_t started_wall_ns, last_seen_ns, last_window_ns, window_ns;
	uint64_t life_from_ns,
		life_to_ns; /* the newest span that it covers without a gap; 0: none */
	uint64_t sequence, batches;
	uint8_t hash[STORE_HASH_SIZE]; /* of the last batch's bytes; 0: there were none */
	uint64_t loss[WIRE_LOSS_COUNT];
};

struct store_actor {
	uint64_t id, reporter;
	uint32_t pid;
	bool other;
	const char *process, *unit, *container, *pod, *cgroup;
	uint64_t first_ns, last_ns;
};

struct store_flow {
	uint64_t id, reporter, actor;
	uint32_t machine, netns;
	uint16_t port, via_port;
	uint8_t transport, role;
	bool coarse, unresolved;
	uint8_t local[16], remote[16], via[16];
	uint64_t first_ns, last_ns;
};

struct store_name {
	uint32_t machine, netns;
	uint8_t address[16];
	const char *name;
};

struct store_event {
	uint64_t first_ns, last_ns, actor; /* actor 0: of an agent, which is reporter */
	uint64_t reporter;
	uint32_t pid, count;
	uint8_t kind, scope, code;
	bool oom, child;
};

struct store_listener {
	uint64_t actor;
	uint32_t netns, queue_max;
	uint8_t address[16];
	uint16_t port;
	uint8_t transport;
};

struct store_cover {
	uint32_t netns;
	uint8_t address[16];
};

struct store_reason {
	uint32_t number;
	const char *name;
};

/* Scopes and kinds that the core adds to those of the wire, as the file numbers them. */
#define STORE_EVENT_AGENT    100
#define STORE_EVENT_SILENT   100
#define STORE_EVENT_RETURNED 101

/* As history keeps it (fold.h), and which flow its rows are of. */
struct store_window {
	uint64_t reporter;
	uint64_t start_ns, end_ns;
	uint32_t rows;
	bool merged;     /* fold.h */
	uint64_t *flows; /* of each row, in their order */
	uint8_t *data;
	size_t size;
};

struct store_item {
	struct arena *arena;
	struct store_item *next;
	uint64_t now_ns; /* wall clock at receipt */
	uint64_t ticket; /* whoever submits it knows it by this */
	size_t size;     /* about, in bytes */
	struct store_reporter reporter;
	struct vector actors, flows, names, events, reasons, windows;
	bool listeners_changed, covers_changed; /* then they are the whole set of this reporter */
	struct vector listeners, covers;
};

struct store_item *store_item_new(void);                     /* NULL: no memory */
struct store_item *store_item_free(struct store_item *item); /* always NULL; accepts NULL */
