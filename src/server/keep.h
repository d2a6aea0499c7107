/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the core and the store: what the core learns is kept, and a core that begins gets back
 * what was kept.
 *
 *     core_ingest ─► keep_batch ─► store ─► on_durable      keep_open: store ─► core
 *
 * Everything but the store's own thread happens in the loop's.
 */
#pragma once

#include "server/intake.h"
#include "server/query.h"
#include "server/store/store.h"

struct keep {
	struct store *store; /* NULL: nothing is kept */
	struct core *core;   /* borrowed */
	struct intake_store door;
	void (*on_durable)(void *userdata, uint64_t ticket, int r);
	void *userdata;
	uint64_t lost; /* batches that were taken but found no memory to be kept */
};

/* Opens the store and fills the core, which is new, with the last of it. */
int keep_open(struct keep *k, const struct store_config *config, struct core *core,
	      struct error *ret_error);
int keep_start(struct keep *k, uv_loop_t *loop);
void keep_stop(struct keep *k);  /* in the loop's thread, or before it ran */
void keep_close(struct keep *k); /* after the loop; accepts an all-zero one */

/* For intake_init(), once it is open. */
const struct intake_store *keep_door(struct keep *k);

/* The core has just taken a batch in; ticket 0: nobody waits for it. */
void keep_batch(struct keep *k, uint64_t ticket, uint64_t now_ns);
/* False: let those who bring batches wait. */
bool keep_has_room(const struct keep *k);
