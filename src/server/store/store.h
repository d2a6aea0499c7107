/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server remembers, in a folder on a disk: one interface in front of an engine. The engine
 * is SQLite with a write-ahead log that is flushed at each commit.
 *
 *     loop's thread: store_submit(item) ──queue──► writer's thread: one transaction for all that
 *                    on_result ◄── uv_async ──     waited, then tidying (writer.h)
 *     any thread:    reader.h, a connection of its own; the writer never waits for readers, nor
 *                    they for it
 *
 * What was acknowledged is on the disk: on_result(0) comes after the commit. When the disk is full
 * or fails, on_result tells the error, the item stays in the queue, and it is tried again every
 * second, for as long as it takes. Items are bounded: STORE_ITEMS_MAX and STORE_QUEUE_BYTES_MAX.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "server/store/item.h"
#include "server/store/level.h"

#define STORE_ITEMS_MAX       4096
#define STORE_QUEUE_BYTES_MAX (64u << 20)

struct store;

struct store_config {
	const char *folder; /* made if it is not there, for its owner alone */
	uint64_t bytes_max; /* 0: 8 GiB */
	uint64_t retain_ns; /* nothing is kept longer; 0: each level's own */
	uint64_t pages_max; /* for tests: beyond it is as if the disk were full */
};

/* r: 0: durable. <0: not yet; it will be tried again, and told again. Loop's thread. */
typedef void (*store_result_fn)(void *userdata, uint64_t ticket, int r);

struct store_level_status {
	uint64_t oldest_ns, closed_ns, cut_rows; /* oldest_ns 0: there is nothing */
};

struct store_status {
	char path[512];
	uint64_t bytes, bytes_max;
	size_t queued;
	uint64_t queued_since_ns; /* wall clock of the oldest item that waits; 0: none */
	uint64_t errors;          /* failed attempts since it was opened */
	char error[256];          /* the last one; "": it works */
	uint64_t tidy_errors;
	char tidy_error[128]; /* the same of roll-ups and forgetting */
	uint64_t late_blocks, cuts_ignored, damaged_blocks;
	struct store_level_status levels[LEVEL_COUNT];
};

/* The folder for data, before root is given up: made, and given to that account. */
int store_make_folder(const char *folder, unsigned int uid, unsigned int gid,
		      struct error *ret_error);

/* Opens, brings the file up to date, and keeps every other server out. */
int store_open(struct store **ret, const struct store_config *config, struct error *ret_error);
/* Its thread begins. The loop must outlive it. */
int store_start(struct store *s, uv_loop_t *loop, store_result_fn on_result, void *userdata);

/* Takes the item. -ENOSPC: the queue is full (the item is not taken). */
int store_submit(struct store *s, struct store_item *item);
bool store_has_room(struct store *s);
bool store_works(struct store *s); /* the last attempt to write did not fail */

void store_status(struct store *s, struct store_status *ret); /* any thread */
const char *store_path(const struct store *s);

/* Ends the thread, after what waits is written if it can be, and closes its handle of the loop. */
void store_stop(struct store *s);
struct store *store_free(struct store *s); /* after the loop ran dry; always NULL; accepts NULL */
