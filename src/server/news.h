/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a batch told that the store must remember: filled while the batch is taken in, taken when
 * it is in.
 *
 *     core_ingest() ─► core_news_take() ─► store_submit()
 *
 * Nothing is kept until core_news_want() is called; without a store the core is as it was. Flows
 * are told when they are new, and again when they come back after an hour: by then the store may
 * have forgotten them. Whoever a row refers to is told with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/events.h"
#include "server/fold.h"
#include "server/store/item.h"

struct core;

struct news {
	bool wanted;
	struct store_item *item; /* owned; NULL: nothing yet */
	uint32_t reporter;       /* whose batch was taken in last */
	uint32_t reasons_told;
	bool failed; /* no memory for all of it */
};

void core_news_want(struct core *c);

/* What the batch taken in last told; owned by the caller. -ENOMEM: part of it is missing, and what
 * there was is gone. -ENOENT: nothing. */
int core_news_take(struct core *c, uint64_t now_ns, struct store_item **ret);

/* --- for those who take a batch in ---------------------------------------------------------- */

void news_done(struct news *n);
void news_window(struct core *c, const struct window *w);
void news_event(struct core *c, const struct event *e);
void news_name(struct core *c, uint32_t machine, uint32_t netns, const uint8_t address[16],
	       const char *name);
